//! Programs of others that know nothing but the document: one that tries every operation with whatever the schemas allow
//! and do not allow, and one that writes a client.
//!
//! `AGENT_TEST_SCHEMATHESIS` and `AGENT_TEST_OPENAPI_CLIENT` are what `tests/fetch-api-clients.sh` prints;
//! `AGENT_TEST_SCHEMATHESIS_EXAMPLES` is how many examples each operation is tried with, 20 unless said otherwise.

use agent_testkit::TestServer;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;
use tokio::process::Command;

/// How long a program may take; longer with more examples.
const PATIENCE: Duration = Duration::from_secs(300);
const EXAMPLES: u32 = 20;

/// The operations that a session does not survive.
const ENDS_SESSIONS: [&str; 3] = ["log_out", "change_password", "revoke_key"];

/// What a variable says. `None`, and a line that says so, where it says nothing.
#[expect(clippy::disallowed_methods, reason = "where the programs are stands in the environment")]
#[expect(clippy::print_stderr, reason = "a test that does nothing says so")]
fn program(variable: &str) -> Option<String> {
    let named = std::env::var(variable).ok().filter(|program| !program.is_empty());
    if named.is_none() {
        eprintln!("{variable} is not set: this test does nothing");
    }
    named
}

#[expect(clippy::disallowed_methods, reason = "how long it may take stands in the environment")]
fn examples() -> u32 {
    let wanted = std::env::var("AGENT_TEST_SCHEMATHESIS_EXAMPLES").ok();
    wanted.and_then(|wanted| wanted.parse().ok()).unwrap_or(EXAMPLES)
}

async fn run(command: &mut Command, patience: Duration) -> Output {
    command.stdin(Stdio::null()).kill_on_drop(true).env("no_proxy", "127.0.0.1");
    tokio::time::timeout(patience, command.output()).await.unwrap().unwrap()
}

fn succeeded(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let about = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{about}");
    said
}

/// Tries operations in all phases. Streams never end and are left out; so is what makes no sense to a program that
/// knows only the schemas: rules between fields, which a schema does not tell (`positive_data_acceptance`).
async fn try_out(seed: u32, which: &[String], phases: &[&str]) {
    let Some(program) = program("AGENT_TEST_SCHEMATHESIS") else { return };
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(program);
    command
        .current_dir(folder.path())
        .args(["run", &format!("{}/openapi.json", server.url()), "--no-color", "--workers", "1"])
        .args(["--header", &format!("Authorization: Bearer {}", admin.token().unwrap())])
        .args(["--phases", "examples,coverage,fuzzing,stateful", "--seed", &seed.to_string()])
        .args(["--max-examples", &examples().to_string(), "--request-timeout", "20"])
        .args(["--exclude-checks", "positive_data_acceptance"])
        .args(["--exclude-path-regex", "/stream$"])
        .args(which);
    let said = succeeded(&run(&mut command, PATIENCE * examples().div_ceil(EXAMPLES)).await);
    for phase in phases {
        assert!(said.contains(&format!("✅ {phase}")), "{phase} was not tried:\n{said}");
    }
    // It has brought no account, plan or connection of its own down.
    server.anonymous().get("/ready").await.expect(200);
}

async fn every_operation_keeps_to_the_document(seed: u32) {
    let others = ENDS_SESSIONS.iter().flat_map(|id| ["--exclude-operation-id".to_owned(), (*id).to_owned()]);
    let phases = ["Examples", "Coverage", "Fuzzing", "Stateful"];
    try_out(seed, &others.collect::<Vec<_>>(), &phases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_keeps_to_the_document_with_one_seed() {
    every_operation_keeps_to_the_document(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_keeps_to_the_document_with_another_seed() {
    every_operation_keeps_to_the_document(20_261_127).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_sessions_keeps_to_the_document() {
    let these = ENDS_SESSIONS.iter().flat_map(|id| ["--include-operation-id".to_owned(), (*id).to_owned()]);
    // None of them makes anything that another needs.
    try_out(1, &these.collect::<Vec<_>>(), &["Examples", "Coverage", "Fuzzing"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generated_client_logs_in_creates_and_executes_a_plan() {
    let Some(program) = program("AGENT_TEST_OPENAPI_CLIENT") else { return };
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut generate = Command::new(&program);
    generate
        .args(["generate", "--meta", "none", "--path"])
        .arg(root.join("../docs/openapi.json"))
        .arg("--output-path")
        .arg(folder.path().join("agent_api"));
    succeeded(&run(&mut generate, PATIENCE).await);
    let mut use_it = Command::new(&program);
    use_it.arg("--run").arg(root.join("api/clients/use_client.py")).arg(server.url());
    use_it.env("PYTHONPATH", folder.path());
    assert_eq!(succeeded(&run(&mut use_it, PATIENCE).await), "completed\n");
}

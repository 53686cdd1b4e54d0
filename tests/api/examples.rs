//! The programs in `examples/`, which follow a plan with client libraries of others.
//!
//! `AGENT_TEST_PYTHON_EXAMPLE` and `AGENT_TEST_TYPESCRIPT_EXAMPLE` are what `tests/fetch-example-clients.sh` prints for
//! `python` and `typescript`.

use agent_testkit::{Client, Proxy, TestServer};
use serde_json::{Value, json};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

const PYTHON: &str = "AGENT_TEST_PYTHON_EXAMPLE";
const TYPESCRIPT: &str = "AGENT_TEST_TYPESCRIPT_EXAMPLE";
/// How long a line or the end of a program is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// After how many bytes from the server the first connections are cut: within the answer to the handshake, within the
/// first frames, between small events, and twice within an event of more than a MiB. Later ones stay whole.
const CUTS: &[u64] = &[60, 700, 1_700, 3_000, 200_000, 1_000_000];

/// Fills both streams of a command with what takes six bytes each in JSON.
const LOUD: &str = "head -c 131072 /dev/zero | tr '\\0' '\\1'; head -c 131072 /dev/zero | tr '\\0' '\\1' >&2";

/// An example at work; ended when dropped.
struct Follower {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Follower {
    /// Starts the example that a variable names. `None`, and a line that says so, where there is none.
    #[expect(clippy::disallowed_methods, reason = "where the programs are stands in the environment")]
    #[expect(clippy::print_stderr, reason = "a test that does nothing says so")]
    fn start(variable: &str, url: &str, token: &str, plan: i64) -> Option<Self> {
        let Some(program) = std::env::var(variable).ok().filter(|program| !program.is_empty()) else {
            eprintln!("{variable} is not set: this test does nothing");
            return None;
        };
        let mut process = Command::new(program)
            .args([url, &plan.to_string()])
            .env("AGENT_TOKEN", token)
            // How long the Python library waits, at most, before it first tries a lost server again.
            .env("WEBSOCKETS_BACKOFF_INITIAL_DELAY", "0.1")
            .env("no_proxy", "127.0.0.1")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Some(Self { process, lines })
    }

    /// The next line that it prints, `None` once it prints no more.
    async fn next(&mut self) -> Option<Value> {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await.unwrap();
        Some(serde_json::from_str(&line.unwrap()?).unwrap())
    }

    /// All lines that it has yet to print, with its exit code and what it says on standard error.
    async fn end(mut self) -> (Vec<Value>, Option<i32>, String) {
        let mut printed = Vec::new();
        while let Some(event) = self.next().await {
            printed.push(event);
        }
        let ended = tokio::time::timeout(PATIENCE, self.process.wait_with_output()).await.unwrap().unwrap();
        (printed, ended.status.code(), String::from_utf8(ended.stderr).unwrap())
    }
}

/// What the log says about a plan, in the form in which the WebSocket says it.
async fn logged(client: &Client, plan: i64) -> Vec<Value> {
    let mut events = client.events_of(plan).await;
    events.iter_mut().for_each(|event| event["topic"] = json!(format!("plan_{plan}")));
    events
}

/// Runs a plan under the eyes of the example and compares what it prints with the log. `None` where there is no example.
async fn follow_to_the_end(variable: &str, client: &Client, url: &str) -> Option<()> {
    let plan = client.create_shell_plan("Watch me", &["true", "echo hello", LOUD, "true"]).await;
    let mut follower = Follower::start(variable, url, client.token().unwrap(), plan)?;
    let first = follower.next().await.unwrap();
    client.post_nothing(&format!("/plans/{plan}/execute")).await.expect(202);
    let (mut printed, code, words) = follower.end().await;
    printed.insert(0, first);
    let brief = |events: &[Value]| events.iter().map(|event| event["seq"].clone()).collect::<Vec<_>>();
    let log = logged(client, plan).await;
    assert_eq!((brief(&printed), code), (brief(&log), Some(0)), "{words}");
    assert!(printed == log, "each event as it is in the log");
    Some(())
}

async fn an_example_follows_a_plan_live(variable: &str) {
    let server = TestServer::start().await;
    follow_to_the_end(variable, &server.demo().await, server.url()).await;
}

async fn an_example_loses_and_repeats_nothing(variable: &str) {
    let server = TestServer::start().await;
    let proxy = Proxy::before(server.url()).await;
    proxy.break_off_after(CUTS);
    if follow_to_the_end(variable, &server.demo().await, &proxy.url()).await.is_some() {
        assert_eq!(proxy.cuts(), CUTS.len(), "each cut was made");
    }
}

async fn an_example_says_why_it_cannot_follow(variable: &str) {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let plan = demo.create_shell_plan("Still", &["true"]).await;
    for (token, plan, word) in [("nonsense", plan, "401"), (demo.token().unwrap(), 999, "999")] {
        let Some(follower) = Follower::start(variable, server.url(), token, plan) else { return };
        let (printed, code, words) = follower.end().await;
        assert_eq!((printed, code), (Vec::new(), Some(1)), "{words}");
        assert!(words.contains(word), "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_example_follows_a_plan_live() {
    an_example_follows_a_plan_live(PYTHON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_example_loses_and_repeats_nothing_when_it_is_cut_off() {
    an_example_loses_and_repeats_nothing(PYTHON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_example_says_why_it_cannot_follow() {
    an_example_says_why_it_cannot_follow(PYTHON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_example_follows_a_plan_live() {
    an_example_follows_a_plan_live(TYPESCRIPT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_example_loses_and_repeats_nothing_when_it_is_cut_off() {
    an_example_loses_and_repeats_nothing(TYPESCRIPT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_example_says_why_it_cannot_follow() {
    an_example_says_why_it_cannot_follow(TYPESCRIPT).await;
}

//! What starting a confined command costs: `/bin/true` bare, through our own layers, and through bubblewrap.
//!
//! Run with `cargo bench -p agent-sandbox --bench start`.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for people, which fails loudly")]
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use agent_sandbox::{Backend, CommandRequest, HostEnvironment, Limits, Sandbox, SandboxLevel, Silent};

const RUNS: usize = 300;
const PAUSE: Duration = Duration::from_millis(15);

#[expect(clippy::disallowed_methods, reason = "measuring time is what this program is for")]
async fn measured<F: Future>(name: &str, bare: Option<Duration>, mut run: impl FnMut() -> F) -> Duration {
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        // The kernel takes namespaces apart in the background; commands that follow each other at once would
        // measure how it is done with the one before.
        tokio::time::sleep(PAUSE).await;
        let start = Instant::now();
        run().await;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let (median, late) = (times[RUNS / 2], times[RUNS * 95 / 100]);
    let over = bare.map_or(String::new(), |bare| format!("{:+.2}", millis(median) - millis(bare)));
    println!("{name:<44} {:>8.2} {:>8.2} {over:>8}", millis(median), millis(late));
    median
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn without_group() -> Limits {
    Limits { memory_bytes: None, processes: None, ..Limits::default() }
}

fn sandbox(backend: Backend) -> Sandbox {
    Sandbox::probe_with(HostEnvironment::from_iter([("PATH", "/usr/local/bin:/usr/bin:/bin")]), &[], backend)
}

#[expect(clippy::disallowed_methods, reason = "the bare command is what the others are compared with")]
async fn bare() {
    let ended = tokio::task::spawn_blocking(|| std::process::Command::new("/bin/true").status());
    assert!(ended.await.unwrap().unwrap().success());
}

#[tokio::main]
async fn main() {
    let workspace = tempfile::tempdir().unwrap();
    let request = || CommandRequest::new(workspace.path(), ["/bin/true"]);
    println!("{:<44} {:>8} {:>8} {:>8}", format!("ms, {RUNS} runs"), "median", "p95", "over");
    let bare = measured("bare, by the standard library", None, bare).await;
    let own = sandbox(Backend::Own);
    let wrapped = sandbox(Backend::Bubblewrap);
    for (name, sandbox) in [("own", &own), ("bubblewrap", &wrapped)] {
        for (what, request) in [
            ("workspace_write", request()),
            ("workspace_write, no control group", request().limits(without_group())),
            ("workspace_write, network", request().network(true)),
            ("workspace_write, named hosts", request().domains(["crates.io"])),
            ("full_access, no control group", {
                request().level(SandboxLevel::FullAccess).limits(without_group())
            }),
        ] {
            let run = || async {
                sandbox
                    .run(request.clone(), Default::default(), &mut Silent)
                    .await
                    .map(|ended| assert!(ended.succeeded()))
            };
            if let Err(error) = run().await {
                println!("{name}, {what}: {error}");
                continue;
            }
            measured(&format!("{name}, {what}"), Some(bare), || async { run().await.unwrap() }).await;
        }
    }
}

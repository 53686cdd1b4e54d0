//! A command ends with everything it started.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

use agent_sandbox::{CommandOutcome, Exit, Limits, OutputStream, SandboxLevel, Silent};
use tokio_util::sync::CancellationToken;

use crate::{Bench, Inside};

const LEVELS: [SandboxLevel; 2] = [SandboxLevel::WorkspaceWrite, SandboxLevel::FullAccess];

/// Leaves a child, a grandchild that ignores being asked to end, and a daemon in a session of its own, each
/// carrying a name to look for.
fn family(name: &str) -> String {
    format!(
        "sh -c 'sleep 1000; : {name}' & \
         sh -c 'trap \"\" TERM HUP INT; sh -c \"sleep 1000; : {name}\" & wait' & \
         setsid sh -c 'sleep 1000; : {name}' & \
         (setsid sh -c 'sleep 1000; : {name}' &) ; \
         echo ready; "
    )
}

/// How many processes carry the name. The dead that nobody has waited for have no command line left.
pub(crate) fn survivors(name: &str) -> usize {
    with_name(name).len()
}

/// The folders in `/proc` of the processes that carry the name.
pub(crate) fn with_name(name: &str) -> Vec<std::path::PathBuf> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|process| process.path());
    let carries = |process: &std::path::PathBuf| {
        let line = std::fs::read(process.join("cmdline"));
        line.is_ok_and(|line| String::from_utf8_lossy(&line).contains(name))
    };
    processes.filter(carries).collect()
}

fn name(test: &str, level: SandboxLevel) -> String {
    format!("family-{test}-{level}-{}", std::process::id())
}

async fn cancelled_when_ready(bench: &Bench, script: &str, level: SandboxLevel) -> CommandOutcome {
    let cancel = CancellationToken::new();
    let ready = cancel.clone();
    let mut sink = move |_: OutputStream, _: &[u8]| ready.cancel();
    bench.sandbox.run(bench.shell(script).level(level), cancel, &mut sink).await.unwrap()
}

#[tokio::test]
async fn x10_the_time_limit_ends_the_whole_tree() {
    for level in LEVELS {
        let Some(bench) = Bench::enforcing(level).await else { continue };
        let name = name("timeout", level);
        let limits = Limits { wall: Duration::from_millis(700), ..Limits::default() };
        let request = bench.shell(&(family(&name) + "sleep 1000")).level(level).limits(limits);
        let outcome = bench.outcome(request).await;
        assert_eq!((outcome.exit, &*outcome.stdout.text), (Exit::TimedOut, "ready\n"));
        assert!(outcome.duration < Duration::from_secs(2), "{:?}", outcome.duration);
        assert_eq!(survivors(&name), 0, "{level}");
    }
}

#[tokio::test]
async fn x11_cancelling_ends_the_whole_tree_and_keeps_the_output() {
    for level in LEVELS {
        let Some(bench) = Bench::enforcing(level).await else { continue };
        let name = name("cancel", level);
        let outcome = cancelled_when_ready(&bench, &(family(&name) + "sleep 1000"), level).await;
        assert_eq!((outcome.exit, &*outcome.stdout.text), (Exit::Cancelled, "ready\n"));
        assert_eq!(survivors(&name), 0, "{level}");
    }
}

#[tokio::test]
async fn what_a_command_leaves_behind_ends_with_it() {
    for level in LEVELS {
        let Some(bench) = Bench::enforcing(level).await else { continue };
        let name = name("left", level);
        let outcome = bench.outcome(bench.shell(&family(&name)).level(level)).await;
        assert_eq!((outcome.exit, &*outcome.stdout.text), (Exit::Code(0), "ready\n"));
        assert!(outcome.duration < Duration::from_secs(20), "daemons held it up: {:?}", outcome.duration);
        assert_eq!(survivors(&name), 0, "{level}");
    }
}

#[tokio::test]
async fn dropping_the_future_ends_the_whole_tree_and_removes_the_temporary_directory() {
    for level in LEVELS {
        let Some(bench) = Bench::enforcing(level).await else { continue };
        let name = name("drop", level);
        let (told, mut hear) = tokio::sync::mpsc::unbounded_channel();
        let mut sink = move |_: OutputStream, chunk: &[u8]| {
            told.send(String::from_utf8_lossy(chunk).trim().to_owned()).unwrap();
        };
        let script = family(&name).replace("echo ready", "echo $TMPDIR") + "sleep 1000";
        let temporary = {
            let running =
                bench.sandbox.run(bench.shell(&script).level(level), CancellationToken::new(), &mut sink);
            tokio::select! {
                ended = running => panic!("ended by itself: {ended:?}"),
                line = hear.recv() => line.unwrap(),
            }
        };
        let gone = move || survivors(&name) == 0 && !Path::new(&temporary).exists();
        tokio::task::spawn_blocking(move || until(gone)).await.unwrap();
    }
}

#[tokio::test]
async fn a_command_that_was_cancelled_before_does_no_lasting_work() {
    let Some(bench) = Bench::enforcing(SandboxLevel::WorkspaceWrite).await else { return };
    let cancel = CancellationToken::new();
    cancel.cancel();
    let outcome = bench.sandbox.run(bench.shell("sleep 1000"), cancel, &mut Silent).await.unwrap();
    assert_eq!(outcome.exit, Exit::Cancelled);
}

/// Not a test by itself: the server that the next test kills.
#[tokio::test]
#[ignore = "is started by the_death_of_the_server_ends_the_whole_tree"]
async fn a_server_that_will_be_killed() {
    assert!(Inside::current() == Some(Inside::DyingServer), "only to be started by the test it belongs to");
    let bench = Bench::new();
    let parent = std::os::unix::process::parent_id();
    let run = |level| {
        let script = family(&format!("family-death-{level}-{parent}")) + "sleep 1000";
        let request = bench.shell(&script).level(level).network(true);
        let sandbox = bench.sandbox.clone();
        async move {
            let mut sink = |_: OutputStream, _: &[u8]| println!("running");
            sandbox.run(request, CancellationToken::new(), &mut sink).await.unwrap()
        }
    };
    tokio::join!(run(LEVELS[0]), run(LEVELS[1]));
}

#[tokio::test]
async fn the_death_of_the_server_ends_the_whole_tree() {
    if Bench::enforcing(LEVELS[0]).await.is_none() {
        return;
    }
    // A killed server cannot remove its temporary directories.
    let temporary = tempfile::tempdir().unwrap();
    let mut command = Inside::DyingServer.rerun(std::env::current_exe().unwrap());
    command.env("TMPDIR", temporary.path());
    command.args(["--exact", "ending::a_server_that_will_be_killed", "--ignored", "--nocapture"]);
    let mut server = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.filter(|line| line.ends_with("running")).take(LEVELS.len()).count(), LEVELS.len());
    for level in LEVELS {
        assert!(survivors(&name("death", level)) > 0);
    }
    server.kill().unwrap();
    server.wait().unwrap();
    for level in LEVELS {
        until(|| survivors(&name("death", level)) == 0);
    }
}

/// Waits for a state, for a bounded time.
fn until(reached: impl Fn() -> bool) {
    #[expect(clippy::disallowed_methods, reason = "bounds the patience of the test")]
    let start = Instant::now();
    while !reached() {
        assert!(start.elapsed() < Duration::from_secs(10), "not reached in time");
        std::thread::sleep(Duration::from_millis(5));
    }
}

//! What a command can use up.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use agent_sandbox::{ControlGroups, Exit, Limits, OutputStream, SandboxLevel};
use tokio_util::sync::CancellationToken;

use crate::ending::survivors;
use crate::{Bench, has};

const WRITE: SandboxLevel = SandboxLevel::WorkspaceWrite;

#[tokio::test]
async fn x12_a_fork_bomb_is_limited_and_leaves_nothing_behind() {
    let Some(bench) = Bench::enforcing(WRITE).await else { return };
    if !bench.sandbox.effective().process_limit || !has(&bench, "python3").await {
        return println!("processes are not counted here");
    }
    let limits = Limits { processes: Some(64), wall: Duration::from_secs(3), ..Limits::default() };
    // Every process counts how many it could start, and tries to start more in each of them.
    let name = format!("bomb-{}", std::process::id());
    let bomb = format!(
        "import os, signal, time  # {name}\n\
         started = 0\n\
         while True:\n\
         \x20 try: child = os.fork()\n\
         \x20 except OSError: break\n\
         \x20 if child == 0: time.sleep(1000)\n\
         \x20 started += 1\n\
         print(started, flush=True)\n\
         while True:\n\
         \x20 try: os.fork()\n\
         \x20 except OSError: pass\n"
    );
    let outcome = bench.outcome(bench.request(["python3", "-c", &bomb]).limits(limits)).await;
    let started: u32 = outcome.stdout.text.trim().parse().unwrap();
    assert!((32..64).contains(&started), "{outcome:?}");
    assert_eq!(outcome.exit, Exit::TimedOut);
    assert!(outcome.duration < Duration::from_secs(5), "{:?}", outcome.duration);
    assert_eq!(survivors(&name), 0);
    assert!(outcome.effective.process_limit);
}

#[tokio::test]
async fn x13_a_command_that_uses_twice_its_memory_is_ended_and_it_is_told_why() {
    for level in [WRITE, SandboxLevel::FullAccess] {
        let Some(bench) = Bench::enforcing(level).await else { continue };
        if !has(&bench, "python3").await {
            return;
        }
        let limited = bench.sandbox.effective().memory_limit;
        let limits = Limits {
            memory_bytes: Some(128 << 20),
            // Where nothing counts the memory of all together, each process can still be kept small.
            address_space_bytes: (!limited).then_some(128 << 20),
            ..Limits::default()
        };
        let script = "x = bytearray(256 << 20); print(len(x))";
        let outcome =
            bench.outcome(bench.request(["python3", "-c", script]).level(level).limits(limits)).await;
        assert_eq!(outcome.stdout.text, "", "{outcome:?}");
        assert_eq!(outcome.effective.memory_limit, limited);
        if limited {
            assert_eq!(outcome.exit, Exit::OutOfMemory, "{outcome:?}");
            assert_eq!(serde_json::to_value(outcome.exit).unwrap(), "oom_killed");
        } else {
            assert!(outcome.stderr.text.contains("MemoryError"), "{outcome:?}");
        }
    }
}

#[tokio::test]
async fn memory_of_all_processes_counts_together() {
    let Some(bench) = Bench::enforcing(WRITE).await else { return };
    if !bench.sandbox.effective().memory_limit || !has(&bench, "python3").await {
        return println!("memory is not counted here");
    }
    let limits = Limits { memory_bytes: Some(160 << 20), ..Limits::default() };
    let script = "import os, sys\nfor _ in range(4):\n  if os.fork() == 0:\n    x = bytearray(60 << 20); os.read(0, 1); os._exit(0)\n\
        failed = [os.wait()[1] for _ in range(4)]\nsys.exit(any(failed))";
    let mut request = bench.request(["python3", "-c", script]).limits(limits);
    request.stdin = Some(Vec::new());
    let outcome = bench.outcome(request).await;
    assert!(matches!(outcome.exit, Exit::OutOfMemory | Exit::Code(0)), "{outcome:?}");
}

#[tokio::test]
async fn x14_busy_loops_are_kept_to_their_share_of_the_processor() {
    let Some(bench) = Bench::enforcing(WRITE).await else { return };
    if !bench.sandbox.effective().cpu_limit || !has(&bench, "python3").await {
        return println!("the processor cannot be shared out here");
    }
    let limits = Limits { cpu_cores: Some(0.25), ..Limits::default() };
    let script = "import os, time\n\
        end = time.monotonic() + 2\n\
        for _ in range(4):\n  if os.fork() == 0:\n    while time.monotonic() < end: pass\n    os._exit(0)\n\
        for _ in range(4): os.wait()\n\
        used = os.times(); print(used.children_user + used.children_system)";
    let outcome = bench.outcome(bench.request(["python3", "-c", script]).limits(limits)).await;
    let seconds: f64 = outcome.stdout.text.trim().parse().unwrap();
    assert!(seconds < 1.2, "a quarter of two seconds, and some slack: {seconds}");
    assert!(outcome.effective.cpu_limit);
}

#[tokio::test]
async fn groups_of_commands_are_gone_when_they_have_ended() {
    let Some(bench) = Bench::enforcing(WRITE).await else { return };
    if bench.sandbox.effective().cgroup == ControlGroups::None || bench.is_wrapped() {
        return println!(
            "there are no control groups that can be written here, or bubblewrap hides their names"
        );
    }
    let outcome = bench.outcome(bench.shell("cat /proc/self/cgroup")).await;
    let line = outcome.stdout.text.lines().find(|line| line.contains("/agent-")).unwrap();
    let name = line.rsplit('/').next().unwrap();
    assert!(name.starts_with(&format!("agent-{}-", std::process::id())), "{outcome:?}");
    let mounted = std::fs::read_dir("/sys/fs/cgroup").unwrap().flatten();
    let left = mounted.filter(|hierarchy| hierarchy.path().join(name).exists());
    assert_eq!(left.count(), 0);
}

#[tokio::test]
async fn a_command_without_limits_that_need_a_group_gets_none() {
    let Some(bench) = Bench::enforcing(WRITE).await else { return };
    let limits = Limits { memory_bytes: None, processes: None, ..Limits::default() };
    let outcome = bench.outcome(bench.shell("cat /proc/self/cgroup").limits(limits)).await;
    assert!(outcome.succeeded() && !outcome.stdout.text.contains("/agent-"), "{outcome:?}");
    assert_eq!(outcome.effective.cgroup, ControlGroups::None);
}

#[tokio::test]
async fn x15_a_file_that_grows_without_end_stops_at_its_limit() {
    let Some(bench) = Bench::enforcing(WRITE).await else { return };
    bench.write("big", "");
    let limits = Limits { file_size_bytes: 1 << 20, output_bytes: 4_096, ..Limits::default() };
    let script = "yes > big; echo stopped; yes | head -c 3000000 >&2; echo end >&2";
    let outcome = bench.outcome(bench.shell(script).limits(limits)).await;
    assert_eq!(std::fs::metadata(bench.workspace.path().join("big")).unwrap().len(), 1 << 20);
    assert_eq!(outcome.stdout.text, "stopped\n");
    assert!(outcome.stderr.truncated && outcome.stderr.text.ends_with("y\nend\n"), "{outcome:?}");
}

#[tokio::test]
async fn x16_output_that_is_no_text_comes_whole_and_in_pieces_of_bounded_size() {
    let Some(bench) = Bench::enforcing(WRITE).await else { return };
    if !has(&bench, "python3").await {
        return;
    }
    const LINE: usize = 100 << 20;
    let script = format!(
        "import sys; o = sys.stdout.buffer; o.write(b'\\xff\\xfe\\x00\\x1b[31m'); [o.write(b'x' * 65536) for _ in range({})]; o.write(b'\\xc3')",
        LINE / 65_536
    );
    let (largest, total) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let mut sink = |_: OutputStream, chunk: &[u8]| {
        largest.fetch_max(chunk.len(), Ordering::Relaxed);
        total.fetch_add(chunk.len(), Ordering::Relaxed);
    };
    let request = bench.request(["python3", "-c", &script]);
    let outcome = bench.sandbox.run(request, CancellationToken::new(), &mut sink).await.unwrap();
    assert_eq!(total.into_inner(), LINE + 9);
    assert!(largest.into_inner() <= 64 * 1024);
    assert_eq!(outcome.stdout.total_bytes, (LINE + 9) as u64);
    assert!(
        outcome.stdout.text.starts_with("\u{FFFD}\u{FFFD}\0\u{1b}[31mxx"),
        "{:?}",
        &outcome.stdout.text[..40]
    );
}

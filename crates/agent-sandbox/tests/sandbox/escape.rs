//! Ways out of a sandbox that are known by name.

use agent_sandbox::SandboxLevel;

use crate::{Bench, has};

const LEVEL: SandboxLevel = SandboxLevel::WorkspaceWrite;

#[tokio::test]
async fn the_program_has_no_privileges_and_cannot_get_any() {
    let Some(bench) = Bench::enforcing(LEVEL).await else { return };
    let outcome = bench.outcome(bench.shell("cat /proc/self/status; ls /proc/self/fd")).await;
    let field = |name: &str| {
        let line = outcome
            .stdout
            .text
            .lines()
            .find(|line| line.starts_with(name))
            .map(|line| line.split_whitespace());
        line.and_then(|mut words| words.nth(1)).unwrap_or_default().to_owned()
    };
    let zero = "0000000000000000";
    assert_eq!((field("NoNewPrivs:"), field("Seccomp:")), ("1".into(), "2".into()), "{outcome:?}");
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
        assert_eq!(field(set), zero, "{set}");
    }
    // The fourth is the directory that `ls` itself has open.
    assert!(outcome.stdout.text.ends_with("\n0\n1\n2\n3\n"), "{outcome:?}");
}

#[tokio::test]
async fn the_server_is_invisible_and_out_of_reach() {
    let Some(bench) = Bench::enforcing(LEVEL).await else { return };
    let server = std::process::id();
    let attempts = [
        format!("cat /proc/{server}/environ"),
        format!("cat /proc/{server}/mem"),
        format!("kill -0 {server}"),
    ];
    // The first process of bubblewrap has the environment of the command and no other memory of interest.
    let first = if bench.is_wrapped() { [].as_slice() } else { &["cat /proc/1/environ", "cat /proc/1/mem"] };
    for script in attempts.iter().map(String::as_str).chain(first.iter().copied()) {
        let outcome = bench.outcome(bench.shell(script)).await;
        assert!(!outcome.succeeded() && outcome.stdout.text.is_empty(), "{script}: {outcome:?}");
    }
    if bench.sandbox.effective().own_proc {
        let processes = bench.outcome(bench.shell("ls /proc | grep -c '^[0-9]'")).await.stdout.text;
        assert!(processes.trim().parse::<u32>().unwrap() <= 4, "{processes}");
    }
}

/// Makes each call with harmless arguments and prints `name errno`.
const CALLS: &str = r#"
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#define TRY(name, ...) do { errno = 0; syscall(__VA_ARGS__); printf("%s %d\n", name, errno); } while (0)
int main(void) {
    TRY("ptrace", SYS_ptrace, 0, 0, 0, 0);
    TRY("process_vm_readv", SYS_process_vm_readv, getpid(), 0, 0, 0, 0, 0);
    TRY("unshare", SYS_unshare, CLONE_NEWUSER);
    TRY("setns", SYS_setns, 0, 0);
    TRY("clone", SYS_clone, CLONE_NEWUSER | 17, 0, 0, 0, 0);
    TRY("mount", SYS_mount, "none", "/", 0, 0x44000, 0);
    TRY("umount", SYS_umount2, "/proc", 2);
    TRY("bpf", SYS_bpf, 0, 0, 0);
    TRY("keyctl", SYS_keyctl, 0, 0, 0, 0, 0);
    TRY("perf_event_open", SYS_perf_event_open, 0, 0, 0, 0, 0);
    TRY("open_by_handle_at", SYS_open_by_handle_at, 0, 0, 0);
    TRY("io_uring_setup", SYS_io_uring_setup, 1, 0);
    TRY("userfaultfd", SYS_userfaultfd, 0);
    TRY("TIOCSTI", SYS_ioctl, 0, 0x5412, "x");
    TRY("TIOCSTI with high bits", SYS_ioctl, 0, 0xffffffff00005412UL, "x");
    TRY("clone3", SYS_clone3, 0, 0);
#ifdef __x86_64__
    TRY("x32 socket", 0x40000000 + 41, 2, 1, 0);
#endif
    return 0;
}
"#;

#[tokio::test]
async fn system_calls_that_lead_out_are_refused() {
    let Some(bench) = Bench::enforcing(LEVEL).await else { return };
    if !has(&bench, "gcc").await {
        return;
    }
    bench.write("calls.c", CALLS);
    if !bench.sandbox.effective().namespaces {
        bench.write("calls", "");
    }
    for network in [false, true] {
        let outcome = bench.outcome(bench.shell("gcc -o calls calls.c && ./calls").network(network)).await;
        assert!(outcome.succeeded() && outcome.stdout.text.lines().count() >= 16, "{outcome:?}");
        for line in outcome.stdout.text.lines() {
            let missing = line.starts_with("clone3") || line.starts_with("x32");
            let expected = if missing { " 38" } else { " 1" };
            assert!(line.ends_with(expected), "{line}");
        }
    }
}

#[tokio::test]
async fn a_fork_bomb_is_limited_where_the_kernel_counts() {
    let Some(bench) = Bench::enforcing(LEVEL).await else { return };
    if !bench.sandbox.effective().process_limit {
        println!("processes are not counted here (root, or no namespaces)");
        return;
    }
    let mut request = bench.shell("for i in $(seq 60); do sleep 5 & done; wait");
    request.limits.processes = Some(20);
    let outcome = bench.outcome(request).await;
    assert!(outcome.stderr.text.contains("fork"), "{outcome:?}");
}

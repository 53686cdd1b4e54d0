//! Ways out of a sandbox that are known by name.

use agent_sandbox::{OutputStream, SandboxLevel};
use tokio_util::sync::CancellationToken;

use crate::{Bench, has};

const LEVEL: SandboxLevel = SandboxLevel::WorkspaceWrite;

#[tokio::test]
async fn x09_the_program_has_no_privileges_and_cannot_get_any() {
    let Some(bench) = Bench::enforcing(LEVEL).await else { return };
    let outcome = bench.outcome(bench.shell("cat /proc/self/status; ls /proc/self/fd")).await;
    let field = |name| field(&outcome.stdout.text, name);
    let zero = "0000000000000000";
    assert_eq!((field("NoNewPrivs:"), field("Seccomp:")), ("1", "2"), "{outcome:?}");
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
        assert_eq!(field(set), zero, "{set}");
    }
    // The fourth is the directory that `ls` itself has open.
    assert!(outcome.stdout.text.ends_with("\n0\n1\n2\n3\n"), "{outcome:?}");
    let effective = bench.sandbox.effective();
    if effective.namespaces {
        let kinds = ["user", "pid", "mnt", "ipc", "net", "uts", "cgroup"];
        let script = kinds.map(|kind| format!("readlink /proc/self/ns/{kind};")).concat();
        let inside = bench.outcome(bench.shell(&script)).await.stdout.text;
        for (kind, inside) in kinds.into_iter().zip(inside.lines()) {
            let outside = std::fs::read_link(format!("/proc/self/ns/{kind}")).unwrap();
            assert_ne!(inside, outside.to_str().unwrap(), "{kind}");
        }
        let user = user_on_the_host(&bench).await;
        assert!(user != "0" || (effective.running_as_root && !effective.drops_root), "{user}");
    }
}

/// The user that a command runs as, in the eyes of the host.
async fn user_on_the_host(bench: &Bench) -> String {
    let name = format!("user-{}-{}", std::process::id(), bench.workspace.path().display());
    let cancel = CancellationToken::new();
    let ready = cancel.clone();
    let mut user = None;
    let mut sink = |_: OutputStream, _: &[u8]| {
        let running = crate::ending::with_name(&name);
        let status = running.last().map(|process| std::fs::read_to_string(process.join("status")).unwrap());
        user = status.as_deref().map(|status| field(status, "Uid:").to_owned());
        ready.cancel();
    };
    let script = format!("echo ready; sleep 1000; : {name}");
    bench.sandbox.run(bench.shell(&script), cancel, &mut sink).await.unwrap();
    user.unwrap()
}

/// The first word of a line of a status file.
fn field<'a>(status: &'a str, name: &str) -> &'a str {
    let line = status.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_whitespace().nth(1)).unwrap_or_default()
}

/// Tries to look into, to change and to end a process, and prints what it got at.
const ATTACK: &str = r#"
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
static void look(const char *pid, const char *name) {
    char path[99], bytes[4096];
    snprintf(path, sizeof path, "/proc/%s/%s", pid, name);
    int file = open(path, O_RDONLY);
    if (file >= 0 && read(file, bytes, sizeof bytes) > 0) printf("read %s\n", name);
}
int main(int count, char **arguments) {
    pid_t pid = atoi(arguments[1]);
    char byte;
    struct iovec here = { &byte, 1 }, there = { (void *) strtoul(arguments[2], 0, 10), 1 };
    look(arguments[1], "environ");
    look(arguments[1], "mem");
    look(arguments[1], "maps");
    if (!ptrace(PTRACE_ATTACH, pid, 0, 0)) puts("traced");
    if (process_vm_readv(pid, &here, 1, &there, 1, 0) > 0) puts("memory read");
    if (process_vm_writev(pid, &here, 1, &there, 1, 0) > 0) puts("memory written");
    int handle = syscall(SYS_pidfd_open, pid, 0);
    if (handle >= 0 && syscall(SYS_pidfd_getfd, handle, 0, 0) >= 0) puts("descriptor taken");
    if (!kill(pid, SIGCONT)) puts("signalled");
    return 0;
}
"#;

#[tokio::test]
async fn x05_the_servers_memory_and_environment_are_out_of_reach() {
    let Some(bench) = Bench::enforcing(LEVEL).await else { return };
    if !has(&bench, "gcc").await {
        return;
    }
    bench.write("attack.c", ATTACK);
    bench.write("attack", "");
    let canary = Box::new(7_u8);
    let (server, address) = (std::process::id(), std::ptr::from_ref(&*canary) as usize);
    let script = format!("gcc -o attack attack.c && ./attack {server} {address} && echo tried");
    let outcome = bench.outcome(bench.shell(&script)).await;
    assert_eq!(outcome.stdout.text, "tried\n", "{outcome:?}");
    assert_eq!(*canary, 7);
    if bench.sandbox.effective().own_proc {
        let processes = bench.outcome(bench.shell("ls /proc | grep -c '^[0-9]'")).await.stdout.text;
        assert!(processes.trim().parse::<u32>().unwrap() <= 5, "{processes}");
    }
}

#[tokio::test]
async fn x05_a_protected_server_is_closed_to_processes_of_its_own_user() {
    let bench = Bench::new();
    let mut command = crate::Inside::ProtectedServer.rerun(std::env::current_exe().unwrap());
    command.args(["--exact", "escape::a_server_that_protects_itself", "--ignored", "--nocapture"]);
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut server = command.spawn().unwrap();
    let lines = std::io::BufReader::new(server.stdout.take().unwrap());
    let mut lines = std::io::BufRead::lines(lines).map(Result::unwrap);
    assert!(lines.any(|line| line.ends_with("protected")));
    let script = format!("cat /proc/{0}/environ /proc/{0}/maps", server.id());
    let request = bench.shell(&script).level(SandboxLevel::FullAccess).network(true);
    let outcome = bench.outcome(request).await;
    drop(server.stdin.take());
    assert!(lines.any(|line| line.contains("1 passed")));
    server.wait().unwrap();
    if bench.sandbox.effective().running_as_root {
        return println!("root may look into every process");
    }
    assert_eq!(outcome.stdout.text, "", "{outcome:?}");
}

/// Not a test by itself: the server of the test before. It ends when its input does.
#[tokio::test]
#[ignore = "is started by x05_a_protected_server_is_closed_to_processes_of_its_own_user"]
async fn a_server_that_protects_itself() {
    agent_sandbox::protect_own_memory().unwrap();
    let bench = Bench::new();
    if bench.sandbox.effective().levels[1].available {
        let outcome = bench.outcome(bench.shell("echo works")).await;
        assert_eq!(outcome.stdout.text, "works\n", "{outcome:?}");
    }
    println!("protected");
    std::io::read_to_string(std::io::stdin()).unwrap();
}

/// Makes each call with harmless arguments and prints `name errno`.
const CALLS: &str = r#"
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sched.h>
#include <sys/stat.h>
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
    TRY("openat2", SYS_openat2, 0, 0, 0, 0);
    TRY("chmod", SYS_fchmodat, -100, "calls.c", 04755);
    TRY("chmod of the group", SYS_fchmodat, -100, "calls.c", 02755);
    TRY("open", SYS_openat, -100, "suid", O_CREAT | O_WRONLY, 04755);
    TRY("open without a name", SYS_openat, -100, ".", O_TMPFILE | O_WRONLY, 04755);
    TRY("mknod", SYS_mknodat, -100, "suid", S_IFREG | 04755, 0);
#ifdef __x86_64__
    TRY("x32 socket", 0x40000000 + 41, 2, 1, 0);
#endif
    return 0;
}
"#;

#[tokio::test]
async fn x08_system_calls_that_lead_out_are_refused() {
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
            let missing = ["clone3", "openat2", "x32"].iter().any(|name| line.starts_with(name));
            let expected = if missing { " 38" } else { " 1" };
            assert!(line.ends_with(expected), "{line}");
        }
    }
}

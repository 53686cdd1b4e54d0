//! What cannot be enforced is refused, and nothing of the command runs.

use agent_sandbox::{Backend, Error, Sandbox, SandboxLevel};

use crate::{Bench, Inside, has, host};

const WRITE: SandboxLevel = SandboxLevel::WorkspaceWrite;

async fn refused_without_a_trace(bench: &Bench) {
    for level in [WRITE, SandboxLevel::ReadOnly] {
        let refused = bench.run(bench.request(["touch", "canary"]).level(level)).await;
        assert!(matches!(refused, Err(Error::Unavailable { asked, .. }) if asked == level), "{refused:?}");
    }
    assert!(!bench.workspace.path().join("canary").exists(), "a refused command has run");
}

/// Starts this program once more for one test that cannot be run among the others.
fn alone(mut command: std::process::Command, test: &str) {
    let outcome = command.args(["--exact", test, "--ignored", "--nocapture"]).output().unwrap();
    let text = String::from_utf8_lossy(&outcome.stdout);
    let complaint = String::from_utf8_lossy(&outcome.stderr);
    assert!(outcome.status.success() && text.contains("1 passed"), "{text}{complaint}");
}

#[tokio::test]
async fn x01_bubblewrap_that_was_chosen_and_does_not_work_means_that_nothing_runs() {
    if Inside::current() != Some(Inside::NoNamespaces) {
        return;
    }
    let bench = Bench::on(Sandbox::probe_with(host(), &[], Backend::Bubblewrap));
    let level = &bench.sandbox.effective().levels[1];
    assert!(!level.available && level.reason.as_deref().is_some_and(|reason| reason.contains("bubblewrap")));
    refused_without_a_trace(&bench).await;
}

/// Has the kernel deny that there is Landlock, then becomes the program named by its arguments.
const WITHOUT_LANDLOCK: &str = r#"
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int count, char **arguments) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof code / sizeof *code, code };
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) return 99;
    execv(arguments[1], arguments + 1);
    return 98;
}
"#;

#[tokio::test]
async fn x01_without_landlock_our_own_way_is_refused() {
    let Some(bench) = Bench::enforcing(WRITE).await else { return };
    if Inside::current().is_some() || !has(&bench, "gcc").await {
        return;
    }
    let source = bench.write("without.c", WITHOUT_LANDLOCK);
    let program = bench.workspace.path().join("without");
    let mut compiler = Inside::Round.rerun("gcc");
    assert!(compiler.arg("-o").arg(&program).arg(source).status().unwrap().success());
    let mut command = Inside::Round.rerun(program);
    command.arg(std::env::current_exe().unwrap());
    alone(command, "refusal::a_kernel_without_landlock");
}

#[tokio::test]
#[ignore = "is started by x01_without_landlock_our_own_way_is_refused"]
async fn a_kernel_without_landlock() {
    let bench = Bench::on(Sandbox::probe_with(host(), &[], Backend::Own));
    let effective = bench.sandbox.effective();
    assert!(effective.landlock_abi == 0 && effective.namespaces && !effective.levels[1].available);
    refused_without_a_trace(&bench).await;
    // The other way needs no Landlock.
    let chosen = Bench::on(Sandbox::probe(host()));
    if chosen.is_wrapped() {
        let outcome = chosen.outcome(chosen.shell("cat /etc/shadow; echo ran")).await;
        assert_eq!(outcome.stdout.text, "ran\n", "{outcome:?}");
    } else {
        refused_without_a_trace(&chosen).await;
    }
}

#[tokio::test]
async fn x20_a_restriction_that_fails_while_a_command_is_started_refuses_it() {
    let Some(bench) = Bench::enforcing(WRITE).await else { return };
    if !bench.sandbox.effective().hidden_paths {
        return println!("nothing can be hidden without namespaces");
    }
    // The folder it is to start in exists until the mounts are made that hide it.
    let inner = bench.write("hidden/inner/file", "text").parent().unwrap().to_owned();
    let canary = bench.workspace.path().join("canary");
    let mut request = bench.shell(&format!("touch {}", canary.display())).hidden(["hidden"]);
    request.working_directory = inner;
    let refused = bench.run(request).await;
    assert!(matches!(&refused, Err(Error::Unavailable { .. })), "{refused:?}");
    assert!(!canary.exists());
}

#[tokio::test]
async fn x20_namespaces_that_run_out_refuse_a_command() {
    let Some(bench) = Bench::enforcing(WRITE).await else { return };
    if Inside::current().is_some() || !bench.sandbox.effective().namespaces {
        return;
    }
    let mut command = Inside::Round.rerun("unshare");
    command.args(["--user", "--map-root-user"]).arg(std::env::current_exe().unwrap());
    alone(command, "refusal::namespaces_that_run_out");
}

#[tokio::test]
#[ignore = "is started by x20_namespaces_that_run_out_refuse_a_command"]
async fn namespaces_that_run_out() {
    let bench = Bench::on(Sandbox::probe_with(host(), &[], Backend::Own));
    assert!(bench.sandbox.effective().namespaces);
    assert!(bench.outcome(bench.shell("true")).await.succeeded());
    std::fs::write("/proc/sys/user/max_user_namespaces", "0").unwrap();
    refused_without_a_trace(&bench).await;
}

#[tokio::test]
async fn x20_a_launcher_that_dies_before_the_program_is_loaded_has_run_nothing() {
    let Some(bench) = Bench::enforcing(WRITE).await else { return };
    if Inside::current().is_some() || !has(&bench, "strace").await {
        return;
    }
    // Every process that takes on its last restriction is killed while it does.
    let mut command = Inside::Round.rerun("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=landlock_restrict_self"]);
    command.args(["-e", "inject=landlock_restrict_self:signal=KILL"]).arg(std::env::current_exe().unwrap());
    alone(command, "refusal::a_launcher_that_dies");
}

#[tokio::test]
#[ignore = "is started by x20_a_launcher_that_dies_before_the_program_is_loaded_has_run_nothing"]
async fn a_launcher_that_dies() {
    let bench = Bench::on(Sandbox::probe_with(host(), &[], Backend::Own));
    refused_without_a_trace(&bench).await;
}

//! The point of it all: builds and tests work inside.

use agent_sandbox::{CommandRequest, SandboxLevel};

use crate::{Bench, has};

const LEVEL: SandboxLevel = SandboxLevel::WorkspaceWrite;

async fn prints(bench: &Bench, request: CommandRequest, expected: &str) {
    let outcome = bench.outcome(request).await;
    assert!(outcome.succeeded(), "{outcome:#?}");
    assert!(outcome.stdout.text.contains(expected), "{outcome:#?}");
}

#[tokio::test]
async fn a_python_program_with_worker_processes_works() {
    let Some(bench) = Bench::enforcing(LEVEL).await else { return };
    if !bench.sandbox.effective().own_proc {
        println!("without namespaces there is no shared memory for worker processes");
        return;
    }
    if has(&bench, "python3").await {
        bench.write("work.py", "import multiprocessing as m, subprocess, tempfile\ndef f(x): return x * x\nif __name__ == '__main__':\n  tempfile.TemporaryFile()\n  subprocess.run(['true'], check=True)\n  print(sum(m.Pool(2).map(f, range(4))))\n");
        prints(&bench, bench.request(["python3", "work.py"]), "14").await;
    }
}

#[tokio::test]
async fn a_node_program_with_a_child_process_works() {
    let Some(bench) = Bench::enforcing(LEVEL).await else { return };
    if has(&bench, "node").await {
        let script = "console.log(require('child_process').execSync('echo child').toString() + 6 * 7)";
        prints(&bench, bench.request(["node", "-e", script]), "child\n42").await;
    }
}

#[tokio::test]
async fn a_c_program_is_compiled_and_run() {
    let Some(bench) = Bench::enforcing(LEVEL).await else { return };
    if has(&bench, "gcc").await {
        bench.write("src/hello.c", "#include <stdio.h>\nint main(void) { puts(\"compiled\"); return 0; }\n");
        prints(&bench, bench.shell("gcc -o src/hello src/hello.c && src/hello"), "compiled").await;
    }
}

#[tokio::test]
async fn the_tests_of_a_crate_are_built_and_run() {
    let Some(bench) = Bench::enforcing(LEVEL).await else { return };
    if has(&bench, "cargo").await {
        bench.write(
            "Cargo.toml",
            "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n",
        );
        bench.write("src/lib.rs", "#[test]\nfn works() { assert_eq!(1 + 1, 2); }\n");
        prints(&bench, bench.request(["cargo", "test"]), "test works ... ok").await;
    }
}

#[tokio::test]
async fn git_reads_the_history_of_the_workspace() {
    let Some(bench) = Bench::enforcing(LEVEL).await else { return };
    if has(&bench, "git").await {
        let made = bench.request(["git", "init", "-q"]).level(SandboxLevel::FullAccess).network(true);
        assert!(bench.outcome(made).await.succeeded());
        bench.write("new.txt", "text");
        prints(&bench, bench.request(["git", "status", "--short"]), "?? new.txt").await;
    }
}

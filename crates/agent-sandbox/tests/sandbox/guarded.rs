//! Paths of the workspace that the caller keeps from a command.

use agent_sandbox::SandboxLevel;

use crate::Bench;

const WRITE: SandboxLevel = SandboxLevel::WorkspaceWrite;

#[tokio::test]
async fn x03_hidden_files_and_folders_of_the_workspace_cannot_be_read_or_replaced() {
    for level in [WRITE, SandboxLevel::ReadOnly] {
        let Some(bench) = Bench::enforcing(level).await else { return };
        let secrets = [bench.write(".env", "canary-1c0d"), bench.write("config/keys/id", "canary-77aa")];
        bench.write("config/plain", "plain");
        std::os::unix::fs::symlink(".env", bench.workspace.path().join("link")).unwrap();
        let script = "cat .env link config/keys/id config/keys/../../.env; rm -rf .env config/keys; mv .env x; \
            echo new > .env; mv config other; cat other/keys/id; ln .env hard; cat hard; cat config/plain";
        let request =
            bench.shell(script).level(level).hidden([".env", "config/keys", "missing", "../outside"]);
        let outcome = bench.outcome(request).await;
        let guarded = bench.sandbox.effective().hidden_paths;
        assert_eq!(outcome.effective.hidden, guarded, "{outcome:?}");
        if guarded {
            assert_eq!(outcome.stdout.text, "plain", "{outcome:?}");
            assert_eq!(std::fs::read_to_string(&secrets[0]).unwrap(), "canary-1c0d");
            assert_eq!(std::fs::read_to_string(&secrets[1]).unwrap(), "canary-77aa");
        }
    }
}

#[tokio::test]
async fn a_hidden_link_hides_what_it_leads_to() {
    let Some(bench) = Bench::enforcing(WRITE).await else { return };
    if !bench.sandbox.effective().hidden_paths {
        return println!("nothing can be hidden without namespaces");
    }
    bench.write("deep/secret", "canary-0b57");
    std::os::unix::fs::symlink("deep/secret", bench.workspace.path().join(".env")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", bench.workspace.path().join("outside")).unwrap();
    let outcome = bench.outcome(bench.shell("cat .env deep/secret").hidden([".env", "outside"])).await;
    assert_eq!(outcome.stdout.text, "", "{outcome:?}");
}

#[tokio::test]
async fn read_only_paths_cannot_be_changed_moved_or_replaced() {
    let Some(bench) = Bench::enforcing(WRITE).await else { return };
    let policy = bench.write("policies/own/policy.toml", "untouched");
    let settings = bench.write("agent.toml", "untouched");
    bench.write("policies/other", "old");
    for script in [
        "echo x > agent.toml",
        "rm -f agent.toml",
        "mv agent.toml y",
        "echo x > policies/own/policy.toml",
        "touch policies/own/new",
        "mv policies/own elsewhere",
        "mv policies elsewhere",
    ] {
        let request = bench.shell(script).read_only(["agent.toml", "policies/own", "missing"]);
        assert!(!bench.outcome(request).await.succeeded(), "{script}");
    }
    let request = bench.shell("cat agent.toml policies/own/policy.toml && echo new > policies/other");
    let outcome = bench.outcome(request.read_only(["agent.toml", "policies/own"])).await;
    assert_eq!((outcome.succeeded(), &*outcome.stdout.text), (true, "untoucheduntouched"), "{outcome:?}");
    assert_eq!(std::fs::read_to_string(policy).unwrap(), "untouched");
    assert_eq!(std::fs::read_to_string(settings).unwrap(), "untouched");
}

//! Files, network and limits.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::Duration;

use agent_sandbox::{Error, Exit, HostEnvironment, Limits, Sandbox, SandboxLevel, Silent};

use crate::{Bench, backend, host, write};

const WRITE: SandboxLevel = SandboxLevel::WorkspaceWrite;

#[tokio::test]
async fn x02_nothing_outside_the_workspace_can_be_changed() {
    let Some(bench) = Bench::enforcing(WRITE).await else { return };
    let canary = write(&bench.outside.path().join("canary"), "untouched");
    std::fs::set_permissions(&canary, PermissionsExt::from_mode(0o644)).unwrap();
    std::os::unix::fs::symlink(&canary, bench.workspace.path().join("link")).unwrap();
    let path = canary.display();
    let outside = bench.outside.path().display();
    for script in [
        format!("echo x > {path}"),
        format!("echo x >> {path}"),
        format!("rm {path}"),
        format!("mv {path} ."),
        format!("ln {path} hard && echo x > hard"),
        "echo x > link".to_owned(),
        format!("touch {outside}/new"),
        format!("mkdir {outside}/new"),
        "touch /usr/canary /etc/canary /var/canary /dev/canary".to_owned(),
    ] {
        assert!(!bench.outcome(bench.shell(&script)).await.succeeded(), "{script}");
    }
    assert_eq!(std::fs::read_to_string(&canary).unwrap(), "untouched");
    assert_eq!(std::fs::read_dir(&bench.outside).unwrap().count(), 1);
    if bench.sandbox.effective().namespaces {
        bench.outcome(bench.shell(&format!("chmod 777 {path}; touch -d 2001-01-01 {path}"))).await;
        let found = canary.metadata().unwrap();
        assert_eq!(found.permissions().mode() & 0o777, 0o644);
        assert!(found.mtime() > 1_000_000_000);
    }
}

#[tokio::test]
async fn the_workspace_can_be_changed_except_its_git_directory() {
    let Some(bench) = Bench::enforcing(WRITE).await else { return };
    bench.write("src/kept.txt", "old");
    for file in ["hooks/pre-commit", "config", "HEAD"] {
        bench.write(&format!(".git/{file}"), "untouched");
    }
    let changed = "echo new > src/kept.txt && mkdir src/made && mv src/kept.txt src/made/ && cat .git/config";
    let outcome = bench.outcome(bench.shell(changed)).await;
    assert_eq!((outcome.exit, &*outcome.stdout.text), (Exit::Code(0), "untouched"), "{outcome:?}");
    if bench.sandbox.effective().namespaces {
        assert!(
            bench
                .outcome(bench.shell("mkdir target && echo x > target/y && echo x > Cargo.lock"))
                .await
                .succeeded()
        );
    }
    for script in [
        "echo x > .git/hooks/pre-commit",
        "echo x > .git/hooks/post-checkout",
        "echo x > .git/config",
        "echo ../evil > .git/commondir",
        "mv .git/config .git/other",
        "mv .git old",
        "rm -rf .git/hooks; test ! -e .git/hooks",
        "cd .git/hooks && echo x > pre-commit",
    ] {
        assert!(!bench.outcome(bench.shell(script)).await.succeeded(), "{script}");
    }
    let mut inside = bench.shell("echo x > hooks/pre-commit");
    inside.working_directory = bench.workspace.path().join(".git");
    assert!(!bench.outcome(inside).await.succeeded());
    for file in ["hooks/pre-commit", "config", "HEAD"] {
        assert_eq!(
            std::fs::read_to_string(bench.workspace.path().join(".git").join(file)).unwrap(),
            "untouched"
        );
    }
}

#[tokio::test]
async fn a_git_directory_that_cannot_be_guarded_is_refused() {
    let Some(bench) = Bench::enforcing(WRITE).await else { return };
    std::os::unix::fs::symlink(bench.outside.path(), bench.workspace.path().join(".git")).unwrap();
    assert!(matches!(bench.run(bench.shell("true")).await, Err(Error::Unavailable { .. })));
    let root = agent_sandbox::CommandRequest::new("/", ["true"]);
    assert!(matches!(bench.run(root).await, Err(Error::WorkingDirectory { .. })));
}

#[tokio::test]
async fn read_only_means_that_only_the_temporary_directory_is_writable() {
    let Some(bench) = Bench::enforcing(SandboxLevel::ReadOnly).await else { return };
    let kept = bench.write("kept", "untouched");
    for script in ["echo x > kept", "touch new", "rm -f kept; test ! -e kept"] {
        assert!(
            !bench.outcome(bench.shell(script).level(SandboxLevel::ReadOnly)).await.succeeded(),
            "{script}"
        );
    }
    let script = "cat kept && echo x > $TMPDIR/x && cat $TMPDIR/x && echo gone > /dev/null";
    let outcome = bench.outcome(bench.shell(script).level(SandboxLevel::ReadOnly)).await;
    assert_eq!(outcome.stdout.text, "untouchedx\n", "{outcome:?}");
    assert_eq!(std::fs::read_to_string(kept).unwrap(), "untouched");
}

#[tokio::test]
async fn x03_secrets_outside_cannot_be_read() {
    let Some(bench) = Bench::enforcing(WRITE).await else { return };
    let secret = write(&bench.outside.path().join("secret"), "canary-51aa");
    std::os::unix::fs::symlink(&secret, bench.workspace.path().join("link")).unwrap();
    let script = format!(
        "cat {0}; cat link; ls {1}; cat /etc/shadow /root/.bashrc; ls /home /var/lib; true",
        secret.display(),
        bench.outside.path().display()
    );
    let outcome = bench.outcome(bench.shell(&script)).await;
    assert_eq!(outcome.stdout.text, "", "{outcome:?}");
    let refused = ["Permission denied", "No such file or directory"]
        .map(|words| outcome.stderr.text.matches(words).count());
    assert_eq!(refused.iter().sum::<usize>(), 7, "{outcome:?}");
}

#[tokio::test]
async fn hidden_paths_stay_hidden_below_readable_ones() {
    let Some(bench) = Bench::enforcing(WRITE).await else { return };
    let tool = bench.outside.path().join("tool");
    write(&tool.join("lib/text"), "library\n");
    let secret = write(&tool.join("data/secret"), "canary-77d0");
    let variables = [("PATH", "/usr/bin:/bin".to_owned()), ("JAVA_HOME", tool.display().to_string())];
    let sandbox = Sandbox::probe_with(HostEnvironment::from_iter(variables), &[tool.join("data")], backend());
    let script = format!("cat {}; cat {}", tool.join("lib/text").display(), secret.display());
    let outcome = sandbox.run(bench.shell(&script), Default::default(), &mut Silent).await.unwrap();
    assert_eq!((&*outcome.stdout.text, outcome.exit), ("library\n", Exit::Code(1)));
}

#[tokio::test]
async fn limits_hold_for_processor_file_size_descriptors_and_memory() {
    let Some(bench) = Bench::enforcing(WRITE).await else { return };
    let limits = Limits {
        wall: Duration::from_secs(30),
        cpu_seconds: 1,
        file_size_bytes: 100_000,
        open_files: 40,
        address_space_bytes: Some(512 << 20),
        ..Limits::default()
    };
    let run = |script| bench.outcome(bench.shell(script).limits(limits.clone()));
    let out_of_time = if bench.is_wrapped() { Exit::Code(128 + 24) } else { Exit::Signal(24) };
    assert_eq!(run("while :; do :; done").await.exit, out_of_time);
    assert!(!run("head -c 200000 /dev/zero > big").await.succeeded());
    assert_eq!(std::fs::metadata(bench.workspace.path().join("big")).unwrap().len(), 100_000);
    assert_eq!(run("ulimit -n; ulimit -Hn; ulimit -v").await.stdout.text, "40\n40\n524288\n");
}

#[tokio::test]
async fn a_command_of_a_root_server_becomes_the_owner_of_the_workspace() {
    let Some(bench) = Bench::enforcing(WRITE).await else { return };
    if !bench.sandbox.effective().running_as_root {
        println!("the tests do not run as root");
        return;
    }
    if let Err(error) = std::os::unix::fs::chown(bench.workspace.path(), Some(12_345), Some(12_345)) {
        println!("there are no other users here: {error}");
        return;
    }
    let outcome = bench.outcome(bench.shell("id -u && touch made $TMPDIR/x")).await;
    assert_eq!((outcome.exit, &*outcome.stdout.text), (Exit::Code(0), "12345\n"), "{outcome:?}");
    assert_eq!(std::fs::metadata(bench.workspace.path().join("made")).unwrap().uid(), 12_345);
}

#[tokio::test]
async fn a_command_in_a_workspace_of_root_is_not_root_but_what_it_writes_is_roots() {
    let Some(bench) = Bench::enforcing(WRITE).await else { return };
    if !bench.sandbox.effective().drops_root {
        return println!("the tests do not run as root, or owners cannot be mapped");
    }
    let kept = bench.write("kept", "old");
    std::fs::set_permissions(&kept, PermissionsExt::from_mode(0o600)).unwrap();
    let outcome =
        bench.outcome(bench.shell("id -u; cat kept; echo new > kept; mkdir made; echo x > made/x")).await;
    assert_eq!((outcome.exit, &*outcome.stdout.text), (Exit::Code(0), "65534\nold"), "{outcome:?}");
    assert!(!outcome.effective.as_root);
    for path in ["kept", "made", "made/x"] {
        let found = bench.workspace.path().join(path).metadata().unwrap();
        assert_eq!((found.uid(), found.gid()), (0, 0), "{path}");
    }
}

#[tokio::test]
async fn a_workspace_in_a_home_that_is_closed_to_others_is_brought_out_alone() {
    let Some(bench) = Bench::enforcing(WRITE).await else { return };
    if !bench.sandbox.effective().drops_root {
        return println!("the tests do not run as root, or owners cannot be mapped");
    }
    let home = bench.outside.path().join("home");
    write(&home.join("secret"), "canary-90c2");
    let workspace = write(&home.join("work/project/file"), "text").parent().unwrap().to_owned();
    std::fs::set_permissions(&home, PermissionsExt::from_mode(0o700)).unwrap();
    let script = format!("cat file; echo new > file; ls -A {0} {0}/work; cat {0}/secret", home.display());
    let request = agent_sandbox::CommandRequest::new(&workspace, ["sh", "-c", &script]);
    let outcome = bench.outcome(request).await;
    assert!(outcome.stdout.text.starts_with("text"), "{outcome:?}");
    assert!(
        !outcome.stdout.text.contains("canary") && !outcome.stdout.text.contains("secret"),
        "{outcome:?}"
    );
    assert_eq!(std::fs::read_to_string(workspace.join("file")).unwrap(), "new\n");
}

#[test]
fn what_can_be_enforced_is_told_to_operators() {
    let sandbox = Sandbox::probe(host());
    let told = serde_json::to_value(sandbox.effective()).unwrap();
    assert_eq!(told["levels"][1]["level"], "workspace_write");
    assert!(told["levels"][1]["available"].is_boolean() && told["landlock_abi"].is_number());
}

#[tokio::test]
async fn the_environment_of_a_command_opens_no_path() {
    let Some(bench) = Bench::enforcing(WRITE).await else { return };
    let secret = write(&bench.outside.path().join("keys/id"), "canary-51c2");
    let mut request = bench.shell(&format!("cat {}", secret.display()));
    for name in ["JAVA_HOME", "CARGO_HOME", "GOROOT", "SSL_CERT_DIR", "VIRTUAL_ENV"] {
        let folder = secret.parent().unwrap().display().to_string();
        request.environment.insert(name.to_owned(), folder);
    }
    let path = format!("{}:/usr/bin:/bin", secret.parent().unwrap().display());
    request.environment.insert("PATH".to_owned(), path);
    let outcome = bench.outcome(request).await;
    assert_eq!((&*outcome.stdout.text, outcome.exit), ("", Exit::Code(1)), "{}", outcome.stderr.text);
}

#[tokio::test]
async fn x03_the_servers_own_files_are_kept_from_commands_even_in_the_workspace() {
    let Some(bench) = Bench::enforcing(WRITE).await else { return };
    let secret = bench.write("agent.db.jwt-secret", "canary-2f90");
    let folder = bench.write("data/agent.db", "canary-8d11");
    let hidden = [secret.clone(), folder.parent().unwrap().to_owned()];
    let sandbox = Sandbox::probe_with(super::host(), &hidden, backend());
    let script = "cat agent.db.jwt-secret data/agent.db; rm -rf agent.db.jwt-secret data; echo x > agent.db.jwt-secret; true";
    let ran = sandbox.run(bench.shell(script), Default::default(), &mut Silent).await;
    if sandbox.effective().namespaces {
        assert_eq!(ran.unwrap().stdout.text, "");
    } else {
        assert!(matches!(ran, Err(agent_sandbox::Error::Unavailable { .. })), "{ran:?}");
    }
    assert_eq!(std::fs::read_to_string(secret).unwrap(), "canary-2f90");
    assert_eq!(std::fs::read_to_string(folder).unwrap(), "canary-8d11");
}

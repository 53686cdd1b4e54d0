//! Output, exit, input, environment and mistakes of the caller.

use agent_sandbox::{CommandRequest, Error, Exit, HostEnvironment, Limits, OutputStream, SandboxLevel};
use tokio_util::sync::CancellationToken;

use crate::{Bench, write};

#[tokio::test]
async fn the_exit_code_and_both_streams_are_reported() {
    for level in [SandboxLevel::ReadOnly, SandboxLevel::WorkspaceWrite, SandboxLevel::FullAccess] {
        let Some(bench) = Bench::enforcing(level).await else { continue };
        let outcome = bench.outcome(bench.shell("echo out; echo err >&2; exit 7").level(level)).await;
        assert_eq!(
            (outcome.exit, &*outcome.stdout.text, &*outcome.stderr.text),
            (Exit::Code(7), "out\n", "err\n")
        );
        assert_eq!(outcome.effective.level, level);
    }
}

#[tokio::test]
async fn a_signal_that_ends_the_command_is_reported() {
    for level in [SandboxLevel::WorkspaceWrite, SandboxLevel::FullAccess] {
        let Some(bench) = Bench::enforcing(level).await else { continue };
        let outcome = bench.outcome(bench.shell("kill -TERM $$").level(level)).await;
        // Bubblewrap tells it as shells do.
        let told_as_code = bench.is_wrapped() && level.is_confined();
        assert_eq!(outcome.exit, if told_as_code { Exit::Code(128 + 15) } else { Exit::Signal(15) });
    }
}

#[tokio::test]
async fn output_reaches_the_sink_while_the_command_runs() {
    let Some(bench) = Bench::enforcing(SandboxLevel::WorkspaceWrite).await else { return };
    let cancel = CancellationToken::new();
    let seen = cancel.clone();
    let mut pieces = Vec::new();
    let mut sink = |stream: OutputStream, chunk: &[u8]| {
        pieces.push((stream, String::from_utf8_lossy(chunk).into_owned()));
        seen.cancel();
    };
    // Ends only because the first line arrives before the command is over.
    let outcome = bench.sandbox.run(bench.shell("echo first; sleep 1000"), cancel, &mut sink).await.unwrap();
    assert_eq!(outcome.exit, Exit::Cancelled);
    assert_eq!(outcome.stdout.text, "first\n");
    assert_eq!(pieces, [(OutputStream::Stdout, "first\n".to_owned())]);
}

#[tokio::test]
async fn x15_endless_output_is_kept_in_bounded_memory() {
    let Some(bench) = Bench::enforcing(SandboxLevel::WorkspaceWrite).await else { return };
    let limits = Limits { output_bytes: 1_000, ..Limits::default() };
    let outcome = bench.outcome(bench.shell("yes | head -c 5000000; echo end").limits(limits)).await;
    assert_eq!(outcome.stdout.total_bytes, 5_000_004);
    assert!(outcome.stdout.truncated && outcome.stdout.text.len() < 1_100);
    assert!(outcome.stdout.text.starts_with("y\ny\n") && outcome.stdout.text.ends_with("y\nend\n"));
}

#[tokio::test]
async fn input_is_read_when_given_and_closed_otherwise() {
    let Some(bench) = Bench::enforcing(SandboxLevel::ReadOnly).await else { return };
    let mut request = bench.request(["cat"]).level(SandboxLevel::ReadOnly);
    assert_eq!(bench.outcome(request.clone()).await.stdout.text, "");
    let text = "x".repeat(300_000);
    request.stdin = Some(text.clone().into_bytes());
    assert_eq!(bench.outcome(request).await.stdout.text, text);
}

#[tokio::test]
async fn input_that_nobody_reads_holds_nothing_up() {
    let bench = Bench::new();
    let mut request = bench.request(["true"]).level(SandboxLevel::FullAccess).network(true);
    request.stdin = Some(vec![0; 1 << 20]);
    assert_eq!(bench.outcome(request).await.exit, Exit::Code(0));
}

#[tokio::test]
async fn x04_the_environment_of_the_server_does_not_reach_the_command() {
    let host =
        [("PATH", "/usr/bin:/bin"), ("LANG", "C.UTF-8"), ("DATABASE_URL", "canary-8c1f"), ("HOME", "/root")];
    let bench = Bench::with_host(HostEnvironment::from_iter(host));
    let mut request = bench.request(["env"]).level(SandboxLevel::FullAccess).network(true);
    request.environment.insert("GIVEN".into(), "yes".into());
    let text = bench.outcome(request).await.stdout.text;
    assert!(!text.contains("canary-8c1f"), "{text}");
    assert!(
        text.contains("GIVEN=yes") && text.contains("LANG=C.UTF-8") && !text.contains("HOME=/root\n"),
        "{text}"
    );
}

#[tokio::test]
async fn the_temporary_directory_is_private_and_removed() {
    let Some(bench) = Bench::enforcing(SandboxLevel::ReadOnly).await else { return };
    let script = "mkdir -p $TMPDIR/a/b && touch $TMPDIR/a/b/c && chmod -R a-w $TMPDIR/a && stat -c %a $TMPDIR && echo $TMPDIR";
    let outcome = bench.outcome(bench.shell(script).level(SandboxLevel::ReadOnly)).await;
    let mut lines = outcome.stdout.text.lines();
    assert_eq!(lines.next(), Some("700"), "{outcome:?}");
    assert!(!std::path::Path::new(lines.next().unwrap()).exists());
}

#[tokio::test]
async fn x18_arguments_are_passed_on_without_a_shell() {
    let bench = Bench::new();
    let hostile = "; touch canary; $(touch canary) `touch canary`\n--flag";
    let request = bench.request(["printf", "%s", hostile]).level(SandboxLevel::FullAccess).network(true);
    assert_eq!(bench.outcome(request).await.stdout.text, hostile);
    assert!(!bench.workspace.path().join("canary").exists());
}

#[tokio::test]
async fn mistakes_of_the_caller_have_names_and_run_nothing() {
    let bench = Bench::new();
    let full = |request: CommandRequest| request.level(SandboxLevel::FullAccess).network(true);
    let missing = bench.run(full(bench.request(["no-such-program"]))).await;
    assert!(matches!(missing, Err(Error::NotFound(name)) if name == "no-such-program"));
    assert!(matches!(bench.run(full(bench.request([]))).await, Err(Error::EmptyCommand)));
    let link = bench.workspace.path().join("link");
    std::os::unix::fs::symlink(bench.outside.path(), &link).unwrap();
    let parent = bench.workspace.path().join("..");
    for elsewhere in [bench.outside.path(), &link, &parent, &bench.workspace.path().join("missing")] {
        let mut request = full(bench.request(["touch", "canary"]));
        request.working_directory = elsewhere.to_owned();
        let refused = bench.run(request).await;
        assert!(matches!(refused, Err(Error::WorkingDirectory { .. })), "{elsewhere:?}: {refused:?}");
    }
    assert!(!bench.outside.path().join("canary").exists());
    let script = write(&bench.workspace.path().join("script"), "#!/no/such/interpreter\n");
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    assert!(matches!(bench.run(full(bench.request(["./script"]))).await, Err(Error::Spawn { .. })));
}

#[tokio::test]
async fn many_commands_at_once_do_not_get_in_each_others_way() {
    let Some(bench) = Bench::enforcing(SandboxLevel::WorkspaceWrite).await else { return };
    let commands = (0..40).map(|number| {
        let request = bench.request(["sh", "-c", &format!("cat; echo {number}; exit {number}")]);
        let sandbox = bench.sandbox.clone();
        tokio::spawn(async move {
            sandbox.run(request, CancellationToken::new(), &mut agent_sandbox::Silent).await.unwrap()
        })
    });
    for (number, command) in commands.collect::<Vec<_>>().into_iter().enumerate() {
        let outcome = command.await.unwrap();
        assert_eq!(outcome.exit, Exit::Code(i32::try_from(number).unwrap()), "{outcome:?}");
        assert_eq!(outcome.stdout.text, format!("{number}\n"));
    }
}

use crate::fixture::Workplace;

const COMMANDS: [&str; 10] =
    ["demo", "run", "plan", "plans", "scan", "patch", "serve", "backup", "restore", "completions"];

#[test]
fn every_command_explains_itself_with_examples() {
    let place = Workplace::new();
    for command in COMMANDS {
        let ended = place.agent(&[command, "--help"]).with_code(0);
        assert!(ended.stdout.contains("Examples:"), "{command}: {}", ended.stdout);
    }
    for nested in [
        ["patch", "check"],
        ["patch", "apply"],
        ["patch", "filter"],
        ["plans", "list"],
        ["plans", "edit"],
        ["plans", "versions"],
    ] {
        let ended = place.agent(&[nested[0], nested[1], "--help"]).with_code(0);
        assert!(ended.stdout.contains("Examples:"), "{nested:?}: {}", ended.stdout);
    }
}

#[test]
fn the_help_names_every_command_and_the_exit_codes() {
    let ended = Workplace::new().agent(&["--help"]).with_code(0);
    for text in COMMANDS.iter().chain(&["Exit codes:"]) {
        assert!(ended.stdout.contains(text), "{text}: {}", ended.stdout);
    }
}

#[test]
fn wrong_usage_has_its_own_exit_code() {
    let place = Workplace::new();
    for arguments in [&["sing"][..], &[], &["run"], &["run", "goal", "--plan", "x"], &["scan", "--nonsense"]]
    {
        place.agent(arguments).with_code(2);
    }
}

#[test]
fn completions_are_written_for_a_shell() {
    let ended = Workplace::new().agent(&["completions", "bash"]).with_code(0);
    assert!(ended.stdout.contains("complete -F _agent"), "{}", ended.stdout);
}

use crate::fixture::Workplace;

/// The names of the commands that a help text lists.
fn commands_in(help: &str) -> Vec<String> {
    let listed = help.split("\nCommands:\n").nth(1).unwrap_or_default();
    let listed = listed.lines().take_while(|line| !line.trim().is_empty());
    // What does not fit in one line goes on further in.
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("    "));
    names
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// Asks a command and all below it for help; says how many there are.
fn explained(place: &Workplace, path: &[&str]) -> usize {
    let help = place.agent(&[path, &["--help"]].concat()).with_code(0).stdout;
    let example = format!("agent {}", path.first().copied().unwrap_or_default());
    let examples =
        help.split("Examples:").nth(1).unwrap_or_else(|| panic!("{path:?} has no examples: {help}"));
    assert!(examples.contains(example.trim_end()), "{path:?}: {examples}");
    let below = commands_in(&help);
    1 + below.iter().map(|name| explained(place, &[path, &[name.as_str()]].concat())).sum::<usize>()
}

#[test]
fn every_command_explains_itself_with_examples() {
    let commands = explained(&Workplace::new(), &[]);
    assert!(commands > 50, "only {commands} commands were found");
}

#[test]
fn the_help_names_the_commands_of_the_contract_and_the_exit_codes() {
    let help = Workplace::new().agent(&["--help"]).with_code(0).stdout;
    let wanted = [
        "demo",
        "run",
        "plan",
        "plans",
        "approvals",
        "templates",
        "scan",
        "patch",
        "history",
        "analytics",
        "login",
        "logout",
        "whoami",
        "keys",
        "users",
        "chat",
        "completions",
        "serve",
        "man",
    ];
    let listed = commands_in(&help);
    for name in wanted {
        assert!(listed.iter().any(|listed| listed == name), "{name}: {help}");
    }
    assert!(help.contains("Exit codes:"), "{help}");
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

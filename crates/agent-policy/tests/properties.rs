//! What holds of all commands and all rules.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use agent_core::policy::{ApprovalMode, Demand, Judge, Judged, Permission, Policy, Risk, Rule, SandboxLevel};
use agent_policy::{PolicyJudge, RuleSet, demand_of};
use proptest::prelude::*;

fn command() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "git push",
        "git status",
        "npm publish",
        "cargo test",
        "rm -rf target",
        "rm -rf /",
        "curl x",
        "ls",
        "$X y",
        "echo a > docs/b",
        "touch .git/x",
        "sh",
        "eval \"$x\"",
        "python3 -c 'a'",
        "sudo ls",
        "git $X",
        "cp a docs/c",
        "cd sub",
        "echo 'git push'",
    ]);
    words.prop_map(str::to_owned)
}

fn script() -> impl Strategy<Value = String> {
    command().prop_recursive(3, 12, 2, |inner| {
        (inner.clone(), inner, 0..9_usize).prop_map(|(a, b, way)| match way {
            0 => format!("{a} && {b}"),
            1 => format!("{a} || {b}"),
            2 => format!("{a}; {b}"),
            3 => format!("{a} | {b}"),
            4 => format!("{a}\n{b}"),
            5 => format!("if {a}; then {b}; fi"),
            6 => format!("({a}) & {{ {b}; }}"),
            7 => format!("echo $({a}); {b}"),
            _ => format!("f() {{ {a}; }}; {b}"),
        })
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    let permission = prop::sample::select(vec![Permission::Allow, Permission::Ask, Permission::Deny]);
    let subject = prop::sample::select(vec![
        "c git push",
        "c git",
        "c npm",
        "c cargo test",
        "c ls",
        "c rm -rf",
        "w docs/**",
        "w **",
        "t run_command",
        "t other",
        "c curl",
        "c sudo",
    ]);
    (permission, subject).prop_map(|(permission, subject)| {
        let (kind, rest) = subject.split_once(' ').unwrap();
        match kind {
            "c" => Rule::command(permission, rest.split(' ')),
            "w" => Rule { write: Some(rest.into()), ..Rule::new(permission) },
            _ => Rule { tool: Some(rest.into()), ..Rule::new(permission) },
        }
    })
}

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    prop::collection::vec(rule(), 0..4)
}

fn policy() -> impl Strategy<Value = Policy> {
    let modes = vec![ApprovalMode::Never, ApprovalMode::Writes, ApprovalMode::Commands, ApprovalMode::Always];
    let levels = vec![SandboxLevel::ReadOnly, SandboxLevel::WorkspaceWrite, SandboxLevel::FullAccess];
    (prop::sample::select(modes), prop::sample::select(levels), rules())
        .prop_map(|(approval, sandbox, rules)| Policy { approval, sandbox, rules, ..Policy::default() })
}

fn judge(server: &[Rule]) -> PolicyJudge {
    PolicyJudge::new(RuleSet::new(server.to_vec()).unwrap(), [])
}

fn of(judge: &PolicyJudge, policy: &Policy, demand: &Demand) -> (Permission, Risk) {
    let verdict = judge.judge(Judged { tool: "run_command", demand, policy });
    (verdict.permission, verdict.risk)
}

fn shell(script: &str) -> Demand {
    Demand::Command(vec!["sh".into(), "-c".into(), script.into()])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_rule_of_the_plan_never_loosens_what_stands_above_it(server in rules(), policy in policy(), extra in rule(), line in script()) {
        let judge = judge(&server);
        let above = Policy { approval: ApprovalMode::Never, rules: vec![], ..policy.clone() };
        let mut more = policy.clone();
        more.rules.push(extra);
        prop_assert!(of(&judge, &more, &shell(&line)).0 >= of(&judge, &above, &shell(&line)).0);
    }

    #[test]
    fn a_rule_that_asks_or_denies_never_loosens(server in rules(), policy in policy(), extra in rule(), line in script(), above in any::<bool>()) {
        prop_assume!(extra.permission > Permission::Allow);
        let before = of(&judge(&server), &policy, &shell(&line)).0;
        let (mut server, mut policy) = (server, policy);
        if above { server.push(extra) } else { policy.rules.push(extra) }
        prop_assert!(of(&judge(&server), &policy, &shell(&line)).0 >= before);
    }

    #[test]
    fn a_command_of_several_parts_is_never_milder_than_one_of_them(server in rules(), policy in policy(), a in script(), b in script(), sign in prop::sample::select(vec!["&&", "||", ";", "|", "\n", "&"])) {
        let judge = judge(&server);
        let both = of(&judge, &policy, &shell(&format!("{a} {sign} {b}")));
        let first = of(&judge, &policy, &shell(&a));
        prop_assert!(both.0 >= first.0 && both.1 >= first.1, "{:?} {:?}", both, first);
    }

    #[test]
    fn wrapping_a_script_changes_no_verdict_to_a_milder_one(server in rules(), line in script(), wrapper in prop::sample::select(vec!["nohup", "env A=b", "timeout 5", "sudo", "bash -c", "xargs"])) {
        let judge = judge(&server);
        let plain = of(&judge, &Policy::default(), &shell(&line));
        let quoted = line.replace('\'', r"'\''");
        let wrapped = if wrapper == "bash -c" { format!("bash -c '{quoted}'") } else { format!("{wrapper} sh -c '{quoted}'") };
        let wrapped = of(&judge, &Policy::default(), &shell(&wrapped));
        prop_assert!(wrapped.0 >= plain.0 && wrapped.1 >= plain.1, "{:?} {:?}", wrapped, plain);
    }

    #[test]
    fn what_a_rule_covers_it_spares_the_question_of(rule in rule(), line in script()) {
        let judge = judge(&[]);
        let asking = Policy { approval: ApprovalMode::Commands, ..Policy::default() };
        let demand = shell(&line);
        if judge.covers(&rule, Judged { tool: "run_command", demand: &demand, policy: &asking }) {
            let accepted = Policy { rules: vec![rule], ..asking.clone() };
            let unasked = Policy::default();
            prop_assert_eq!(of(&judge, &accepted, &demand).0, of(&judge, &unasked, &demand).0);
        }
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in ".{0,200}") {
        let judge = judge(&[Rule::command(Permission::Deny, ["git", "push"])]);
        of(&judge, &Policy::default(), &shell(&text));
        of(&judge, &Policy::default(), &demand_of(&text));
    }

    #[test]
    fn any_signs_of_a_shell_are_read_without_a_panic(text in "[a$(){}<>|&;'\"`\\\\\n #=!*\\[\\]~-]{0,80}") {
        let judge = judge(&[Rule::command(Permission::Deny, ["git", "push"])]);
        of(&judge, &Policy::default(), &shell(&text));
        of(&judge, &Policy::default(), &demand_of(&text));
    }

    #[test]
    fn any_words_are_read_without_a_panic(words in prop::collection::vec("[a-z/.=*{},$-]{0,8}|git|push|sh|-c|env|xargs|sudo|find|-exec|;", 0..8)) {
        let policy = Policy::default();
        let judge = judge(&[Rule::command(Permission::Deny, ["git", "push"])]);
        of(&judge, &policy, &Demand::Command(words.clone()));
        of(&judge, &policy, &Demand::Write(words));
    }
}

#[test]
fn scripts_of_any_size_and_depth_are_read_without_overflowing_anything() {
    let judge = judge(&[Rule::command(Permission::Deny, ["git", "push"])]);
    let policy = Policy::default();
    let nested_shells = (0..12).fold("git push".to_owned(), |inner, _| format!("sh -c {:?}", inner));
    for script in [
        "(".repeat(20_000),
        "$(".repeat(20_000),
        "{ ".repeat(20_000),
        format!("{}git push{}", "(".repeat(3_000), ")".repeat(3_000)),
        "`".repeat(20_001),
        "a|".repeat(20_000),
        "if a; then ".repeat(5_000),
        "{a,".repeat(5_000),
        format!("echo {}", "{a,b}".repeat(1_000)),
        "\\\n".repeat(20_000),
        "a".repeat(300_000),
        "<<A ".repeat(2_000),
        nested_shells,
    ] {
        let verdict = judge.judge(Judged { tool: "run_command", demand: &shell(&script), policy: &policy });
        assert!(verdict.risk >= Risk::Low);
    }
    let deep = format!("{}git push{}", "(".repeat(3_000), ")".repeat(3_000));
    let verdict = judge.judge(Judged { tool: "run_command", demand: &shell(&deep), policy: &policy });
    assert_eq!(verdict.permission, Permission::Ask);
}

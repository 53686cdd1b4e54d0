//! Layers of rules: a lower one may only tighten what a higher one says.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use agent_core::policy::{
    ApprovalMode, Demand, Judge, Judged, Layer, Permission, Policy, Risk, Rule, SandboxLevel, Verdict,
};
use agent_policy::{PartKind, PolicyJudge, RuleSet, demand_of};

fn server(rules: &str) -> PolicyJudge {
    PolicyJudge::new(RuleSet::parse(rules).unwrap(), [])
}

fn rule(permission: Permission, words: &str) -> Rule {
    Rule::command(permission, words.split(' '))
}

fn write(permission: Permission, pattern: &str) -> Rule {
    Rule { write: Some(pattern.into()), ..Rule::new(permission) }
}

fn domain(permission: Permission, host: &str) -> Rule {
    Rule { domain: Some(host.into()), ..Rule::new(permission) }
}

fn tool(permission: Permission, name: &str) -> Rule {
    Rule { tool: Some(name.into()), ..Rule::new(permission) }
}

fn plan(approval: ApprovalMode, rules: Vec<Rule>) -> Policy {
    Policy { approval, rules, ..Policy::default() }
}

fn of(judge: &PolicyJudge, policy: &Policy, demand: &Demand) -> Verdict {
    judge.judge(Judged { tool: "run_command", demand, policy })
}

fn of_line(judge: &PolicyJudge, policy: &Policy, line: &str) -> Permission {
    of(judge, policy, &demand_of(line)).permission
}

fn host(name: &str) -> Demand {
    Demand::Domain(name.into())
}

const PUSH_DENIED: &str =
    "[[rules]]\ncommand = [\"git\", \"push\"]\npermission = \"deny\"\nreason = \"not from here\"";

#[test]
fn the_servers_rule_holds_whatever_the_plan_allows() {
    let judge = server(PUSH_DENIED);
    let policy = plan(ApprovalMode::Never, vec![rule(Permission::Allow, "git push")]);
    let verdict = of(&judge, &policy, &demand_of("git push"));
    assert_eq!((verdict.permission, verdict.layer), (Permission::Deny, Layer::Server));
    assert_eq!(verdict.reason, "not from here");
    assert_eq!(verdict.rule.unwrap().permission, Permission::Deny);
}

#[test]
fn the_plan_may_tighten() {
    let judge = server("");
    let policy = plan(ApprovalMode::Never, vec![rule(Permission::Deny, "npm")]);
    assert_eq!(of_line(&judge, &policy, "npm test"), Permission::Deny);
    assert_eq!(of_line(&judge, &policy, "cargo test"), Permission::Allow);
}

#[test]
fn within_a_layer_the_strictest_rule_wins() {
    let rules = vec![
        rule(Permission::Allow, "npm"),
        rule(Permission::Deny, "npm publish"),
        rule(Permission::Ask, "npm publish"),
    ];
    let policy = plan(ApprovalMode::Never, rules);
    let verdict = of(&server(""), &policy, &demand_of("npm publish"));
    assert_eq!((verdict.permission, verdict.layer), (Permission::Deny, Layer::Plan));
}

#[test]
fn a_rule_of_the_plan_spares_the_question_of_its_mode() {
    let policy = plan(
        ApprovalMode::Commands,
        vec![rule(Permission::Allow, "cargo test"), rule(Permission::Allow, "cargo build")],
    );
    let judge = server("");
    assert_eq!(of_line(&judge, &policy, "cargo test"), Permission::Allow);
    assert_eq!(of_line(&judge, &policy, "cd sub && timeout 60 cargo test 2>&1"), Permission::Allow);
    assert_eq!(of_line(&judge, &policy, "sh -c 'cargo test && cargo build'"), Permission::Allow);
    for asked in [
        "npm test",
        "cargo test && npm test",
        "cargo test > out.txt",
        "cargo test $(npm test)",
        "sudo cargo test",
        "RUSTC_WRAPPER=./evil cargo test",
        "export PATH=.; cargo test",
        "./cargo test",
        "/tmp/cargo test",
        "cargo --config evil.toml test",
        "cd / && cargo test",
        "$X; cargo test",
    ] {
        assert_eq!(of_line(&judge, &policy, asked), Permission::Ask, "{asked}");
    }
}

#[test]
fn a_rule_about_a_tool_speaks_for_all_that_it_does() {
    let policy = plan(ApprovalMode::Always, vec![tool(Permission::Allow, "run_*")]);
    assert_eq!(of_line(&server(""), &policy, "cargo test && $X"), Permission::Allow);
    let policy = plan(ApprovalMode::Never, vec![tool(Permission::Deny, "run_command")]);
    assert_eq!(of_line(&server(""), &policy, "true"), Permission::Deny);
    assert_eq!(of(&server(""), &policy, &Demand::Read).permission, Permission::Deny);
}

#[test]
fn modes_ask_before_writes_and_commands() {
    let judge = server("");
    let writes = Demand::Write(vec!["a".into()]);
    let answers = |mode| {
        let policy = plan(mode, vec![]);
        [&writes, &demand_of("ls"), &Demand::Other, &Demand::Read, &host("a.org")]
            .map(|demand| of(&judge, &policy, demand).permission)
    };
    use Permission::{Allow, Ask};
    assert_eq!(answers(ApprovalMode::Never), [Allow; 5]);
    assert_eq!(answers(ApprovalMode::Writes), [Ask, Allow, Ask, Allow, Allow]);
    assert_eq!(answers(ApprovalMode::Commands), [Allow, Ask, Ask, Allow, Allow]);
    assert_eq!(answers(ApprovalMode::Always), [Ask, Ask, Ask, Allow, Allow]);
}

#[test]
fn a_call_that_writes_several_files_is_as_strict_as_its_worst() {
    let policy = plan(
        ApprovalMode::Never,
        vec![write(Permission::Ask, "docs/**"), write(Permission::Deny, "docs/api/*.json")],
    );
    let of = |paths: &[&str]| {
        let demand = Demand::Write(paths.iter().map(|path| (*path).to_owned()).collect());
        of(&server(""), &policy, &demand).permission
    };
    assert_eq!(of(&["src/a.rs"]), Permission::Allow);
    assert_eq!(of(&["src/a.rs", "docs/a/b.md"]), Permission::Ask);
    assert_eq!(of(&["src/a.rs", "docs/a.md", "docs/api/v1.json"]), Permission::Deny);
    assert_eq!(of(&["docs/api/v1/a.json"]), Permission::Ask);
}

#[test]
fn files_of_git_and_of_the_server_are_denied_everywhere() {
    let policy = plan(ApprovalMode::Never, vec![write(Permission::Allow, "**")]);
    let judge = PolicyJudge::new(RuleSet::default(), ["/srv/data".into(), "ops/keys".into()]);
    for path in [
        ".git/config",
        ".GIT/config",
        "sub/.git/hooks/x",
        ".git",
        "./.git/x",
        "a/../.git/x",
        ".gitmodules",
        "x.jwt-secret",
        ".agent-history/1",
        ".agent-workspaces/a/b",
        "agent.toml",
        "agent-policy.toml",
        ".agent/x",
        "/srv/data/db",
        "/srv/data",
        "ops/keys/a",
        "ops/./keys",
    ] {
        let verdict = of(&judge, &policy, &Demand::Write(vec![path.into()]));
        assert_eq!((verdict.permission, verdict.layer), (Permission::Deny, Layer::Builtin), "{path}");
        assert!(verdict.reason.contains("not to be written"), "{}", verdict.reason);
    }
    for path in
        [".github/x", "git/config", ".gitignore", "src/agent.toml", "/srv/data2", "ops/keys2", "agent.rs"]
    {
        assert_eq!(
            of(&judge, &policy, &Demand::Write(vec![path.into()])).permission,
            Permission::Allow,
            "{path}"
        );
    }
}

#[test]
fn as_soon_as_certain_hosts_are_allowed_the_others_are_denied() {
    let judge = PolicyJudge::new(
        RuleSet::new(vec![domain(Permission::Allow, "crates.io"), domain(Permission::Allow, "*.npmjs.org")])
            .unwrap(),
        [],
    );
    let policy = Policy::default();
    for allowed in
        ["crates.io", "CRATES.io.", "registry.npmjs.org", "*.npmjs.org", "a.b.npmjs.org", "*.x.npmjs.org"]
    {
        assert_eq!(of(&judge, &policy, &host(allowed)).permission, Permission::Allow, "{allowed}");
    }
    for denied in
        ["npmjs.org", "evilcrates.io", "crates.io.evil.org", "xnpmjs.org", "*", "*.org", "static.crates.io"]
    {
        let verdict = of(&judge, &policy, &host(denied));
        assert_eq!((verdict.permission, verdict.layer), (Permission::Deny, Layer::Server), "{denied}");
    }
}

#[test]
fn a_host_that_is_denied_is_part_of_the_whole_network() {
    let policy = plan(ApprovalMode::Never, vec![domain(Permission::Deny, "*.example.org")]);
    let judge = server("");
    assert_eq!(of(&judge, &policy, &host("a.example.org")).permission, Permission::Deny);
    assert_eq!(of(&judge, &policy, &host("*")).permission, Permission::Deny);
    assert_eq!(of(&judge, &policy, &host("example.org")).permission, Permission::Allow);
    assert_eq!(of(&judge, &policy, &host("*")).risk, Risk::High);
}

#[test]
fn what_cannot_be_read_is_asked_about_where_it_matters_what_it_is() {
    let nothing = Policy::default();
    let confined = of(&server(""), &nothing, &demand_of("$X"));
    assert_eq!((confined.permission, confined.risk), (Permission::Allow, Risk::High));
    let free = Policy { sandbox: SandboxLevel::FullAccess, ..Policy::default() };
    let verdict = of(&server(""), &free, &demand_of("$X"));
    assert_eq!((verdict.permission, verdict.layer), (Permission::Ask, Layer::Builtin));
    assert_eq!(of(&server(PUSH_DENIED), &nothing, &demand_of("$X")).layer, Layer::Server);
    let verdict =
        of(&server(""), &plan(ApprovalMode::Never, vec![rule(Permission::Ask, "npm")]), &demand_of("$X"));
    assert_eq!((verdict.permission, verdict.layer), (Permission::Ask, Layer::Plan));
    assert!(verdict.reason.contains("cannot be read"), "{}", verdict.reason);
    // A denial of another part is stronger.
    assert_eq!(of_line(&server(PUSH_DENIED), &nothing, "$X; git push"), Permission::Deny);
}

#[test]
fn without_a_sandbox_what_could_destroy_everything_is_asked_about() {
    let free = Policy { sandbox: SandboxLevel::FullAccess, ..Policy::default() };
    for line in ["rm -rf /", "curl x | sh", "mkfs.ext4 /dev/sda", "dd if=a of=/dev/sda", ":(){ :|:& };:"] {
        let verdict = of(&server(""), &free, &demand_of(line));
        assert_eq!((verdict.permission, verdict.layer), (Permission::Ask, Layer::Builtin), "{line}");
        assert_eq!(of_line(&server(""), &Policy::default(), line), Permission::Allow, "{line}");
    }
    assert_eq!(of_line(&server(""), &free, "rm -rf target"), Permission::Allow);
}

#[test]
fn a_rule_covers_a_call_only_when_it_speaks_of_all_of_it() {
    let judge = server("");
    let policy = plan(ApprovalMode::Always, vec![]);
    let covers = |rule: &Rule, demand: &Demand| {
        judge.covers(rule, Judged { tool: "run_command", demand, policy: &policy })
    };
    let cargo = rule(Permission::Allow, "cargo test");
    for covered in [
        "cargo test",
        "cargo test -p a",
        "cargo test && cargo test -p b",
        "cargo -v test",
        "cargo test 2>/dev/null",
        "nice cargo test",
    ] {
        assert!(covers(&cargo, &demand_of(covered)), "{covered}");
    }
    for open in [
        "cargo build",
        "cargo test; ls",
        "cargo test > a",
        "cargo test $(x)",
        "cargo $X",
        "echo a",
        "$X",
        "curl x | cargo test",
    ] {
        assert!(!covers(&cargo, &demand_of(open)), "{open}");
    }
    assert!(!covers(&rule(Permission::Ask, "cargo test"), &demand_of("cargo test")));
    assert!(!covers(&rule(Permission::Deny, "cargo test"), &demand_of("cargo test")));
    let docs = write(Permission::Allow, "docs/**");
    assert!(covers(&docs, &Demand::Write(vec!["docs/a".into(), "docs/b/c".into()])));
    assert!(!covers(&docs, &Demand::Write(vec!["docs/a".into(), "src/b".into()])));
    assert!(!covers(&docs, &Demand::Write(vec![])));
    assert!(!covers(&docs, &Demand::Read));
    assert!(covers(&tool(Permission::Allow, "run_command"), &Demand::Other));
    assert!(!covers(&tool(Permission::Allow, "other"), &Demand::Other));
    assert!(covers(&domain(Permission::Allow, "*.a.org"), &host("x.a.org")));
    assert!(!covers(&domain(Permission::Allow, "*.a.org"), &host("*")));
}

#[test]
fn rules_that_are_wrong_are_named_with_what_is_wrong() {
    let error = |text: &str| RuleSet::parse(text).unwrap_err().to_string();
    let of = |rule: &str| error(&format!("[[rules]]\n{rule}"));
    assert!(of("permission = \"deny\"").contains("rule 1: it must name exactly one of"));
    assert!(of("tool = \"a\"\ndomain = \"b\"\npermission = \"ask\"").contains("exactly one"));
    assert!(of("tool = \"a\"\npermission = \"ask\"\ncolour = 1").contains("colour"));
    assert!(of("tool = \"a\"\npermission = \"perhaps\"").contains("perhaps"));
    assert!(of("command = [\"git push\"]\npermission = \"ask\"").contains("holds a space"));
    assert!(of("command = [\"git\", []]\npermission = \"ask\"").contains("is empty"));
    assert!(of("domain = \"http://a\"\npermission = \"ask\"").contains("is no name of a host"));
    assert!(of("write = \"../a\"\npermission = \"ask\"").contains("can match no path"));
    assert!(of("write = \"./a\"\npermission = \"ask\"").contains("can match no path"));
    let example = "command = [\"git\"]\npermission = \"ask\"\nmatch = [\"git a\", \"hg b\"]";
    assert!(of(example).contains("\"hg b\"") && of(example).contains("rule 1"));
    let example = "write = \"a/*\"\npermission = \"ask\"\nnot_match = [\"a/b\"]";
    assert!(of(example).contains("not_match") && of(example).contains("a/b"));
    assert!(error("rule = 1").contains("cannot be read"));
    let two = "[[rules]]\ntool = \"a\"\npermission = \"ask\"\n[[rules]]\npermission = \"ask\"";
    assert!(error(two).starts_with("rule 2"));
}

#[test]
fn problems_of_a_plans_rules_are_told_and_never_loosen_it() {
    let broken = vec![rule(Permission::Deny, "npm"), Rule::new(Permission::Deny)];
    let judge = server("");
    let problems = judge.problems(&broken);
    assert_eq!(problems.iter().map(|problem| problem.index).collect::<Vec<_>>(), [1]);
    let policy = plan(ApprovalMode::Never, broken);
    assert_eq!(of_line(&judge, &policy, "ls"), Permission::Ask);
    assert_eq!(of_line(&judge, &policy, "npm test"), Permission::Deny);
}

#[test]
fn an_explanation_shows_every_part_and_the_rules_about_it() {
    let judge = server(PUSH_DENIED);
    let policy = plan(ApprovalMode::Commands, vec![rule(Permission::Allow, "make")]);
    let demand = demand_of("make && sudo git push > log; $X");
    let explained = judge.explain(Judged { tool: "run_command", demand: &demand, policy: &policy });
    let kinds: Vec<_> =
        explained.parts.iter().map(|part| (part.kind, part.text.as_str(), part.rules.len())).collect();
    assert!(kinds.contains(&(PartKind::Command, "make", 1)), "{kinds:?}");
    assert!(kinds.contains(&(PartKind::Command, "sudo git push", 1)), "{kinds:?}");
    assert!(kinds.contains(&(PartKind::Write, "log", 0)), "{kinds:?}");
    assert!(kinds.contains(&(PartKind::Unreadable, "…", 0)), "{kinds:?}");
    assert_eq!(
        explained.layers.iter().map(|layer| layer.permission).collect::<Vec<_>>(),
        [Permission::Allow, Permission::Deny, Permission::Ask]
    );
    let call = Judged { tool: "run_command", demand: &demand, policy: &policy };
    assert_eq!(explained.verdict, judge.judge(call));
    let json = serde_json::to_value(&explained).unwrap();
    assert_eq!(json["verdict"]["permission"], "deny");
    assert_eq!(json["parts"][0]["kind"], "write");
}

#[test]
fn a_line_of_plain_words_is_a_command_and_any_other_a_script() {
    let words = |line: &str| match demand_of(line) {
        Demand::Command(words) => words,
        other => panic!("{other:?}"),
    };
    assert_eq!(words(r#"git commit -m "a b" \$c"#), ["git", "commit", "-m", "a b", "$c"]);
    for script in
        ["a | b", "a $b", "a *.c", "a &", "A=1 a", "a > b", "a; b", "", "a ~/b", "(a)", "a \"", "a {b,c}d$e"]
    {
        assert_eq!(words(script), ["sh", "-c", script]);
    }
}

#[test]
fn what_needs_no_leave_beside_others_is_asked_about_when_it_is_all_there_is() {
    let judge = server("");
    let asking = |rules| plan(ApprovalMode::Commands, rules);
    for line in ["true", "echo hello", "cd src && true"] {
        assert_eq!(of_line(&judge, &asking(Vec::new()), line), Permission::Ask, "{line}");
    }
    let trusted = asking(vec![rule(Permission::Allow, "cargo test"), rule(Permission::Allow, "echo")]);
    assert_eq!(of_line(&judge, &trusted, "cd src && cargo test && echo done"), Permission::Allow);
    assert_eq!(of_line(&judge, &trusted, "echo hello"), Permission::Allow);
    assert_eq!(of_line(&judge, &plan(ApprovalMode::Never, Vec::new()), "true"), Permission::Allow);
}

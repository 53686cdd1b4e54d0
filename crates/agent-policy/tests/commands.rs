//! How commands are read: each line of the table is a command, what the rules say of it, and its risk.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use agent_core::policy::{Demand, Judge, Judged, Permission, Policy, Risk};
use agent_policy::{PolicyJudge, RuleSet, demand_of};
use std::path::PathBuf;

const RULES: &str = r#"
    [[rules]]
    command = ["git", ["push", "send-pack"]]
    permission = "deny"
    reason = "nothing leaves from here"
    match = ["git push", "ls && git -C .. push origin"]
    not_match = ["git status", "echo git push"]

    [[rules]]
    command = [["npm", "cargo"], "publish"]
    permission = "ask"

    [[rules]]
    command = ["curl"]
    permission = "ask"

    [[rules]]
    write = "docs/generated/**"
    permission = "deny"
    match = ["docs/generated/a/b.md"]
    not_match = ["docs/a.md"]
"#;

fn judge() -> PolicyJudge {
    PolicyJudge::new(
        RuleSet::parse(RULES).unwrap(),
        [PathBuf::from("/srv/keys"), PathBuf::from("secrets/prod")],
    )
}

fn word(permission: Permission) -> &'static str {
    permission.as_str()
}

/// Lines of `verdict risk command`; `\n` and `\\` in a command stand for themselves, as in C.
fn check(table: &str) -> usize {
    let (judge, policy) = (judge(), Policy::default());
    let (mut wrong, mut count) = (Vec::new(), 0);
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")) {
        let mut fields = line.splitn(3, ' ');
        let [permission, risk, command] = [(); 3].map(|()| fields.next().unwrap_or_default().trim());
        let command = command.replace("\\\\", "\u{1}").replace("\\n", "\n").replace('\u{1}', "\\");
        let script = Demand::Command(vec!["sh".into(), "-c".into(), command.clone()]);
        for demand in [demand_of(&command), script] {
            let verdict = judge.judge(Judged { tool: "run_command", demand: &demand, policy: &policy });
            if word(verdict.permission) != permission || verdict.risk.as_str() != risk {
                let explained =
                    judge.explain(Judged { tool: "run_command", demand: &demand, policy: &policy });
                let parts: Vec<_> =
                    explained.parts.iter().map(|part| (part.kind, &part.text, part.risk)).collect();
                wrong.push(format!(
                    "{command:?}: {} {}, not {permission} {risk} ({})\n      {parts:?} {:?}",
                    word(verdict.permission),
                    verdict.risk.as_str(),
                    verdict.reason,
                    explained.dangers
                ));
            }
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    count
}

#[test]
fn ordinary_commands_are_allowed_and_their_risk_is_told() {
    check(include_str!("commands/ordinary.txt"));
}

#[test]
fn a_denied_command_is_found_however_it_is_written() {
    check(include_str!("commands/evasions.txt"));
}

#[test]
fn what_cannot_be_read_is_asked_about() {
    check(include_str!("commands/unreadable.txt"));
}

#[test]
fn files_that_commands_write_are_judged_too() {
    check(include_str!("commands/writes.txt"));
}

#[test]
fn dangerous_commands_are_told_from_others() {
    check(include_str!("commands/risks.txt"));
}

#[test]
fn the_risks_are_ordered() {
    assert!(Risk::Low < Risk::Medium && Risk::Medium < Risk::High && Risk::High < Risk::Critical);
}

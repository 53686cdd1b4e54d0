//! `agent approvals`, `agent policy` and `agent doctor`: what waits, what is allowed, what this machine offers.

use crate::fixture::Workplace;
use serde_json::json;

const ASKING: &str = "\
goal: Ask
policy: {approval: commands}
tasks:
  - {description: Leave a mark, kind: command, command: [touch, mark.txt]}
";

/// A workplace with a plan that waits for a person, and the question.
fn asked(plan: &str) -> (Workplace, String) {
    let place = Workplace::with_repository();
    let plan = place.beside("plan.yaml", plan);
    place.agent(&["run", "--plan", &plan]).with_code(3);
    let open = place.agent(&["approvals", "list", "--json"]).with_code(0).json();
    assert_eq!(open["total"], 1, "{open}");
    let id = open["approvals"][0]["id"].to_string();
    (place, id)
}

#[test]
fn a_question_is_listed_shown_and_answered_and_the_plan_goes_on_here() {
    let (place, id) = asked(ASKING);
    assert!(!place.repository().join("mark.txt").exists());
    let shown = place.agent(&["approvals", "show", &id]).with_code(0).stdout;
    assert!(shown.contains("Leave a mark") && shown.contains("covers sha256:"), "{shown}");
    place.agent(&["approvals", "approve", &id, "--note", "go ahead"]).with_code(0);
    assert!(place.repository().join("mark.txt").exists());
    let all = place.agent(&["approvals", "list", "--all", "--json"]).with_code(0).json();
    assert_eq!(
        (&all["approvals"][0]["decision"], &all["approvals"][0]["note"]),
        (&json!("approve"), &json!("go ahead"))
    );
    let late = place.agent(&["approvals", "reject", &id]).with_code(2);
    assert!(late.stderr.contains("is closed: approve by local"), "{}", late.stderr);
}

#[test]
fn a_no_fails_the_task_and_nothing_runs() {
    let (place, id) = asked(ASKING);
    place.agent(&["approvals", "reject", &id, "--note", "not on Fridays"]).with_code(1);
    assert!(!place.repository().join("mark.txt").exists());
    let shown = place.agent(&["plans", "show", "1"]).with_code(0).stdout;
    assert!(shown.contains("not on Fridays"), "{shown}");
}

#[test]
fn an_answer_to_other_bytes_is_wrong_usage() {
    let (place, id) = asked(ASKING);
    let other = format!("sha256:{}", "0".repeat(64));
    let refused = place.agent(&["approvals", "approve", &id, "--args-hash", &other]).with_code(2);
    assert!(refused.stderr.contains("other bytes"), "{}", refused.stderr);
    place.agent(&["approvals", "show", "4711"]).with_code(2);
    let offered = place.agent(&["approvals", "approve", &id, "--for-plan"]).with_code(2);
    assert!(offered.stderr.contains("approve_for_plan is no answer to this question"), "{}", offered.stderr);
}

#[test]
fn the_rules_are_explained_and_the_exit_code_says_what_they_say() {
    let place = Workplace::with_repository();
    let rules = place.beside("rules.toml", "[[rules]]\ncommand = [\"git\", \"push\"]\npermission = \"deny\"\nreason = \"through the pipeline\"\n");
    let check = |arguments: &[&str], code| {
        let words: Vec<&str> = ["policy", "check"].iter().chain(arguments).copied().collect();
        place.agent(&words).with_code(code)
    };
    check(&["cargo test"], 0);
    check(&["--approval", "commands", "cargo test"], 3);
    let denied = check(&["--rules", &rules, "make && nohup git -C . push"], 1);
    assert!(denied.stdout.contains("through the pipeline"), "{}", denied.stdout);
    let hook = check(&["--write", ".git/hooks/pre-commit", "--json"], 1).json();
    assert_eq!(
        (&hook["verdict"]["permission"], &hook["verdict"]["layer"]),
        (&json!("deny"), &json!("builtin"))
    );
    let broken =
        place.beside("broken.toml", "[[rules]]\ncommand = [\"a\"]\npermission = \"deny\"\nmatch = [\"b\"]\n");
    let refused = check(&["--rules", &broken, "ls"], 2);
    assert!(refused.stderr.contains("rule 1"), "{}", refused.stderr);
}

#[test]
fn the_doctor_says_what_this_machine_offers_and_changes_nothing() {
    let place = Workplace::with_repository();
    let found = place.agent(&["doctor", "--json"]).json();
    let checks = found["checks"].as_array().unwrap();
    for name in ["sandbox", "git", "database", "language model", "policy", "repositories", "disk", "clock"] {
        assert!(checks.iter().any(|check| check["name"] == name), "{name} in {found:#}");
    }
    assert!(!place.repository().join("agent.db").exists(), "nothing is made");
    let told = place.agent(&["doctor"]).stdout;
    assert!(told.contains("clock: it says"), "{told}");
}

//! `agent chat`, and what is said about plans.

use crate::fixture::Workplace;
use serde_json::json;

/// A model that plans one task, greets somebody in it, and finishes.
fn scripted(place: &Workplace) -> String {
    let patch = "--- a/greeting.txt\n+++ b/greeting.txt\n@@ -1,2 +1,2 @@\n hello\n-world\n+Ada\n";
    let script = json!({"turns": [
        {"when": {"structured": true}, "json": {"tasks": [
            {"description": "Greet Ada in the file", "kind": "agent", "priority": "high", "depends_on": []},
            {"description": "Look at the result", "kind": "scan", "priority": "low", "depends_on": [1]}
        ]}},
        {"text": "I change the greeting.", "tool_calls": [{"name": "apply_patch", "arguments": {"patch": patch}}]},
        {"tool_calls": [{"name": "finish", "arguments": {"summary": "Ada is greeted."}}]}
    ]});
    place.beside("script.json", &script.to_string())
}

#[test]
fn a_goal_becomes_a_plan_and_work_in_one_conversation() {
    let place = Workplace::with_repository();
    let script = scripted(&place);
    let typed = "help\nGreet Ada\nshow plan\nexec\ndiff\nhistory\nscan\nexit\n";
    let repository = place.repository().display().to_string();
    let chat = ["chat", "--repo", &repository, "--script", &script];
    let ended = place.agent_with_input(&chat, typed).with_code(0);
    for part in [
        "reject [WHY]",
        "1. [agent] Greet Ada in the file",
        "plan 1: Greet Ada (created)",
        "+Ada",
        "I change the greeting.",
        "→ apply_patch",
        "files in",
    ] {
        assert!(ended.stdout.contains(part), "{part:?} is missing in:\n{}", ended.stdout);
    }
    assert_eq!(std::fs::read_to_string(place.repository().join("greeting.txt")).unwrap(), "hello\nAda\n");
}

#[test]
fn what_makes_no_sense_ends_a_script_with_the_reason() {
    let place = Workplace::with_repository();
    let script = scripted(&place);
    let repository = place.repository().display().to_string();
    let ended = place.agent_with_input(&["chat", "--repo", &repository, "--script", &script], "exec\n");
    assert!(ended.with_code(2).stderr.contains("there is no plan yet"));
}

#[test]
fn a_question_is_answered_where_it_is_asked() {
    let place = Workplace::with_repository();
    let plan = place.beside("plan.yaml", "goal: Ask\ntasks:\n  - {description: May I?, kind: approval}\n");
    place.agent(&["run", "--plan", &plan]).with_code(3);
    let repository = place.repository().display().to_string();
    let chat = ["chat", "--repo", &repository, "--resume", "1"];
    let ended = place.agent_with_input(&chat, "exec\napprove go ahead\n").with_code(0);
    assert!(ended.stdout.contains("? May I?") && ended.stdout.contains("completed"), "{}", ended.stdout);
}

#[test]
fn a_conversation_is_read_searched_and_added_to() {
    let place = Workplace::with_repository();
    let script = scripted(&place);
    place.agent(&["run", "Greet Ada", "--script", &script]).with_code(0);
    place.agent(&["plans", "say", "1", "Thank you"]).with_code(0);
    let all = place.agent(&["plans", "conversation", "1", "--json"]).with_code(0);
    let messages: Vec<serde_json::Value> =
        all.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let roles: Vec<&str> = messages.iter().map(|message| message["role"].as_str().unwrap()).collect();
    let wanted = ["user", "assistant", "system", "assistant", "tool", "assistant", "user"];
    assert_eq!(roles, wanted, "{}", all.stdout);
    let found =
        place.agent(&["plans", "conversation", "1", "--role", "user", "--search", "THANK"]).with_code(0);
    assert!(found.stdout.contains("Thank you") && !found.stdout.contains("Greet"), "{}", found.stdout);
}

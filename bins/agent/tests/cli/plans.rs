use crate::fixture::Workplace;
use serde_json::json;

const GOAL: &str = "Greet the reader";

/// A script that plans two tasks, and the arguments that make it answer.
fn scripted(place: &Workplace) -> String {
    let script = json!({"turns": [{"when": {"structured": true}, "json": {"tasks": [
        {"description": "Look around first", "kind": "scan", "priority": "high", "depends_on": []},
        {"description": "Look around again", "kind": "scan", "priority": "medium", "depends_on": [1]}
    ]}}]});
    place.beside("script.json", &script.to_string())
}

#[test]
fn a_plan_is_made_printed_and_carried_out_later() {
    let place = Workplace::with_repository();
    let script = scripted(&place);
    let made = place.agent(&["plan", GOAL, "--script", &script]).with_code(0);
    assert!(made.stdout.contains("2. [scan] Look around again (after 1)"), "{}", made.stdout);
    assert!(
        made.stderr.contains("no language model"),
        "a script is never taken for a model: {}",
        made.stderr
    );
    let done = place.agent(&["run", "--resume", "1", "--json"]).with_code(0).json();
    assert_eq!(done["plan"]["status"], "completed");
    let again = place.agent(&["run", "--resume", "1"]).with_code(2);
    assert!(again.stderr.contains("has ended"), "{}", again.stderr);
}

#[test]
fn a_plan_printed_as_yaml_is_a_plan_file() {
    let place = Workplace::with_repository();
    let script = scripted(&place);
    let yaml = place.agent(&["plan", GOAL, "--script", &script, "--yaml"]).with_code(0);
    let done = place.agent_with_input(&["run", "--plan", "-", "--json"], &yaml.stdout).with_code(0).json();
    assert_eq!(done["plan"]["goal"], GOAL);
    assert_eq!(done["tasks"][1]["depends_on"], json!([1]));
}

#[test]
fn plans_are_listed_shown_and_followed() {
    let place = Workplace::with_repository();
    let plan = place.beside(
        "plan.yaml",
        "goal: Count\ntasks:\n  - {description: Count files, kind: command, command: [ls]}\n",
    );
    place.agent(&["run", "--plan", &plan]).with_code(0);
    let listed = place.agent(&["plans", "list", "--status", "completed"]).with_code(0);
    assert!(listed.stdout.contains("Count") && listed.stdout.contains("1/1"), "{}", listed.stdout);
    let shown = place.agent(&["plans", "show", "1", "--json"]).with_code(0).json();
    assert_eq!(shown["statistics"]["completed_tasks"], 1);
    let events = place.agent(&["plans", "events", "1"]).with_code(0);
    assert!(events.stdout.contains("task_completed"), "{}", events.stdout);
    let followed = place.agent(&["plans", "events", "1", "--follow"]).with_code(0);
    assert_eq!(followed.stdout, events.stdout, "the plan has ended, and so does this");
    let last =
        place.agent(&["plans", "events", "1", "--only", "task_completed,plan_updated", "--after", "3"]);
    let all = events.stdout.lines().skip(3);
    let wanted: Vec<&str> =
        all.filter(|line| line.contains(" task_completed ") || line.contains(" plan_updated ")).collect();
    assert_eq!(last.with_code(0).stdout.lines().collect::<Vec<_>>(), wanted);
    place.agent(&["plans", "events", "1", "--only", "weather"]).with_code(2);
    let fails = place.beside(
        "fails.yaml",
        "goal: Fail\ntasks:\n  - {description: Fail, kind: command, command: [\"false\"]}\n",
    );
    place.agent(&["run", "--plan", &fails]).with_code(1);
    place.agent(&["plans", "events", "2", "--follow"]).with_code(1);
    assert_eq!(place.agent(&["plans", "diff", "1"]).with_code(0).stdout, "");
    let unknown = place.agent(&["plans", "show", "99"]).with_code(2);
    assert!(unknown.stderr.contains("plan 99 does not exist"), "{}", unknown.stderr);
}

#[test]
fn a_plan_is_edited_its_versions_listed_and_a_task_run_again() {
    let place = Workplace::with_repository();
    let plan = place.beside(
        "plan.yaml",
        "goal: Write\ntasks:\n  - {description: First, kind: command, command: echo a >> log}\n  \
         - {description: Second, kind: command, command: echo b >> log, depends_on: [1]}\n",
    );
    let done = place.agent(&["run", "--plan", &plan, "--json"]).with_code(0).json();
    let second = done["tasks"][1]["id"].to_string();
    let edit = format!(
        "operations:\n  - {{op: update, task_id: {second}, task: {{command: echo B >> log, timeout_ms: null}}}}\n"
    );
    let edited =
        place.agent_with_input(&["plans", "edit", "1", "-", "--if-version", "1"], &edit).with_code(0);
    assert!(edited.stdout.contains("version 2: 1 changed, 1 kept, 1 to be done again"), "{}", edited.stdout);
    let stale = place.agent_with_input(&["plans", "edit", "1", "-", "--if-version", "1"], &edit).with_code(2);
    assert!(stale.stderr.contains("version"), "{}", stale.stderr);
    let wrong = place.beside("wrong.json", r#"{"operations": [{"op": "remove", "task_id": 99}]}"#);
    let refused = place.agent(&["plans", "edit", "1", &wrong]).with_code(2);
    assert!(refused.stderr.contains("/operations/0/task_id"), "{}", refused.stderr);
    let versions = place.agent(&["plans", "versions", "1", "--json"]).with_code(0).json();
    assert_eq!(
        (&versions["total"], &versions["versions"][1]["summary"]["invalidated"]),
        (&json!(2), &json!(1))
    );
    assert!(place.agent(&["plans", "versions", "1"]).with_code(0).stdout.contains("1 changed"));
    place.agent(&["run", "--resume", "1"]).with_code(0);
    let again =
        place.agent(&["plans", "retry", "1", "--task", &second, "--following", "--json"]).with_code(0);
    assert_eq!(again.json()["tasks"][1]["attempts"], 3);
    place.agent(&["plans", "retry", "1"]).with_code(2);
}

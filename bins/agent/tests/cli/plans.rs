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
    assert_eq!(place.agent(&["plans", "diff", "1"]).with_code(0).stdout, "");
    let unknown = place.agent(&["plans", "show", "99"]).with_code(2);
    assert!(unknown.stderr.contains("plan 99 does not exist"), "{}", unknown.stderr);
}

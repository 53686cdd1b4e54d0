use crate::fixture::Workplace;
use serde_json::Value;

const PLAN: &str = "\
goal: Greet the reader
tasks:
  - description: Look around
    kind: scan
  - description: Greet somebody else
    kind: patch
    depends_on: [1]
    patch: |
      --- a/greeting.txt
      +++ b/greeting.txt
      @@ -1,2 +1,2 @@
       hello
      -world
      +reader
  - description: See that it worked
    kind: command
    command: [grep, -q, reader, greeting.txt]
    depends_on: [2]
";

fn statuses(document: &Value) -> Vec<&str> {
    document["tasks"].as_array().unwrap().iter().map(|task| task["status"].as_str().unwrap()).collect()
}

#[test]
fn an_explicit_plan_is_carried_out_and_reported() {
    let place = Workplace::with_repository();
    let plan = place.beside("plan.yaml", PLAN);
    let ended = place.agent(&["run", "--plan", &plan, "--diff"]).with_code(0);
    assert_eq!(place.read("greeting.txt"), "hello\nreader\n");
    for text in ["+reader", "1 file changed, 1 insertion, 1 deletion", "plan 1 completed", "Look around"] {
        assert!(ended.stdout.contains(text), "{text:?} is missing in\n{}", ended.stdout);
    }
    assert!(ended.stderr.contains("[2/3]"), "progress goes to standard error: {}", ended.stderr);
    assert!(place.path("data/agent/agent.db").exists(), "the data is in the user's data folder");
    assert!(!place.repository().join("agent.db").exists());
}

#[test]
fn with_json_there_is_one_document_and_nothing_else() {
    let place = Workplace::with_repository();
    let plan = place.beside("plan.yaml", PLAN);
    let repository = place.repository().display().to_string();
    let ended = place.agent(&["run", "--plan", &plan, "--repo", &repository, "--json"]).with_code(0);
    let document = ended.json();
    assert_eq!(document["plan"]["status"], "completed");
    assert_eq!(statuses(&document), ["completed"; 3]);
    assert_eq!(document["tasks"][2]["result"]["exit_code"], 0);
    assert_eq!(document["diff_statistics"]["insertions"], 1);
    assert_eq!(ended.stderr, "");
}

#[test]
fn with_events_every_event_is_a_line_of_json_in_order() {
    let place = Workplace::with_repository();
    let plan = place.beside("plan.yaml", PLAN);
    let ended = place.agent(&["run", "--plan", &plan, "--events"]).with_code(0);
    let events: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let positions: Vec<i64> = events.iter().map(|event| event["seq"].as_i64().unwrap()).collect();
    assert_eq!(positions, (1..=events.len() as i64).collect::<Vec<_>>());
    assert_eq!(events.last().unwrap()["status"], "completed");
}

#[test]
fn a_command_that_fails_fails_the_run_and_its_output_is_shown() {
    let place = Workplace::with_repository();
    let plan = place.beside(
        "plan.yaml",
        "goal: Fail\ntasks:\n  - {description: Fail loudly, kind: command, command: \"echo the reason >&2; exit 3\"}\n  \
         - {description: Never run, kind: scan, depends_on: [1]}\n",
    );
    let ended = place.agent(&["run", "--plan", &plan]).with_code(1);
    assert!(ended.stdout.contains("exit code 3") && ended.stdout.contains("the reason"), "{}", ended.stdout);
    assert!(ended.stdout.contains("skipped"), "{}", ended.stdout);
}

#[test]
fn a_plan_that_waits_for_a_person_says_so_in_its_exit_code() {
    let place = Workplace::with_repository();
    let plan = place.beside("plan.yaml", "goal: Ask\ntasks:\n  - {description: May I?, kind: approval}\n");
    let ended = place.agent(&["run", "--plan", &plan]).with_code(3);
    assert!(ended.stderr.contains("agent approvals approve"), "{}", ended.stderr);
}

#[test]
fn what_is_wrong_with_a_plan_file_is_named_and_nothing_happens() {
    let place = Workplace::with_repository();
    let cases = [
        ("goal: x\ntasks: [{description: a, kind: scan}]\nrepo: y\n", "repo"),
        ("goal: x\ntasks: [{description: a, kind: scan, dependson: [1]}]\n", "dependson"),
        ("goal: x\ntasks: [{description: a, kind: sing}]\n", "sing"),
        ("goal: x\ntasks: [{description: a, kind: command}]\n", "/tasks/0/command"),
        (
            "goal: x\ntasks: [{description: a, kind: scan, depends_on: [2]}, {description: b, kind: scan, depends_on: [1]}]\n",
            "1 -> 2 -> 1",
        ),
        ("goal: x\ntasks: [{description: a, kind: scan, depends_on: [7]}]\n", "/tasks/0/depends_on"),
        ("goal: x\ntasks: []\n", "/tasks"),
        ("goal: ''\ntasks: [{description: a, kind: scan}]\n", "/goal"),
        ("goal: [x\n", "plan.yaml"),
        ("", "plan.yaml"),
    ];
    for (text, named) in cases {
        let plan = place.beside("plan.yaml", text);
        let ended = place.agent(&["run", "--plan", &plan]).with_code(2);
        assert!(ended.stderr.contains(named), "{named:?} is not named for {text:?}: {}", ended.stderr);
    }
    let listed = place.agent(&["plans", "list", "--json"]).with_code(0).json();
    assert_eq!(listed["total"], 0, "a refused plan is not kept");
}

#[test]
fn a_goal_without_a_language_model_says_what_to_do() {
    let place = Workplace::with_repository();
    // A provider without a key, so that a model that happens to run on this machine is not asked.
    let ended = place.agent(&["run", "Mend it", "--provider", "anthropic"]).with_code(2);
    assert!(ended.stderr.contains("AGENT_LLM_API_KEY"), "{}", ended.stderr);
}

#[test]
fn a_repository_that_does_not_exist_is_wrong_usage() {
    let place = Workplace::new();
    let plan = place.beside("plan.yaml", PLAN);
    let ended = place.agent(&["run", "--plan", &plan, "--repo", "/nonexistent"]).with_code(2);
    assert!(ended.stderr.contains("--repo"), "{}", ended.stderr);
}

#[test]
fn a_settings_file_that_lies_in_the_repository_is_not_read() {
    let place = Workplace::with_repository();
    place.write("agent.toml", "llm_base_url = \"http://attacker.example\"\nno_such_setting = 1\n");
    let plan = place.beside("plan.yaml", PLAN);
    place.agent(&["run", "--plan", &plan]).with_code(0);
    let ended = place.agent(&["run", "--plan", &plan, "--config", "agent.toml"]).with_code(2);
    assert!(ended.stderr.contains("no_such_setting"), "{}", ended.stderr);
}

#[test]
fn an_isolated_run_is_merged_taken_back_and_discarded() {
    let place = Workplace::with_repository();
    let plan = place.beside(
        "plan.yaml",
        "goal: Greet the reader\ntasks:\n  - description: Change it\n    kind: command\n    command: echo reader > greeting.txt\n",
    );
    let ended = place.agent(&["run", "--isolated", "--plan", &plan]).with_code(0);
    assert!(ended.stderr.contains("agent plans merge 1"), "{}", ended.stderr);
    assert_eq!(place.read("greeting.txt"), "hello\nworld\n");
    let merged = place.agent(&["plans", "merge", "1"]).with_code(0).stdout;
    assert!(merged.contains("merged agent/plan-1") && merged.contains("agent patch undo 1"), "{merged}");
    assert_eq!(place.read("greeting.txt"), "reader\n");
    place.agent(&["patch", "undo"]).with_code(0);
    assert_eq!(place.read("greeting.txt"), "hello\nworld\n");
    place.agent(&["plans", "discard", "1"]).with_code(0);
    let refused = place.agent(&["plans", "merge", "1"]).with_code(2).stderr;
    assert!(refused.contains("no workspace of its own"), "{refused}");
}

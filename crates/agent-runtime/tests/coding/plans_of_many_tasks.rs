//! Plans of several tasks: side by side, one after the other with what the one before yielded, in a folder of their
//! own, and made anew after a failure.

use crate::fixture::{
    Fitting, Recorded, Repository, Workshop, about, agent_task, call, finish, patch, plan, say,
};
use agent_core::plan::{PlanStatus, TaskKind, TaskSpec, TaskStatus};
use agent_core::policy::{OnFailure, Policy, WorkspaceMode};
use agent_llm::{Match, Turn};
use serde_json::{Value, json};

/// Two functions that are wrong, each with a test, and one command that runs both.
fn arithmetic() -> Repository {
    Repository::of(&[
        ("Makefile", "test:\n\tpython3 -m unittest discover -s tests -t .\n\n.PHONY: test\n"),
        ("tests/__init__.py", ""),
        ("add.py", "def add(a, b):\n    return a - b\n"),
        ("multiply.py", "def multiply(a, b):\n    return a + b\n"),
        (
            "tests/test_all.py",
            "import unittest\nfrom add import add\nfrom multiply import multiply\n\n\nclass All(unittest.TestCase):\n    def test_add(self):\n        self.assertEqual(add(2, 5), 7)\n\n    def test_multiply(self):\n        self.assertEqual(multiply(2, 5), 10)\n",
        ),
    ])
}

fn mend(file: &str, wrong: &str, right: &str) -> Turn {
    patch(&format!(
        "{file}\n<<<<<<< SEARCH\n    return a {wrong} b\n=======\n    return a {right} b\n>>>>>>> REPLACE\n"
    ))
}

/// A task as the planner answers it.
fn planned(description: &str, kind: &str, depends_on: Value) -> Value {
    let mut task =
        json!({"description": description, "kind": kind, "priority": "medium", "depends_on": depends_on});
    if kind == "command" {
        task["command"] = json!("make test");
    }
    task
}

const ADD: &str = "Mend add in add.py";
const MULTIPLY: &str = "Mend multiply in multiply.py";

fn both_and_then_the_tests() -> Value {
    json!([
        planned(ADD, "agent", json!([])),
        planned(MULTIPLY, "agent", json!([])),
        planned("Run all tests", "command", json!([1, 2]))
    ])
}

/// The plan and what the model does for it.
fn both() -> Vec<Turn> {
    let turns = [
        vec![plan(both_and_then_the_tests())],
        about(ADD, [mend("add.py", "-", "+"), finish()]),
        about(MULTIPLY, [mend("multiply.py", "+", "*"), finish()]),
    ];
    turns.concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_goal_becomes_two_tasks_side_by_side_and_a_run_of_all_tests() {
    // Neither task is answered before both have begun.
    let model = Recorded::new(both()).once_together(2);
    let workshop = Workshop::with_model(arithmetic(), model).await;
    let done = workshop.goal("Make the arithmetic right", Policy::default()).await;
    assert_eq!(done.result(3)["exit_code"], 0);
    assert!(done.result(3)["stderr"].as_str().unwrap().contains("Ran 2 tests"), "{}", done.result(3));
    assert_eq!(workshop.repository.changes(), [" M add.py", " M multiply.py"]);
    let planning = &workshop.model.prompts()[0];
    let schema = planning.output.as_ref().unwrap().schema.to_string();
    assert!(schema.contains("\"make test\""), "only commands of the repository may be planned: {schema}");
    let said = workshop.said(&done, "assistant").await;
    assert!(said[0].contains("3. [command] Run all tests (after 1, 2)"), "{said:?}");
    assert_eq!(workshop.said(&done, "user").await, ["Make the arithmetic right"]);
    let opening = workshop.model.opening(&format!("Your task: {ADD}\n"));
    assert!(opening.contains(&format!("1. {ADD} (running, yours)\n2. {MULTIPLY}")), "{opening}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_no_plan_is_refused_and_corrected() {
    let structured = || Some(Match { structured: Some(true), ..Match::default() });
    let mut turns = vec![
        Turn { when: structured(), ..say("I would rather write a poem.") },
        plan(json!([planned(ADD, "dance", json!([]))])).seeing("there is no JSON object in the answer"),
        plan(both_and_then_the_tests()).seeing("the unknown kind \"dance\""),
    ];
    turns.extend(both().into_iter().skip(1));
    let workshop = Workshop::with_model(arithmetic(), Recorded::new(turns)).await;
    workshop.goal("Make the arithmetic right", Policy::default()).await.assert_completed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_told_what_those_before_it_yielded() {
    let repository = Repository::of(&[("ports.txt", "8123\n")]);
    let found = call("finish", json!({"summary": "The host stands in hosts.ini: db-7."}));
    let write = call("write_file", json!({"path": "url.txt", "content": "http://db-7:8123\n"}));
    let turns = [
        about("Find the host", [found]),
        about("Write the address", [write.told("The host stands in hosts.ini: db-7."), finish()]),
    ];
    let workshop = Workshop::with_model(repository, Recorded::new(turns.concat())).await;
    let tasks = [
        TaskSpec::new("Find the port", TaskKind::argv(["cat", "ports.txt"])),
        agent_task("Find the host", ""),
        TaskSpec::new("Look at something else", TaskKind::argv(["echo", "unrelated"])),
        agent_task("Write the address", "grep -qx http://db-7:8123 url.txt").after(&[1, 2]),
    ];
    workshop.tasks(tasks, Policy::default()).await.assert_completed();
    let opening = workshop.model.opening("Your task: Write the address");
    let (_, results) = opening.split_once("\nTask 1 is done (Find the port). Its result:\n").unwrap();
    assert!(
        results.contains("8123\\n") && results.contains("\nTask 2 is done (Find the host)."),
        "{opening}"
    );
    assert!(!opening.contains("unrelated"), "it does not depend on that: {opening}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_isolated_plan_leaves_the_repository_alone_until_it_is_merged() {
    let one_by_one = json!([
        planned(ADD, "agent", json!([])),
        planned(MULTIPLY, "agent", json!([1])),
        planned("Run all tests", "command", json!([2]))
    ]);
    let turns = vec![plan(one_by_one)].into_iter().chain(both().into_iter().skip(1)).collect();
    let workshop = Workshop::with_model(arithmetic(), Recorded::new(turns)).await;
    let policy = Policy { workspace: WorkspaceMode::Isolated, ..Policy::default() };
    let done = workshop.goal("Make the arithmetic right", policy).await;
    assert_eq!(done.result(3)["exit_code"], 0);
    assert!(workshop.repository.changes().is_empty());
    assert_eq!(workshop.repository.read("add.py"), "def add(a, b):\n    return a - b\n");
    let plans = workshop.agent.plans();
    let diff = plans.diff(&workshop.me, done.id()).await.unwrap();
    assert!(diff.contains("+    return a + b") && diff.contains("+    return a * b"), "{diff}");
    let log = workshop.repository.git(&["log", "--format=%s", &format!("agent/plan-{}", done.id())]);
    assert!(log.contains(ADD) && log.contains(MULTIPLY), "a commit for each task: {log}");

    workshop.repository.write("README.md", "# Somebody else's work\n");
    plans.merge(&workshop.me, done.id()).await.unwrap();
    assert_eq!(workshop.repository.changes(), [" M add.py", " M multiply.py", "?? README.md"]);
    assert_eq!(workshop.repository.read("add.py"), "def add(a, b):\n    return a + b\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_whose_first_way_fails_is_planned_anew_and_reaches_its_goal() {
    let other = "Write add anew";
    let anew = json!([planned(other, "agent", json!([])), planned("Run add's test", "agent", json!([1]))]);
    let turns = [
        about(ADD, vec![say("It is done."); 6]),
        vec![plan(anew).told(&format!("2. [agent] {ADD}: failed: the model is stuck"))],
        about(other, [mend("add.py", "-", "+"), finish()]),
        about("Run add's test", [finish()]),
    ];
    let workshop = Workshop::with_model(arithmetic(), Recorded::new(turns.concat())).await;
    let policy = Policy { on_failure: OnFailure::Replan, ..Policy::default() };
    let check = "python3 -m unittest tests.test_all.All.test_add";
    let tasks = [
        TaskSpec::new("Look around", TaskKind::argv(["ls", "tests"])),
        agent_task(ADD, check).after(&[1]),
        agent_task("Never begun", "").after(&[2]),
    ];
    let done = workshop.tasks(tasks, policy).await;
    done.assert_completed();
    let described: Vec<&str> = done.0.tasks.iter().map(|task| task.spec.description.as_str()).collect();
    assert_eq!(described, ["Look around", other, "Run add's test"]);
    assert_eq!((done.0.plan.version, done.0.tasks[0].attempts), (2, 1), "what was completed stays");
    let opening = workshop.model.opening(&format!("Your task: {other}\n"));
    assert!(opening.contains("Task 1 is done (Look around)") && opening.contains("test_all.py"), "{opening}");
    assert_eq!(workshop.repository.changes(), [" M add.py"]);
    let said = workshop.said(&done, "assistant").await;
    assert!(said.iter().any(|text| text.starts_with("A task failed, so what is left is planned anew.")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_task_keeps_those_that_need_it_from_running_and_no_others() {
    let turns =
        [about(ADD, vec![say("It is done."); 6]), about(MULTIPLY, [mend("multiply.py", "+", "*"), finish()])];
    let workshop = Workshop::with_model(arithmetic(), Recorded::new(turns.concat())).await;
    let policy = Policy { on_failure: OnFailure::Continue, ..Policy::default() };
    let tasks = [
        agent_task(ADD, "false"),
        TaskSpec::new("Publish", TaskKind::shell("touch published")).after(&[1]),
        agent_task(MULTIPLY, "python3 -m unittest tests.test_all.All.test_multiply"),
    ];
    let ended = workshop.tasks(tasks, policy).await;
    let statuses: Vec<TaskStatus> = ended.0.tasks.iter().map(|task| task.status).collect();
    assert_eq!(statuses, [TaskStatus::Failed, TaskStatus::Skipped, TaskStatus::Completed]);
    assert_eq!(ended.0.plan.status, PlanStatus::Failed);
    assert_eq!(workshop.repository.changes(), [" M multiply.py"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_task_lands_without_a_model_and_the_next_one_tests_it() {
    let text = "--- a/add.py\n+++ b/add.py\n@@ -2 +2 @@\n-    return a - b\n+    return a + b\n";
    let workshop = Workshop::open(arithmetic(), vec![say("never asked")]).await;
    let tasks = [
        TaskSpec::new("Mend add", TaskKind::Patch { patch: text.to_owned() }),
        TaskSpec::new("Test it", TaskKind::argv(["python3", "-c", "import add; assert add.add(2, 5) == 7"]))
            .after(&[1]),
    ];
    let done = workshop.tasks(tasks, Policy::default()).await;
    assert_eq!(done.result(1)["files"][0]["action"], "modified");
    assert_eq!(workshop.model.times_asked(), 0);
}

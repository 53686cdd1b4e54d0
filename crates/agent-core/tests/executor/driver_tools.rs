//! Tasks that call one tool: what a crash in flight means for each class of effect, and what is refused.

use crate::memory::{World, new_plan};
use agent_core::Error;
use agent_core::executor::fact::Fact;
use agent_core::ids::PlanId;
use agent_core::plan::{EditOperation, NewPlan, PlanEdit, PlanStatus, TaskKind, TaskPatch, TaskSpec};
use agent_core::tool::{EffectClass, Recovery};
use serde_json::json;

fn call(tool: &str, word: &str) -> TaskSpec {
    TaskSpec::new("call it", TaskKind::tool(tool, json!({"do": word})))
}

fn pointers(error: Error) -> Vec<String> {
    match error {
        Error::InvalidPlan(defects) => defects.into_iter().map(|defect| defect.pointer).collect(),
        other => panic!("{other}"),
    }
}

async fn after_a_crash(tool: &str) -> (World, PlanId) {
    let world = World::new(Vec::new());
    let server = world.server("one");
    let plan = server.create(new_plan(vec![call(tool, "wait")])).await;
    world.until_called(1).await;
    server.crash().await;
    world.expire_leases();
    (world, plan)
}

#[tokio::test]
async fn a_tool_task_calls_its_tool_and_yields_its_output() {
    let world = World::new(Vec::new());
    let server = world.server("one");
    let tools = [
        ("look", EffectClass::Pure),
        ("tidy", EffectClass::Idempotent),
        ("apply_patch", EffectClass::Compensatable),
        ("launch", EffectClass::Opaque),
    ];
    let tasks = tools.iter().map(|(tool, _)| call(tool, "ok")).collect();
    let plan = server.create(new_plan(tasks)).await;
    let state = world.until_status(plan, PlanStatus::Completed).await;
    for (task, (tool, effect)) in state.tasks.iter().zip(tools) {
        assert_eq!((task.spec.effect, world.workshop.words(tool).len()), (Some(effect), 1));
        assert_eq!(task.result.as_ref().unwrap()["summary"], "done");
    }
}

#[tokio::test]
async fn a_harmless_tool_caught_in_flight_is_called_again_under_the_same_key() {
    for tool in ["look", "tidy"] {
        let (world, plan) = after_a_crash(tool).await;
        let _server = world.server("two");
        world.until_called(2).await;
        world.workshop.let_go();
        let state = world.until_status(plan, PlanStatus::Completed).await;
        let calls = world.workshop.calls();
        assert_eq!((calls[0].key.as_str(), state.tasks[0].attempts), (calls[1].key.as_str(), 1));
    }
}

#[tokio::test]
async fn an_opaque_tool_caught_in_flight_is_not_called_again_by_itself() {
    let (world, plan) = after_a_crash("launch").await;
    let _server = world.server("two");
    let state = world.until_status(plan, PlanStatus::Failed).await;
    assert!(state.tasks[0].error.as_ref().unwrap().contains("unverified"), "{state:?}");
    assert_eq!(world.workshop.calls().len(), 1);
}

#[tokio::test]
async fn a_compensatable_tool_caught_in_flight_is_judged_by_what_it_left_behind() {
    let (world, plan) = after_a_crash("apply_patch").await;
    *world.workshop.left.lock().unwrap() = Recovery::Done(json!({"summary": "found done"}));
    let _server = world.server("two");
    let state = world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(state.tasks[0].result, Some(json!({"summary": "found done"}).into()));
    assert_eq!(world.workshop.calls().len(), 1);
}

#[tokio::test]
async fn a_task_for_a_tool_that_is_not_there_is_refused_at_once() {
    let world = World::new(Vec::new());
    let server = world.server("one");
    let error =
        server.try_create(new_plan(vec![call("look", "ok"), call("teleport", "ok")])).await.unwrap_err();
    assert!(error.to_string().contains("look"), "it names the tools that are there: {error}");
    assert_eq!(pointers(error), ["/tasks/1/tool"]);
}

/// What an edit of the only task of a waiting plan leads to.
async fn edited(task: TaskSpec, patch: TaskPatch) -> Result<Option<EffectClass>, Error> {
    let world = World::new(Vec::new());
    let server = world.server("one");
    let plan = NewPlan { auto_execute: false, ..new_plan(vec![task]) };
    let plan = server.create(plan).await;
    let operations = vec![EditOperation::Update(world.state(plan).tasks[0].id, Box::new(patch))];
    let edit = PlanEdit { operations, ..PlanEdit::default() };
    let state = server.try_submit(plan, Fact::EditRequested { edit, by: "ada".into() }).await?;
    Ok(state.tasks[0].spec.effect)
}

fn to(kind: TaskKind) -> TaskPatch {
    TaskPatch { kind: Some(kind), ..TaskPatch::default() }
}

#[tokio::test]
async fn an_edit_to_a_tool_that_is_not_there_is_refused_too() {
    let error = edited(call("look", "ok"), to(TaskKind::tool("teleport", json!({})))).await.unwrap_err();
    assert_eq!(pointers(error), ["/operations/0/task/tool"]);
}

#[tokio::test]
async fn what_a_tool_says_of_its_effect_does_not_outlive_the_edit_to_other_work() {
    let opaque = edited(call("look", "ok"), to(TaskKind::tool("launch", json!({})))).await.unwrap();
    assert_eq!(opaque, Some(EffectClass::Opaque), "a harmless tool gave way to one that is not");
    let command = edited(call("apply_patch", "ok"), to(TaskKind::argv(["ok"]))).await.unwrap();
    assert_eq!(command, None, "the kind decides again");
    let declared = TaskPatch { effect: Some(Some(EffectClass::Idempotent)), ..to(TaskKind::argv(["ok"])) };
    assert_eq!(edited(call("look", "ok"), declared).await.unwrap(), Some(EffectClass::Idempotent));
}

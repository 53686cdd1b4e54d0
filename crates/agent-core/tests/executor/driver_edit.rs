//! Edits of plans that really run: what is stopped has stopped before anything starts in its place.

use crate::memory::{Turn, World, new_plan, plan_of, policy, scan, settings, until_at_least};
use agent_core::executor::fact::Fact;
use agent_core::ids::TaskId;
use agent_core::plan::{EditOperation, PlanEdit, PlanStatus, TaskKind, TaskPatch, TaskSpec, TaskStatus};

fn run(word: &str) -> TaskSpec {
    TaskSpec::new("run it", TaskKind::argv([word]))
}

fn edit(operations: Vec<EditOperation>) -> Fact {
    Fact::EditRequested { edit: PlanEdit { operations, ..PlanEdit::default() }, by: "ada".into() }
}

fn other_word(task: TaskId, word: &str) -> EditOperation {
    let kind = Some(TaskKind::argv([word]));
    EditOperation::Update(task, Box::new(TaskPatch { kind, ..TaskPatch::default() }))
}

#[tokio::test]
async fn a_running_task_that_is_edited_has_stopped_before_it_starts_anew() {
    let world = World::new(Vec::new());
    let server = world.server("one");
    let plan = server.create(new_plan(vec![run("reluctant")])).await;
    world.until_called(1).await;
    let task = world.state(plan).tasks[0].id;
    server.submit(plan, edit(vec![other_word(task, "ok")])).await;
    world.until(plan, |state| state.tasks[0].attempts == 2).await;
    assert_eq!(world.workshop.words("run_command"), ["reluctant"], "the first has not stopped yet");
    world.workshop.let_go();
    world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(world.workshop.words("run_command"), ["reluctant", "ok"]);
    assert_eq!(world.workshop.stopped(), 1, "it was told through its token");
}

#[tokio::test]
async fn a_running_task_that_is_removed_is_stopped_and_the_others_go_on() {
    let world = World::new(Vec::new());
    let server = world.server("one");
    let rules = policy(|policy| policy.max_parallel = Some(1));
    let plan = server.create(plan_of(vec![run("wait"), run("ok"), scan(&[2])], rules)).await;
    world.until_called(1).await;
    let task = world.state(plan).tasks[0].id;
    server.submit(plan, edit(vec![EditOperation::Remove(task)])).await;
    let state = world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!((state.tasks.len(), state.tasks[1].spec.depends_on.as_slice()), (2, &[1][..]));
    world.until_idle(&server).await;
    assert_eq!(world.workshop.stopped(), 1);
    let attempts = world.store.core().attempts(plan);
    assert_eq!((attempts[0].task_id, attempts[0].status), (task, TaskStatus::Cancelled), "the record stays");
}

#[tokio::test]
async fn a_plan_that_ends_before_its_last_tool_has_stopped_is_given_back_all_the_same() {
    let world = World::new(Vec::new());
    let mut watchful = settings("one");
    watchful.lease = std::time::Duration::from_millis(30);
    let server = world.server_with(watchful);
    let plan = server.create(new_plan(vec![run("reluctant"), run("ok")])).await;
    world.until(plan, |state| state.tasks[1].status == TaskStatus::Completed).await;
    world.until_called(2).await;
    let task = world.state(plan).tasks[0].id;
    server.submit(plan, edit(vec![EditOperation::Remove(task)])).await;
    world.until_status(plan, PlanStatus::Completed).await;
    // Leases are renewed meanwhile, and that of a plan that has ended is not.
    let renewals = world.store.changes();
    let seen = *renewals.borrow();
    until_at_least(renewals, seen + 5).await;
    world.workshop.let_go();
    world.until_released(plan).await;
}

#[tokio::test]
async fn a_task_added_to_a_running_plan_runs_in_it() {
    let world = World::new(Vec::new());
    let server = world.server("one");
    let plan = server.create(new_plan(vec![run("wait")])).await;
    world.until_called(1).await;
    server.submit(plan, edit(vec![EditOperation::Add(Box::new(run("ok").after(&[1])))])).await;
    world.workshop.let_go();
    let state = world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!((state.plan.version, state.tasks.len()), (2, 2));
    assert_eq!(world.workshop.words("run_command"), ["wait", "ok"]);
}

/// An agent whose tool call was under way when its attempt ended; the steps on record.
async fn steps_after(task: TaskSpec, word: &'static str, end: Option<Fact>) -> Vec<agent_core::ports::Step> {
    let world = World::new(vec![Turn::tool("look", word)]);
    let server = world.server("one");
    let plan = server.create(new_plan(vec![task])).await;
    world.until_called(1).await;
    if let Some(fact) = end {
        server.submit(plan, fact).await;
    }
    world.until(plan, |state| !state.plan.status.is_live()).await;
    world.until_idle(&server).await;
    let steps = world.store.core().steps(plan);
    assert_eq!(steps.len(), 2, "the question to the model and the call of the tool");
    steps
}

fn agent() -> TaskSpec {
    TaskSpec::new("Mend it", TaskKind::Agent { verify: None })
}

#[tokio::test]
async fn no_record_of_an_attempt_that_ended_keeps_a_step_open() {
    let hasty = TaskSpec { timeout_ms: Some(20), ..agent() };
    let cases =
        [(agent(), "wait", Some(Fact::CancelRequested)), (hasty, "wait", None), (agent(), "panic", None)];
    for (task, word, end) in cases {
        let steps = steps_after(task, word, end.clone()).await;
        assert!(steps.iter().all(|step| step.result.is_some()), "{word} {end:?}: {steps:#?}");
    }
}

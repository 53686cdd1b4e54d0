//! What becomes of plans whose server dies or loses its lease.

use crate::memory::{Turn, World, new_plan, scan, settings};
use agent_core::executor::fact::Fact;
use agent_core::plan::{OnUnknown, PlanState, PlanStatus, TaskKind, TaskSpec, TaskStatus};
use agent_core::tool::{EffectClass, Recovery};
use serde_json::json;
use std::time::Duration;

fn run(word: &str) -> TaskSpec {
    TaskSpec::new("run it", TaskKind::argv([word]))
}

fn agent() -> TaskSpec {
    TaskSpec::new("Mend it", TaskKind::Agent { verify: None })
}

/// A world in which the first server died while the only task of a plan was under way.
async fn after_a_crash(task: TaskSpec, turns: Vec<Turn>, calls: usize) -> (World, agent_core::ids::PlanId) {
    let world = World::new(turns);
    let server = world.server("one");
    let plan = server.create(new_plan(vec![task])).await;
    world.until_called(calls).await;
    server.crash().await;
    world.expire_leases();
    (world, plan)
}

#[tokio::test]
async fn an_idempotent_command_in_flight_runs_again_under_the_same_key() {
    let task = TaskSpec { effect: Some(EffectClass::Idempotent), ..run("wait") };
    let (world, plan) = after_a_crash(task, Vec::new(), 1).await;
    let _server = world.server("two");
    world.until_called(2).await;
    world.workshop.let_go();
    let state = world.until_status(plan, PlanStatus::Completed).await;
    let calls = world.workshop.calls();
    assert_eq!(calls[0].key, calls[1].key);
    assert_eq!(state.tasks[0].attempts, 1, "it is the same attempt");
    assert!(world.events(plan).contains(&"run_recovered"));
}

#[tokio::test]
async fn an_opaque_command_in_flight_fails_where_nobody_is_asked() {
    let (world, plan) = after_a_crash(run("wait"), Vec::new(), 1).await;
    let _server = world.server("two");
    let state = world.until_status(plan, PlanStatus::Failed).await;
    assert!(state.tasks[0].error.as_ref().unwrap().contains("unverified"), "{state:?}");
    assert_eq!(world.workshop.calls().len(), 1, "nobody runs it again by themselves");
}

#[tokio::test]
async fn an_opaque_command_in_flight_runs_again_where_the_task_says_so() {
    let task = TaskSpec { on_unknown: Some(OnUnknown::Retry), ..run("wait") };
    let task = TaskSpec { retry: agent_core::plan::RetryPolicy { backoff_ms: 1, ..task.retry }, ..task };
    let (world, plan) = after_a_crash(task, Vec::new(), 1).await;
    let _server = world.server("two");
    world.until_called(2).await;
    world.workshop.let_go();
    let state = world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(state.tasks[0].attempts, 2);
}

#[tokio::test]
async fn an_opaque_command_in_flight_waits_for_a_person_where_the_task_says_so() {
    let task = TaskSpec { on_unknown: Some(OnUnknown::Ask), ..run("wait") };
    let (world, plan) = after_a_crash(task, Vec::new(), 1).await;
    let server = world.server("two");
    let state = world.until_status(plan, PlanStatus::AwaitingApproval).await;
    assert_eq!(world.workshop.calls().len(), 1);
    server.approve(plan, &state.tasks[0]).await;
    world.until_called(2).await;
    world.workshop.let_go();
    world.until_status(plan, PlanStatus::Completed).await;
}

#[tokio::test]
async fn a_patch_in_flight_is_accepted_when_it_is_found_applied() {
    let patch = TaskSpec::new("Patch it", TaskKind::Patch { patch: "wait".into() });
    let (world, plan) = after_a_crash(patch, Vec::new(), 1).await;
    *world.workshop.left.lock().unwrap() = Recovery::Done(json!({"summary": "found applied"}));
    let _server = world.server("two");
    let state = world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(state.tasks[0].result.as_ref().unwrap()["summary"], "found applied");
    assert_eq!(world.workshop.calls().len(), 1);
}

#[tokio::test]
async fn a_patch_in_flight_is_applied_again_when_nothing_of_it_is_found() {
    let patch = TaskSpec::new("Patch it", TaskKind::Patch { patch: "wait".into() });
    let (world, plan) = after_a_crash(patch, Vec::new(), 1).await;
    let _server = world.server("two");
    world.until_called(2).await;
    world.workshop.let_go();
    world.until_status(plan, PlanStatus::Completed).await;
}

#[tokio::test]
async fn a_patch_in_flight_that_nobody_can_judge_is_unknown() {
    let patch = TaskSpec::new("Patch it", TaskKind::Patch { patch: "wait".into() });
    let (world, plan) = after_a_crash(patch, Vec::new(), 1).await;
    *world.workshop.left.lock().unwrap() = Recovery::Unknown("one of two files differs".into());
    let _server = world.server("two");
    let state = world.until_status(plan, PlanStatus::Failed).await;
    assert_eq!(state.tasks[0].error.as_deref(), Some("one of two files differs"));
}

#[tokio::test]
async fn a_model_is_not_asked_again_for_what_it_has_answered() {
    let turns =
        vec![Turn::tool("look", "ok"), Turn::tool("tidy", "ok"), Turn::tool("tidy", "wait"), Turn::finish()];
    let (world, plan) = after_a_crash(agent(), turns, 3).await;
    assert_eq!(world.model.calls(), 3);
    let _server = world.server("two");
    world.until_called(4).await;
    world.workshop.let_go();
    world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(world.model.calls(), 4, "three answers were on record");
    assert_eq!(world.workshop.words("look"), ["ok"], "what is recorded is not done again");
    assert_eq!(world.workshop.words("tidy"), ["ok", "wait", "wait"], "only what was in flight is");
    let keys: Vec<String> = world.workshop.calls().into_iter().map(|call| call.key).collect();
    assert_eq!(keys[2], keys[3]);
}

#[tokio::test]
async fn a_model_that_was_asked_and_had_not_answered_is_asked_again() {
    let world = World::new(vec![Turn::Hang, Turn::finish()]);
    let server = world.server("one");
    let plan = server.create(new_plan(vec![agent()])).await;
    world.until_asked(1).await;
    server.crash().await;
    world.expire_leases();
    let _server = world.server("two");
    world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(world.model.calls(), 2);
}

#[tokio::test]
async fn the_model_is_told_that_an_opaque_call_is_unverified() {
    let turns = vec![Turn::tool("launch", "wait"), Turn::finish()];
    let (world, plan) = after_a_crash(agent(), turns, 1).await;
    let _server = world.server("two");
    world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(world.workshop.words("launch"), ["wait"]);
    assert!(world.model.last_words().contains("outcome unknown"), "{}", world.model.last_words());
}

/// A world in which the first server was told to stop, and did not wait, after so many calls and questions.
async fn after_a_stop(turns: Vec<Turn>, calls: usize, questions: usize) -> (World, agent_core::ids::PlanId) {
    let world = World::new(turns);
    let server = world.server("one");
    let plan = server.create(new_plan(vec![agent()])).await;
    world.until_called(calls).await;
    world.until_asked(questions).await;
    server.stop(Duration::from_millis(5)).await;
    (world, plan)
}

#[tokio::test]
async fn a_model_that_had_not_answered_when_the_server_stopped_is_asked_again() {
    let (world, plan) = after_a_stop(vec![Turn::Hang, Turn::finish()], 0, 1).await;
    assert_eq!(world.state(plan).tasks[0].status, TaskStatus::Running, "nothing of it has failed");
    let _server = world.server("two");
    let state = world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!((world.model.calls(), state.tasks[0].attempts), (2, 1));
}

#[tokio::test]
async fn a_call_that_the_stop_of_the_server_cut_off_is_recovered_like_one_that_a_crash_did() {
    let (world, plan) = after_a_stop(vec![Turn::tool("tidy", "wait"), Turn::finish()], 1, 1).await;
    let _server = world.server("two");
    world.until_called(2).await;
    world.workshop.let_go();
    world.until_status(plan, PlanStatus::Completed).await;
    assert!(world.model.last_words().contains("done"), "{}", world.model.last_words());

    let (world, plan) = after_a_stop(vec![Turn::tool("launch", "wait"), Turn::finish()], 1, 1).await;
    let _server = world.server("two");
    world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(world.workshop.words("launch"), ["wait"], "nobody runs it again by themselves");
    assert!(world.model.last_words().contains("outcome unknown"), "{}", world.model.last_words());
}

#[tokio::test]
async fn a_plan_cancelled_while_its_server_was_dead_ends_without_running_anything() {
    let task = TaskSpec { effect: Some(EffectClass::Idempotent), ..run("wait") };
    let (world, plan) = after_a_crash(task, Vec::new(), 1).await;
    let mut late = settings("two");
    late.recover = false;
    let server = world.server_with(late);
    server.submit(plan, Fact::CancelRequested).await;
    world.until_status(plan, PlanStatus::Cancelled).await;
    assert_eq!(world.workshop.calls().len(), 1);
}

#[tokio::test]
async fn a_plan_in_the_making_is_made_by_whoever_takes_over() {
    let answer = r#"{"tasks":[{"description":"Look around","kind":"scan"}]}"#;
    let world = World::new(vec![Turn::Hang, Turn::Say(answer)]);
    let server = world.server("one");
    let plan = server.create(new_plan(Vec::new())).await;
    world.until_asked(1).await;
    server.crash().await;
    world.expire_leases();
    let _server = world.server("two");
    world.until_status(plan, PlanStatus::Completed).await;
}

#[tokio::test]
async fn a_server_that_lost_its_lease_writes_nothing_more() {
    let world = World::new(Vec::new());
    let server = world.server("one");
    let plan = server.create(new_plan(vec![run("wait"), scan(&[1])])).await;
    world.until_called(1).await;
    world.steal(plan);
    let before = world.state(plan);
    world.workshop.let_go();
    world.until_idle(&server).await;
    assert_eq!(world.state(plan), before, "the result belongs to nobody now");
}

#[tokio::test]
async fn a_server_that_lost_its_lease_stops_what_it_runs() {
    let world = World::new(Vec::new());
    let mut watchful = settings("one");
    watchful.lease = Duration::from_millis(30);
    let server = world.server_with(watchful);
    let plan = server.create(new_plan(vec![run("deaf")])).await;
    world.until_called(1).await;
    world.steal(plan);
    // Nothing ends by itself here: only the renewal can tell.
    world.until_idle(&server).await;
    assert_eq!(world.state(plan).tasks[0].status, TaskStatus::Running);
}

#[tokio::test]
async fn an_agent_whose_lease_is_lost_asks_the_model_nothing_more() {
    let turns = vec![Turn::tool("look", "wait"), Turn::finish()];
    let world = World::new(turns);
    let server = world.server("one");
    let plan = server.create(new_plan(vec![agent()])).await;
    world.until_called(1).await;
    world.steal(plan);
    world.workshop.let_go();
    world.until_idle(&server).await;
    assert_eq!((world.model.calls(), world.workshop.calls().len()), (1, 1));
}

#[tokio::test]
async fn a_plan_that_is_taken_over_while_it_is_being_claimed_still_hears_of_requests() {
    let world = World::new(Vec::new());
    let mut busy = settings("one");
    busy.lease = Duration::from_millis(30);
    let server = world.server_with(busy);
    world.store.answer_claims_by_name(false);
    let question = TaskSpec::new("Shall it go on?", TaskKind::Approval);
    let plan = server.create(new_plan(vec![question, scan(&[1])])).await;
    // The search for abandoned plans is faster than the claim of the one that made it.
    world.until(plan, |_| world.store.core().holder(plan).is_some()).await;
    world.store.answer_claims_by_name(true);
    let state = world.until_status(plan, PlanStatus::AwaitingApproval).await;
    server.approve(plan, &state.tasks[0]).await;
    world.until_status(plan, PlanStatus::Completed).await;
}

#[tokio::test]
async fn a_server_that_does_not_know_that_its_lease_is_lost_starts_nothing_of_what_the_new_one_runs() {
    let world = World::new(Vec::new());
    let first = world.server("one");
    let question = TaskSpec::new("Shall it go on?", TaskKind::Approval);
    let plan = first.create(new_plan(vec![question, run("wait").after(&[1])])).await;
    let state = world.until_status(plan, PlanStatus::AwaitingApproval).await;
    let mut eager = settings("two");
    eager.lease = Duration::from_millis(30);
    let second = world.server_with(eager);
    let taken_over = |_: &PlanState| {
        let taken = world.store.core().holder(plan).is_some_and(|holder| holder.0 == "two");
        if !taken {
            world.expire_leases();
        }
        taken
    };
    world.until(plan, taken_over).await;
    second.approve(plan, &state.tasks[0]).await;
    world.until_called(1).await;
    // The first hears of the plan, finds an attempt under way, and must not take it for its own.
    first.submit(plan, Fact::PauseRequested).await;
    world.until_idle(&first).await;
    assert_eq!(world.workshop.calls().len(), 1, "two servers run the same attempt");
    world.workshop.let_go();
    world.until_status(plan, PlanStatus::Completed).await;
}

#[tokio::test]
async fn a_plan_that_was_asked_for_is_waited_for_where_nothing_else_is_taken_over() {
    let world = World::new(Vec::new());
    let server = world.server("one");
    let plan = server.create(new_plan(vec![run("wait"), run("ok")])).await;
    world.until_called(1).await;
    let mut late = settings("late");
    (late.recover, late.lease) = (false, Duration::from_millis(60));
    let late = world.server_with(late);
    // Its holder lives, so that the request is the holder's to see to.
    late.submit(plan, Fact::PauseRequested).await;
    late.submit(plan, Fact::ResumeRequested).await;
    server.crash().await;
    world.expire_leases();
    let state = world.until_status(plan, PlanStatus::Failed).await;
    assert!(state.tasks[0].error.as_ref().unwrap().contains("unverified"), "{state:?}");
}

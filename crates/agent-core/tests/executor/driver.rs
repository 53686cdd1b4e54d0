//! The real executor over ports in memory: plans run, overlap, pause, stop, and outlive a store that is away.

use crate::memory::{Fault, World, command, new_plan, plan_of, policy, scan, settings};
use agent_core::Error;
use agent_core::executor::fact::Fact;
use agent_core::ids::PlanId;
use agent_core::plan::{PlanStatus, RetryPolicy, TaskKind, TaskSpec, TaskStatus};
use agent_core::policy::WorkspaceMode;
use std::time::Duration;

fn run(words: &str, after: &[u32]) -> TaskSpec {
    TaskSpec::new("run it", TaskKind::argv(words.split(' '))).after(after)
}

#[tokio::test]
async fn what_a_finished_task_changed_is_kept_before_it_is_recorded_as_completed() {
    let world = World::new(Vec::new());
    let server = world.server("one");
    let folder = tempfile::tempdir().unwrap();
    let isolated = |repo_path: &std::path::Path| {
        let mut plan = new_plan(vec![run("ok", &[]), run("ok", &[1])]);
        plan.policy.workspace = WorkspaceMode::Isolated;
        plan.repo_path = repo_path.display().to_string();
        plan
    };
    let kept = server.create(isolated(folder.path())).await;
    world.until_status(kept, PlanStatus::Completed).await;
    assert!(folder.path().join("kept-1").exists() && folder.path().join("kept-2").exists());

    let lost = server.create(isolated(&folder.path().join("missing"))).await;
    let state = world.until_status(lost, PlanStatus::Failed).await;
    let error = state.tasks[0].error.as_deref().unwrap();
    assert!(error.contains("could not be kept") && error.contains("No such file"), "{error}");
    assert_eq!(state.tasks[1].status, TaskStatus::Skipped);
}

const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_plan_runs_to_its_end_and_is_given_back() {
    let world = World::new(Vec::new());
    let server = world.server("one");
    let plan = server.create(new_plan(vec![scan(&[]), run("ok", &[1]), run("ok", &[2])])).await;
    let state = world.until_status(plan, PlanStatus::Completed).await;
    assert!(state.tasks.iter().all(|task| task.status == TaskStatus::Completed));
    assert_eq!(state.tasks[1].result.as_ref().unwrap()["exit_code"], 0);
    world.until_released(plan).await;
    world.until_idle(&server).await;
    assert_eq!(world.workshop.calls().len(), 3);
}

#[tokio::test]
async fn independent_tasks_really_run_at_the_same_time() {
    let world = World::new(Vec::new());
    let server = world.server("one");
    // Neither of the two ends before the other has begun.
    let plan = server.create(new_plan(vec![run("meet", &[]), run("meet", &[])])).await;
    world.until_status(plan, PlanStatus::Completed).await;
}

#[tokio::test]
async fn plans_share_the_slots_of_the_server() {
    let world = World::new(Vec::new());
    let mut one_slot = settings("one");
    one_slot.max_parallel = 1;
    let server = world.server_with(one_slot);
    let first = server.create(new_plan(vec![run("wait", &[])])).await;
    world.until_called(1).await;
    let second = server.create(new_plan(vec![run("ok", &[])])).await;
    world.until(second, |state| state.tasks[0].status == TaskStatus::Ready).await;
    assert_eq!(world.workshop.calls().len(), 1, "the only slot is taken");
    world.workshop.let_go();
    world.until_status(first, PlanStatus::Completed).await;
    world.until_status(second, PlanStatus::Completed).await;
}

#[tokio::test]
async fn a_cancelled_plan_stops_the_tool_through_its_token() {
    let world = World::new(Vec::new());
    let server = world.server("one");
    let plan = server.create(new_plan(vec![run("wait", &[]), run("ok", &[1])])).await;
    world.until_called(1).await;
    server.submit(plan, Fact::CancelRequested).await;
    let state = world.until_status(plan, PlanStatus::Cancelled).await;
    assert_eq!(world.workshop.stopped(), 1);
    assert!(state.tasks.iter().all(|task| task.status == TaskStatus::Cancelled));
}

#[tokio::test]
async fn a_paused_plan_finishes_what_runs_and_goes_on_when_resumed() {
    let world = World::new(Vec::new());
    let server = world.server("one");
    let plan = server.create(new_plan(vec![run("wait", &[]), run("ok", &[1])])).await;
    world.until_called(1).await;
    server.submit(plan, Fact::PauseRequested).await;
    world.workshop.let_go();
    let state = world.until(plan, |state| state.tasks[0].status == TaskStatus::Completed).await;
    assert_eq!((state.plan.status, state.tasks[1].status), (PlanStatus::Paused, TaskStatus::Ready));
    server.submit(plan, Fact::ResumeRequested).await;
    world.until_status(plan, PlanStatus::Completed).await;
}

#[tokio::test]
async fn a_failing_command_is_tried_again_and_then_succeeds() {
    let world = World::new(Vec::new());
    let server = world.server("one");
    let mut task = run("fail 2", &[]);
    task.retry = RetryPolicy { max_attempts: 3, backoff_ms: 2, max_backoff_ms: 4 };
    let plan = server.create(new_plan(vec![task])).await;
    let state = world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(state.tasks[0].attempts, 3);
    let keys: Vec<String> = world.workshop.calls().into_iter().map(|call| call.key).collect();
    let task = state.tasks[0].id;
    let expected: Vec<String> = (1..=3).map(|n| format!("plan-{plan}/task-{task}/attempt-{n}")).collect();
    assert_eq!(keys, expected, "each attempt is a new effect");
}

#[tokio::test]
async fn a_plan_that_failed_can_be_retried() {
    let world = World::new(Vec::new());
    let server = world.server("one");
    let plan = server.create(new_plan(vec![run("fail 1", &[])])).await;
    let state = world.until_status(plan, PlanStatus::Failed).await;
    let error = state.tasks[0].error.clone().unwrap();
    assert!(error.contains("exit code 1") && error.contains("2 tests failed"), "{error}");
    server.submit(plan, Fact::RetryRequested { task: None, following: false }).await;
    world.until_status(plan, PlanStatus::Completed).await;
}

#[tokio::test]
async fn an_approved_task_runs() {
    let world = World::new(Vec::new());
    let server = world.server("one");
    let mut guarded = command(&[]);
    guarded.requires_approval = true;
    let plan = server.create(new_plan(vec![guarded])).await;
    let state = world.until_status(plan, PlanStatus::AwaitingApproval).await;
    assert_eq!(world.workshop.calls(), []);
    server.approve(plan, &state.tasks[0]).await;
    world.until_status(plan, PlanStatus::Completed).await;
}

#[tokio::test]
async fn a_tool_that_takes_too_long_is_given_up() {
    let world = World::new(Vec::new());
    let server = world.server("one");
    let mut task = run("deaf", &[]);
    task.timeout_ms = Some(5);
    let plan = server.create(new_plan(vec![task])).await;
    let state = world.until_status(plan, PlanStatus::Failed).await;
    assert_eq!(state.tasks[0].error.as_deref(), Some("timed out after 5 ms"));
}

#[tokio::test]
async fn an_attempt_gets_no_more_time_than_the_plan_has_left() {
    let world = World::new(Vec::new());
    let server = world.server("one");
    let rules = policy(|policy| policy.budget.max_duration_ms = Some(30));
    let plan = server.create(plan_of(vec![run("deaf", &[]), run("ok", &[1])], rules)).await;
    let state = world.until_status(plan, PlanStatus::Failed).await;
    assert!(world.workshop.calls()[0].timeout <= Duration::from_millis(30));
    assert_eq!(state.tasks[1].status, TaskStatus::Skipped);
}

#[tokio::test]
async fn a_tool_with_a_defect_fails_its_task_and_nothing_else() {
    let world = World::new(Vec::new());
    let server = world.server("one");
    let plan = server.create(new_plan(vec![scan(&[]), run("panic", &[])])).await;
    let state = world.until_status(plan, PlanStatus::Failed).await;
    assert!(state.tasks[1].error.as_ref().unwrap().contains("defect"), "{state:?}");
    let healthy = server.create(new_plan(vec![run("ok", &[])])).await;
    world.until_status(healthy, PlanStatus::Completed).await;
}

#[tokio::test]
async fn requests_that_collide_with_the_driver_are_taken_all_the_same() {
    let world = World::new(Vec::new());
    let server = world.server("one");
    let plan = server.create(new_plan(vec![run("wait", &[])])).await;
    world.until_called(1).await;
    world.store.fail_next(&[Fault::Conflict, Fault::Conflict]);
    let state = server.submit(plan, Fact::PauseRequested).await;
    assert_eq!(state.plan.status, PlanStatus::Paused);
    world.workshop.let_go();
    world.until_status(plan, PlanStatus::Completed).await;
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_not_made_twice() {
    let world = World::new(Vec::new());
    let server = world.server("one");
    let plan = server.create(new_plan(vec![run("wait", &[])])).await;
    world.until_called(1).await;
    world.store.fail_next(&[Fault::AnswerLost, Fault::Unavailable]);
    world.workshop.let_go();
    world.until_released(plan).await;
    assert_eq!(world.state(plan).plan.status, PlanStatus::Completed);
    let completions = world.events(plan).into_iter().filter(|name| *name == "task_completed").count();
    assert_eq!(completions, 1);
}

#[tokio::test]
async fn a_store_that_is_away_for_a_while_costs_time_and_nothing_else() {
    let world = World::new(Vec::new());
    let server = world.server("one");
    let plan = server.create(new_plan(vec![run("wait", &[]), run("ok", &[1])])).await;
    world.until_called(1).await;
    world.store.fail_next(&[Fault::Unavailable]);
    world.workshop.let_go();
    world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(world.workshop.words("run_command"), ["wait", "ok"]);
}

#[tokio::test]
async fn a_store_that_is_away_when_a_request_arrives_kills_nothing_that_runs() {
    let world = World::new(Vec::new());
    let server = world.server("one");
    let plan = server.create(new_plan(vec![run("wait", &[])])).await;
    world.until_called(1).await;
    let (_, refusals) = away(&world);
    server.try_submit(plan, Fact::PauseRequested).await.unwrap_err();
    crate::memory::until_at_least(refusals, 1).await;
    world.store.set_away(false);
    server.submit(plan, Fact::PauseRequested).await;
    world.workshop.let_go();
    world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(world.workshop.words("run_command"), ["wait"]);
}

fn away(world: &World) -> ((), tokio::sync::watch::Receiver<u64>) {
    let refusals = world.store.refusals();
    (world.store.set_away(true), refusals)
}

#[tokio::test]
async fn stopping_lets_what_runs_finish_and_starts_nothing_more() {
    let world = World::new(Vec::new());
    let server = world.server("one");
    let plan = server.create(new_plan(vec![run("wait", &[]), run("ok", &[1])])).await;
    world.until_called(1).await;
    let stopping = server.stop(LONG);
    let finishing = async {
        until_stopping(&server, plan).await;
        world.workshop.let_go();
    };
    tokio::join!(stopping, finishing);
    let state = world.state(plan);
    assert_eq!(
        (state.tasks[0].status, state.tasks[1].status),
        (TaskStatus::Completed, TaskStatus::Ready),
        "the first is recorded, the second is left to whoever comes next"
    );
    assert_eq!(world.store.core().holder(plan), None, "nobody has to wait for the lease to run out");
    assert!(matches!(server.try_create(new_plan(vec![scan(&[])])).await, Err(Error::Stopping)));
    let next = world.server("two");
    world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(world.workshop.words("run_command"), ["wait", "ok"]);
    drop(next);
}

/// Waits until the server refuses requests.
async fn until_stopping(server: &crate::memory::Server, plan: PlanId) {
    while !matches!(server.try_submit(plan, Fact::TimeReached).await, Err(Error::Stopping)) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn stopping_does_not_wait_longer_than_the_grace_and_gives_the_plan_back_all_the_same() {
    let world = World::new(Vec::new());
    let server = world.server("one");
    let plan = server.create(new_plan(vec![run("deaf", &[])])).await;
    world.until_called(1).await;
    server.stop(Duration::from_millis(5)).await;
    assert_eq!(world.state(plan).tasks[0].status, TaskStatus::Running, "the record says it was in flight");
    assert_eq!(world.store.core().holder(plan), None);
}

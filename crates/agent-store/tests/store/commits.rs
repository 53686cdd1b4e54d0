//! Changes: whole or not at all.

use super::World;
use crate::world::{at, change, make, numbers, progress};
use agent_core::Error;
use agent_core::approval::ApprovalKind;
use agent_core::event::{ApprovalRequest, EventBody, NewEvent, Topic};
use agent_core::ids::{ApprovalId, PlanId, Revision, TaskId, TenantId, WorkerId};
use agent_core::plan::{PlanStatus, TaskKind, TaskSpec, TaskStatus};
use agent_core::policy::{OnExpiry, Permission, Risk, Rule};
use agent_core::ports::{AttemptChange, EventLog, Fence, NewExecution, PlanReader, PlanStore};
use serde_json::{Value, json};

#[tokio::test]
async fn a_change_is_found_as_it_was_committed() {
    let Some(world) = World::new().await else { return };
    let state = world.plan(2).await;
    let mut next = change(&state);
    next.plan.status = PlanStatus::Completed;
    next.plan.summary = Some("done".into());
    next.plan.cancel_requested = true;
    next.plan.updated_at = at(3);
    next.plan.started_at = Some(at(1));
    next.plan.finished_at = Some(at(2));
    let mut task = state.tasks[1].clone();
    task.status = TaskStatus::AwaitingApproval;
    (task.selected, task.approved, task.attempts, task.attempt_limit) = (true, true, 2, 5);
    (task.wake_at, task.started_at, task.finished_at) = (Some(at(9)), Some(at(4)), Some(at(5)));
    (task.result, task.error) = (Some(json!({"exit": [0, 1.5, null]}).into()), Some("näh".into()));
    next.tasks = vec![task.clone()];
    world.store.commit(&next, None).await.unwrap();
    let found = world.store.load(None, state.plan.id).await.unwrap();
    assert_eq!(found.plan, next.plan);
    assert_eq!(found.tasks, [state.tasks[0].clone(), task.clone()]);

    // What was set can be taken back, and a result that is null is a result.
    let mut back = change(&found);
    (back.plan.summary, back.plan.finished_at) = (None, None);
    (task.wake_at, task.error, task.result) = (None, None, Some(Value::Null.into()));
    back.tasks = vec![task.clone()];
    world.store.commit(&back, None).await.unwrap();
    let found = world.store.load(None, state.plan.id).await.unwrap();
    assert_eq!((found.plan, &found.tasks[1]), (back.plan, &task));
}

#[tokio::test]
async fn a_change_to_something_older_than_what_is_stored_is_a_conflict_and_changes_nothing() {
    let Some(world) = World::new().await else { return };
    let state = world.plan(1).await;
    let mut first = change(&state);
    first.events = vec![progress("first")];
    world.store.commit(&first, None).await.unwrap();
    let mut stale = change(&state);
    stale.plan.goal = "another".into();
    stale.events = vec![progress("stale")];
    let error = world.store.commit(&stale, None).await.unwrap_err();
    assert!(matches!(error, Error::Conflict { seen: Revision(0), .. }), "{error:?}");
    assert_eq!(world.store.load(None, state.plan.id).await.unwrap().plan.goal, "Make it work");
    assert_eq!(numbers(&world.told.events(), state.plan.id), [1, 2]);
}

#[tokio::test]
async fn a_change_to_nothing_names_the_plan() {
    let Some(world) = World::new().await else { return };
    let mut state = world.plan(1).await;
    state.plan.id = PlanId(55);
    let error = world.store.commit(&change(&state), None).await.unwrap_err();
    assert!(matches!(error, Error::PlanNotFound(PlanId(55))));
}

#[tokio::test]
async fn a_change_that_fails_half_way_leaves_nothing_of_itself() {
    let Some(world) = World::new().await else { return };
    let state = world.plan(1).await;
    let mut bad = change(&state);
    bad.plan.summary = Some("half".into());
    bad.tasks = state.tasks.clone();
    bad.tasks[0].id = TaskId(4_000);
    bad.events = vec![progress("half")];
    let error = world.store.commit(&bad, None).await.unwrap_err();
    assert!(matches!(error, Error::TaskNotFound { task: TaskId(4_000), .. }));
    assert_eq!(world.store.load(None, state.plan.id).await.unwrap(), state);
    assert_eq!(EventLog::head(&world.store, Topic::Plan(TenantId::DEFAULT, state.plan.id)).await.unwrap(), 1);
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_cannot_write() {
    let Some(world) = World::new().await else { return };
    let (state, fence) = world.held("w1").await;
    let lost = [
        Fence { worker: WorkerId("w2".into()), ..fence.clone() },
        Fence { generation: agent_core::ids::Generation(fence.generation.get() + 1), ..fence.clone() },
    ];
    for fence in lost {
        let error = world.store.commit(&change(&state), Some(&fence)).await.unwrap_err();
        assert!(matches!(error, Error::LeaseLost(id) if id == state.plan.id), "{error:?}");
    }
    world.store.commit(&change(&state), Some(&fence)).await.unwrap();
    let stale = world.store.commit(&change(&state), Some(&fence)).await.unwrap_err();
    assert!(matches!(stale, Error::Conflict { .. }));
}

#[tokio::test]
async fn tasks_that_planning_found_are_added_behind_those_that_are_there() {
    let Some(world) = World::new().await else { return };
    let state = world.plan(2).await;
    let mut next = change(&state);
    let mut spec = TaskSpec::new("third", TaskKind::Scan).after(&[1, 2]);
    spec.retry.max_attempts = 4;
    next.new_tasks = vec![spec.clone(), TaskSpec::new("fourth", TaskKind::Approval)];
    world.store.commit(&next, None).await.unwrap();
    let found = world.store.load(None, state.plan.id).await.unwrap();
    let positions: Vec<u32> = found.tasks.iter().map(|task| task.position).collect();
    assert_eq!(positions, [1, 2, 3, 4]);
    assert_eq!((&*found.tasks[2].spec, found.tasks[2].attempt_limit), (&spec, 4));
}

#[tokio::test]
async fn an_attempt_is_recorded_when_it_begins_and_when_it_ends() {
    let Some(world) = World::new().await else { return };
    let state = world.plan(1).await;
    let task_id = state.tasks[0].id;
    let mut begin = change(&state);
    let running = TaskStatus::Running;
    begin.attempts = vec![AttemptChange {
        task_id,
        attempt: 1,
        status: running,
        started_at: at(1),
        error: None,
        result_length: 0,
        journaled: true,
    }];
    begin.tasks = state.tasks.clone();
    (begin.tasks[0].status, begin.tasks[0].attempts) = (running, 1);
    begin.tasks[0].started_at = Some(at(1));
    begin.tasks = state.tasks.clone();
    (begin.tasks[0].status, begin.tasks[0].attempts) = (running, 1);
    begin.tasks[0].started_at = Some(at(1));
    world.store.commit(&begin, None).await.unwrap();
    let recorded = world.store.attempts(TenantId::DEFAULT, state.plan.id).await.unwrap();
    assert_eq!((recorded[0].status, recorded[0].started_at, recorded[0].finished_at), (running, at(1), None));

    let mut end = change(&world.store.load(None, state.plan.id).await.unwrap());
    end.at = at(7);
    let error = Some("exit code 2".to_owned());
    let failed = TaskStatus::Failed;
    end.attempts = vec![AttemptChange {
        task_id,
        attempt: 1,
        status: failed,
        started_at: at(1),
        error,
        result_length: 17,
        journaled: true,
    }];
    end.tasks = state.tasks.clone();
    end.tasks[0].status = failed;
    end.tasks = state.tasks.clone();
    end.tasks[0].status = failed;
    world.store.commit(&end, None).await.unwrap();
    let recorded = world.store.attempts(TenantId::DEFAULT, state.plan.id).await.unwrap();
    assert_eq!(recorded.len(), 1);
    assert_eq!(
        (recorded[0].status, recorded[0].started_at, recorded[0].finished_at),
        (failed, at(1), Some(at(7)))
    );
    assert_eq!((recorded[0].error.as_deref(), recorded[0].result_length), (Some("exit code 2"), 17));
}

#[tokio::test]
async fn an_accepted_execution_gets_an_id_of_its_own() {
    let Some(world) = World::new().await else { return };
    let state = world.plan(1).await;
    let mut whole = change(&state);
    whole.execution = Some(NewExecution { task_id: None });
    let first = world.store.commit(&whole, None).await.unwrap().execution_id.unwrap();
    let mut one = change(&world.store.load(None, state.plan.id).await.unwrap());
    one.execution = Some(NewExecution { task_id: Some(state.tasks[0].id) });
    let second = world.store.commit(&one, None).await.unwrap().execution_id.unwrap();
    assert!(second > first);
    let none = change(&world.store.load(None, state.plan.id).await.unwrap());
    assert_eq!(world.store.commit(&none, None).await.unwrap().execution_id, None);
}

fn question(subject: String) -> EventBody {
    EventBody::ApprovalRequested(Box::new(ApprovalRequest {
        approval_id: ApprovalId(3),
        reason: Some(subject.clone()),
        subject,
        expires_at: at(4),
        kind: ApprovalKind::Command,
        risk: Some(Risk::Critical),
        args_hash: "sha256:0".into(),
        available_decisions: vec!["approve".into(), "reject".into()],
        on_expiry: OnExpiry::Stop,
    }))
}

#[tokio::test]
async fn events_of_every_kind_are_read_as_they_were_told() {
    let Some(world) = World::new().await else { return };
    let state = world.plan(1).await;
    let text = || "a \"text\" with ünïcode\n".to_owned();
    let bodies = vec![
        EventBody::PlanUpdated { status: PlanStatus::Running, summary: text() },
        EventBody::TaskStarted { description: text(), attempt: 3 },
        EventBody::TaskProgress { progress: None, message: text() },
        EventBody::TaskCompleted {
            result: json!({"event": "inner", "n": [1, -2, 0.5], "none": null}).into(),
        },
        EventBody::TaskFailed { error: text(), will_retry: true },
        EventBody::TaskRetrying { attempt: 2, delay_ms: u64::from(u32::MAX) },
        EventBody::TaskCancelled { reason: text() },
        EventBody::TaskSkipped { reason: text() },
        question(text()),
        EventBody::ApprovalDecided {
            approval_id: ApprovalId(3),
            decision: "approve_with_rule".into(),
            by: "ada".into(),
            note: Some(text()),
            rule: Some(Box::new(Rule::command(Permission::Allow, ["cargo", "test"]))),
        },
        EventBody::ToolDenied {
            tool: "run_command".into(),
            summary: text(),
            reason: text(),
            by: "server".into(),
        },
        EventBody::ToolCalled { tool: "run_command".into(), summary: text() },
        EventBody::ToolFinished { tool: "run_command".into(), status: "ok".into(), summary: text() },
        EventBody::ModelCalled { model: "m".into(), input_tokens: 1, output_tokens: 2, cost: Some(0.5) },
        EventBody::MessageAdded { message_id: agent_core::ids::MessageId(9), role: "user".into() },
        EventBody::RunRecovered { generation: 2, tasks_in_flight: 1, actions: Vec::new() },
    ];
    let mut next = change(&state);
    let task_id = Some(state.tasks[0].id);
    next.events = bodies.into_iter().map(|body| NewEvent { task_id, body }).collect();
    let committed = world.store.commit(&next, None).await.unwrap().events;
    assert_eq!(numbers(&committed, state.plan.id), (2..=17).collect::<Vec<_>>());
    let read =
        EventLog::read(&world.store, Topic::Plan(TenantId::DEFAULT, state.plan.id), 1, 100).await.unwrap();
    assert_eq!(read, committed);
    assert_eq!(world.told.calls()[1], committed);
}

#[tokio::test]
async fn each_topic_holds_its_own_events_from_any_position() {
    let Some(world) = World::new().await else { return };
    let mine = world.plan(1).await;
    let eve = crate::world::user(&world.store, "eve").await;
    let new = crate::world::new_plan(eve, 1);
    let hers = make(&world.store, &new, PlanStatus::Created, at(0)).await.unwrap();
    for state in [&mine, &hers] {
        let mut next = change(state);
        next.events = vec![progress("a"), progress("b")];
        world.store.commit(&next, None).await.unwrap();
    }
    let log: &dyn EventLog = &world.store;
    let told = world.told.events();
    assert_eq!(log.read(Topic::Everything, 0, 100).await.unwrap(), told);
    let own = log.read(Topic::Owner(eve), 0, 100).await.unwrap();
    assert_eq!(numbers(&own, hers.plan.id), [1, 2, 3]);
    assert_eq!(own.len(), 3);
    let rest = log.read(Topic::Owner(eve), own[0].cursor, 1).await.unwrap();
    assert_eq!(rest, own[1..2]);
    assert_eq!(
        numbers(&log.read(Topic::Plan(TenantId::DEFAULT, mine.plan.id), 2, 9).await.unwrap(), mine.plan.id),
        [3]
    );
    assert_eq!(log.head(Topic::Plan(TenantId::DEFAULT, mine.plan.id)).await.unwrap(), 3);
    assert_eq!(log.head(Topic::Everything).await.unwrap(), told.last().unwrap().cursor);
    assert_eq!(log.head(Topic::Plan(TenantId::DEFAULT, PlanId(404))).await.unwrap(), 0);
}

#[tokio::test]
async fn an_error_may_hold_every_character_that_a_command_prints() {
    let Some(world) = World::new().await else { return };
    let state = world.plan(1).await;
    let mut next = change(&state);
    let mut task = state.tasks[0].clone();
    task.error = Some("a\0b \u{7} \u{1b}[31m \u{10ffff} 'quoted' \\".into());
    task.result = Some(json!({"stdout": "nul \0 too"}).into());
    next.tasks = vec![task.clone()];
    next.plan.summary = Some("\0".into());
    let failed = TaskStatus::Failed;
    let (error, result_length) = (task.error.clone(), 0);
    next.attempts = vec![AttemptChange {
        task_id: task.id,
        attempt: 1,
        status: failed,
        started_at: at(1),
        error,
        result_length,
        journaled: true,
    }];
    next.events = vec![progress("nul \0 in an event")];
    let committed = world.store.commit(&next, None).await.unwrap();
    let found = world.store.load(None, state.plan.id).await.unwrap();
    let shown = "a\u{fffd}b \u{7} \u{1b}[31m \u{10ffff} 'quoted' \\";
    assert_eq!(found.tasks[0].error.as_deref(), Some(shown));
    assert_eq!((&found.tasks[0].result, found.plan.summary.as_deref()), (&task.result, Some("\u{fffd}")));
    let attempts = world.store.attempts(TenantId::DEFAULT, state.plan.id).await.unwrap();
    assert_eq!(attempts[0].error.as_deref(), Some(shown));
    let logged =
        EventLog::read(&world.store, Topic::Plan(TenantId::DEFAULT, state.plan.id), 1, 10).await.unwrap();
    assert_eq!(logged, committed.events);
}

//! Steps, recorded before and after.

use super::World;
use crate::world::{at, change, numbers, progress};
use agent_core::Error;
use agent_core::event::Topic;
use agent_core::ids::{PlanId, TaskId, TenantId, WorkerId};
use agent_core::model::Usage;
use agent_core::plan::TaskStatus;
use agent_core::ports::{
    AttemptChange, Conversations, DailyLimits, EventLog, Fence, Journal, MessageFilter, ModelUsage,
    NewMessage, PlanReader, PlanStore, StepIntent, StepKey, StepKind, StepResult, StepStatus, Told,
    Visibility,
};
use agent_core::pricing::PriceList;
use agent_core::tool::EffectClass;
use serde_json::json;

fn key(plan_id: PlanId, task_id: TaskId, position: u32) -> StepKey {
    StepKey { plan_id, task_id, attempt: 1, position }
}

fn intent(name: &str) -> StepIntent {
    StepIntent {
        kind: StepKind::Tool,
        name: name.into(),
        effect: EffectClass::Compensatable,
        input: json!({"path": "a/b", "n": 1}),
        prepared: json!(["sha256", null]),
    }
}

fn result(status: StepStatus, tokens: u64) -> StepResult {
    let usage = Usage { input_tokens: tokens, output_tokens: 1 };
    StepResult { status, output: json!({"text": "ünï"}), usage }
}

#[tokio::test]
async fn a_step_is_recorded_before_and_after_with_its_events() {
    let Some(world) = World::new().await else { return };
    let (state, fence) = world.held("w").await;
    let (plan, task) = (state.plan.id, state.tasks[0].id);
    let step = key(plan, task, 1);
    world
        .store
        .begin(step, &intent("apply_patch"), vec![progress("calls")], at(1), &fence, None)
        .await
        .unwrap();
    let open = world.store.recorded(&state.plan, task, 1).await.unwrap();
    assert_eq!((open[0].key, &open[0].intent, &open[0].result), (step, &intent("apply_patch"), &None));
    let done = result(StepStatus::Ok, 5);
    world.store.finish(step, &done, vec![progress("x"), progress("y")].into(), at(2), &fence).await.unwrap();
    let recorded = world.store.recorded(&state.plan, task, 1).await.unwrap();
    assert_eq!(recorded[0].result, Some(done));
    assert_eq!((recorded[0].started_at, recorded[0].finished_at), (at(1), Some(at(2))));
    assert_eq!(world.store.steps(TenantId::DEFAULT, plan).await.unwrap(), recorded);
    assert_eq!(numbers(&world.told.events(), plan), [1, 2, 3, 4]);
    // Steps are no change of the plan: whoever loaded it before may still commit.
    world.store.commit(&change(&state), Some(&fence)).await.unwrap();
}

#[tokio::test]
async fn what_a_step_says_is_kept_with_its_result_once() {
    let Some(world) = World::new().await else { return };
    let (state, fence) = world.held("w").await;
    let (plan, step) = (state.plan.id, key(state.plan.id, state.tasks[0].id, 1));
    let say = |content: &str| NewMessage {
        owner: world.owner,
        role: "assistant".into(),
        content: content.into(),
        plan_id: Some(plan),
        idempotency: None,
    };
    let told = Told { events: vec![progress("x")], messages: vec![say("first"), say("second")] };
    world.store.begin(step, &intent("model"), vec![], at(1), &fence, None).await.unwrap();
    for _ in 0..2 {
        world.store.finish(step, &result(StepStatus::Ok, 1), told.clone(), at(2), &fence).await.unwrap();
    }
    let filter = MessageFilter {
        visibility: Visibility::Tenant(TenantId::DEFAULT),
        plan_id: Some(plan),
        role: Some("assistant".into()),
        text: None,
        after: None,
        limit: 10,
    };
    let (kept, total) = world.store.messages(&filter).await.unwrap();
    let contents: Vec<&str> = kept.iter().map(|message| message.content.as_str()).collect();
    assert_eq!((contents, total), (vec!["first", "second"], 2));
    let names: Vec<&str> = world.told.events().iter().map(|event| event.body.name()).collect();
    assert_eq!(names, ["plan_updated", "task_progress", "message_added", "message_added"]);
    assert_eq!(numbers(&world.told.events(), plan), [1, 2, 3, 4]);
    // Without the lease nothing is kept either.
    let lost = Fence { worker: WorkerId("thief".into()), ..fence.clone() };
    let step = key(plan, state.tasks[0].id, 2);
    world.store.begin(step, &intent("model"), vec![], at(3), &fence, None).await.unwrap();
    world.store.finish(step, &result(StepStatus::Ok, 1), told, at(4), &lost).await.unwrap_err();
    assert_eq!(world.store.messages(&filter).await.unwrap().1, 2);
}

#[tokio::test]
async fn the_tokens_of_a_plan_are_known_by_model() {
    let Some(world) = World::new().await else { return };
    let (state, fence) = world.held("w").await;
    let (plan, task) = (state.plan.id, state.tasks[0].id);
    let asked = |name: &str| StepIntent { kind: StepKind::Model, ..intent(name) };
    for (position, intent) in
        [asked("small"), asked("large"), intent("read_file"), asked("small"), asked("small")]
            .iter()
            .enumerate()
    {
        let step = key(plan, task, position as u32 + 1);
        world.store.begin(step, intent, vec![], at(1), &fence, None).await.unwrap();
        if position < 4 {
            let done = result(StepStatus::Ok, 10);
            world.store.finish(step, &done, Told::default(), at(2), &fence).await.unwrap();
        }
    }
    let used = |model: &str, input_tokens, output_tokens| ModelUsage {
        model: model.into(),
        usage: Usage { input_tokens, output_tokens },
    };
    let found = world.store.model_usage(TenantId::DEFAULT, plan).await.unwrap();
    assert_eq!(found, [used("large", 10, 1), used("small", 20, 2)]);
}

#[tokio::test]
async fn a_recorded_intent_and_a_recorded_result_stay() {
    let Some(world) = World::new().await else { return };
    let (state, fence) = world.held("w").await;
    let step = key(state.plan.id, state.tasks[0].id, 1);
    world.store.begin(step, &intent("first"), vec![], at(1), &fence, None).await.unwrap();
    world.store.begin(step, &intent("second"), vec![], at(2), &fence, None).await.unwrap();
    world
        .store
        .finish(step, &result(StepStatus::OutcomeUnknown, 1), Told::default(), at(3), &fence)
        .await
        .unwrap();
    let late = vec![progress("told twice")];
    world.store.finish(step, &result(StepStatus::Ok, 9), late.into(), at(4), &fence).await.unwrap();
    let recorded = world.store.recorded(&state.plan, state.tasks[0].id, 1).await.unwrap();
    assert_eq!(recorded.len(), 1);
    assert_eq!((recorded[0].intent.name.as_str(), recorded[0].started_at), ("first", at(1)));
    assert_eq!(recorded[0].result, Some(result(StepStatus::OutcomeUnknown, 1)));
    assert_eq!(EventLog::head(&world.store, Topic::Plan(TenantId::DEFAULT, state.plan.id)).await.unwrap(), 1);
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_records_nothing() {
    let Some(world) = World::new().await else { return };
    let (state, fence) = world.held("w").await;
    let (plan, task) = (state.plan.id, state.tasks[0].id);
    let lost = Fence { worker: WorkerId("late".into()), ..fence.clone() };
    let is_lost = |error| matches!(error, Error::LeaseLost(id) if id == plan);
    for events in [vec![], vec![progress("a")]] {
        let begun = world.store.begin(key(plan, task, 1), &intent("x"), events, at(1), &lost, None).await;
        assert!(is_lost(begun.unwrap_err()));
    }
    assert_eq!(world.store.recorded(&state.plan, task, 1).await.unwrap(), []);
    world.store.begin(key(plan, task, 1), &intent("x"), vec![], at(1), &fence, None).await.unwrap();
    for events in [vec![], vec![progress("a")]] {
        let ended = world
            .store
            .finish(key(plan, task, 1), &result(StepStatus::Ok, 1), events.into(), at(2), &lost)
            .await;
        assert!(is_lost(ended.unwrap_err()));
    }
    assert_eq!(world.store.recorded(&state.plan, task, 1).await.unwrap()[0].result, None);
    assert_eq!(EventLog::head(&world.store, Topic::Plan(TenantId::DEFAULT, plan)).await.unwrap(), 1);
}

#[tokio::test]
async fn a_result_without_an_intent_is_refused() {
    let Some(world) = World::new().await else { return };
    let (state, fence) = world.held("w").await;
    let step = key(state.plan.id, state.tasks[0].id, 3);
    let error = world
        .store
        .finish(step, &result(StepStatus::Ok, 1), Told::default(), at(1), &fence)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Damaged(_)), "{error:?}");
}

#[tokio::test]
async fn steps_come_by_task_attempt_and_position_and_planning_has_steps_too() {
    let Some(world) = World::new().await else { return };
    let (state, fence) = world.held("w").await;
    let (plan, task) = (state.plan.id, state.tasks[0].id);
    let keys = [
        key(plan, TaskId(0), 1),
        key(plan, task, 1),
        key(plan, task, 2),
        StepKey { attempt: 2, ..key(plan, task, 1) },
    ];
    for step in keys.iter().rev() {
        world.store.begin(*step, &intent("t"), vec![], at(1), &fence, None).await.unwrap();
    }
    let found: Vec<StepKey> =
        world.store.steps(TenantId::DEFAULT, plan).await.unwrap().iter().map(|step| step.key).collect();
    assert_eq!(found, keys);
    assert_eq!(world.store.recorded(&state.plan, task, 1).await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_attempt_ends_with_the_tokens_of_its_steps() {
    let Some(world) = World::new().await else { return };
    let (state, fence) = world.held("w").await;
    let (plan, task) = (state.plan.id, state.tasks[0].id);
    for position in 1..=3 {
        let step = key(plan, task, position);
        world.store.begin(step, &intent("t"), vec![], at(1), &fence, None).await.unwrap();
        world.store.finish(step, &result(StepStatus::Ok, 10), Told::default(), at(2), &fence).await.unwrap();
    }
    let mut end = change(&state);
    let status = TaskStatus::Completed;
    end.attempts = vec![AttemptChange {
        task_id: task,
        attempt: 1,
        status,
        started_at: at(1),
        error: None,
        result_length: 4,
        journaled: true,
    }];
    world.store.commit(&end, Some(&fence)).await.unwrap();
    let attempts = world.store.attempts(TenantId::DEFAULT, plan).await.unwrap();
    assert_eq!((attempts[0].tokens, attempts[0].result_length), (33, 4));
}

fn call_of(tokens: u64) -> ModelUsage {
    ModelUsage { model: "large".into(), usage: Usage { input_tokens: tokens, output_tokens: 0 } }
}

/// The intent to ask a model, with what is reserved for it.
fn asking(tokens: u64) -> StepIntent {
    let input = json!({"reserved": {"input_tokens": tokens, "output_tokens": 0}});
    StepIntent { kind: StepKind::Model, name: "large".into(), input, ..intent("large") }
}

#[tokio::test]
async fn sixty_four_calls_at_once_on_two_servers_never_pass_what_their_owner_may_use() {
    let Some(world) = World::new().await else { return };
    let other = world.another();
    let limits = DailyLimits { max_tokens: Some(1_000), max_cost: None };
    let day = at(86_400_000_000);
    let allowance = limits.allowance(world.owner, call_of(100), &PriceList::default(), day).unwrap();
    let mut begun = Vec::new();
    for number in 0..64_u32 {
        let (state, fence) = world.held(&format!("w{number}")).await;
        let store = if number % 2 == 0 { world.store.clone() } else { other.clone() };
        let (step, allowance) = (key(state.plan.id, state.tasks[0].id, 1), allowance.clone());
        begun.push(tokio::spawn(async move {
            let begun = store.begin(step, &asking(100), vec![], day, &fence, Some(&allowance)).await;
            match begun {
                Ok(()) => Some((store, step, fence)),
                Err(Error::AllowanceExceeded(why)) => {
                    assert!(why.contains("1000 tokens a day"), "{why}");
                    None
                }
                Err(other) => panic!("{other:?}"),
            }
        }));
    }
    let mut under_way = Vec::new();
    for call in begun {
        under_way.extend(call.await.unwrap());
    }
    assert_eq!(under_way.len(), 10, "as many as there is room for at their worst");
    // What turns out cheaper makes room again; and another day is another day.
    let (store, step, fence) = under_way.pop().unwrap();
    store.finish(step, &result(StepStatus::Ok, 9), Told::default(), day, &fence).await.unwrap();
    let (state, fence) = world.held("late").await;
    let step = |position| key(state.plan.id, state.tasks[0].id, position);
    let mut late = limits.allowance(world.owner, call_of(90), &PriceList::default(), day).unwrap();
    world.store.begin(step(1), &asking(90), vec![], day, &fence, Some(&late)).await.unwrap();
    let refused = world.store.begin(step(2), &asking(90), vec![], day, &fence, Some(&late)).await;
    assert!(matches!(refused, Err(Error::AllowanceExceeded(_))), "{refused:?}");
    late.since = at(2 * 86_400_000_000);
    world.store.begin(step(2), &asking(90), vec![], late.since, &fence, Some(&late)).await.unwrap();
}

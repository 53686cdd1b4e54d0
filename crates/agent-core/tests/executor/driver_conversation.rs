//! What a model is told, what is kept of what it says, and what that may cost; through the real executor.

use crate::memory::{Turn, World, new_plan, plan_of, policy, settings};
use agent_core::executor::fact::Fact;
use agent_core::ids::{PlanId, TenantId};
use agent_core::model::{Message, ModelError};
use agent_core::plan::{PlanStatus, TaskKind, TaskSpec};
use agent_core::ports::{Conversations, DailyLimits, MessageFilter, NewMessage, Visibility};
use agent_core::time::Timestamp;
use serde_json::json;

fn agent() -> TaskSpec {
    TaskSpec::new("Mend the parser", TaskKind::Agent { verify: None })
}

fn opening(world: &World, prompt: usize) -> String {
    match &world.model.prompts()[prompt].messages[0] {
        Message::User { content } => content.clone(),
        other => panic!("it opens with {other:?}"),
    }
}

fn spoken(world: &World, plan: PlanId) -> Vec<(String, String)> {
    let filter = MessageFilter {
        visibility: Visibility::Tenant(TenantId::DEFAULT),
        plan_id: Some(plan),
        role: None,
        text: None,
        after: None,
        limit: 50,
    };
    let messages = world.store.core().messages(&filter).0;
    messages.into_iter().map(|message| (message.role, message.content)).collect()
}

#[tokio::test]
async fn the_model_is_told_the_goal_the_map_the_guidance_and_what_others_found() {
    let world = World::new(vec![Turn::finish()]);
    let server = world.server("one");
    let look = TaskSpec::new("Look around", TaskKind::tool("look", json!({"do": "ok"})));
    let plan = server.create(new_plan(vec![look, agent().after(&[1])])).await;
    world.until_status(plan, PlanStatus::Completed).await;
    let text = opening(&world, 0);
    for part in [
        "Goal of the plan: Make it work",
        "as its AGENTS.md says",
        "Indent with tabs.",
        "1: def parse(text)  # for Make it work",
        "What builds and tests it: make test",
        "1. Look around (completed)",
        "2. Mend the parser (running, yours)",
        "Task 1 is done (Look around). Its result:",
        "Your task: Mend the parser",
    ] {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
}

#[tokio::test]
async fn another_attempt_is_told_why_the_one_before_failed() {
    let mut task = agent();
    task.retry = agent_core::plan::RetryPolicy { max_attempts: 2, backoff_ms: 1, max_backoff_ms: 1 };
    let world =
        World::new(vec![Turn::Fail(ModelError::Unavailable("connection refused".into())), Turn::finish()]);
    let server = world.server("one");
    let plan = server.create(new_plan(vec![task])).await;
    world.until_status(plan, PlanStatus::Completed).await;
    assert!(!opening(&world, 0).contains("The attempt before failed"));
    assert!(
        opening(&world, 1).contains("The attempt before failed: ")
            && opening(&world, 1).contains("connection refused")
    );
}

#[tokio::test]
async fn calls_that_only_read_are_made_at_the_same_time() {
    let meet = || ("look", json!({"do": "meet"}));
    let world = World::new(vec![Turn::Call(vec![meet(), meet()]), Turn::finish()]);
    let server = world.server("one");
    let plan = server.create(new_plan(vec![agent()])).await;
    // Neither ends before the other has begun.
    world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(world.workshop.most_at_once(), 2);
}

#[tokio::test]
async fn calls_that_change_something_are_made_one_after_the_other() {
    let call = |name| (name, json!({"do": "ok"}));
    let turns =
        vec![Turn::Call(vec![call("tidy"), call("look"), call("tidy"), call("launch")]), Turn::finish()];
    let world = World::new(turns);
    let server = world.server("one");
    let plan = server.create(new_plan(vec![agent()])).await;
    world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(world.workshop.most_at_once(), 1);
    let order: Vec<&str> = world.workshop.calls().iter().map(|call| call.tool).collect();
    assert_eq!(order, ["tidy", "look", "tidy", "launch"]);
}

#[tokio::test]
async fn all_that_is_said_is_kept_in_the_conversation_of_the_plan() {
    let world = World::new(vec![Turn::tool("look", "ok"), Turn::Say("Nearly there."), Turn::finish()]);
    let server = world.server("one");
    let plan = server.create(new_plan(vec![agent()])).await;
    world.until_status(plan, PlanStatus::Completed).await;
    let spoken = spoken(&world, plan);
    let roles: Vec<&str> = spoken.iter().map(|(role, _)| role.as_str()).collect();
    assert_eq!(roles, ["system", "assistant", "tool", "assistant", "assistant"]);
    assert!(spoken[0].1.contains("careful software engineer") && spoken[0].1.contains("Mend the parser"));
    assert_eq!(spoken[1].1, "→ look {\"do\":\"ok\"}");
    assert!(spoken[2].1.starts_with("look: "), "{:?}", spoken[2]);
    assert_eq!(spoken[3].1, "Nearly there.");
}

async fn say(world: &World, plan: PlanId, content: &str) {
    let owner = world.state(plan).plan.owner;
    let (role, content) = ("user".to_owned(), content.to_owned());
    let message = NewMessage { owner, role, content, plan_id: Some(plan), idempotency: None };
    world.store.add(&message, Timestamp::from_micros(1)).await.unwrap();
}

#[tokio::test]
async fn what_a_person_says_to_a_running_plan_is_heard_by_the_next_call() {
    let world = World::new(vec![Turn::tool("look", "wait"), Turn::tool("tidy", "ok"), Turn::finish()]);
    let server = world.server("one");
    let plan = server.create(new_plan(vec![agent()])).await;
    world.until_called(1).await;
    say(&world, plan, "Leave the tests alone, please.").await;
    world.workshop.let_go();
    world.until_status(plan, PlanStatus::Completed).await;
    let heard = |prompt: usize| {
        let messages = world.model.prompts()[prompt].messages.clone();
        messages
            .iter()
            .filter(|m| matches!(m, Message::User { content } if content.contains("Leave the tests alone")))
            .count()
    };
    assert_eq!([heard(0), heard(1), heard(2)], [0, 1, 1]);
}

#[tokio::test]
async fn what_was_heard_before_a_crash_stands_at_the_same_place_after_it() {
    let world = World::new(vec![Turn::tool("look", "ok"), Turn::tool("look", "wait"), Turn::finish()]);
    let server = world.server("one");
    let plan = server.create(new_plan(vec![agent()])).await;
    say(&world, plan, "Hurry up.").await;
    world.until_called(2).await;
    say(&world, plan, "Take your time.").await;
    server.crash().await;
    world.expire_leases();
    let _server = world.server("two");
    world.until_called(3).await;
    world.workshop.let_go();
    world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(world.model.calls(), 3, "what is recorded is not asked for again");
    let last = world.model.prompts().pop().unwrap().messages;
    let place = |text: &str| {
        last.iter().position(|m| matches!(m, Message::User { content } if content.contains(text)))
    };
    let before = world.model.prompts()[1].messages.clone();
    assert!(last.starts_with(&before), "{last:#?}");
    assert_eq!(place("Take your time."), Some(last.len() - 1));
}

#[tokio::test]
async fn a_conversation_that_is_too_long_is_sent_in_short_until_it_fits() {
    let mut turns: Vec<Turn> = (0..6)
        .map(|page| Turn::Call(vec![("look", json!({"do": "ok", "page": page, "why": "x".repeat(900)}))]))
        .collect();
    let too_long = || Turn::Fail(ModelError::ContextOverflow("only 4096 tokens".into()));
    turns.extend([too_long(), too_long(), Turn::finish()]);
    let world = World::new(turns);
    let server = world.server("one");
    let plan = server.create(new_plan(vec![agent()])).await;
    let state = world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(state.tasks[0].attempts, 1, "it is one attempt");
    let prompts = world.model.prompts();
    let bytes = |prompt: usize| json!(prompts[prompt]).to_string().len();
    assert!(bytes(7) < bytes(6) && bytes(8) < bytes(7), "{} {} {}", bytes(6), bytes(7), bytes(8));
}

#[tokio::test]
async fn a_conversation_that_never_fits_ends_the_attempt() {
    let turns = (0..9).map(|_| Turn::Fail(ModelError::ContextOverflow("only 100 tokens".into()))).collect();
    let world = World::new(turns);
    let server = world.server("one");
    let plan = server.create(new_plan(vec![agent()])).await;
    let state = world.until_status(plan, PlanStatus::Failed).await;
    let error = state.tasks[0].error.clone().unwrap();
    assert!(
        error.contains("context_exhausted") && world.model.calls() == 1,
        "{error}, {} calls",
        world.model.calls()
    );
}

#[tokio::test]
async fn many_tasks_at_once_never_pass_the_budget_of_their_plan() {
    let turns = (0..64).map(|_| Turn::finish()).collect();
    let world = World::new(turns);
    let server =
        world.server_with(agent_core::executor::ExecutorSettings { max_parallel: 64, ..settings("one") });
    let rules = policy(|policy| {
        policy.budget.max_model_calls = Some(10);
        policy.on_failure = agent_core::policy::OnFailure::Continue;
    });
    let tasks =
        (0..64).map(|number| TaskSpec::new(format!("Part {number}"), TaskKind::Agent { verify: None }));
    let plan = server.create(plan_of(tasks.collect(), rules)).await;
    world.until(plan, |state| !state.plan.status.is_live()).await;
    assert_eq!(world.model.calls(), 10);
}

#[tokio::test]
async fn an_answer_that_a_crash_took_counts_at_what_was_reserved_for_it() {
    // One call is worth 100 * 10 + 10 * 100 = 2,000 millionths of a dollar; its worst is much more.
    let world = World::new(vec![Turn::Hang, Turn::Hang, Turn::finish()]);
    let mut rules = policy(|policy| policy.budget.max_tokens = Some(40_000));
    rules.budget.max_cost = Some(100.0);
    let server = world.server("one");
    let plan = server.create(plan_of(vec![agent()], rules)).await;
    let mut server = server;
    for crash in 1..=2 {
        world.until_asked(crash).await;
        server.crash().await;
        world.expire_leases();
        server = world.server(&format!("after crash {crash}"));
    }
    let state = world.until_status(plan, PlanStatus::Completed).await;
    let answered = state.tasks[0].result.clone().unwrap();
    let steps = world.store.core().steps(plan);
    let recorded = &steps[0].result.as_ref().unwrap().output;
    let lost = recorded["abandoned"]["output_tokens"].as_u64().unwrap();
    assert_eq!(lost, 2 * 8_192, "{recorded}");
    assert_eq!(answered["tokens"], 110);
}

#[tokio::test]
async fn a_plan_that_may_cost_little_is_refused_the_call_that_could_cost_more() {
    let world = World::new(vec![Turn::finish()]);
    let rules = policy(|policy| policy.budget.max_cost = Some(0.0001));
    let server = world.server("one");
    let plan = server.create(plan_of(vec![agent()], rules)).await;
    let state = world.until_status(plan, PlanStatus::Failed).await;
    let error = state.tasks[0].error.clone().unwrap();
    assert!(error.contains("budget_exceeded: max_cost is 0.0001 USD"), "{error}");
    assert_eq!(world.model.calls(), 0);
}

#[tokio::test]
async fn a_plan_is_cancelled_also_while_it_waits_for_room_in_its_budget() {
    let world = World::new(vec![Turn::Hang, Turn::finish()]);
    let rules = policy(|policy| policy.budget.max_model_calls = Some(1));
    let server = world.server("one");
    let plan = server.create(plan_of(vec![agent(), agent()], rules)).await;
    world.until_asked(1).await;
    server.submit(plan, Fact::CancelRequested).await;
    world.until_status(plan, PlanStatus::Cancelled).await;
}

#[tokio::test]
async fn the_plans_of_one_person_share_what_their_calls_may_use_in_a_day() {
    let world = World::new(vec![Turn::finish(), Turn::Hang, Turn::Hang]);
    let daily_limits = DailyLimits { max_tokens: Some(12_000), max_cost: None };
    let server =
        world.server_with(agent_core::executor::ExecutorSettings { daily_limits, ..settings("one") });
    let first = server.create(new_plan(vec![agent()])).await;
    world.until_status(first, PlanStatus::Completed).await;
    // The worst of a call is more than 8,192 tokens: there is room for one of these, not for two.
    let plans = [server.create(new_plan(vec![agent()])).await, server.create(new_plan(vec![agent()])).await];
    let failed = |plan| world.until(plan, |state| state.plan.status == PlanStatus::Failed);
    let state = tokio::select! {
        state = failed(plans[0]) => state,
        state = failed(plans[1]) => state,
    };
    let error = state.tasks[0].error.clone().unwrap();
    assert!(error.contains("budget_exceeded: your calls may use 12000 tokens a day"), "{error}");
    assert_eq!(world.model.calls(), 2);
}

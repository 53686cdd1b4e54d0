//! The loop in which a model works on a task, through the real executor.

use crate::memory::{Fault, Turn, World, new_plan, plan_of, policy};
use agent_core::event::EventBody;
use agent_core::executor::fact::Fact;
use agent_core::model::{Message, ModelError};
use agent_core::plan::{CommandLine, PlanState, PlanStatus, RetryPolicy, TaskKind, TaskSpec, TaskStatus};
use agent_core::policy::Policy;
use serde_json::json;

fn agent(verify: Option<&str>) -> TaskSpec {
    let verify = verify.map(|word| CommandLine::Argv(word.split(' ').map(str::to_owned).collect()));
    TaskSpec::new("Mend the parser", TaskKind::Agent { verify })
}

/// A plan with one agent task, after it has ended.
async fn worked(turns: Vec<Turn>, task: TaskSpec, rules: Policy) -> (World, PlanState) {
    let world = World::new(turns);
    let server = world.server("one");
    let plan = server.create(plan_of(vec![task], rules)).await;
    let state = world.until(plan, |state| !state.plan.status.is_live()).await;
    drop(server);
    (world, state)
}

#[tokio::test]
async fn the_model_works_with_tools_until_it_finishes() {
    let turns =
        vec![Turn::Call(vec![("look", json!({"do": "ok"})), ("tidy", json!({"do": "ok"}))]), Turn::finish()];
    let (world, state) = worked(turns, agent(None), Policy::default()).await;
    assert_eq!(state.tasks[0].result, Some(json!({"summary": "It works now.", "tokens": 220}).into()));
    assert_eq!(
        (world.workshop.words("look"), world.workshop.words("tidy")),
        (vec!["ok".into()], vec!["ok".into()])
    );
    let prompts = world.model.prompts();
    assert!(
        matches!(&prompts[0].messages[0], Message::User { content } if content.contains("Mend the parser"))
    );
    let offered: Vec<&str> = prompts[0].tools.iter().map(|tool| tool.name.as_str()).collect();
    assert!(offered.contains(&"look") && offered.contains(&"finish"), "{offered:?}");
    let expected = [
        "plan_updated",
        "task_started",
        "model_called",
        "message_added",
        "message_added",
        "tool_called",
        "tool_finished",
        "message_added",
        "tool_called",
        "tool_finished",
        "message_added",
        "model_called",
        "message_added",
        "task_completed",
        "plan_updated",
    ];
    assert_eq!(world.events(state.plan.id), expected);
    assert_eq!(world.store.core().attempts(state.plan.id)[0].tokens, 220);
}

#[tokio::test]
async fn a_task_is_done_when_its_check_passes_not_when_the_model_says_so() {
    let turns = vec![Turn::finish(), Turn::tool("tidy", "ok"), Turn::finish()];
    let (world, state) = worked(turns, agent(Some("fail 1")), Policy::default()).await;
    assert_eq!(state.plan.status, PlanStatus::Completed);
    assert_eq!(
        state.tasks[0].result.as_ref().unwrap()["verified"],
        json!({"command": "fail 1", "exit_code": 0})
    );
    assert_eq!(world.workshop.words("run_command"), ["fail 1", "fail 1"]);
    let prompts = world.model.prompts();
    let Some(Message::Tool { content, .. }) = prompts[1].messages.last() else {
        panic!("no answer to finish")
    };
    assert!(content.contains("The check `fail 1` failed") && content.contains("2 tests failed"), "{content}");
}

#[tokio::test]
async fn saying_that_it_is_done_completes_nothing() {
    let turns = vec![Turn::Say("I have mended it. Done!"), Turn::finish()];
    let (world, state) = worked(turns, agent(None), Policy::default()).await;
    assert_eq!((state.plan.status, world.model.calls()), (PlanStatus::Completed, 2));
    assert!(world.model.last_words().contains("Saying that it is done completes nothing"));
}

#[tokio::test]
async fn finishing_without_a_summary_is_refused() {
    let turns = vec![Turn::Call(vec![("finish", json!({}))]), Turn::finish()];
    let (world, state) = worked(turns, agent(None), Policy::default()).await;
    assert_eq!(state.plan.status, PlanStatus::Completed);
    assert!(world.model.last_words().starts_with("error: finish needs a summary"));
}

#[tokio::test]
async fn nothing_is_done_after_the_end() {
    let finish = || ("finish", json!({"summary": "It works now."}));
    let turns = vec![Turn::Call(vec![finish(), ("tidy", json!({"do": "ok"})), finish()])];
    let (world, state) = worked(turns, agent(Some("ok")), Policy::default()).await;
    assert_eq!(state.plan.status, PlanStatus::Completed);
    assert_eq!((world.workshop.words("tidy").len(), world.workshop.words("run_command").len()), (0, 1));
}

#[tokio::test]
async fn an_end_in_the_same_answer_as_a_failure_waits_until_that_was_seen() {
    let hasty = vec![("tidy", json!({"do": "report"})), ("finish", json!({"summary": "It works now."}))];
    let turns = vec![Turn::Call(hasty), Turn::tool("tidy", "ok"), Turn::finish()];
    let (world, state) = worked(turns, agent(None), Policy::default()).await;
    assert_eq!((state.plan.status, world.model.calls()), (PlanStatus::Completed, 3));
    let told = world.model.prompts()[1].messages.last().map(|message| message.text().to_owned()).unwrap();
    assert!(told.starts_with("error: a call before this one, in the same answer, failed"), "{told}");
}

#[tokio::test]
async fn a_model_that_does_the_same_again_and_again_is_stuck() {
    let turns = (0..9).map(|_| Turn::tool("look", "ok")).collect();
    let (world, state) = worked(turns, agent(None), Policy::default()).await;
    assert_eq!((state.plan.status, world.model.calls()), (PlanStatus::Failed, 8));
    let error = state.tasks[0].error.clone().unwrap();
    assert!(error.contains("stuck") && error.contains("look"), "{error}");
    let asked_to_rethink = |message: &Message| matches!(message, Message::User { content } if content.contains("not getting on"));
    let told = world.model.prompts()[4].messages.iter().filter(|message| asked_to_rethink(message)).count();
    assert_eq!(told, 1, "it is asked for another way once");
}

#[tokio::test]
async fn a_model_that_finds_another_way_goes_on() {
    let mut turns: Vec<Turn> = (0..4).map(|_| Turn::tool("look", "ok")).collect();
    turns.extend([Turn::tool("tidy", "ok"), Turn::finish()]);
    let (world, state) = worked(turns, agent(None), Policy::default()).await;
    assert_eq!((state.plan.status, world.model.calls()), (PlanStatus::Completed, 6));
}

#[tokio::test]
async fn a_model_that_never_uses_a_tool_is_stuck_too() {
    let turns = (0..9).map(|_| Turn::Say("Done.")).collect();
    let (world, state) = worked(turns, agent(None), Policy::default()).await;
    assert_eq!((state.plan.status, world.model.calls()), (PlanStatus::Failed, 6));
}

#[tokio::test]
async fn a_tool_that_does_not_exist_is_reported_to_the_model() {
    let turns = vec![Turn::tool("teleport", "ok"), Turn::finish()];
    let (world, state) = worked(turns, agent(None), Policy::default()).await;
    assert_eq!(state.plan.status, PlanStatus::Completed);
    let words = world.model.last_words();
    assert!(words.contains("there is no tool \"teleport\"") && words.contains("look"), "{words}");
}

#[tokio::test]
async fn what_a_tool_reports_is_for_the_model_to_read() {
    let turns = vec![Turn::tool("look", "report"), Turn::finish()];
    let (world, state) = worked(turns, agent(None), Policy::default()).await;
    assert_eq!(state.plan.status, PlanStatus::Completed);
    assert_eq!(world.model.last_words(), "error: there is no such file");
    let failed =
        |body: &EventBody| matches!(body, EventBody::ToolFinished { status, .. } if status == "error");
    assert!(world.told(state.plan.id, failed));
}

#[tokio::test]
async fn a_plan_asks_the_model_no_more_often_than_its_budget_says() {
    let turns = (0..9).map(|n| Turn::Call(vec![("look", json!({"do": "ok", "page": n}))])).collect();
    let rules = policy(|policy| policy.budget.max_model_calls = Some(3));
    let (world, state) = worked(turns, agent(None), rules).await;
    assert_eq!(world.model.calls(), 3);
    let error = state.tasks[0].error.clone().unwrap();
    assert!(error.contains("budget_exceeded: max_model_calls is 3"), "{error}");
}

#[tokio::test]
async fn the_tokens_of_all_attempts_count_towards_the_budget() {
    let mut task = agent(None);
    task.retry = RetryPolicy { max_attempts: 99, backoff_ms: 1, max_backoff_ms: 1 };
    let unreachable = || Turn::Fail(ModelError::Unavailable("connection refused".into()));
    let turns = (0..40).flat_map(|_| [Turn::tool("look", "ok"), unreachable()]).collect();
    let rules = policy(|policy| policy.budget.max_tokens = Some(2_000));
    let (world, state) = worked(turns, task, rules).await;
    let error = state.tasks[0].error.clone().unwrap();
    assert!(error.contains("budget_exceeded: max_tokens is 2000"), "{error}");
    let used: u64 = world.store.core().attempts(state.plan.id).iter().map(|attempt| attempt.tokens).sum();
    assert!(state.tasks[0].attempts > 2 && (1_000..=2_000).contains(&used), "{used}");
}

#[tokio::test]
async fn a_budget_that_is_used_up_does_not_spoil_what_is_on_record() {
    let rules = policy(|policy| policy.budget.max_model_calls = Some(2));
    let turns = vec![Turn::tool("look", "ok"), Turn::finish()];
    let world = World::new(turns);
    let server = world.server("one");
    let task = agent(Some("wait"));
    let plan = server.create(plan_of(vec![task], rules)).await;
    world.until_called(2).await;
    server.crash().await;
    world.expire_leases();
    let _server = world.server("two");
    world.until_called(3).await;
    world.workshop.let_go();
    world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(world.model.calls(), 2);
}

#[tokio::test]
async fn a_model_that_cannot_be_reached_fails_the_attempt_and_is_tried_again() {
    let mut task = agent(None);
    task.retry = RetryPolicy { max_attempts: 2, backoff_ms: 1, max_backoff_ms: 1 };
    let turns = vec![Turn::Fail(ModelError::Unavailable("connection refused".into())), Turn::finish()];
    let (_, state) = worked(turns, task, Policy::default()).await;
    assert_eq!((state.plan.status, state.tasks[0].attempts), (PlanStatus::Completed, 2));
}

#[tokio::test]
async fn a_model_that_refuses_the_key_is_not_asked_again() {
    let mut task = agent(None);
    task.retry = RetryPolicy { max_attempts: 5, backoff_ms: 1, max_backoff_ms: 1 };
    let turns = vec![Turn::Fail(ModelError::Unauthorized("no such key".into()))];
    let (world, state) = worked(turns, task, Policy::default()).await;
    assert_eq!((state.plan.status, world.model.calls()), (PlanStatus::Failed, 1));
}

#[tokio::test]
async fn a_plan_cancelled_while_the_model_thinks_ends_at_once() {
    let world = World::new(vec![Turn::Hang]);
    let server = world.server("one");
    let plan = server.create(new_plan(vec![agent(None)])).await;
    world.until_asked(1).await;
    server.submit(plan, Fact::CancelRequested).await;
    let state = world.until_status(plan, PlanStatus::Cancelled).await;
    assert_eq!(state.tasks[0].status, TaskStatus::Cancelled);
}

#[tokio::test]
async fn a_journal_that_is_away_only_delays_the_work() {
    let world = World::new(vec![Turn::tool("look", "wait"), Turn::finish()]);
    let server = world.server("one");
    let plan = server.create(new_plan(vec![agent(None)])).await;
    world.until_called(1).await;
    let refusals = world.store.refusals();
    world.store.set_away(true);
    world.workshop.let_go();
    crate::memory::until_at_least(refusals, 2).await;
    world.store.set_away(false);
    // The look whose result could not be recorded is done again.
    world.until_called(2).await;
    world.workshop.let_go();
    world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(world.model.calls(), 2);
}

#[tokio::test]
async fn a_plan_can_be_cancelled_although_the_journal_was_away_when_its_tool_ended() {
    let world = World::new(vec![Turn::tool("look", "wait")]);
    let server = world.server("one");
    let plan = server.create(new_plan(vec![agent(None)])).await;
    world.until_called(1).await;
    let refusals = world.store.refusals();
    world.store.set_away(true);
    world.workshop.let_go();
    crate::memory::until_at_least(refusals, 1).await;
    world.store.set_away(false);
    world.store.fail_next(&[Fault::Conflict]);
    server.submit(plan, Fact::CancelRequested).await;
    world.until_status(plan, PlanStatus::Cancelled).await;
}

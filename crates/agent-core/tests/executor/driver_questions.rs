//! A model that asks the person, and goes on with the answer: the same attempt, from its record.

use crate::memory::{Turn, World, answer_to, new_plan};
use agent_core::executor::fact::Fact;
use agent_core::ids::PlanId;
use agent_core::model::Message;
use agent_core::plan::{PlanState, PlanStatus, TaskKind, TaskSpec, TaskStatus};
use serde_json::json;
use std::time::Duration;

fn agent() -> TaskSpec {
    TaskSpec::new("Mend the parser", TaskKind::Agent { verify: None })
}

fn asking() -> Turn {
    Turn::Call(vec![("ask_person", json!({"question": "Which of the two parsers?"}))])
}

fn answer(state: &PlanState, approve: bool, note: Option<&str>) -> Fact {
    answer_to(&state.tasks[0], approve, note)
}

async fn until_asked(world: &World, plan: PlanId) -> PlanState {
    world.until(plan, |state| state.tasks[0].status == TaskStatus::AwaitingApproval).await
}

fn told(world: &World) -> String {
    let prompts = world.model.prompts();
    let last = &prompts.last().unwrap().messages;
    last.iter()
        .filter_map(|message| match message {
            Message::Tool { name, content, .. } if name == "ask_person" => Some(content.clone()),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn a_model_asks_and_goes_on_with_the_answer_in_the_same_attempt() {
    let world = World::new(vec![Turn::tool("tidy", "ok"), asking(), Turn::finish()]);
    let server = world.server("one");
    let plan = server.create(new_plan(vec![agent()])).await;
    let state = until_asked(&world, plan).await;
    assert_eq!(world.until_status(plan, PlanStatus::AwaitingApproval).await.tasks[0].attempts, 1);
    server.submit(plan, answer(&state, true, Some("the second one"))).await;
    let state = world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!((state.tasks[0].attempts, world.model.calls()), (1, 3), "nothing is asked or done twice");
    assert_eq!(world.workshop.words("tidy").len(), 1);
    assert_eq!(told(&world), "The person says: the second one");
    let attempts = world.store.core().attempts(plan);
    assert_eq!(attempts.iter().map(|attempt| attempt.status).collect::<Vec<_>>(), [TaskStatus::Completed]);
    let names = world.events(plan);
    let count = |name: &str| names.iter().filter(|event| **event == name).count();
    assert_eq!((count("approval_requested"), count("approval_decided"), count("task_started")), (1, 1, 1));
}

#[tokio::test]
async fn no_is_an_answer_too() {
    let world = World::new(vec![asking(), Turn::finish()]);
    let server = world.server("one");
    let plan = server.create(new_plan(vec![agent()])).await;
    let state = until_asked(&world, plan).await;
    server.submit(plan, answer(&state, false, Some("neither"))).await;
    world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(told(&world), "The person says no: neither");
}

#[tokio::test]
async fn a_question_that_nobody_answers_lapses_and_the_model_is_told() {
    let world = World::new(vec![asking(), Turn::finish()]);
    let server = world.server("one");
    let plan = server.create(new_plan(vec![agent()])).await;
    until_asked(&world, plan).await;
    server.crash().await;
    world.jump(Duration::from_secs(2 * 24 * 60 * 60));
    let _server = world.server("two");
    world.until_status(plan, PlanStatus::Completed).await;
    assert!(told(&world).starts_with("Nobody answered in time"), "{}", told(&world));
}

#[tokio::test]
async fn an_answer_is_found_after_a_crash_and_the_question_is_asked_once() {
    let world = World::new(vec![asking(), Turn::finish()]);
    let server = world.server("one");
    let plan = server.create(new_plan(vec![agent()])).await;
    let state = until_asked(&world, plan).await;
    server.crash().await;
    world.expire_leases();
    let server = world.server("two");
    server.submit(plan, answer(&state, true, None)).await;
    let state = world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!((state.tasks[0].attempts, world.model.calls()), (1, 2));
    assert_eq!(told(&world), "The person says yes.");
    let asked = world.events(plan).iter().filter(|event| **event == "approval_requested").count();
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn two_questions_have_two_answers() {
    let world = World::new(vec![asking(), asking(), Turn::finish()]);
    let server = world.server("one");
    let plan = server.create(new_plan(vec![agent()])).await;
    for (number, words) in ["the first", "the second"].into_iter().enumerate() {
        let state = world
            .until(plan, |state| {
                state.tasks[0].status == TaskStatus::AwaitingApproval && world.model.calls() == number + 1
            })
            .await;
        server.submit(plan, answer(&state, true, Some(words))).await;
    }
    world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(told(&world), "The person says: the firstThe person says: the second");
}

#[tokio::test]
async fn a_plan_cancelled_while_a_model_waits_for_an_answer_ends_with_its_attempt() {
    let world = World::new(vec![asking()]);
    let server = world.server("one");
    let plan = server.create(new_plan(vec![agent()])).await;
    until_asked(&world, plan).await;
    server.submit(plan, Fact::CancelRequested).await;
    world.until_status(plan, PlanStatus::Cancelled).await;
    let attempts = world.store.core().attempts(plan);
    assert_eq!(attempts.iter().map(|attempt| attempt.status).collect::<Vec<_>>(), [TaskStatus::Cancelled]);
}

#[tokio::test]
async fn a_question_without_words_is_refused() {
    let world = World::new(vec![Turn::Call(vec![("ask_person", json!({}))]), Turn::finish()]);
    let server = world.server("one");
    let plan = server.create(new_plan(vec![agent()])).await;
    world.until_status(plan, PlanStatus::Completed).await;
    assert!(told(&world).contains("ask_person needs a question"), "{}", told(&world));
}

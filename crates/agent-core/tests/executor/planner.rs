//! How a goal becomes tasks, and what happens when the model does not play along.

use crate::memory::{Turn, World, new_plan};
use agent_core::model::{Message, ModelError};
use agent_core::plan::{CommandLine, PlanStatus, TaskKind, TaskStatus};
use agent_core::ports::{MessageFilter, Visibility};

const PLAN: &str = r#"{"tasks":[
    {"description":"Look over the repository","kind":"scan","priority":"high","depends_on":[]},
    {"description":"Run the tests","kind":"command","command":"make test","depends_on":[1]}]}"#;

#[tokio::test]
async fn a_goal_becomes_a_plan_and_the_plan_is_executed() {
    let world = World::new(vec![Turn::Say(PLAN)]);
    let server = world.server("one");
    let plan = server.create(new_plan(Vec::new())).await;
    let state = world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(state.tasks[1].spec.kind, TaskKind::argv(["make", "test"]));
    assert!(state.tasks.iter().all(|task| task.status == TaskStatus::Completed));
    let prompts = world.model.prompts();
    assert!(matches!(&prompts[0].messages[0], Message::User { content }
        if content.contains("Make it work") && content.contains("3 files of Python")));
    let everything = MessageFilter {
        visibility: Visibility::Everything,
        plan_id: Some(plan),
        role: None,
        text: None,
        after: None,
        limit: 9,
    };
    let spoken = world.store.core().messages(&everything).0[0].content.clone();
    assert!(spoken.contains("1. [scan] Look over the repository"), "{spoken}");
}

#[tokio::test]
async fn a_plan_that_is_only_wanted_is_not_executed() {
    let world = World::new(vec![Turn::Say(PLAN)]);
    let server = world.server("one");
    let mut wanted = new_plan(Vec::new());
    wanted.auto_execute = false;
    let plan = server.create(wanted).await;
    let state = world.until_status(plan, PlanStatus::Created).await;
    assert_eq!(state.tasks.len(), 2);
    world.until_released(plan).await;
    assert!(world.workshop.calls().is_empty());
}

#[tokio::test]
async fn the_model_may_mend_an_answer_that_is_no_plan() {
    let unknown_kind = r#"{"tasks":[{"description":"Dance","kind":"dance"}]}"#;
    let world = World::new(vec![Turn::Say("Certainly!"), Turn::Say(unknown_kind), Turn::Say(PLAN)]);
    let server = world.server("one");
    let plan = server.create(new_plan(Vec::new())).await;
    world.until_status(plan, PlanStatus::Completed).await;
    let complaints: Vec<String> = world.model.prompts()[2]
        .messages
        .iter()
        .filter_map(|message| match message {
            Message::User { content } if content.starts_with("That is no valid plan") => {
                Some(content.clone())
            }
            _ => None,
        })
        .collect();
    assert_eq!(complaints.len(), 2);
    assert!(
        complaints[0].contains("no JSON object") && complaints[1].contains("\"dance\""),
        "{complaints:?}"
    );
}

#[tokio::test]
async fn after_four_answers_without_a_plan_the_plan_fails_and_says_what_was_wrong() {
    let world = World::new((0..9).map(|_| Turn::Say("Certainly!")).collect());
    let server = world.server("one");
    let plan = server.create(new_plan(Vec::new())).await;
    let state = world.until_status(plan, PlanStatus::Failed).await;
    assert_eq!(world.model.calls(), 4);
    let summary = state.plan.summary.unwrap();
    assert!(summary.contains("script-1 gave no valid plan in 4 answers"), "{summary}");
}

#[tokio::test]
async fn a_model_that_cannot_be_asked_fails_the_plan() {
    let world = World::new(vec![Turn::Fail(ModelError::Unauthorized("no such key".into()))]);
    let server = world.server("one");
    let plan = server.create(new_plan(Vec::new())).await;
    let state = world.until_status(plan, PlanStatus::Failed).await;
    assert!(state.plan.summary.unwrap().contains("refused the key"));
}

#[tokio::test]
async fn a_plan_is_given_up_while_the_model_still_thinks() {
    let world = World::new(vec![Turn::Hang]);
    let server = world.server("one");
    let plan = server.create(new_plan(Vec::new())).await;
    world.until_asked(1).await;
    server.submit(plan, agent_core::executor::fact::Fact::CancelRequested).await;
    world.until_status(plan, PlanStatus::Cancelled).await;
    world.until_released(plan).await;
}

#[tokio::test]
async fn commands_that_no_manifest_names_are_left_to_the_model() {
    let answer = r#"{"tasks":[{"description":"Wipe it","kind":"command","command":"rm -rf /"}]}"#;
    let world = World::new(vec![Turn::Say(answer)]);
    let server = world.server("one");
    let mut wanted = new_plan(Vec::new());
    wanted.auto_execute = false;
    let plan = server.create(wanted).await;
    let state = world.until_status(plan, PlanStatus::Created).await;
    assert_eq!(state.tasks[0].spec.kind, TaskKind::Agent { verify: None::<CommandLine> });
}

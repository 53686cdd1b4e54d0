//! How a goal becomes tasks, and what happens when the model does not play along.

use crate::memory::{Turn, World, new_plan, plan_of, policy};
use agent_core::event::EventBody;
use agent_core::ids::TenantId;
use agent_core::model::{Message, ModelError};
use agent_core::plan::{CommandLine, PlanStatus, TaskKind, TaskSpec, TaskStatus};
use agent_core::policy::{OnFailure, Policy};
use agent_core::ports::{MessageFilter, Visibility};
use serde_json::json;

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
        visibility: Visibility::Tenant(TenantId::DEFAULT),
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

fn agent(description: &str) -> TaskSpec {
    TaskSpec::new(description, TaskKind::Agent { verify: None })
}

const REST: &str = r#"{"tasks":[
    {"description":"Take the other way","kind":"agent","priority":"high","depends_on":[]},
    {"description":"Run the tests","kind":"command","command":"make test","depends_on":[1]}]}"#;

fn replanning() -> Policy {
    policy(|policy| policy.on_failure = OnFailure::Replan)
}

#[tokio::test]
async fn a_plan_in_which_a_task_fails_is_made_anew_for_what_is_left() {
    let refused = || Turn::Fail(ModelError::Refused("it does not know how".into()));
    let world = World::new(vec![refused(), Turn::Say(REST), Turn::finish()]);
    let server = world.server("one");
    let look = TaskSpec::new("Look around", TaskKind::tool("look", json!({"do": "ok"})));
    let tasks = vec![look, agent("Take the first way").after(&[1]), agent("Tidy up").after(&[2])];
    let plan = server.create(plan_of(tasks, replanning())).await;
    let state = world.until_status(plan, PlanStatus::Completed).await;
    let tasks: Vec<(u32, &str)> =
        state.tasks.iter().map(|task| (task.position, task.spec.description.as_str())).collect();
    assert_eq!(tasks, [(1, "Look around"), (2, "Take the other way"), (3, "Run the tests")]);
    assert_eq!(state.tasks[1].spec.depends_on, [1], "it is told what was found before");
    assert_eq!((state.plan.version, world.workshop.words("look").len()), (2, 1), "what is completed stays");
    let asked = world.model.prompts()[1].clone();
    let Message::User { content } = &asked.messages[0] else { panic!("{asked:?}") };
    for part in
        ["2. [agent] Take the first way: failed: ", "it does not know how", "3. [agent] Tidy up: pending"]
    {
        assert!(content.contains(part), "{part:?} is missing in:\n{content}");
    }
    let versions = world.store.core().versions(plan).to_vec();
    assert_eq!(versions.last().and_then(|version| version.by.as_deref()), Some("planner"), "{versions:?}");
    let edited = |body: &EventBody| matches!(body, EventBody::PlanEdited { by, .. } if by == "planner");
    assert!(world.told(plan, edited));
}

#[tokio::test]
async fn what_runs_beside_a_failed_task_ends_before_the_plan_is_made_anew() {
    let refused = || Turn::Fail(ModelError::Refused("it does not know how".into()));
    let world = World::new(vec![refused(), Turn::Say(REST), Turn::finish()]);
    let server = world.server("one");
    let slow = TaskSpec::new("Wait", TaskKind::tool("look", json!({"do": "wait"})));
    let plan = server.create(plan_of(vec![slow, agent("Take the first way")], replanning())).await;
    world.until_asked(1).await;
    world.until(plan, |state| state.tasks[1].status == TaskStatus::Failed).await;
    assert_eq!(world.model.calls(), 1);
    world.workshop.let_go();
    let state = world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(state.tasks[0].spec.description, "Wait");
}

#[tokio::test]
async fn a_plan_is_not_made_anew_for_ever() {
    let refused = || Turn::Fail(ModelError::Refused("it does not know how".into()));
    let turns = (0..9).flat_map(|_| [refused(), Turn::Say(REST)]).collect();
    let world = World::new(turns);
    let server = world.server("one");
    let plan = server.create(plan_of(vec![agent("Take the first way")], replanning())).await;
    let state = world.until_status(plan, PlanStatus::Failed).await;
    assert_eq!((state.plan.version, world.model.calls()), (4, 7));
}

#[tokio::test]
async fn a_plan_that_cannot_be_made_anew_ends_and_says_why() {
    let refused = || Turn::Fail(ModelError::Refused("it does not know how".into()));
    let silent = || Turn::Fail(ModelError::Unauthorized("no such key".into()));
    let world = World::new(vec![refused(), silent()]);
    let server = world.server("one");
    let tasks = vec![agent("Take the first way"), agent("Tidy up").after(&[1])];
    let plan = server.create(plan_of(tasks, replanning())).await;
    let state = world.until_status(plan, PlanStatus::Failed).await;
    let summary = state.plan.summary.clone().unwrap();
    assert!(summary.contains("could not be made anew") && summary.contains("no such key"), "{summary}");
    assert_eq!(state.tasks[1].status, TaskStatus::Skipped);
}

#[tokio::test]
async fn a_plan_is_made_anew_by_whoever_takes_it_over() {
    let refused = || Turn::Fail(ModelError::Refused("it does not know how".into()));
    let world = World::new(vec![refused(), Turn::Hang, Turn::Say(REST), Turn::finish()]);
    let server = world.server("one");
    let plan = server.create(plan_of(vec![agent("Take the first way")], replanning())).await;
    world.until_asked(2).await;
    server.crash().await;
    world.expire_leases();
    let _server = world.server("two");
    let state = world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!((state.plan.version, state.tasks.len()), (2, 2));
}

#[tokio::test]
async fn answers_to_the_planner_are_on_record_and_not_asked_for_again_after_a_crash() {
    let world = World::new(vec![Turn::Say("Certainly!"), Turn::Hang, Turn::Say(PLAN)]);
    let server = world.server("one");
    let plan = server.create(new_plan(Vec::new())).await;
    world.until_asked(2).await;
    server.crash().await;
    world.expire_leases();
    let _server = world.server("two");
    world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(world.model.calls(), 3, "the first answer is taken from the record");
    let steps = world.store.core().steps(plan);
    let planning: Vec<u32> =
        steps.iter().filter(|step| step.key.task_id.get() == 0).map(|step| step.key.position).collect();
    assert_eq!(planning, [1, 2]);
    let used = world.store.core().model_usage(plan);
    assert_eq!(used[0].usage.total(), 220);
}

#[tokio::test]
async fn the_planner_keeps_to_the_budget_of_the_plan() {
    let world = World::new(vec![Turn::Say("Certainly!"), Turn::Say(PLAN)]);
    let server = world.server("one");
    let rules = policy(|policy| policy.budget.max_model_calls = Some(1));
    let plan = server.create(plan_of(Vec::new(), rules)).await;
    let state = world.until_status(plan, PlanStatus::Failed).await;
    let summary = state.plan.summary.unwrap();
    assert!(summary.contains("budget_exceeded: max_model_calls is 1"), "{summary}");
    assert_eq!(world.model.calls(), 1);
}

//! Calls that the rules forbid or let a person decide: nothing of them happens before there is a yes, and what is
//! told of them holds no secret.

use crate::memory::{Bench, Turn, World, answer_to, asks, command, new_plan, plan_of, policy};
use agent_core::approval::Resolution;
use agent_core::event::EventBody;
use agent_core::executor::fact::Fact;
use agent_core::ids::{PlanId, TenantId};
use agent_core::plan::{NewPlan, PlanState, PlanStatus, TaskKind, TaskSpec, TaskStatus};
use agent_core::policy::{
    Demand, Judge, Judged, Layer, OnExpiry, Permission, Policy, Risk, Rule, RuleProblem, Verdict,
};
use agent_core::ports::{Approval, ApprovalFilter, NothingSecret, Redactor, Secrets, WorkspaceSecrets};
use agent_core::{Error, Result};
use async_trait::async_trait;
use serde_json::json;
use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Forbids commands that begin with `deny`, and asks about those that begin with `ask`.
struct ByFirstWord;

fn word(demand: &Demand) -> &str {
    match demand {
        Demand::Command(words) | Demand::Write(words) => words.first().map_or("", String::as_str),
        _ => "",
    }
}

impl Judge for ByFirstWord {
    fn judge(&self, call: Judged<'_>) -> Verdict {
        let word = word(call.demand);
        let permission = match word {
            _ if word.starts_with("deny") => Permission::Deny,
            _ if word.starts_with("ask") => Permission::Ask,
            _ => Permission::Allow,
        };
        let reason = format!("{word} is a word of the rules");
        Verdict { permission, layer: Layer::Server, reason, rule: None, risk: Risk::High }
    }

    fn problems(&self, _rules: &[Rule]) -> Vec<RuleProblem> {
        Vec::new()
    }

    fn covers(&self, rule: &Rule, call: Judged<'_>) -> bool {
        rule.tool.as_deref() == Some(call.tool)
    }
}

fn world(turns: Vec<Turn>) -> World {
    World { judge: Arc::new(ByFirstWord), ..World::new(turns) }
}

fn agent() -> NewPlan {
    new_plan(vec![TaskSpec::new("Mend the parser", TaskKind::Agent { verify: None })])
}

fn run(word: &str) -> Turn {
    Turn::tool("launch", word)
}

async fn until_asked(world: &World, plan: PlanId, times: u32) -> PlanState {
    let asked = move |state: &PlanState| {
        state.tasks[0].status == TaskStatus::AwaitingApproval && state.tasks[0].questions == times
    };
    world.until(plan, asked).await
}

fn decide(state: &PlanState, decision: Resolution, note: Option<&str>) -> Fact {
    let task = &state.tasks[0];
    let (sequence, note) = (task.questions, note.map(str::to_owned));
    Fact::ApprovalDecided { task: task.id, sequence, decision, by: "ada".into(), note }
}

fn approvals(world: &World, plan: PlanId) -> Vec<Approval> {
    world.store.core().approvals(&ApprovalFilter::of_plan(TenantId::DEFAULT, plan)).0
}

fn denials(world: &World, plan: PlanId) -> Vec<(String, String)> {
    let events = world.store.core().events(plan).to_vec();
    events
        .into_iter()
        .filter_map(|event| match event.body {
            EventBody::ToolDenied { reason, by, .. } => Some((reason, by)),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn a_call_that_the_rules_forbid_is_not_made_and_the_model_is_told() {
    let world = world(vec![run("deny this"), Turn::finish()]);
    let server = world.server("one");
    let plan = server.create(agent()).await;
    world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(world.workshop.calls(), []);
    let told = &world.model.prompts()[1].messages;
    assert!(
        told.iter().any(|message| message.text().contains("policy_denied: deny this is a word")),
        "{told:?}"
    );
    let reason = "policy_denied: deny this is a word of the rules".to_owned();
    assert_eq!(denials(&world, plan), [(reason, "server".to_owned())]);
}

#[tokio::test]
async fn a_call_that_a_person_decides_waits_and_is_made_once_in_the_same_attempt() {
    let world = world(vec![run("ok"), run("ask ok"), Turn::finish()]);
    let server = world.server("one");
    let plan = server.create(agent()).await;
    let state = until_asked(&world, plan, 1).await;
    assert_eq!(world.workshop.words("launch"), ["ok"], "nothing happens before there is a yes");
    let asked = approvals(&world, plan).remove(0);
    assert_eq!((asked.attempt, asked.question.call, asked.question.risk), (Some(1), Some(4), Risk::High));
    assert_eq!(asked.question.reason.as_deref(), Some("ask ok is a word of the rules"));
    server.submit(plan, answer_to(&state.tasks[0], true, None)).await;
    let state = world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(world.workshop.words("launch"), ["ok", "ask ok"]);
    assert_eq!((state.tasks[0].attempts, world.model.calls()), (1, 3));
}

#[tokio::test]
async fn a_no_is_told_to_the_model_with_what_was_said_and_the_work_goes_on() {
    let world = world(vec![run("ask this"), Turn::finish()]);
    let server = world.server("one");
    let plan = server.create(agent()).await;
    let state = until_asked(&world, plan, 1).await;
    server.submit(plan, decide(&state, Resolution::Reject, Some("use the other script"))).await;
    world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(world.workshop.calls(), []);
    let reason = "approval_rejected: ada said no: use the other script".to_owned();
    assert_eq!(denials(&world, plan), [(reason, "ada".to_owned())]);
}

#[tokio::test]
async fn a_yes_for_the_plan_covers_the_same_call_again_and_no_other() {
    let world = world(vec![run("ask ok"), run("ask ok"), run("ask report"), Turn::finish()]);
    let server = world.server("one");
    let plan = server.create(agent()).await;
    let state = until_asked(&world, plan, 1).await;
    server.submit(plan, decide(&state, Resolution::ApproveForPlan, None)).await;
    let state = until_asked(&world, plan, 2).await;
    assert_eq!(world.workshop.words("launch"), ["ask ok", "ask ok"]);
    server.submit(plan, decide(&state, Resolution::Reject, None)).await;
    world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(world.workshop.words("launch").len(), 2);
}

#[tokio::test]
async fn a_yes_with_a_rule_covers_whatever_the_rule_covers() {
    let world = world(vec![run("ask ok"), run("ask anything"), Turn::finish()]);
    let server = world.server("one");
    let plan = server.create(agent()).await;
    let state = until_asked(&world, plan, 1).await;
    let rule = Rule { tool: Some("launch".into()), ..Rule::new(Permission::Allow) };
    server.submit(plan, decide(&state, Resolution::ApproveWithRule(Box::new(rule)), None)).await;
    world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(world.workshop.words("launch"), ["ask ok", "ask anything"]);
    assert_eq!(approvals(&world, plan).len(), 1);
}

#[tokio::test]
async fn no_and_cancel_ends_the_whole_plan() {
    let world = world(vec![run("ask this"), Turn::finish()]);
    let server = world.server("one");
    let plan = server.create(agent()).await;
    let state = until_asked(&world, plan, 1).await;
    server.submit(plan, decide(&state, Resolution::Cancel, None)).await;
    world.until_status(plan, PlanStatus::Cancelled).await;
    assert_eq!(world.workshop.calls(), []);
    assert_eq!(approvals(&world, plan)[0].decision, Some(Resolution::Cancel));
}

fn impatient(on_expiry: OnExpiry) -> NewPlan {
    let policy = policy(|policy| {
        policy.approval_timeout_ms = Some(0);
        policy.on_expiry = on_expiry;
    });
    NewPlan { policy, ..agent() }
}

#[tokio::test]
async fn where_nobody_answers_in_time_the_model_is_told_and_goes_on() {
    let world = world(vec![run("ask this"), Turn::finish()]);
    let server = world.server("one");
    let plan = server.create(impatient(OnExpiry::Deny)).await;
    world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(world.workshop.calls(), []);
    assert!(denials(&world, plan)[0].0.starts_with("approval_expired: "));
}

#[tokio::test]
async fn where_the_policy_says_so_the_task_ends_when_nobody_answers() {
    let world = world(vec![run("ask this"), Turn::finish()]);
    let server = world.server("one");
    let plan = server.create(impatient(OnExpiry::Stop)).await;
    let state = world.until_status(plan, PlanStatus::Failed).await;
    let error = state.tasks[0].error.clone().unwrap();
    assert!(error.starts_with("approval_expired: nobody approved launch: ask this"), "{error}");
    assert_eq!(world.model.calls(), 1);
}

#[tokio::test]
async fn an_answer_is_found_after_a_crash_and_the_call_is_made_once() {
    let world = world(vec![run("ask ok"), Turn::finish()]);
    let server = world.server("one");
    let plan = server.create(agent()).await;
    let state = until_asked(&world, plan, 1).await;
    server.crash().await;
    world.expire_leases();
    let server = world.server("two");
    server.submit(plan, answer_to(&state.tasks[0], true, None)).await;
    world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!((world.workshop.words("launch"), world.model.calls()), (vec!["ask ok".to_owned()], 2));
    assert_eq!(approvals(&world, plan).len(), 1);
}

#[tokio::test]
async fn a_task_that_is_a_single_call_asks_and_runs_once_there_is_a_yes() {
    let world = world(Vec::new());
    let server = world.server("one");
    let plan = server.create(new_plan(vec![TaskSpec::new("run it", TaskKind::argv(["ask", "ok"]))])).await;
    let state = until_asked(&world, plan, 1).await;
    assert_eq!(world.workshop.calls(), []);
    server.submit(plan, answer_to(&state.tasks[0], true, None)).await;
    let state = world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!((world.workshop.calls().len(), state.tasks[0].attempts), (1, 1));
}

#[tokio::test]
async fn a_task_that_is_a_single_call_fails_when_the_rules_forbid_it() {
    let world = world(Vec::new());
    let server = world.server("one");
    let plan = server.create(new_plan(vec![TaskSpec::new("run it", TaskKind::argv(["deny", "it"]))])).await;
    let state = world.until_status(plan, PlanStatus::Failed).await;
    assert!(state.tasks[0].error.as_deref().is_some_and(|error| error.starts_with("policy_denied: ")));
    assert_eq!(world.workshop.calls(), []);
}

#[tokio::test]
async fn a_task_that_was_approved_before_it_started_is_not_asked_about_again() {
    let world = world(Vec::new());
    let server = world.server("one");
    let task = TaskSpec { requires_approval: true, ..TaskSpec::new("run it", TaskKind::argv(["ask", "ok"])) };
    let plan = server.create(new_plan(vec![task])).await;
    let state = until_asked(&world, plan, 1).await;
    server.submit(plan, answer_to(&state.tasks[0], true, None)).await;
    world.until_status(plan, PlanStatus::Completed).await;
    assert_eq!(approvals(&world, plan).len(), 1);
}

#[test]
fn an_answer_to_an_earlier_question_never_counts_for_a_later_one() {
    let mut bench = Bench::executed(vec![command(&[])], Policy::default());
    bench.start(1);
    bench.finish(1, asks("the first?"));
    let late = answer_to(&bench.task(1), true, None);
    bench.take(late.clone());
    bench.start(1);
    bench.finish(1, asks("the second?"));
    let error = bench.refused(late);
    assert!(matches!(error, Error::IllegalTaskMove { .. }), "{error}");
    assert_eq!(bench.task(1).status, TaskStatus::AwaitingApproval);
}

#[test]
fn an_answer_that_comes_too_late_is_refused_even_before_the_lapse_is_noticed() {
    let rules = policy(|policy| policy.approval_timeout_ms = Some(1_000));
    let ask = TaskSpec::new("Shall it be released?", TaskKind::Approval);
    let mut bench = Bench::at(&plan_of(vec![ask], rules), PlanStatus::Created);
    bench.take(Fact::ExecuteRequested { task: None });
    bench.now = bench.now.plus(Duration::from_secs(1));
    let late = answer_to(&bench.task(1), true, None);
    bench.refused(late);
    bench.take(Fact::TimeReached);
    assert_eq!(bench.questions()[0].decision, Some(Resolution::Expired));
}

/// Masks one word.
struct Word;

impl Redactor for Word {
    fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if text.contains("hunter2") { text.replace("hunter2", "[secret]").into() } else { text.into() }
    }
}

#[async_trait]
impl Secrets for Word {
    async fn of_workspace(&self, root: &Path) -> Result<WorkspaceSecrets> {
        let found = NothingSecret.of_workspace(root).await?;
        Ok(WorkspaceSecrets { redactor: Arc::new(Self), ..found })
    }

    fn redactor(&self) -> Arc<dyn Redactor> {
        Arc::new(Self)
    }
}

#[tokio::test]
async fn a_secret_reaches_neither_the_model_nor_the_record_nor_the_events() {
    let turns = vec![
        run("say hunter2"),
        Turn::Call(vec![("no_such_hunter2", json!({}))]),
        Turn::Say("It is hunter2, I believe."),
        run("ask hunter2"),
        Turn::finish(),
    ];
    let world = World { secrets: Arc::new(Word), ..world(turns) };
    let server = world.server("one");
    let plan = server.create(agent()).await;
    let state = until_asked(&world, plan, 1).await;
    server.submit(plan, answer_to(&state.tasks[0], false, None)).await;
    world.until_status(plan, PlanStatus::Completed).await;
    let events = format!("{:?}", world.store.core().events(plan));
    let results: String =
        world.store.core().steps(plan).iter().map(|step| format!("{:?}", step.result)).collect();
    let asked = format!("{:?}", approvals(&world, plan));
    assert!(results.contains("[secret]") && asked.contains("[secret]"), "{results}\n{asked}");
    for told in [events, asked] {
        assert!(!told.contains("hunter2"), "{told}");
    }
    let prompts = world.model.prompts();
    let answers = prompts.iter().flat_map(|prompt| &prompt.messages).filter(|message| {
        // What the model itself asked for is its own; it can only have it from a person.
        !matches!(message, agent_core::model::Message::Assistant { .. })
    });
    assert!(answers.map(|message| message.text().to_owned()).all(|text| !text.contains("hunter2")));
}

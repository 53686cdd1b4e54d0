//! Questions to people: asked, found, answered once.

use super::World;
use crate::world::{at, change, progress};
use agent_core::approval::{ApprovalKind, Question, Resolution};
use agent_core::event::{ApprovalRequest, EventBody, NewEvent, Topic};
use agent_core::ids::{ApprovalId, PlanId, TaskId, TenantId};
use agent_core::plan::TaskStatus;
use agent_core::policy::{OnExpiry, Permission, Risk, Rule};
use agent_core::ports::{
    Approval, ApprovalDecision, ApprovalFilter, EventLog, NewApproval, PlanReader, PlanStore, Visibility,
};
use serde_json::json;

fn question(subject: &str) -> Question {
    Question {
        kind: ApprovalKind::Command,
        subject: subject.into(),
        reason: Some("a rule asks".into()),
        risk: Risk::Critical,
        call: Some(4),
        args_hash: "sha256:a".into(),
        scope_hash: "sha256:b".into(),
        covers: json!({"tool": "run_command", "input": {"command": ["git", "push", "\u{0}"]}}),
        on_expiry: OnExpiry::Deny,
    }
}

fn ask(task_id: TaskId, sequence: u32, subject: &str) -> NewApproval {
    NewApproval { task_id, sequence, attempt: Some(2), question: question(subject), expires_at: at(90) }
}

fn asked(task: TaskId, subject: &str) -> NewEvent {
    let body = EventBody::ApprovalRequested(Box::new(ApprovalRequest {
        approval_id: ApprovalId(0),
        subject: subject.into(),
        expires_at: at(90),
        kind: ApprovalKind::Command,
        risk: Some(Risk::Critical),
        reason: None,
        args_hash: "sha256:a".into(),
        available_decisions: Vec::new(),
        on_expiry: OnExpiry::Deny,
    }));
    NewEvent { task_id: Some(task), body }
}

fn answered(task: TaskId, decision: &Resolution) -> NewEvent {
    let body = EventBody::ApprovalDecided {
        approval_id: ApprovalId(0),
        decision: decision.as_str().into(),
        by: "ada".into(),
        note: None,
        rule: None,
    };
    NewEvent { task_id: Some(task), body }
}

fn everybody(plan_id: Option<PlanId>, include_decided: bool) -> ApprovalFilter {
    let (visibility, limit) = (Visibility::Tenant(TenantId::DEFAULT), 100);
    ApprovalFilter { visibility, plan_id, id: None, include_decided, after: None, limit }
}

async fn found(world: &World, filter: &ApprovalFilter) -> Vec<Approval> {
    world.store.approvals(filter).await.unwrap().0
}

#[tokio::test]
async fn a_question_gets_its_id_into_the_events_of_it_and_of_its_answer() {
    let Some(world) = World::new().await else { return };
    let state = world.plan(2).await;
    let [first, second] = [state.tasks[0].id, state.tasks[1].id];
    let mut asking = change(&state);
    asking.approvals = vec![ask(first, 1, "one?"), ask(second, 1, "two?")];
    asking.events = vec![asked(second, "two?"), progress("between"), asked(first, "one?")];
    let committed = world.store.commit(&asking, None).await.unwrap();
    let owners = ApprovalFilter { visibility: Visibility::Owner(world.owner), ..everybody(None, false) };
    let open = found(&world, &owners).await;
    assert_eq!(
        open.iter().map(|asked| asked.question.clone()).collect::<Vec<_>>(),
        ["one?", "two?"].map(question)
    );
    assert_eq!((open[0].sequence, open[0].attempt, open[0].expires_at), (1, Some(2), at(90)));
    let named = |n: usize| match &committed.events[n].body {
        EventBody::ApprovalRequested(asked) => asked.approval_id,
        other => panic!("{other:?}"),
    };
    assert_eq!((named(0), named(2)), (open[1].id, open[0].id));

    let rule = Resolution::ApproveWithRule(Box::new(Rule::command(Permission::Allow, ["git", "push"])));
    let mut answer = change(&world.store.load(None, state.plan.id).await.unwrap());
    let note = Some("fine".to_owned());
    answer.decisions =
        vec![ApprovalDecision { task_id: first, decision: rule.clone(), by: "ada".into(), note }];
    answer.events = vec![answered(first, &rule)];
    let told = world.store.commit(&answer, None).await.unwrap().events;
    assert!(
        matches!(&told[0].body, EventBody::ApprovalDecided { approval_id, .. } if *approval_id == open[0].id)
    );
    assert_eq!(found(&world, &everybody(None, false)).await.len(), 1);
    let all = found(&world, &everybody(Some(state.plan.id), true)).await;
    assert_eq!((all[0].decision.as_ref(), all[0].decided_by.as_deref()), (Some(&rule), Some("ada")));
    assert_eq!((all[0].note.as_deref(), all[0].decided_at), (Some("fine"), Some(answer.at)));
    let logged =
        EventLog::read(&world.store, Topic::Plan(TenantId::DEFAULT, state.plan.id), 1, 10).await.unwrap();
    assert_eq!(logged, [committed.events, told].concat());
}

#[tokio::test]
async fn every_kind_of_answer_is_kept_as_it_was_given() {
    let Some(world) = World::new().await else { return };
    let state = world.plan(1).await;
    let task = state.tasks[0].id;
    let answers = [
        Resolution::Approve,
        Resolution::ApproveForPlan,
        Resolution::Reject,
        Resolution::Cancel,
        Resolution::Expired,
        Resolution::Withdrawn,
    ];
    for (sequence, decision) in (1..).zip(answers.clone()) {
        let mut asking = change(&world.store.load(None, state.plan.id).await.unwrap());
        asking.approvals = vec![ask(task, sequence, "go?")];
        world.store.commit(&asking, None).await.unwrap();
        let mut answer = change(&world.store.load(None, state.plan.id).await.unwrap());
        let by = "ada".to_owned();
        answer.decisions = vec![ApprovalDecision { task_id: task, decision, by, note: None }];
        world.store.commit(&answer, None).await.unwrap();
    }
    let kept: Vec<_> =
        found(&world, &everybody(None, true)).await.into_iter().map(|asked| asked.decision).collect();
    assert_eq!(kept, answers.map(Some));
}

#[tokio::test]
async fn questions_are_listed_by_plan_by_id_and_in_pages() {
    let Some(world) = World::new().await else { return };
    let (one, other) = (world.plan(3).await, world.plan(1).await);
    let mut asking = change(&one);
    asking.approvals = one.tasks.iter().map(|task| ask(task.id, 1, "go?")).collect();
    world.store.commit(&asking, None).await.unwrap();
    let mut asking = change(&other);
    asking.approvals = vec![ask(other.tasks[0].id, 1, "stop?")];
    world.store.commit(&asking, None).await.unwrap();
    let of_plan = everybody(Some(one.plan.id), false);
    let (page, total) = world.store.approvals(&ApprovalFilter { limit: 2, ..of_plan.clone() }).await.unwrap();
    assert_eq!((page.len(), total), (2, 3));
    let rest = found(&world, &ApprovalFilter { after: Some(page[1].id), ..of_plan }).await;
    assert_eq!(rest.len(), 1);
    let by_id = found(&world, &ApprovalFilter { id: Some(rest[0].id), ..everybody(None, true) }).await;
    assert_eq!(by_id, rest);
    assert_eq!(world.store.approvals(&everybody(None, false)).await.unwrap().1, 4);
}

#[tokio::test]
async fn a_question_of_a_task_that_has_ended_is_no_longer_open() {
    let Some(world) = World::new().await else { return };
    let state = world.plan(1).await;
    let mut asking = change(&state);
    asking.approvals = vec![ask(state.tasks[0].id, 1, "go?")];
    world.store.commit(&asking, None).await.unwrap();
    let mut cancel = change(&world.store.load(None, state.plan.id).await.unwrap());
    cancel.tasks = state.tasks.clone();
    cancel.tasks[0].status = TaskStatus::Cancelled;
    world.store.commit(&cancel, None).await.unwrap();
    assert_eq!(found(&world, &everybody(None, false)).await, []);
    assert_eq!(found(&world, &everybody(None, true)).await.len(), 1);
}

//! Making and finding plans.

use super::World;
use crate::world::{at, change, make, new_plan, progress, user};
use agent_core::Error;
use agent_core::event::EventBody;
use agent_core::ids::{Owner, PlanId, Revision, TenantId, UserId};
use agent_core::plan::{
    CommandLine, Idempotency, NewPlan, OnUnknown, PlanStatus, Priority, RetryPolicy, TaskKind, TaskSpec,
    TaskStatus,
};
use agent_core::policy::{
    ApprovalMode, Budget, OnExpiry, OnFailure, Permission, Policy, Rule, SandboxLevel, SecretFiles, Words,
    WorkspaceMode,
};
use agent_core::ports::{PlanReader, PlanStore, Visibility};
use agent_core::tool::EffectClass;
use std::error::Error as _;

/// Every field away from its default.
fn rule() -> Rule {
    Rule {
        reason: Some("\"nobody\" publishes \0".into()),
        matches: vec!["npm publish".into()],
        command: vec![Words::One("npm".into()), Words::OneOf(vec!["publish".into(), "unpublish".into()])],
        ..Rule::new(Permission::Deny)
    }
}

fn elaborate(owner: Owner) -> NewPlan {
    let command = TaskKind::Command {
        command: CommandLine::Argv(vec!["cargo".into(), "test".into(), "ünïcode \"quoted\" \0".into()]),
        env: [("RUST_LOG".to_owned(), "debug".to_owned())].into(),
        working_directory: Some("crates/a".into()),
    };
    let task = TaskSpec {
        description: "Test it; 100% \\ 'all' of it\n".into(),
        kind: command,
        priority: Priority::High,
        depends_on: vec![2, 3],
        reads: vec!["docs/ünïcode".into()],
        writes: vec!["src".into(), "a b".into()],
        retry: RetryPolicy { max_attempts: 7, backoff_ms: 12, max_backoff_ms: 3_456 },
        timeout_ms: Some(9_999),
        requires_approval: true,
        effect: Some(EffectClass::Idempotent),
        on_unknown: Some(OnUnknown::Ask),
    };
    let agent = TaskKind::Agent { verify: Some(CommandLine::Shell("make check".into())) };
    let patch = TaskKind::Patch { patch: "--- a\n+++ b\n".into() };
    let budget = Budget {
        max_tokens: Some(1),
        max_cost: Some(0.25),
        max_duration_ms: Some(3),
        max_model_calls: Some(4),
    };
    let policy = Policy {
        approval: ApprovalMode::Commands,
        max_parallel: Some(3),
        on_failure: OnFailure::Continue,
        workspace: WorkspaceMode::Isolated,
        sandbox: SandboxLevel::ReadOnly,
        network: true,
        domains: vec!["crates.io".into(), "*.npmjs.org".into()],
        secret_files: SecretFiles::Readable,
        approval_timeout_ms: Some(60_000),
        on_expiry: OnExpiry::Stop,
        rules: vec![rule()],
        budget,
    };
    let others = [agent, patch, TaskKind::Scan, TaskKind::Approval, TaskKind::Agent { verify: None }];
    NewPlan {
        goal: "Ein Ziel mit % und _ und 🚀".into(),
        repo_path: "/srv/räpo".into(),
        tasks: std::iter::once(task).chain(others.map(|kind| TaskSpec::new("other", kind))).collect(),
        policy,
        auto_execute: true,
        template_id: Some("rust-feature".into()),
        ..new_plan(owner, 0)
    }
}

#[tokio::test]
async fn a_plan_is_found_as_it_was_made_with_every_field() {
    let Some(world) = World::new().await else { return };
    let new = elaborate(world.owner);
    let made = make(&world.store, &new, PlanStatus::Created, at(5)).await.unwrap();
    let found = world.store.load(None, made.plan.id).await.unwrap();
    assert_eq!(found, made);
    let specs: Vec<TaskSpec> = found.tasks.iter().map(|task| TaskSpec::clone(&task.spec)).collect();
    assert_eq!(specs, new.tasks);
    assert_eq!(found.tasks[0].attempt_limit, 7);
    assert!(found.tasks.iter().all(|task| task.status == TaskStatus::Pending && !task.selected));
    assert!(found.tasks.iter().zip(1..).all(|(task, position)| task.position == position));
    assert_eq!((found.plan.policy, found.plan.goal), (new.policy, new.goal));
    assert_eq!((found.plan.revision, found.plan.created_at), (Revision(0), at(5)));
}

#[tokio::test]
async fn a_new_plan_is_told_of_with_the_number_one() {
    let Some(world) = World::new().await else { return };
    let three = world.plan(3).await;
    let planning = new_plan(world.owner, 0);
    make(&world.store, &planning, PlanStatus::Planning, at(0)).await.unwrap();
    let told = world.told.events();
    assert_eq!((told[0].seq, told[0].plan_id, told[0].owner), (1, three.plan.id, world.owner));
    let summary = |n: usize| match &told[n].body {
        EventBody::PlanUpdated { status, summary } => (*status, summary.as_str()),
        other => panic!("{other:?}"),
    };
    assert_eq!(summary(0), (PlanStatus::Created, "plan created with 3 tasks"));
    assert_eq!(summary(1), (PlanStatus::Planning, "planning"));
}

#[tokio::test]
async fn a_plan_of_ten_thousand_tasks_keeps_their_order() {
    let Some(world) = World::new().await else { return };
    let made = world.plan(10_000).await;
    let found = world.store.load(None, made.plan.id).await.unwrap();
    assert_eq!(found.tasks.len(), 10_000);
    assert!(found == made, "loaded tasks differ from those that were made");
}

#[tokio::test]
async fn an_unknown_plan_is_named() {
    let Some(world) = World::new().await else { return };
    let error = world.store.load(None, PlanId(99)).await.unwrap_err();
    assert!(matches!(error, Error::PlanNotFound(PlanId(99))));
}

#[tokio::test]
async fn a_plan_for_nobody_is_refused_and_leaves_nothing() {
    let Some(world) = World::new().await else { return };
    let error =
        make(&world.store, &new_plan(Owner::in_default_tenant(UserId(77)), 1), PlanStatus::Created, at(0))
            .await
            .unwrap_err();
    assert!(error.source().unwrap().to_string().contains("user 77 of tenant 1 does not exist"), "{error:?}");
    assert!(world.told.calls().is_empty());
}

fn keyed(owner: Owner, fingerprint: &str) -> NewPlan {
    let idempotency = Idempotency { key: "k-1".into(), fingerprint: fingerprint.into() };
    NewPlan { idempotency: Some(idempotency), ..new_plan(owner, 2) }
}

#[tokio::test]
async fn the_same_key_and_request_finds_the_first_plan_and_writes_nothing() {
    let Some(world) = World::new().await else { return };
    let new = keyed(world.owner, "same");
    let first = make(&world.store, &new, PlanStatus::Created, at(0)).await.unwrap();
    let mut moved = first.clone();
    moved.plan.status = PlanStatus::Paused;
    world.store.commit(&change(&moved), None).await.unwrap();
    let told = world.told.calls().len();
    let again = make(&world.store, &new, PlanStatus::Created, at(1)).await.unwrap();
    assert_eq!((again.plan.id, again.plan.status), (first.plan.id, PlanStatus::Paused));
    assert_eq!(world.told.calls().len(), told);
}

#[tokio::test]
async fn the_same_key_with_another_request_is_refused() {
    let Some(world) = World::new().await else { return };
    make(&world.store, &keyed(world.owner, "one"), PlanStatus::Created, at(0)).await.unwrap();
    let error = make(&world.store, &keyed(world.owner, "two"), PlanStatus::Created, at(1)).await.unwrap_err();
    assert!(matches!(error, Error::IdempotencyMismatch(key) if key == "k-1"));
}

#[tokio::test]
async fn fifty_simultaneous_requests_with_one_key_make_one_plan() {
    let Some(world) = World::new().await else { return };
    let requests: Vec<_> = (0..50)
        .map(|_| {
            let (store, new) = (world.store.clone(), keyed(world.owner, "same"));
            tokio::spawn(async move { make(&store, &new, PlanStatus::Created, at(0)).await.unwrap().plan.id })
        })
        .collect();
    let mut ids = Vec::new();
    for request in requests {
        ids.push(request.await.unwrap());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(world.told.calls().len(), 1);
}

#[tokio::test]
async fn a_key_belongs_to_its_owner_and_lapses_after_a_day() {
    let Some(world) = World::new().await else { return };
    let day = 24 * 60 * 60 * 1_000;
    let first = make(&world.store, &keyed(world.owner, "one"), PlanStatus::Created, at(0)).await.unwrap();
    let eve = user(&world.store, "eve").await;
    let other = make(&world.store, &keyed(eve, "two"), PlanStatus::Created, at(0)).await.unwrap();
    assert_ne!(other.plan.id, first.plan.id);
    let late = make(&world.store, &keyed(world.owner, "two"), PlanStatus::Created, at(day)).await.unwrap();
    assert_ne!(late.plan.id, first.plan.id);
    let later =
        make(&world.store, &keyed(world.owner, "two"), PlanStatus::Created, at(day + 1)).await.unwrap();
    assert_eq!(later.plan.id, late.plan.id);
}

#[tokio::test]
async fn the_mark_of_a_plan_changes_with_everything_that_is_told_of_it() {
    let Some(world) = World::new().await else { return };
    let (state, fence) = world.held("w").await;
    let (plan, view) = (state.plan.id, Visibility::Owner(world.owner));
    let mark = async || PlanReader::mark(&world.store, view, plan).await.unwrap();
    let first = mark().await;
    assert_eq!(first, mark().await);
    let mut told = change(&state);
    told.events = vec![progress("half")];
    world.store.commit(&told, Some(&fence)).await.unwrap();
    let second = mark().await;
    assert!(second.revision > first.revision && second.seq == first.seq + 1, "{first:?} {second:?}");
    let seen_by_others =
        PlanReader::mark(&world.another(), Visibility::Tenant(TenantId::DEFAULT), plan).await;
    assert_eq!(seen_by_others.unwrap(), second);
    world.execute("UPDATE plans SET revision = revision + 1");
    let third = mark().await;
    assert!(
        third.revision > second.revision && third.seq == second.seq,
        "what others commit is seen at once"
    );
    let stranger = Visibility::Owner(user(&world.store, "bob").await);
    let hidden = PlanReader::mark(&world.store, stranger, plan).await;
    assert!(matches!(hidden, Err(Error::PlanNotFound(id)) if id == plan));
}

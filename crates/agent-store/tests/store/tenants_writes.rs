//! Nobody changes what is in another tenant, whatever they name: their plan, their task, their question, their key.

use super::World;
use crate::realm::{Realm, intent, keyed_plan, message, new_key, once, question, result};
use crate::world::{at, change, make, progress, tenant};
use agent_auth::Role;
use agent_auth::ports::{ApiKey, ApiKeyStore, RequestKey, TenantStore, UserStore};
use agent_core::Error;
use agent_core::approval::Resolution;
use agent_core::event::{Event, Topic};
use agent_core::ids::{Owner, TenantId, WorkerId};
use agent_core::plan::{Attempt, Idempotency, PlanState, PlanStatus, TaskStatus};
use agent_core::ports::{
    Approval, ApprovalDecision, ApprovalFilter, Change, ConversationMessage, Conversations, EventLog, Fence,
    Journal, MessageFilter, NewMessage, PlanReader, PlanStore, Step, StepKey, Told, Visibility,
};
use agent_store::Store;
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(60);

/// Everything that is kept of a realm.
#[derive(Debug, PartialEq)]
struct Kept {
    state: PlanState,
    events: Vec<Event>,
    steps: Vec<Step>,
    attempts: Vec<Attempt>,
    questions: Vec<Approval>,
    messages: Vec<ConversationMessage>,
    keys: Vec<ApiKey>,
}

impl Kept {
    async fn of(store: &Store, realm: &Realm) -> Self {
        let (tenant, plan) = (realm.owner.tenant, realm.plan());
        let visibility = Visibility::Tenant(tenant);
        let said =
            MessageFilter { visibility, plan_id: None, role: None, text: None, after: None, limit: 1_000 };
        Self {
            state: store.load(None, plan).await.unwrap(),
            events: EventLog::read(store, Topic::Tenant(tenant), 0, 1_000).await.unwrap(),
            steps: store.steps(tenant, plan).await.unwrap(),
            attempts: store.attempts(tenant, plan).await.unwrap(),
            questions: store.approvals(&ApprovalFilter::of_plan(tenant, plan)).await.unwrap().0,
            messages: store.messages(&said).await.unwrap().0,
            keys: store.keys_of(realm.owner).await.unwrap(),
        }
    }
}

/// A step of executing, an edit's worth of tasks, and a question: each goes its own way into the database.
fn changes(state: &PlanState) -> [Change; 3] {
    let mut step = change(state);
    step.plan.status = PlanStatus::Cancelled;
    step.events = vec![progress("cancelled")];
    let mut growing = step.clone();
    growing.new_tasks = vec![agent_core::plan::TaskSpec::clone(&state.tasks[0].spec)];
    let mut asking = step.clone();
    asking.approvals = vec![question(state.tasks[0].id)];
    [step, growing, asking]
}

#[tokio::test]
async fn z03_a_change_made_in_the_wrong_tenant_finds_no_plan() {
    let Some(world) = World::new().await else { return };
    let [mine, theirs] = Realm::pair(&world).await;
    let before = Kept::of(&world.store, &theirs).await;
    let mut claimed = theirs.state.clone();
    let in_mine = Fence { tenant: mine.owner.tenant, ..theirs.fence.clone() };
    for owner in [mine.owner, Owner { tenant: mine.owner.tenant, ..theirs.owner }] {
        claimed.plan.owner = owner;
        for change in changes(&claimed) {
            for fence in [None, Some(&mine.fence), Some(&in_mine)] {
                let refused = world.store.commit(&change, fence).await.unwrap_err();
                assert!(matches!(refused, Error::PlanNotFound(id) if id == theirs.plan()), "{refused:?}");
            }
        }
    }
    assert_eq!(Kept::of(&world.store, &theirs).await, before);
}

#[tokio::test]
async fn z03_the_right_to_write_in_one_tenant_is_none_in_another() {
    let Some(world) = World::new().await else { return };
    let [mine, theirs] = Realm::pair(&world).await;
    let before = Kept::of(&world.store, &theirs).await;
    // The same worker holds both, and both for the first time: nothing but the tenant tells the fences apart.
    assert_eq!((&mine.fence.worker, mine.fence.generation), (&theirs.fence.worker, theirs.fence.generation));
    for change in changes(&theirs.state) {
        let refused = world.store.commit(&change, Some(&mine.fence)).await.unwrap_err();
        assert!(matches!(refused, Error::LeaseLost(id) if id == theirs.plan()), "{refused:?}");
    }
    assert_eq!(Kept::of(&world.store, &theirs).await, before);
    let [step, ..] = changes(&theirs.state);
    world.store.commit(&step, Some(&theirs.fence)).await.unwrap();
}

#[tokio::test]
async fn z03_a_lease_is_given_back_in_its_own_tenant_only() {
    let Some(world) = World::new().await else { return };
    let [mine, theirs] = Realm::pair(&world).await;
    let other = WorkerId("other".into());
    world.store.release(theirs.plan(), &mine.fence).await.unwrap();
    assert_eq!(world.store.claim(&other, LEASE, Some(theirs.plan())).await.unwrap(), None);
    world.store.release(theirs.plan(), &theirs.fence).await.unwrap();
    let claim = world.store.claim(&other, LEASE, Some(theirs.plan())).await.unwrap().unwrap();
    assert_eq!((claim.fence.tenant, claim.state.plan.owner), (theirs.owner.tenant, theirs.owner));
}

#[tokio::test]
async fn z03_nothing_is_journaled_under_the_fence_of_another_tenant() {
    let Some(world) = World::new().await else { return };
    let [mine, theirs] = Realm::pair(&world).await;
    let step = StepKey { position: 2, ..theirs.step };
    world.store.begin(step, &intent(), vec![], at(6), &theirs.fence, None).await.unwrap();
    let before = Kept::of(&world.store, &theirs).await;
    let is_lost = |error: Error| matches!(error, Error::LeaseLost(id) if id == theirs.plan());
    for events in [vec![], vec![progress("mine")]] {
        let next = StepKey { position: 3, ..step };
        let begun = world.store.begin(next, &intent(), events.clone(), at(7), &mine.fence, None).await;
        assert!(is_lost(begun.unwrap_err()));
        let ended = world.store.finish(step, &result(), events.into(), at(7), &mine.fence).await;
        assert!(is_lost(ended.unwrap_err()));
    }
    assert_eq!(Kept::of(&world.store, &theirs).await, before);
}

#[tokio::test]
async fn z03_a_step_says_nothing_in_another_tenant() {
    let Some(world) = World::new().await else { return };
    let [mine, theirs] = Realm::pair(&world).await;
    let before = Kept::of(&world.store, &theirs).await;
    let step = StepKey { position: 2, ..mine.step };
    world.store.begin(step, &intent(), vec![], at(6), &mine.fence, None).await.unwrap();
    let said = NewMessage { idempotency: None, ..message(theirs.owner, Some(theirs.plan())) };
    let told = Told { events: vec![], messages: vec![said] };
    world.store.finish(step, &result(), told, at(7), &mine.fence).await.unwrap_err();
    assert_eq!(Kept::of(&world.store, &theirs).await, before);
    assert_eq!(world.store.recorded(&mine.state.plan, mine.done(), 1).await.unwrap()[1].result, None);
}

#[tokio::test]
async fn z03_a_question_of_another_tenant_is_not_answered() {
    let Some(world) = World::new().await else { return };
    let [mine, theirs] = Realm::pair(&world).await;
    let before = Kept::of(&world.store, &theirs).await;
    let mut answer = change(&mine.state);
    let by = "ada".to_owned();
    let decision = Resolution::Approve;
    answer.decisions = vec![ApprovalDecision { task_id: theirs.asked(), decision, by, note: None }];
    world.store.commit(&answer, Some(&mine.fence)).await.unwrap();
    assert_eq!(Kept::of(&world.store, &theirs).await, before);
    let asked = ApprovalFilter::of_plan(mine.owner.tenant, mine.plan());
    assert_eq!(world.store.approvals(&asked).await.unwrap().0[0].decision, None, "nor is one's own");
}

#[tokio::test]
async fn z03_nobody_speaks_in_a_plan_of_another_tenant() {
    let Some(world) = World::new().await else { return };
    let [mine, theirs] = Realm::pair(&world).await;
    let before = Kept::of(&world.store, &theirs).await;
    let elsewhere = Owner { tenant: mine.owner.tenant, ..theirs.owner };
    let stranger = Owner { tenant: theirs.owner.tenant, ..mine.owner };
    for owner in [mine.owner, elsewhere, stranger] {
        let said = NewMessage { idempotency: None, ..message(owner, Some(theirs.plan())) };
        let refused = world.store.add(&said, at(9)).await.unwrap_err();
        assert!(matches!(refused, Error::PlanNotFound(id) if id == theirs.plan()), "{refused:?}");
    }
    assert_eq!(Kept::of(&world.store, &theirs).await, before);
}

#[tokio::test]
async fn z03_nobody_revokes_a_key_of_another_tenant() {
    let Some(world) = World::new().await else { return };
    let [mine, theirs] = Realm::pair(&world).await;
    let elsewhere = Owner { tenant: mine.owner.tenant, ..theirs.owner };
    let stranger = Owner { tenant: theirs.owner.tenant, ..mine.owner };
    for owner in [mine.owner, elsewhere, stranger] {
        assert!(!world.store.revoke(owner, theirs.key.id, at(9)).await.unwrap());
    }
    assert_eq!(world.store.keys_of(theirs.owner).await.unwrap()[0].revoked_at, None);
}

#[tokio::test]
async fn z04_a_task_of_another_tenant_is_none_of_ones_own_plan() {
    let Some(world) = World::new().await else { return };
    let [mine, theirs] = Realm::pair(&world).await;
    let before = (Kept::of(&world.store, &mine).await, Kept::of(&world.store, &theirs).await);
    let mut cancelled = theirs.state.tasks[1].clone();
    cancelled.status = TaskStatus::Cancelled;
    let mut moving = change(&mine.state);
    moving.tasks = vec![cancelled];
    let mut redefining = moving.clone();
    let (before_it, after_it) = (mine.state.definition(), mine.state.definition());
    redefining.redefined = vec![theirs.asked()];
    redefining.plan.version += 1;
    let version = agent_core::ports::NewVersion {
        before: before_it,
        after: agent_core::plan::PlanDefinition { version: redefining.plan.version, ..after_it },
        changes: vec![],
        by: "ada".into(),
    };
    redefining.version = Some(version.clone());
    for change in [&moving, &redefining] {
        let refused = world.store.commit(change, Some(&mine.fence)).await.unwrap_err();
        assert!(matches!(refused, Error::TaskNotFound { task, .. } if task == theirs.asked()), "{refused:?}");
    }
    assert_eq!((Kept::of(&world.store, &mine).await, Kept::of(&world.store, &theirs).await), before);
    let mut removing = change(&mine.state);
    (removing.version, removing.plan.version) = (Some(version), redefining.plan.version);
    removing.removed = vec![theirs.asked()];
    world.store.commit(&removing, Some(&mine.fence)).await.unwrap();
    assert_eq!(Kept::of(&world.store, &theirs).await, before.1);
}

#[tokio::test]
async fn z12_the_same_key_in_two_tenants_makes_two_plans_messages_and_keys() {
    let Some(world) = World::new().await else { return };
    let other = tenant(&world.store, "globex").await;
    // The same person, so that nothing but the tenant tells the requests apart.
    let mine = world.owner;
    let theirs = Owner { tenant: other, user: mine.user };
    world.store.set_member(theirs, Role::User, at(0)).await.unwrap().unwrap();
    let mut made = Vec::new();
    for owner in [mine, theirs, mine, theirs] {
        let plan = make(&world.store, &keyed_plan(owner), PlanStatus::Created, at(0)).await.unwrap().plan;
        assert_eq!(plan.owner, owner);
        let said = world.store.add(&message(owner, None), at(0)).await.unwrap();
        let idempotency = Some(Idempotency { key: "key".into(), fingerprint: "a key".into() });
        let key = agent_auth::ports::NewApiKey { idempotency, ..new_key(owner, &format!("pub{owner}")) };
        let key = world.store.insert(&key, at(0)).await.unwrap();
        assert_eq!(key.owner, owner);
        made.push((plan.id, said, key.id));
    }
    assert_eq!((made[0], made[1]), (made[2], made[3]), "a repeated request finds its own");
    assert!(made[0].0 != made[1].0 && made[0].1 != made[1].1 && made[0].2 != made[1].2, "{made:?}");
    // What one tenant asked for under a key is nothing that another could run into.
    let differently = agent_core::plan::NewPlan {
        idempotency: Some(once("another plan")),
        ..keyed_plan(Owner { tenant: TenantId(77), user: mine.user })
    };
    let unknown = make(&world.store, &differently, PlanStatus::Created, at(0)).await.unwrap_err();
    assert!(!matches!(unknown, Error::IdempotencyMismatch(_)), "{unknown:?}");
    let mismatch = agent_core::plan::NewPlan { idempotency: Some(once("another")), ..keyed_plan(theirs) };
    let refused = make(&world.store, &mismatch, PlanStatus::Created, at(0)).await.unwrap_err();
    assert!(matches!(refused, Error::IdempotencyMismatch(_)), "{refused:?}");
}

#[tokio::test]
async fn z12_the_same_key_in_two_tenants_makes_two_accounts_and_two_tenants() {
    let Some(world) = World::new().await else { return };
    let other = tenant(&world.store, "globex").await;
    let theirs = Owner { tenant: other, user: world.owner.user };
    world.store.set_member(theirs, Role::Admin, at(0)).await.unwrap().unwrap();
    let asked = |owner, fingerprint| Some(RequestKey { owner, idempotency: once(fingerprint) });
    let mut made = Vec::new();
    for (owner, name) in [(world.owner, "kim"), (theirs, "lee"), (world.owner, "kim"), (theirs, "lee")] {
        let request_key = asked(owner, "a user");
        let new = agent_auth::ports::NewUser { request_key, ..crate::world::new_user(name, owner.tenant) };
        made.push(UserStore::create(&world.store, &new, at(0)).await.unwrap().unwrap());
    }
    assert_eq!((&made[0], &made[1]), (&made[2], &made[3]));
    assert_eq!((made[0].tenant, made[1].tenant), (world.owner.tenant, other));
    let again = world.store.create_tenant("acme", asked(world.owner, "a user").as_ref(), at(0)).await;
    assert!(matches!(again, Err(Error::IdempotencyMismatch(_))), "a key of a user makes no tenant");
    let another =
        |owner| Some(RequestKey { owner, idempotency: Idempotency { key: "t".into(), ..once("t") } });
    let acme = world.store.create_tenant("acme", another(world.owner).as_ref(), at(0)).await.unwrap();
    let taken = world.store.create_tenant("acme", another(theirs).as_ref(), at(0)).await.unwrap();
    let found = world.store.create_tenant("acme", another(world.owner).as_ref(), at(0)).await.unwrap();
    assert!(acme.is_some() && acme == found, "{acme:?} {found:?}");
    assert_eq!(taken, None, "the name is taken for whoever did not ask first");
}

//! What is in one tenant is not there for another: neither found, listed, counted, nor told.

use super::World;
use crate::realm::{Realm, attempt, keyed_plan};
use crate::world::{at, change, make, new_plan, progress, tenant, user_in};
use agent_analytics::ports::{AnalyticsStore, AttemptRecord, AttemptsOf, Wanted};
use agent_auth::ports::ApiKeyStore;
use agent_core::Error;
use agent_core::event::Topic;
use agent_core::ids::{ApprovalId, MessageId, Owner, PlanId, TenantId};
use agent_core::plan::{NewPlan, PlanStatus};
use agent_core::ports::{
    ApprovalFilter, Conversations, EventLog, Journal, MessageFilter, PlanCounts, PlanFilter, PlanReader,
    PlanStore, Visibility,
};
use agent_store::Store;

/// Every way to look that does not show what is theirs: as the other tenant, as its member, as one who is a member
/// elsewhere, and as a member of the right tenant who owns nothing there.
fn views(mine: &Realm, theirs: &Realm) -> [Visibility; 4] {
    let elsewhere = Owner { tenant: mine.owner.tenant, user: theirs.owner.user };
    let stranger = Owner { tenant: theirs.owner.tenant, user: mine.owner.user };
    [
        Visibility::Tenant(mine.owner.tenant),
        Visibility::Owner(mine.owner),
        Visibility::Owner(elsewhere),
        Visibility::Owner(stranger),
    ]
}

fn plans(visibility: Visibility) -> PlanFilter {
    PlanFilter { visibility, status: None, text: Some("make IT".into()), before: None, limit: 5 }
}

fn messages(visibility: Visibility) -> MessageFilter {
    MessageFilter {
        visibility,
        plan_id: None,
        role: Some("user".into()),
        text: Some("HASTE".into()),
        after: None,
        limit: 5,
    }
}

fn questions(visibility: Visibility) -> ApprovalFilter {
    ApprovalFilter { visibility, plan_id: None, id: None, include_decided: false, after: None, limit: 5 }
}

/// What the lists show.
#[derive(Debug, PartialEq)]
struct Seen {
    plans: (Vec<PlanId>, u64),
    counts: PlanCounts,
    questions: (Vec<ApprovalId>, u64),
    messages: (Vec<MessageId>, u64),
}

impl Seen {
    async fn with(store: &Store, view: Visibility) -> Self {
        let page = store.list(&plans(view)).await.unwrap();
        let (asked, n_asked) = store.approvals(&questions(view)).await.unwrap();
        let (said, n_said) = store.messages(&messages(view)).await.unwrap();
        Self {
            plans: (page.plans.iter().map(|summary| summary.plan.id).collect(), page.total),
            counts: store.counts(view).await.unwrap(),
            questions: (asked.iter().map(|question| question.id).collect(), n_asked),
            messages: (said.iter().map(|message| message.id).collect(), n_said),
        }
    }

    fn of(realm: &Realm) -> Self {
        Self {
            plans: (vec![realm.plan()], 1),
            counts: PlanCounts { total: 1, completed: 0, live: 1 },
            questions: (vec![realm.question], 1),
            messages: (vec![realm.message], 1),
        }
    }

    fn nothing() -> Self {
        let counts = PlanCounts { total: 0, completed: 0, live: 0 };
        Self { plans: (vec![], 0), counts, questions: (vec![], 0), messages: (vec![], 0) }
    }
}

#[tokio::test]
async fn z02_lists_and_counts_show_what_is_in_the_tenant_and_nothing_else() {
    let Some(world) = World::new().await else { return };
    let [mine, theirs] = Realm::pair(&world).await;
    let [whole, own, elsewhere, stranger] = views(&mine, &theirs);
    for view in [whole, own] {
        assert_eq!(Seen::with(&world.store, view).await, Seen::of(&mine));
    }
    for view in [elsewhere, stranger] {
        assert_eq!(Seen::with(&world.store, view).await, Seen::nothing());
    }
    for view in [Visibility::Tenant(theirs.owner.tenant), Visibility::Owner(theirs.owner)] {
        assert_eq!(Seen::with(&world.store, view).await, Seen::of(&theirs));
    }
    // A place in their list is no way into it.
    let behind = PlanFilter { before: Some(PlanId(theirs.plan().get() + 1)), ..plans(whole) };
    let page = world.store.list(&behind).await.unwrap();
    assert_eq!(page.plans.iter().map(|summary| summary.plan.id).collect::<Vec<_>>(), [mine.plan()]);
}

#[tokio::test]
async fn z02_a_plan_of_another_tenant_is_as_unknown_as_one_that_never_was() {
    let Some(world) = World::new().await else { return };
    let [mine, theirs] = Realm::pair(&world).await;
    let (id, never) = (theirs.plan(), PlanId(404_404));
    for view in views(&mine, &theirs) {
        let hidden = world.store.load(Some(view), id).await.unwrap_err();
        let unknown = world.store.load(Some(view), never).await.unwrap_err();
        assert!(matches!(hidden, Error::PlanNotFound(plan) if plan == id), "{hidden:?}");
        let without = |error: &Error, id: PlanId| error.to_string().replace(&id.to_string(), "ID");
        assert_eq!(without(&hidden, id), without(&unknown, never));
    }
    for view in [Visibility::Tenant(theirs.owner.tenant), Visibility::Owner(theirs.owner)] {
        assert_eq!(world.store.load(Some(view), id).await.unwrap(), theirs.state);
    }
}

/// How much is found of a plan, asked about in a tenant: attempts, steps, models, versions, the journal of an attempt,
/// figures by plan and by task, questions by plan and by id, messages.
async fn found(store: &Store, tenant: TenantId, of: &Realm) -> [usize; 10] {
    let (plan, visibility) = (of.plan(), Visibility::Tenant(tenant));
    let mut asked_for = of.state.plan.clone();
    asked_for.owner.tenant = tenant;
    let question = ApprovalFilter { id: Some(of.question), ..questions(visibility) };
    let said = MessageFilter { plan_id: Some(plan), ..messages(visibility) };
    [
        store.attempts(tenant, plan).await.unwrap().len(),
        store.steps(tenant, plan).await.unwrap().len(),
        store.model_usage(tenant, plan).await.unwrap().len(),
        store.versions(tenant, plan).await.unwrap().len(),
        store.recorded(&asked_for, of.done(), 1).await.unwrap().len(),
        store.attempts_of(tenant, AttemptsOf::Plan(plan)).await.unwrap().len(),
        store.attempts_of(tenant, AttemptsOf::Task(of.done())).await.unwrap().len(),
        store.approvals(&ApprovalFilter::of_plan(tenant, plan)).await.unwrap().0.len(),
        store.approvals(&question).await.unwrap().0.len(),
        store.messages(&said).await.unwrap().0.len(),
    ]
}

#[tokio::test]
async fn z02_nothing_that_is_recorded_of_a_plan_is_found_from_another_tenant() {
    let Some(world) = World::new().await else { return };
    let [mine, theirs] = Realm::pair(&world).await;
    for (realm, other) in [(&mine, &theirs), (&theirs, &mine)] {
        let at_home = found(&world.store, realm.owner.tenant, realm).await;
        assert_eq!(at_home, [1, 1, 1, 2, 1, 1, 1, 1, 1, 1]);
        assert_eq!(found(&world.store, other.owner.tenant, realm).await, [0; 10]);
        assert_eq!(found(&world.store, TenantId(99), realm).await, [0; 10]);
    }
}

#[tokio::test]
async fn z02_what_happens_in_another_tenant_is_not_told() {
    let Some(world) = World::new().await else { return };
    let [mine, theirs] = Realm::pair(&world).await;
    let log: &dyn EventLog = &world.store;
    let told = world.told.events();
    let all = log.read(Topic::Everything, 0, 1_000).await.unwrap();
    assert_eq!(all, told);
    for realm in [&mine, &theirs] {
        let own: Vec<_> = told.iter().filter(|event| event.plan_id == realm.plan()).cloned().collect();
        assert!(own.len() >= 5 && own.iter().all(|event| event.owner == realm.owner), "{own:?}");
        let Owner { tenant, .. } = realm.owner;
        for topic in [Topic::Tenant(tenant), Topic::Owner(realm.owner), Topic::Plan(tenant, realm.plan())] {
            assert_eq!(log.read(topic, 0, 1_000).await.unwrap(), own, "{topic:?}");
        }
        let last = own.last().unwrap();
        assert_eq!(log.head(Topic::Tenant(tenant)).await.unwrap(), last.cursor);
        assert_eq!(log.head(Topic::Owner(realm.owner)).await.unwrap(), last.cursor);
        assert_eq!(log.head(Topic::Plan(tenant, realm.plan())).await.unwrap(), last.seq);
    }
    let deaf = [
        Topic::Plan(mine.owner.tenant, theirs.plan()),
        Topic::Plan(theirs.owner.tenant, mine.plan()),
        Topic::Owner(Owner { tenant: mine.owner.tenant, user: theirs.owner.user }),
        Topic::Owner(Owner { tenant: theirs.owner.tenant, user: mine.owner.user }),
        Topic::Tenant(TenantId(99)),
    ];
    for topic in deaf {
        assert_eq!(log.read(topic, 0, 1_000).await.unwrap(), [], "{topic:?}");
        assert_eq!(log.head(topic).await.unwrap(), 0, "{topic:?}");
    }
}

#[tokio::test]
async fn z02_keys_are_listed_to_their_owner_in_their_tenant() {
    let Some(world) = World::new().await else { return };
    let [mine, theirs] = Realm::pair(&world).await;
    for realm in [&mine, &theirs] {
        assert_eq!(world.store.keys_of(realm.owner).await.unwrap(), std::slice::from_ref(&realm.key));
        // Before anybody knows whose it is, a key is found wherever it is, and says where it works.
        let found = world.store.find_key(&realm.key.public_id).await.unwrap().unwrap().0;
        assert_eq!(found.owner, realm.owner);
    }
    for (tenant, user) in [(mine.owner.tenant, theirs.owner.user), (theirs.owner.tenant, mine.owner.user)] {
        assert_eq!(world.store.keys_of(Owner { tenant, user }).await.unwrap(), []);
    }
}

/// What a tenant has done, as its figures say.
async fn figures(store: &Store, tenant: TenantId) -> (Seen, Vec<AttemptRecord>, i64) {
    let seen = Seen::with(store, Visibility::Tenant(tenant)).await;
    let finished = store.snapshot(tenant, 5_000, &Wanted::Nothing).await.unwrap().batch.attempts;
    (seen, finished, EventLog::head(store, Topic::Tenant(tenant)).await.unwrap())
}

/// A plan with an attempt that is over.
async fn worked(store: Store, owner: Owner) {
    let plan = NewPlan { idempotency: None, ..keyed_plan(owner) };
    let state = make(&store, &plan, PlanStatus::Completed, at(0)).await.unwrap();
    let mut done = change(&state);
    done.attempts = vec![attempt(state.tasks[0].id)];
    done.events = vec![progress("done")];
    store.commit(&done, None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn z06_a_thousand_plans_of_another_tenant_change_no_number() {
    let Some(world) = World::new().await else { return };
    let [mine, theirs] = Realm::pair(&world).await;
    let before = figures(&world.store, mine.owner.tenant).await;
    let crowd: Vec<_> = (0..1_000).map(|_| tokio::spawn(worked(world.store.clone(), theirs.owner))).collect();
    for plan in crowd {
        plan.await.unwrap();
    }
    assert_eq!(figures(&world.store, mine.owner.tenant).await, before);
    let (seen, finished, _) = figures(&world.store, theirs.owner.tenant).await;
    assert_eq!((seen.counts.total, seen.counts.completed, finished.len()), (1_001, 1_000, 1_001));
}

#[tokio::test]
async fn a_tenant_without_anything_is_empty_and_its_pages_are_too() {
    let Some(world) = World::new().await else { return };
    let empty = tenant(&world.store, "empty").await;
    let nobody = user_in(&world.store, "nobody", empty).await;
    make(&world.store, &new_plan(world.owner, 1), PlanStatus::Created, at(0)).await.unwrap();
    for view in [Visibility::Tenant(empty), Visibility::Owner(nobody)] {
        assert_eq!(Seen::with(&world.store, view).await, Seen::nothing());
    }
    assert_eq!(figures(&world.store, empty).await, (Seen::nothing(), vec![], 0));
}

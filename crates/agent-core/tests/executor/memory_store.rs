//! What the store in memory promises of itself.

use crate::memory::{Bench, command, new_plan, scan};
use agent_core::event::{Event, Topic};
use agent_core::executor::fact::{Fact, Outcome};
use agent_core::executor::{machine, opening};
use agent_core::ids::{Generation, Owner, PlanId, TenantId, UserId, WorkerId};
use agent_core::memory::{MemoryCore, MemoryStore};
use agent_core::plan::{Idempotency, NewPlan, PlanState, PlanStatus};
use agent_core::policy::Policy;
use agent_core::ports::{
    CommitListener, Conversations, EventLog, Fence, NewMessage, PlanFilter, PlanReader, PlanStore, Visibility,
};
use agent_core::time::Timestamp;
use agent_core::{Error, Result};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const NOON: Timestamp = Timestamp::from_micros(1_767_268_800_000_000);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn with_key(fingerprint: &str) -> NewPlan {
    let idempotency = Some(Idempotency { key: "k".into(), fingerprint: fingerprint.into() });
    NewPlan { idempotency, ..new_plan(vec![scan(&[])]) }
}

#[test]
fn a_repeated_key_finds_the_first_plan_for_a_day_and_no_other_request_may_use_it() {
    let mut core = MemoryCore::default();
    let mut create =
        |plan: &NewPlan, at| core.create(plan, PlanStatus::Created, at).map(|state| state.plan.id);
    let first = create(&with_key("a"), NOON).unwrap();
    assert_eq!(create(&with_key("a"), NOON).unwrap(), first);
    let other = create(&with_key("b"), NOON).unwrap_err();
    assert!(matches!(other, Error::IdempotencyMismatch(key) if key == "k"));
    let stranger = NewPlan { owner: Owner::in_default_tenant(UserId(2)), ..with_key("b") };
    assert_ne!(create(&stranger, NOON).unwrap(), first, "keys are each person's own");
    assert_ne!(create(&with_key("a"), NOON.plus(DAY)).unwrap(), first);
}

#[test]
fn a_change_that_no_machine_makes_is_damage_and_leaves_everything_as_it_was() {
    let mut bench = Bench::executed(vec![command(&[])], Policy::default());
    bench.start(1);
    let (task, outcome) = (bench.id(1), Outcome::Completed { result: "done".into() });
    let fact = Fact::AttemptFinished { task, attempt: 1, outcome, jitter: 0.0 };
    let good = machine::advance(&bench.state(), fact, bench.now).unwrap().change.unwrap();
    let mut skipping = good.clone();
    skipping.plan.revision = skipping.plan.revision.next();
    let mut unknown = good.clone();
    unknown.attempts[0].attempt = 7;
    let mut redefined = good.clone();
    Arc::make_mut(&mut redefined.tasks[0].spec).description = "something else".into();
    let mut moved = good.clone();
    moved.tasks[0].position = 2;
    let before = bench.state();
    for bad in [skipping, unknown, redefined, moved] {
        assert!(matches!(bench.core.commit(&bad, None), Err(Error::Damaged(_))), "{bad:?}");
        assert_eq!(bench.state(), before);
    }
    bench.core.commit(&good, None).unwrap();
    assert!(matches!(bench.core.commit(&good, None), Err(Error::Conflict { .. })));
}

#[test]
fn only_the_holder_writes_under_a_fence() {
    let mut bench = Bench::executed(vec![command(&[])], Policy::default());
    let (lease, plan) = (Duration::from_secs(30), bench.plan);
    let worker = |name: &str| WorkerId(name.into());
    let old = bench.core.claim(&worker("one"), lease, None, bench.now).unwrap();
    assert!(bench.core.claim(&worker("two"), lease, Some(plan), bench.now).is_none());
    let new = bench.core.claim(&worker("two"), lease, None, bench.now.plus(lease)).unwrap();
    assert_eq!((old.recovered, new.recovered, new.fence.generation), (false, true, Generation(2)));
    let fact = Fact::SlotsGranted { slots: 1 };
    let change = machine::advance(&bench.state(), fact, bench.now).unwrap().change.unwrap();
    let lost = bench.core.commit(&change, Some(&old.fence));
    assert!(matches!(lost, Err(Error::LeaseLost(lost)) if lost == plan));
    bench.core.release(plan, &old.fence);
    assert_eq!(bench.core.holder(plan), Some(&worker("two")), "what is not held is not given back");
    assert_eq!(bench.core.renew(&worker("one"), lease, bench.now), Vec::<PlanId>::new());
    bench.core.commit(&change, Some(&new.fence)).unwrap();
}

fn filter(limit: u32) -> PlanFilter {
    PlanFilter {
        visibility: Visibility::Tenant(TenantId::DEFAULT),
        status: None,
        text: None,
        before: None,
        limit,
    }
}

async fn create(store: &MemoryStore, plan: &NewPlan, status: PlanStatus) -> Result<PlanState> {
    let opening = opening::open(plan.clone(), status, 0, None, NOON)?;
    Ok(store.create(&opening, plan.idempotency.as_ref()).await?.state)
}

#[tokio::test]
async fn plans_are_listed_in_pages_newest_first_and_filtered() {
    let store = MemoryStore::new(|| NOON);
    for n in 0..5 {
        let plan = NewPlan {
            owner: Owner::in_default_tenant(UserId(n % 2)),
            goal: format!("Goal {n}"),
            ..new_plan(vec![scan(&[])])
        };
        let status = if n < 2 { PlanStatus::Created } else { PlanStatus::Running };
        create(&store, &plan, status).await.unwrap();
    }
    let goals = |page: &agent_core::ports::PlanPage| -> Vec<String> {
        page.plans.iter().map(|summary| summary.plan.goal.clone()).collect()
    };
    let first = store.list(&filter(2)).await.unwrap();
    assert_eq!(
        (goals(&first), first.total, first.plans[0].tasks),
        (vec!["Goal 4".into(), "Goal 3".into()], 5, 1)
    );
    let rest = store.list(&PlanFilter { before: first.next, ..filter(3) }).await.unwrap();
    assert_eq!((goals(&rest).len(), rest.total, rest.next), (3, 5, None));
    let owned =
        PlanFilter { visibility: Visibility::Owner(Owner::in_default_tenant(UserId(1))), ..filter(9) };
    assert_eq!(goals(&store.list(&owned).await.unwrap()), ["Goal 3", "Goal 1"]);
    let waiting = PlanFilter { status: Some(PlanStatus::Created), text: Some("gOAL".into()), ..filter(9) };
    assert_eq!(goals(&store.list(&waiting).await.unwrap()), ["Goal 1", "Goal 0"]);
    assert_eq!(store.counts(Visibility::Owner(Owner::in_default_tenant(UserId(0)))).await.unwrap().total, 3);
}

#[derive(Default)]
struct Ear(Mutex<Vec<Event>>);

impl CommitListener for Ear {
    fn committed(&self, events: &[Event]) {
        self.0.lock().unwrap().extend_from_slice(events);
    }
}

#[tokio::test]
async fn a_listener_hears_what_the_log_says() {
    let ear = Arc::new(Ear::default());
    let store = MemoryStore::with_listener(|| NOON, Arc::<Ear>::clone(&ear) as Arc<dyn CommitListener>);
    let mine = create(&store, &with_key("a"), PlanStatus::Running).await.unwrap().plan.id;
    create(&store, &with_key("a"), PlanStatus::Running).await.unwrap();
    let theirs = NewPlan { owner: Owner::in_default_tenant(UserId(2)), ..new_plan(vec![scan(&[])]) };
    create(&store, &theirs, PlanStatus::Running).await.unwrap();
    let message = |owner| NewMessage {
        owner,
        role: "user".into(),
        content: "Hello".into(),
        plan_id: Some(mine),
        idempotency: None,
    };
    store.add(&message(Owner::in_default_tenant(UserId(1))), NOON).await.unwrap();
    assert!(
        matches!(store.add(&message(Owner::in_default_tenant(UserId(2))), NOON).await, Err(Error::PlanNotFound(plan)) if plan == mine)
    );
    let all = store.read(Topic::Everything, 0, 9).await.unwrap();
    assert_eq!(*ear.0.lock().unwrap(), all, "a plan that is found again is not told of again");
    let cursors =
        |events: Vec<Event>| events.iter().map(|event| (event.seq, event.cursor)).collect::<Vec<_>>();
    assert_eq!(cursors(all), [(1, 1), (1, 2), (2, 3)]);
    assert_eq!(
        cursors(store.read(Topic::Owner(Owner::in_default_tenant(UserId(1))), 1, 9).await.unwrap()),
        [(2, 3)]
    );
    assert_eq!(cursors(store.read(Topic::Plan(TenantId::DEFAULT, mine), 0, 1).await.unwrap()), [(1, 1)]);
    let heads = [
        Topic::Plan(TenantId::DEFAULT, mine),
        Topic::Owner(Owner::in_default_tenant(UserId(2))),
        Topic::Everything,
        Topic::Plan(TenantId::DEFAULT, PlanId(99)),
    ];
    let mut found = Vec::new();
    for topic in heads {
        found.push(store.head(topic).await.unwrap());
    }
    assert_eq!(found, [2, 2, 3, 0]);
}

#[tokio::test]
async fn a_journal_refuses_whoever_does_not_hold_the_plan() {
    use agent_core::model::Usage;
    use agent_core::ports::{Journal, StepIntent, StepKey, StepKind, StepResult, StepStatus, Told};
    use agent_core::tool::EffectClass;
    use serde_json::Value;
    let store = MemoryStore::new(|| NOON);
    let state = create(&store, &new_plan(vec![scan(&[])]), PlanStatus::Running).await.unwrap();
    let claim = store.claim(&WorkerId("one".into()), DAY, None).await.unwrap().unwrap();
    let key = StepKey { plan_id: state.plan.id, task_id: state.tasks[0].id, attempt: 1, position: 1 };
    let (kind, effect) = (StepKind::Tool, EffectClass::Pure);
    let intent = StepIntent { kind, name: "look".into(), effect, input: Value::Null, prepared: Value::Null };
    let result = StepResult { status: StepStatus::Ok, output: Value::Null, usage: Usage::default() };
    let stranger = Fence { generation: Generation(9), ..claim.fence.clone() };
    let refused = store.begin(key, &intent, Vec::new(), NOON, &stranger, None).await;
    assert!(matches!(refused, Err(Error::LeaseLost(_))));
    let early = store.finish(key, &result, Told::default(), NOON, &claim.fence).await;
    assert!(matches!(early, Err(Error::Damaged(_))), "nothing that never began can end");
    store.begin(key, &intent, Vec::new(), NOON, &claim.fence, None).await.unwrap();
    assert!(matches!(
        store.begin(key, &intent, Vec::new(), NOON, &claim.fence, None).await,
        Err(Error::Damaged(_))
    ));
    for _ in 0..2 {
        store.finish(key, &result, Told::default(), NOON, &claim.fence).await.unwrap();
    }
    assert_eq!(store.recorded(&state.plan, key.task_id, 1).await.unwrap()[0].result, Some(result));
}

#[tokio::test]
async fn tenants_are_invisible_to_each_other() {
    let store = MemoryStore::new(|| NOON);
    // The same person with the same key, so that nothing but the tenant tells the plans apart.
    let owners = [1, 2].map(|tenant| Owner { tenant: TenantId(tenant), user: UserId(1) });
    let mut plans = Vec::new();
    for owner in owners {
        let plan = NewPlan { owner, ..with_key("a") };
        plans.push(create(&store, &plan, PlanStatus::Running).await.unwrap().plan.id);
    }
    for (owner, own, other) in [(owners[0], plans[0], plans[1]), (owners[1], plans[1], plans[0])] {
        let tenant = owner.tenant;
        for visibility in [Visibility::Tenant(tenant), Visibility::Owner(owner)] {
            assert_eq!(store.load(Some(visibility), own).await.unwrap().plan.owner, owner);
            let hidden = store.load(Some(visibility), other).await;
            assert!(matches!(hidden, Err(Error::PlanNotFound(plan)) if plan == other), "{hidden:?}");
            let page = store.list(&PlanFilter { visibility, ..filter(9) }).await.unwrap();
            let listed: Vec<_> = page.plans.iter().map(|summary| summary.plan.id).collect();
            assert_eq!((listed, page.total), (vec![own], 1));
            assert_eq!(store.counts(visibility).await.unwrap().total, 1);
        }
        for topic in [Topic::Plan(tenant, own), Topic::Owner(owner), Topic::Tenant(tenant)] {
            let told = store.read(topic, 0, 9).await.unwrap();
            assert!(!told.is_empty() && told.iter().all(|event| event.plan_id == own), "{told:?}");
        }
        assert_eq!(store.read(Topic::Plan(tenant, other), 0, 9).await.unwrap(), []);
        assert_eq!(store.head(Topic::Plan(tenant, other)).await.unwrap(), 0);
    }
}

//! Figures: attempts are counted once, whoever counts, and what is counted is kept.

use super::World;
use crate::realm::Realm;
use crate::world::{at, change};
use agent_analytics::ports::{AnalyticsStore, AttemptsOf, Wanted};
use agent_analytics::{Analytics, Dimension, Overview, Rollups};
use agent_core::ids::TenantId;
use agent_core::plan::{PlanState, TaskStatus};
use agent_core::ports::{AttemptChange, Clock, PlanStore};
use agent_core::pricing::{Price, PriceList};
use agent_core::time::Timestamp;
use agent_store::Store;
use std::sync::Arc;

struct AtTheEnd;

impl Clock for AtTheEnd {
    fn now(&self) -> Timestamp {
        at(1_000)
    }
}

fn analytics(store: &Store) -> Analytics {
    let prices = PriceList::default().with("large", Price { input: 1.0, output: 1.0 });
    Analytics::new(Arc::new(store.clone()), Arc::new(AtTheEnd), prices)
}

async fn executions(store: &Store, tenant: TenantId) -> u64 {
    analytics(store).summary(tenant).await.unwrap().total_executions
}

/// Begins an attempt and ends it, at the given instants.
async fn attempt(world: &World, state: &PlanState, n: u32, status: TaskStatus, instants: (i64, i64)) {
    for (status, instant) in [(TaskStatus::Running, instants.0), (status, instants.1)] {
        let mut next = change(&world.store.load(None, state.plan.id).await.unwrap());
        let error = (status == TaskStatus::Failed).then(|| "exit code 1".to_owned());
        let task_id = state.tasks[0].id;
        next.attempts = vec![AttemptChange {
            task_id,
            attempt: n,
            status,
            started_at: at(instants.0),
            error,
            result_length: 8,
            journaled: true,
        }];
        next.at = at(instant);
        world.store.commit(&next, None).await.unwrap();
    }
}

#[tokio::test]
async fn figures_rest_on_attempts_that_completed_or_failed() {
    let Some(world) = World::new().await else { return };
    let (one, two) = (world.plan(1).await, world.plan(1).await);
    attempt(&world, &one, 1, TaskStatus::Failed, (10, 20)).await;
    attempt(&world, &one, 2, TaskStatus::Completed, (30, 50)).await;
    attempt(&world, &two, 1, TaskStatus::Cancelled, (11, 21)).await;
    attempt(&world, &two, 2, TaskStatus::Completed, (12, 40)).await;
    attempt(&world, &two, 3, TaskStatus::Running, (60, 61)).await;
    let figures: &dyn AnalyticsStore = &world.store;
    let snapshot = figures.snapshot(TenantId::DEFAULT, 100, &Wanted::Nothing).await.unwrap();
    let all = snapshot.batch.attempts;
    let ended: Vec<_> = all.iter().map(|record| (record.finished_at, record.succeeded)).collect();
    assert_eq!(ended, [(at(20), false), (at(50), true), (at(40), true)], "as they were recorded");
    assert_eq!((all[0].description.as_str(), all[0].error.as_deref()), ("task 1", Some("exit code 1")));
    assert_eq!((all[0].started_at, all[0].result_length, all[0].attempt), (at(10), 8, 1));
    let of_plan = figures.attempts_of(TenantId::DEFAULT, AttemptsOf::Plan(two.plan.id)).await.unwrap();
    assert_eq!(of_plan, all[2..]);
    let of_task = figures.attempts_of(TenantId::DEFAULT, AttemptsOf::Task(one.tasks[0].id)).await.unwrap();
    assert_eq!(of_task, all[..2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_counts_at_the_same_time_counts_each_attempt_once() {
    const PLANS: usize = 4;
    const EACH: u32 = 12;
    let Some(world) = World::new().await else { return };
    let stores = [world.store.clone(), world.another(), world.another()];
    let mut working = Vec::new();
    let world = Arc::new(world);
    for _ in 0..PLANS {
        let (world, plan) = (Arc::clone(&world), world.plan(1).await);
        working.push(tokio::spawn(async move {
            for n in 1..=EACH {
                let status = if n % 3 == 0 { TaskStatus::Failed } else { TaskStatus::Completed };
                attempt(&world, &plan, n, status, (i64::from(n), i64::from(n) + 2)).await;
            }
        }));
    }
    let counting = stores.clone().map(|store| {
        tokio::spawn(async move {
            let mut counted = 0;
            for _ in 0..20 {
                counted += analytics(&store).roll_up().await.unwrap();
                tokio::task::yield_now().await;
            }
            counted
        })
    });
    for work in working {
        work.await.unwrap();
    }
    let mut counted = 0;
    for counts in counting {
        counted += counts.await.unwrap();
    }
    counted += analytics(&stores[1]).roll_up().await.unwrap();
    assert_eq!(counted, PLANS as u64 * u64::from(EACH), "counted by somebody, and by one alone");
    assert_eq!(stores[2].behind().await.unwrap(), []);
    let summary = analytics(&stores[2]).summary(TenantId::DEFAULT).await.unwrap();
    assert_eq!((summary.total_executions, summary.tasks_analyzed), (48, 4));
    assert!((summary.average_success_rate - 200.0 / 3.0).abs() < 1e-9);
    assert!(!summary.performance_report.is_behind);
    let of_day = world.store.snapshot(TenantId::DEFAULT, 1, &from_the_beginning()).await.unwrap().rollups;
    let (hours, days): (Vec<_>, Vec<_>) =
        of_day.iter().partition(|(key, _)| key.dimension == Dimension::Hour);
    for periods in [hours, days] {
        assert_eq!(periods.iter().map(|(_, figures)| figures.executions).sum::<u64>(), 48);
    }
}

fn from_the_beginning() -> Wanted {
    Wanted::From(vec![(Dimension::Hour, String::new()), (Dimension::Day, String::new())])
}

#[tokio::test]
async fn what_is_not_counted_yet_is_in_the_answer_all_the_same() {
    let Some(world) = World::new().await else { return };
    let plan = world.plan(1).await;
    attempt(&world, &plan, 1, TaskStatus::Failed, (10, 20)).await;
    assert_eq!(executions(&world.store, TenantId::DEFAULT).await, 1);
    assert_eq!(analytics(&world.store).roll_up().await.unwrap(), 1);
    attempt(&world, &plan, 2, TaskStatus::Completed, (30, 50)).await;
    let summary = analytics(&world.store).summary(TenantId::DEFAULT).await.unwrap();
    assert_eq!((summary.total_executions, summary.tasks_analyzed), (2, 1));
    assert_eq!(summary.average_success_rate, 50.0, "the task that was counted is tried again");
    assert_eq!(analytics(&world.another()).roll_up().await.unwrap(), 1);
    assert_eq!(analytics(&world.store).summary(TenantId::DEFAULT).await.unwrap().average_success_rate, 50.0);
}

#[tokio::test]
async fn a_count_that_comes_late_changes_nothing() {
    let Some(world) = World::new().await else { return };
    let plan = world.plan(1).await;
    attempt(&world, &plan, 1, TaskStatus::Completed, (10, 20)).await;
    let late = world.store.snapshot(TenantId::DEFAULT, 10, &Wanted::Touched).await.unwrap();
    analytics(&world.store).roll_up().await.unwrap();
    let kept = world.store.snapshot(TenantId::DEFAULT, 10, &Wanted::Touched).await.unwrap();
    let (cursor, nothing) = (late.overview.cursor, (Overview::default(), Rollups::new()));
    assert!(!world.store.keep_sums(TenantId::DEFAULT, cursor, &nothing.0, &nothing.1).await.unwrap());
    assert_eq!(world.store.snapshot(TenantId::DEFAULT, 10, &Wanted::Touched).await.unwrap(), kept);
}

#[tokio::test]
async fn each_tenant_has_its_own_sums_by_user_and_by_model() {
    let Some(world) = World::new().await else { return };
    let [mine, theirs] = Realm::pair(&world).await;
    for (of, other) in [(&mine, &theirs), (&theirs, &mine)] {
        let tenant = of.owner.tenant;
        let page = |dimension| {
            let analytics = analytics(&world.store);
            async move { analytics.by(tenant, dimension, None, 10).await.unwrap() }
        };
        let users = page(Dimension::User).await;
        assert_eq!(users.subjects[0].subject, of.owner.user.to_string());
        assert_eq!((users.total, users.subjects.len()), (1, 1), "nobody of {}", other.owner.tenant);
        let models = page(Dimension::Model).await;
        let large = &models.subjects[0];
        assert_eq!((large.subject.as_str(), large.figures.tokens), ("large", 10));
        assert!((large.figures.cost - 0.000_01).abs() < 1e-12, "{}", large.figures.cost);
        assert_eq!(page(Dimension::Template).await.subjects, []);
        assert_eq!(executions(&world.store, tenant).await, 1);
    }
}

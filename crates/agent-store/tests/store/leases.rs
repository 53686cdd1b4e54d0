//! Who may execute a plan.

use super::World;
use crate::world::{at, change, make, new_plan};
use agent_core::Error;
use agent_core::ids::{PlanId, TenantId, WorkerId};
use agent_core::plan::PlanStatus;
use agent_core::ports::{PlanStore, Visibility};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(20);

fn worker(name: &str) -> WorkerId {
    WorkerId(name.into())
}

async fn plan_in(world: &World, status: PlanStatus) -> PlanId {
    make(&world.store, &new_plan(world.owner, 1), status, at(0)).await.unwrap().plan.id
}

#[tokio::test]
async fn only_a_live_plan_can_be_claimed() {
    let Some(world) = World::new().await else { return };
    for status in PlanStatus::ALL {
        let id = plan_in(&world, *status).await;
        let claim = world.store.claim(&worker("w"), LONG, Some(id)).await.unwrap();
        assert_eq!(claim.is_some(), status.is_live(), "{status}");
    }
}

#[tokio::test]
async fn a_held_plan_goes_to_nobody_else_and_each_free_one_to_one_worker() {
    let Some(world) = World::new().await else { return };
    let first = plan_in(&world, PlanStatus::Running).await;
    let second = plan_in(&world, PlanStatus::Planning).await;
    let one = world.store.claim(&worker("a"), LONG, None).await.unwrap().unwrap();
    assert_eq!((one.state.plan.id, one.fence.generation.get(), one.recovered), (first, 1, false));
    assert_eq!(one.state, world.store.load(None, first).await.unwrap());
    assert!(world.store.claim(&worker("b"), LONG, Some(first)).await.unwrap().is_none());
    let two = world.store.claim(&worker("a"), LONG, None).await.unwrap().unwrap();
    assert_eq!(two.state.plan.id, second);
    assert!(world.store.claim(&worker("a"), LONG, None).await.unwrap().is_none());
}

#[tokio::test]
async fn a_released_plan_is_free_at_once_and_was_not_abandoned() {
    let Some(world) = World::new().await else { return };
    let (state, fence) = world.held("a").await;
    world.store.release(state.plan.id, &fence).await.unwrap();
    let next = world.store.claim(&worker("b"), LONG, None).await.unwrap().unwrap();
    assert!(!next.recovered);
    assert_eq!(next.fence.generation.get(), fence.generation.get() + 1);
    // A late release of the former holder does not take it away.
    world.store.release(state.plan.id, &fence).await.unwrap();
    assert!(world.store.claim(&worker("c"), LONG, None).await.unwrap().is_none());
}

#[tokio::test]
async fn a_lease_that_ran_out_passes_on_and_fences_the_former_holder() {
    let Some(world) = World::new().await else { return };
    let id = plan_in(&world, PlanStatus::Running).await;
    let lost = world.store.claim(&worker("a"), SHORT, Some(id)).await.unwrap().unwrap();
    let taken = loop {
        if let Some(claim) = world.store.claim(&worker("b"), LONG, None).await.unwrap() {
            break claim;
        }
    };
    assert!(taken.recovered);
    assert_eq!(taken.fence.generation.get(), 2);
    let error = world.store.commit(&change(&lost.state), Some(&lost.fence)).await.unwrap_err();
    assert!(matches!(error, Error::LeaseLost(lost) if lost == id));
    assert_eq!(world.store.renew(&worker("a"), LONG).await.unwrap(), []);
    world.store.commit(&change(&taken.state), Some(&taken.fence)).await.unwrap();
}

#[tokio::test]
async fn a_renewed_lease_outlives_its_first_end() {
    let Some(world) = World::new().await else { return };
    let (mine, other) =
        (plan_in(&world, PlanStatus::Running).await, plan_in(&world, PlanStatus::Paused).await);
    world.store.claim(&worker("a"), SHORT, Some(mine)).await.unwrap().unwrap();
    world.store.claim(&worker("b"), SHORT, Some(other)).await.unwrap().unwrap();
    assert_eq!(world.store.renew(&worker("a"), LONG).await.unwrap(), [mine]);
    // Once the unrenewed lease is over, so would the other have been.
    while world.store.claim(&worker("c"), LONG, Some(other)).await.unwrap().is_none() {}
    assert!(world.store.claim(&worker("c"), LONG, Some(mine)).await.unwrap().is_none());
}

#[tokio::test]
async fn a_worker_may_take_its_own_plan_again_by_name_and_fences_its_former_self() {
    let Some(world) = World::new().await else { return };
    let (state, fence) = world.held("a").await;
    let again = world.store.claim(&worker("a"), LONG, Some(state.plan.id)).await.unwrap().unwrap();
    assert!(again.recovered);
    let error = world.store.commit(&change(&state), Some(&fence)).await.unwrap_err();
    assert!(matches!(error, Error::LeaseLost(_)));
    world.store.commit(&change(&state), Some(&again.fence)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_workers_of_two_processes_share_plans_without_overlap() {
    use agent_core::ports::{PlanFilter, PlanReader};
    let Some(world) = World::new().await else { return };
    let second = world.another();
    for _ in 0..40 {
        plan_in(&world, PlanStatus::Running).await;
    }
    let workers: Vec<_> = (0..20)
        .map(|n| {
            let store = if n % 2 == 0 { world.store.clone() } else { second.clone() };
            tokio::spawn(async move {
                let mut taken = Vec::new();
                while let Some(claim) = store.claim(&worker(&format!("w{n}")), LONG, None).await.unwrap() {
                    taken.push(claim.state.plan.id);
                }
                taken
            })
        })
        .collect();
    let mut taken = Vec::new();
    for worker in workers {
        taken.extend(worker.await.unwrap());
    }
    taken.sort_unstable();
    let filter = PlanFilter {
        visibility: Visibility::Tenant(TenantId::DEFAULT),
        status: None,
        text: None,
        before: None,
        limit: 100,
    };
    let mut all: Vec<PlanId> =
        world.store.list(&filter).await.unwrap().plans.iter().map(|summary| summary.plan.id).collect();
    all.sort_unstable();
    assert_eq!(taken, all);
}

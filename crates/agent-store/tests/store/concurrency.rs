//! Many writers at once: group commit, isolation, several processes.

use super::World;
use crate::world::{at, change, make, new_plan, numbers, progress, user};
use agent_core::Error;
use agent_core::event::Topic;
use agent_core::ids::{PlanId, TaskId, TenantId};
use agent_core::plan::{PlanState, PlanStatus};
use agent_core::ports::{EventLog, PlanStore};
use agent_store::Store;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

/// Commits an event to a plan until it succeeds, however often another writer was faster; counts the tries.
async fn tell(store: &Store, plan: PlanId, message: String) -> u64 {
    for tries in 1.. {
        let mut next = change(&store.load(None, plan).await.unwrap());
        next.events = vec![progress(message.clone())];
        match store.commit(&next, None).await {
            Ok(_) => return tries,
            Err(Error::Conflict { .. }) => {}
            Err(error) => panic!("{error:?}: {:?}", std::error::Error::source(&error)),
        }
    }
    unreachable!()
}

async fn plans(world: &World, count: usize) -> Vec<PlanState> {
    let mut made = Vec::new();
    for _ in 0..count {
        made.push(world.plan(1).await);
    }
    made
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_writers_yield_dense_numbers_and_share_commits() {
    const EACH: i64 = 25;
    let Some(world) = World::new().await else { return };
    let plans = Arc::new(plans(&world, 4).await);
    let before = world.store.statistics();
    let writers: Vec<_> = (0..16_usize)
        .map(|writer| {
            let (store, plans) = (world.store.clone(), Arc::clone(&plans));
            tokio::spawn(async move {
                let mut tries = 0;
                for n in 0..EACH {
                    let plan = plans[writer % plans.len()].plan.id;
                    tries += tell(&store, plan, format!("{writer}/{n}")).await;
                }
                tries
            })
        })
        .collect();
    let mut tries = 0;
    for writer in writers {
        tries += writer.await.unwrap();
    }
    let told = world.told.events();
    for state in plans.iter() {
        let all = EventLog::read(&world.store, Topic::Plan(TenantId::DEFAULT, state.plan.id), 0, 1_000)
            .await
            .unwrap();
        assert_eq!(numbers(&all, state.plan.id), (1..=1 + 4 * EACH).collect::<Vec<_>>());
        assert_eq!(numbers(&told, state.plan.id), numbers(&all, state.plan.id), "told in another order");
    }
    let after = world.store.statistics();
    let (jobs, commits) = (after.jobs - before.jobs, after.commits - before.commits);
    assert_eq!(jobs, tries);
    assert!(commits < jobs, "{jobs} transactions took {commits} commits");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_transaction_does_not_hurt_those_it_shares_a_commit_with() {
    let Some(world) = World::new().await else { return };
    let plans = plans(&world, 200).await;
    let before = world.store.statistics();
    let requests = plans.iter().enumerate().map(|(n, state)| {
        let store = world.store.clone();
        let mut next = change(state);
        next.plan.summary = Some("changed".into());
        next.events = vec![progress("changed")];
        // Every third names a task that does not exist, and fails after it has changed the plan.
        if n % 3 == 0 {
            next.tasks = state.tasks.clone();
            next.tasks[0].id = TaskId(1_000_000);
        }
        tokio::spawn(async move { store.commit(&next, None).await })
    });
    let requests: Vec<_> = requests.collect();
    for (n, (request, state)) in requests.into_iter().zip(&plans).enumerate() {
        let committed = request.await.unwrap();
        let found = world.store.load(None, state.plan.id).await.unwrap();
        if n % 3 == 0 {
            assert!(matches!(committed, Err(Error::TaskNotFound { .. })), "{committed:?}");
            assert_eq!(found, *state);
        } else {
            assert_eq!(numbers(&committed.unwrap().events, state.plan.id), [2]);
            assert_eq!(found.plan.summary.as_deref(), Some("changed"));
        }
    }
    let told = world.told.events().len();
    assert_eq!(EventLog::read(&world.store, Topic::Everything, 0, 1_000).await.unwrap().len(), told);
    let after = world.store.statistics();
    assert!(after.commits - before.commits < 133, "{before:?} {after:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_stores_on_one_file_both_write_and_nobody_sees_a_lock() {
    let Some(world) = World::new().await else { return };
    let second = world.another();
    let shared = world.plan(1).await.plan.id;
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let store = if writer % 2 == 0 { world.store.clone() } else { second.clone() };
            let owner = world.owner;
            tokio::spawn(async move {
                for n in 0..10 {
                    tell(&store, shared, format!("{writer}/{n}")).await;
                    make(&store, &new_plan(owner, 1), PlanStatus::Created, at(n)).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    for store in [&world.store, &second] {
        let all = EventLog::read(store, Topic::Plan(TenantId::DEFAULT, shared), 0, 1_000).await.unwrap();
        assert_eq!(numbers(&all, shared), (1..=81).collect::<Vec<_>>());
        assert_eq!(EventLog::read(store, Topic::Everything, 0, 1_000).await.unwrap().len(), 81 + 80);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_reads_everything_while_two_stores_write_skips_nothing() {
    const EACH: i64 = 40;
    let Some(world) = World::new().await else { return };
    let second = world.another();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let store = if writer % 2 == 0 { world.store.clone() } else { second.clone() };
            let owner = world.owner;
            tokio::spawn(async move {
                for n in 0..EACH {
                    make(&store, &new_plan(owner, 1), PlanStatus::Created, at(n)).await.unwrap();
                }
            })
        })
        .collect();
    // A position that was passed is never come back to: what became visible behind it would be lost.
    let (mut read, mut after) = (Vec::new(), 0);
    while read.len() < 4 * EACH as usize {
        let page = EventLog::read(&second, Topic::Everything, after, 7).await.unwrap();
        after = page.last().map_or(after, |event| event.cursor);
        read.extend(page);
        if writers.iter().all(tokio::task::JoinHandle::is_finished) {
            let rest = EventLog::read(&second, Topic::Everything, after, 1_000).await.unwrap();
            read.extend(rest);
            break;
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(read, EventLog::read(&world.store, Topic::Everything, 0, 1_000).await.unwrap());
}

#[tokio::test]
async fn a_caller_that_stops_waiting_does_not_stop_the_writer() {
    let Some(world) = World::new().await else { return };
    let state = world.plan(1).await;
    let store = world.store.clone();
    let mut next = change(&state);
    next.plan.summary = Some("written anyway".into());
    let write = tokio::spawn(async move { store.commit(&next, None).await });
    tokio::task::yield_now().await;
    write.abort();
    // The writer takes what it is given in order, so after this the aborted one is through.
    user(&world.store, "eve").await;
    let found = world.store.load(None, state.plan.id).await.unwrap();
    assert_eq!(found.plan.summary.as_deref(), Some("written anyway"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_that_are_not_asked_again_keep_no_others_waiting() {
    const READERS: usize = 64;
    let Some(world) = World::new().await else { return };
    let topic = Topic::Plan(TenantId::DEFAULT, world.plan(1).await.plan.id);
    let mut left_alone: Vec<_> = (0..READERS).map(|_| EventLog::read(&world.store, topic, 0, 10)).collect();
    for reader in &mut left_alone {
        let mut context = Context::from_waker(Waker::noop());
        assert!(reader.as_mut().poll(&mut context).is_pending());
    }
    let read = tokio::time::timeout(PATIENCE, EventLog::read(&world.store, topic, 0, 10)).await;
    assert_eq!(read.expect("an answer in time").unwrap().len(), 1);
    for reader in left_alone {
        assert_eq!(reader.await.unwrap().len(), 1);
    }
}

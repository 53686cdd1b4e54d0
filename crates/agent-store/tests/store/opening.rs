//! Opening and closing.

use super::World;
use crate::world::{at, change, make, open, progress};
use agent_core::event::Topic;
use agent_core::ids::TenantId;
use agent_core::plan::PlanStatus;
use agent_core::ports::{EventLog, PlanReader, PlanStore, Visibility};
use agent_store::Error;
use std::error::Error as _;

#[tokio::test]
async fn a_reopened_store_holds_everything_that_was_acknowledged() {
    let Some(world) = World::new().await else { return };
    let state = world.plan(3).await;
    let mut next = change(&state);
    next.events = vec![progress("one"), progress("two")];
    world.store.commit(&next, None).await.unwrap();
    // The first is still open, as after a crash: nothing was moved out of the write-ahead log.
    let second = world.another();
    let found = second.load(None, state.plan.id).await.unwrap();
    assert_eq!((found.plan, found.tasks), (next.plan, state.tasks));
    let events =
        EventLog::read(&second, Topic::Plan(TenantId::DEFAULT, state.plan.id), 0, 100).await.unwrap();
    assert_eq!(events, world.told.events());
}

#[tokio::test]
async fn whoever_opens_a_database_finds_the_same_name_for_it_and_another_has_another() {
    let Some(world) = World::new().await else { return };
    let Some(stranger) = World::new().await else { return };
    let name = world.store.identity().await.unwrap();
    assert!(name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
    assert_eq!(world.another().identity().await.unwrap(), name);
    assert_ne!(stranger.store.identity().await.unwrap(), name);
}

#[tokio::test]
async fn what_waits_when_the_last_store_is_dropped_is_still_written() {
    let Some(world) = World::new().await else { return };
    let (second, owner) = (world.another(), world.owner);
    let writes: Vec<_> = (0..50)
        .map(|_| {
            let store = second.clone();
            let plan = crate::world::new_plan(owner, 1);
            tokio::spawn(async move { make(&store, &plan, PlanStatus::Created, at(0)).await })
        })
        .collect();
    // All of them have been handed to the writer after this turn; then nobody waits and no store is left.
    tokio::task::yield_now().await;
    for write in writes {
        write.abort();
    }
    drop(second);
    while world.store.counts(Visibility::Tenant(TenantId::DEFAULT)).await.unwrap().total < 50 {}
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused_and_left_alone() {
    let Some(world) = World::new().await else { return };
    world.store.close().await.unwrap();
    world.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')");
    let error = open(&world.url()).err().unwrap();
    assert!(matches!(&error, Error::NewerDatabase(version) if version == "29990101000000"), "{error}");
}

#[tokio::test]
async fn closing_refuses_later_writes_and_reading_goes_on() {
    let Some(world) = World::new().await else { return };
    let state = world.plan(1).await;
    world.store.close().await.unwrap();
    let refused = world.store.commit(&change(&state), None).await.unwrap_err();
    assert_eq!(refused.source().unwrap().to_string(), "the store is closed; open it again");
    assert_eq!(world.store.load(None, state.plan.id).await.unwrap(), state);
}

#[tokio::test]
async fn programs_that_open_a_new_database_at_once_all_succeed() {
    let Some(url) = World::empty() else { return };
    let openings: Vec<_> = (0..8)
        .map(|_| {
            let url = url.url();
            std::thread::spawn(move || open(&url).map(drop))
        })
        .collect();
    for opening in openings {
        opening.join().unwrap().unwrap();
    }
}

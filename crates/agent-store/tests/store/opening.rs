//! Opening and closing.

use crate::world::{Recorder, World, at, change, make, progress};
use agent_core::event::Topic;
use agent_core::plan::PlanStatus;
use agent_core::ports::{EventLog, PlanReader, PlanStore, Visibility};
use agent_store::{Error, Store};
use diesel::connection::SimpleConnection;
use std::error::Error as _;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

fn open(url: &str) -> Result<Store, Error> {
    Store::open(url, Arc::new(Recorder::default()))
}

#[tokio::test]
async fn a_reopened_store_holds_everything_that_was_acknowledged() {
    let world = World::new().await;
    let state = world.plan(3).await;
    let mut next = change(&state);
    next.events = vec![progress("one"), progress("two")];
    world.store.commit(&next, None).await.unwrap();
    // The first is still open, as after a crash: nothing was moved out of the write-ahead log.
    let second = world.another();
    let found = second.load(state.plan.id).await.unwrap();
    assert_eq!((found.plan, found.tasks), (next.plan, state.tasks));
    let events = EventLog::read(&second, Topic::Plan(state.plan.id), 0, 100).await.unwrap();
    assert_eq!(events, world.told.events());
}

#[tokio::test]
async fn closing_empties_the_log_and_refuses_later_writes() {
    let world = World::new().await;
    let state = world.plan(1).await;
    world.store.close().await.unwrap();
    let log = world.path().with_file_name("agent.db-wal");
    assert_eq!(std::fs::metadata(log).map_or(0, |file| file.len()), 0);
    let refused = world.store.commit(&change(&state), None).await.unwrap_err();
    assert_eq!(refused.source().unwrap().to_string(), "the store is closed; open it again");
    assert_eq!(world.store.load(state.plan.id).await.unwrap(), state);
}

#[tokio::test]
async fn what_waits_when_the_last_store_is_dropped_is_still_written() {
    let world = World::new().await;
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
    while world.store.counts(Visibility::Everything).await.unwrap().total < 50 {}
}

#[tokio::test]
async fn the_file_is_private_and_so_are_its_companions() {
    let world = World::new().await;
    for name in ["agent.db", "agent.db-wal", "agent.db-shm"] {
        let file = std::fs::metadata(world.path().with_file_name(name)).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_missing_folder_is_named_and_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let error = open(&format!("sqlite://{}/agent.db", missing.display())).err().unwrap();
    assert!(matches!(&error, Error::MissingFolder(path) if *path == missing), "{error}");
    assert!(!missing.exists());
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "these are my notes, and nobody shall overwrite them\n".repeat(100)).unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = open(&format!("sqlite://{}", path.display())).err().unwrap();
    assert!(matches!(error, Error::Connect { .. }), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn postgresql_is_declined_in_so_many_words() {
    let error = open("postgres://agent:secret@localhost/agent").err().unwrap();
    assert!(matches!(error, Error::Unsupported(_)));
    assert!(!error.to_string().contains("secret"));
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused_and_left_alone() {
    let world = World::new().await;
    world.store.close().await.unwrap();
    world
        .connection()
        .batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')")
        .unwrap();
    let error = open(&world.url()).err().unwrap();
    assert!(matches!(&error, Error::NewerDatabase(version) if version == "29990101000000"), "{error}");
}

#[test]
fn two_programs_that_open_a_new_file_at_once_both_succeed() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("agent.db").display());
    let openings: Vec<_> = (0..8)
        .map(|_| {
            let url = url.clone();
            std::thread::spawn(move || open(&url).map(drop))
        })
        .collect();
    for opening in openings {
        opening.join().unwrap().unwrap();
    }
}

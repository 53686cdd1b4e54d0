//! Files, which only SQLite has.

use super::World;
use crate::world::open;
use agent_core::ports::{PlanReader, Visibility};
use agent_store::Error;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

#[tokio::test]
async fn closing_empties_the_log() {
    let Some(world) = World::new().await else { return };
    world.plan(1).await;
    world.store.close().await.unwrap();
    let log = world.path().with_file_name("agent.db-wal");
    assert_eq!(std::fs::metadata(log).map_or(0, |file| file.len()), 0);
}

#[tokio::test]
async fn the_file_is_private_and_so_are_its_companions() {
    let Some(world) = World::new().await else { return };
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

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "another program is what is tested")]
async fn what_another_process_commits_is_seen_at_once() {
    const RAISES_THE_REVISION: &str = "\
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as database:
    database.execute('UPDATE plans SET revision = revision + 1')
";
    let Some(world) = World::new().await else { return };
    let plan = world.plan(1).await.plan.id;
    let revision = async || {
        let view = Visibility::Owner(world.owner);
        PlanReader::mark(&world.store, view, plan).await.unwrap().revision.0
    };
    let before = revision().await;
    for raised in 1..=20 {
        let status = Command::new("python3").args(["-c", RAISES_THE_REVISION]).arg(world.path()).status();
        assert!(status.unwrap().success());
        assert_eq!((revision().await, revision().await), (before + raised, before + raised));
    }
}

//! Empty files for tests that reach below the ports.

use super::{Conn, Sqlite};
use crate::database::Database as _;
use agent_core::ports::CommitListener;
use diesel::prelude::*;
use diesel::sql_types::Text;
use std::sync::Arc;
use tempfile::TempDir;

pub(crate) type Database = Sqlite;
pub(crate) type Engine = crate::store::Engine<Sqlite>;

/// A statement that succeeds, and makes the commit fail.
pub(crate) const FAILS_AT_THE_COMMIT: &str = "PRAGMA defer_foreign_keys = ON;\
    INSERT INTO refresh_tokens (token_hash, user_id, family, expires_at, revoked, tenant_id) \
    VALUES (x'00', 404, 'f', 0, 0, 1)";

fn empty() -> (TempDir, Sqlite) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.db");
    (folder, Sqlite::at(path))
}

pub(crate) fn open(listener: Arc<dyn CommitListener>) -> Option<(TempDir, Arc<Engine>)> {
    let (folder, database) = empty();
    Some((folder, Arc::new(Engine::open(database, listener).unwrap())))
}

pub(crate) fn connect() -> Option<(TempDir, Conn)> {
    let (folder, database) = empty();
    let conn = database.open_writer().unwrap();
    Some((folder, conn))
}

#[derive(QueryableByName)]
struct Definition {
    #[diesel(sql_type = Text)]
    sql: String,
}

/// Everything that is defined.
pub(crate) fn schema(conn: &mut Conn) -> Vec<String> {
    let rows: Vec<Definition> = diesel::sql_query(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY name",
    )
    .load(conn)
    .unwrap();
    rows.into_iter().map(|row| row.sql).collect()
}

//! SQLite: the connection, the queries compiled for it, and what only it does.

pub(crate) mod backup;
pub(crate) mod dialect;
mod wal_index;

pub(crate) use commit::apply;

use crate::database::{CommitWatch, Database, Ended, Scope};
use crate::error::Error;
use crate::migrate;
use agent_core::BoxError;
use diesel::connection::SimpleConnection;
use diesel::{Connection, QueryResult};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use std::path::PathBuf;
use wal_index::WalIndex;

/// The connection that queries run on.
pub(crate) type Conn = diesel::sqlite::SqliteConnection;
/// The backend that boxed queries are built for.
pub(crate) type Backend = diesel::sqlite::Sqlite;

pub(crate) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// One file.
pub(crate) struct Sqlite {
    path: PathBuf,
}

impl Sqlite {
    /// The file with this absolute path, which is there.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    fn open(&self, prepare: fn(&mut Conn) -> QueryResult<()>) -> Result<Conn, Error> {
        let unusable = |source: BoxError| Error::Connect { path: self.path.clone(), source };
        let address = self.path.to_str().ok_or_else(|| unusable("the path is not UTF-8".into()))?;
        let mut conn = Conn::establish(address).map_err(|error| unusable(Box::new(error)))?;
        prepare(&mut conn).map_err(|error| unusable(Box::new(error)))?;
        Ok(conn)
    }
}

impl Database for Sqlite {
    type Conn = Conn;

    // The write lock at once: no transaction finds out half-way that it must wait.
    const BEGIN_WRITING: &'static str = "BEGIN IMMEDIATE";
    const IS_NEAR: bool = true;
    const COMMIT: &'static str = "COMMIT";
    const BEGIN_READING: &'static str = "BEGIN";

    fn open_writer(&self) -> Result<Conn, Error> {
        self.open(dialect::prepare_writer)
    }

    fn open_reader(&self) -> Result<Conn, Error> {
        self.open(dialect::prepare_reader)
    }

    fn watch_commits(&self) -> Option<Box<dyn CommitWatch>> {
        WalIndex::open(&self.path).map(|index| Box::new(index) as Box<dyn CommitWatch>)
    }

    fn migrate(conn: &mut Conn) -> Result<(), Error> {
        // The write lock from the start: two programs that open the same new file must not both create its tables.
        let migrate = |conn: &mut Conn| -> Result<(), migrate::Stop> {
            migrate::bring_up_to_date(conn, MIGRATIONS)?;
            Ok(dialect::check_references(conn)?)
        };
        let migrated = dialect::without_references(conn, |conn| conn.immediate_transaction(migrate));
        migrated.map_err(Error::from)
    }

    fn roll_back(conn: &mut Conn) -> bool {
        // Where SQLite has rolled back by itself this fails, and nothing is open either way.
        drop(conn.batch_execute("ROLLBACK"));
        true
    }

    fn next_savepoint(conn: &mut Conn, last: Ended, _entering: Option<Scope>) -> QueryResult<()> {
        dialect::next_savepoint(conn, last)
    }

    fn tidy(conn: &mut Conn) -> QueryResult<()> {
        dialect::shorten_log(conn)
    }

    fn finish(conn: &mut Conn) -> QueryResult<()> {
        dialect::checkpoint(conn)
    }
}

#[path = "queries/analytics.rs"]
pub(crate) mod analytics;
#[path = "queries/api_keys.rs"]
pub(crate) mod api_keys;
#[path = "queries/approvals.rs"]
pub(crate) mod approvals;
#[path = "queries/attempts.rs"]
pub(crate) mod attempts;
#[path = "queries/audit.rs"]
pub(crate) mod audit;
#[path = "queries/blobs.rs"]
pub(crate) mod blobs;
#[path = "queries/commit.rs"]
pub(crate) mod commit;
#[path = "queries/conversation.rs"]
pub(crate) mod conversation;
#[path = "queries/events.rs"]
pub(crate) mod events;
#[path = "queries/idempotency.rs"]
pub(crate) mod idempotency;
#[path = "queries/identity.rs"]
pub(crate) mod identity;
#[path = "queries/leases.rs"]
pub(crate) mod leases;
#[path = "queries/listing.rs"]
pub(crate) mod listing;
#[path = "queries/plans.rs"]
pub(crate) mod plans;
#[path = "queries/refresh_tokens.rs"]
pub(crate) mod refresh_tokens;
#[path = "queries/steps.rs"]
pub(crate) mod steps;
#[path = "queries/tasks.rs"]
pub(crate) mod tasks;
#[path = "queries/templates.rs"]
pub(crate) mod templates;
#[path = "queries/tenants.rs"]
pub(crate) mod tenants;
#[path = "queries/users.rs"]
pub(crate) mod users;
#[path = "queries/versions.rs"]
pub(crate) mod versions;
#[path = "queries/webhooks.rs"]
pub(crate) mod webhooks;

#[cfg(test)]
#[path = "migrate/tests.rs"]
mod migrate_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
#[path = "writer/tests.rs"]
mod writer_tests;

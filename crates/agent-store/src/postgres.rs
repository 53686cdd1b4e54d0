//! PostgreSQL: the connection, the queries compiled for it, and what only it does.

pub(crate) mod address;
mod connection;
pub(crate) mod dialect;
mod step;
mod tls;

pub(crate) use step::apply;

use crate::database::{Database, Scope};
use crate::error::Error;
use crate::migrate;
use address::Address;
use agent_core::BoxError;
use diesel::connection::SimpleConnection;
use diesel::{Connection, QueryResult};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use tls::Tls;

/// The connection that queries run on.
pub(crate) type Conn = connection::Conn;
/// The backend that boxed queries are built for.
pub(crate) type Backend = diesel::pg::Pg;

pub(crate) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// One database of a server.
pub(crate) struct Postgres {
    address: Address,
    tls: Tls,
}

impl Postgres {
    /// The database at this address; connects to nothing yet.
    pub(crate) fn at(address: Address) -> Result<Self, Error> {
        let tls = Tls::new(address.trust())?;
        Ok(Self { address, tls })
    }

    fn open(&self, prepare: fn(&mut Conn) -> Result<(), BoxError>) -> Result<Conn, Error> {
        let opened = connection::open(self.address.config(), &self.tls).and_then(|mut conn| {
            prepare(&mut conn)?;
            Ok(conn)
        });
        opened.map_err(|source| Error::Server { place: self.address.to_string(), source })
    }
}

impl Database for Postgres {
    type Conn = Conn;

    // The lock makes it one writer at a time over all servers (docs/adr/0007): no deadlocks, and cursors of events
    // in the order of commits, so that no reader passes one that comes later. It goes with the transaction.
    const BEGIN_WRITING: &'static str =
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT pg_advisory_xact_lock(7018690069355000425)";
    const IS_NEAR: bool = false;
    // `COMMIT` alone succeeds also where a statement failed and everything is taken back, and where no transaction
    // is open; a savepoint fails in both cases.
    const COMMIT: &'static str = "SAVEPOINT kept; COMMIT";
    const BEGIN_READING: &'static str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

    fn enter(scope: Scope) -> String {
        match scope {
            Scope::Tenant(tenant) => format!("SET LOCAL agent.tenant = '{tenant}'"),
            Scope::All => "SET LOCAL agent.tenant = '*'".to_owned(),
        }
    }

    fn open_writer(&self) -> Result<Conn, Error> {
        self.open(dialect::prepare_writer)
    }

    fn open_reader(&self) -> Result<Conn, Error> {
        self.open(dialect::prepare)
    }

    fn migrate(conn: &mut Conn) -> Result<(), Error> {
        let migrated = conn.transaction(|conn| {
            // Whoever comes second waits for as long as it takes the first.
            conn.batch_execute(dialect::LOCK_SCHEMA)?;
            migrate::bring_up_to_date(conn, MIGRATIONS)
        });
        migrated.map_err(Error::from)
    }

    fn roll_back(conn: &mut Conn) -> bool {
        conn.batch_execute("ROLLBACK").is_ok()
    }

    fn finish(_conn: &mut Conn) -> QueryResult<()> {
        Ok(())
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

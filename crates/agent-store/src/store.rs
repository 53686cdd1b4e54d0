//! The store: one database, one writer, a few readers.

mod analytics;
mod audit_log;
mod conversations;
mod credentials;
mod engine;
mod event_log;
mod journal;
mod plan_reader;
mod plan_store;
mod templates;
mod users;
mod webhooks;

use crate::database::Scope;
use crate::error::Error;
use crate::location::{self, Location};
use crate::postgres::Postgres;
use crate::sqlite::Sqlite;
use crate::writer::{CommitFigures, WriterStatistics};
use agent_core::ports::CommitListener;
pub(crate) use engine::Engine;
use std::sync::Arc;

/// Keeps plans, events, conversations, users and keys in one SQLite file or one PostgreSQL database. Cheap to
/// clone; clones share everything.
///
/// Dropping the last clone lets the writer finish what waits and then end; [`Store::close`] waits for that.
#[derive(Clone)]
pub struct Store {
    engine: Arc<AnyEngine>,
}

/// The engine of whichever database it is.
enum AnyEngine {
    Sqlite(Engine<Sqlite>),
    Postgres(Engine<Postgres>),
}

/// Does the same with whichever engine it is. `$db` names the module whose compilation of the queries fits it.
macro_rules! on_engine {
    ($store:expr, |$engine:ident, $db:ident| $body:expr) => {
        match &*$store.engine {
            $crate::store::AnyEngine::Sqlite($engine) => {
                use $crate::sqlite as $db;
                $body
            }
            $crate::store::AnyEngine::Postgres($engine) => {
                use $crate::postgres as $db;
                $body
            }
        }
    };
}

/// Runs queries about a scope in one read transaction: `read!(store, tenant, db, |conn| db::plans::load(conn, id))`.
macro_rules! read {
    ($store:expr, $scope:expr, $db:ident, |$conn:ident| $query:expr) => {
        $crate::store::on_engine!($store, |engine, $db| engine.read($scope.into(), move |$conn| $query).await)
    };
}

/// Runs a transaction about a scope and waits until it is on the disk and listeners are told.
macro_rules! transact {
    ($store:expr, $scope:expr, $db:ident, |$conn:ident| $work:expr) => {
        $crate::store::on_engine!($store, |engine, $db| engine.write($scope.into(), move |$conn| $work).await)
    };
}

/// Like `transact!`, for what no listener is told of.
macro_rules! transact_silently {
    ($store:expr, $scope:expr, $db:ident, |$conn:ident| $work:expr) => {
        $crate::store::on_engine!($store, |engine, $db| engine
            .write_silently($scope.into(), move |$conn| $work)
            .await)
    };
}

use {on_engine, read, transact, transact_silently};

impl Store {
    /// Opens the database and brings its schema up to date: `sqlite://PATH` names a file, which is made (readable
    /// for its owner only) where there is none; `postgres://USER:PASSWORD@HOST:PORT/DATABASE` a database on a
    /// server, which must be there, with `?sslmode=…&sslrootcert=FILE` as libpq means them. Blocks while it does;
    /// `listener` is told of events after each commit.
    ///
    /// # Errors
    /// Every [`Error`] up to [`Error::Thread`]: an address that names no database, a folder, file or server that
    /// cannot be used, a database written by a newer version.
    pub fn open(url: &str, listener: Arc<dyn CommitListener>) -> Result<Self, Error> {
        let engine = match location::of(url)? {
            Location::File(path) => {
                location::create_private(&path)?;
                AnyEngine::Sqlite(Engine::open(Sqlite::at(path), listener)?)
            }
            Location::Server(address) => {
                AnyEngine::Postgres(Engine::open(Postgres::at(*address)?, listener)?)
            }
        };
        Ok(Self { engine: Arc::new(engine) })
    }

    /// The name that tells this database from every other: 32 hexadecimal digits, the same for all who open it. A copy
    /// keeps it.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn identity(&self) -> agent_core::Result<String> {
        read!(self, Scope::All, db, |conn| db::identity::find(conn))
    }

    /// Carries out what waits, moves the write-ahead log of SQLite into the file, and ends the writer. Writes that
    /// come later are refused; reading goes on until the last clone is dropped.
    ///
    /// # Errors
    /// `Unavailable` when it is closed already or the log cannot be moved; nothing committed is lost then.
    pub async fn close(&self) -> agent_core::Result<()> {
        match &*self.engine {
            AnyEngine::Sqlite(engine) => engine.close().await,
            AnyEngine::Postgres(engine) => engine.close().await,
        }
    }

    /// Waits until the disk of the database has failed (an `fsync` did not succeed): what is written from then on
    /// is refused, and the program is to be ended, because only a new start reads what is really there.
    pub async fn failed(&self) {
        match &*self.engine {
            AnyEngine::Sqlite(engine) => engine.failed().await,
            AnyEngine::Postgres(engine) => engine.failed().await,
        }
    }

    /// How much was written, and in how many commits.
    pub fn statistics(&self) -> WriterStatistics {
        match &*self.engine {
            AnyEngine::Sqlite(engine) => engine.statistics(),
            AnyEngine::Postgres(engine) => engine.statistics(),
        }
    }

    /// How commits were shared, and how long they took.
    pub fn commits(&self) -> CommitFigures {
        match &*self.engine {
            AnyEngine::Sqlite(engine) => engine.commits(),
            AnyEngine::Postgres(engine) => engine.commits(),
        }
    }
}

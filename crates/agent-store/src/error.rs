//! What can go wrong between the ports and the database.

use agent_core::ids::Owner;
use std::path::PathBuf;
use std::sync::Arc;

/// Every way in which a store cannot be opened or stops answering.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address names no database this program knows. The address itself is not shown: it may hold a password.
    #[error(
        "the database address begins with {0:?}; give sqlite://PATH, such as sqlite://agent.db, or \
         postgres://USER:PASSWORD@HOST/DATABASE"
    )]
    UnknownScheme(String),
    /// A database in memory would forget every plan at the end of the process.
    #[error(
        "a database in memory would forget every plan; give a file: sqlite://PATH, such as sqlite://agent.db"
    )]
    InMemory,
    /// The address carries options, which this program sets itself.
    #[error("the database address holds options after `?`; give only sqlite://PATH")]
    OptionsRefused,
    /// The address of a PostgreSQL server cannot be read. What is shown of it holds no password.
    #[error("the address of the PostgreSQL server is wrong: {0}")]
    Address(String),
    /// The certificates that a PostgreSQL server is to be checked against cannot be used.
    #[error("the certificates for TLS to PostgreSQL cannot be used: {0}")]
    Certificates(String),
    /// The folder of the database file does not exist.
    #[error("the folder {0:?} for the database does not exist; create it first")]
    MissingFolder(PathBuf),
    /// The database file cannot be created or opened.
    #[error("the database file {path:?} cannot be opened for reading and writing")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file is there, and SQLite cannot use it.
    #[error(
        "{path:?} cannot be used as a database; check that it is an agent database and that the disk has room"
    )]
    Connect {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: agent_core::BoxError,
    },
    /// The PostgreSQL server cannot be reached, refuses, or has a database that cannot be used.
    #[error("PostgreSQL at {place} cannot be used")]
    Server {
        /// Host, port, database and user; never the password.
        place: String,
        /// What it said, or what kept it from saying anything.
        #[source]
        source: agent_core::BoxError,
    },
    /// The database was there and is not now. Whatever was asked was not tried.
    #[error("the connection to the database is lost; try again when it is back")]
    Disconnected(#[source] Arc<Error>),
    /// No connection became free in time.
    #[error("no connection to the database became free in time")]
    Pool(#[source] r2d2::Error),
    /// The schema could not be brought up to date.
    #[error("the database schema could not be brought up to date; nothing was changed")]
    Migrate(#[source] agent_core::BoxError),
    /// A newer program has already changed the schema.
    #[error(
        "the database was written by a newer version (it has migration {0}); use that version or a later one"
    )]
    NewerDatabase(String),
    /// The writer thread could not be started.
    #[error("the writer thread could not be started")]
    Thread(#[source] std::io::Error),
    /// The store was closed, or its writer ended.
    #[error("the store is closed; open it again")]
    Closed,
    /// The transaction that a write was part of was not committed; nothing of it is kept.
    #[error("the transaction was not committed; send the request again")]
    NotCommitted(#[source] Arc<diesel::result::Error>),
    /// The connection was lost while the transaction was being committed: it may be kept or not. Sending
    /// the request again is safe: a change names the revision it was made for, a creation its key.
    #[error("the connection was lost in a commit; look whether it is there, or send the request again")]
    OutcomeUnknown(#[source] Arc<diesel::result::Error>),
    /// The disk is full; nothing of the transaction is kept, nor of those that shared its commit.
    #[error("the disk of the database is full; make room and send the request again")]
    Full(#[source] Arc<diesel::result::Error>),
    /// A query ended in a panic; its transaction was rolled back.
    #[error("a query ended in a panic and was rolled back; the log says where")]
    Panicked,
    /// The file is something else than a backup of this program.
    #[error("{0:?} is no backup of this program; make one with `agent backup`")]
    NotABackup(PathBuf),
    /// The file is broken.
    #[error("{path:?} is damaged, and cannot be relied on: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it first.
        reason: String,
    },
    /// A plan or message was to be kept for a user who does not exist.
    #[error("{0} does not exist in this store; create the account first")]
    UnknownOwner(Owner),
}

impl Error {
    /// The same error about a file, where it was found in a copy of it.
    #[must_use]
    pub fn about(self, original: &std::path::Path) -> Self {
        match self {
            Self::NotABackup(_) => Self::NotABackup(original.to_owned()),
            Self::Damaged { reason, .. } => Self::Damaged { path: original.to_owned(), reason },
            Self::Connect { source, .. } => Self::Connect { path: original.to_owned(), source },
            other => other,
        }
    }
}

impl From<Error> for agent_core::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Full(_) => Self::StorageFull(Box::new(error)),
            other => Self::Unavailable(Box::new(other)),
        }
    }
}

/// How a query fails: with something the domain has a word for, or in the database.
#[derive(Debug)]
pub(crate) enum Failure {
    Domain(agent_core::Error),
    Database(diesel::result::Error),
}

impl From<agent_core::Error> for Failure {
    fn from(error: agent_core::Error) -> Self {
        Self::Domain(error)
    }
}

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Domain(error.into())
    }
}

impl From<Failure> for agent_core::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Domain(error) => error,
            Failure::Database(diesel::result::Error::DeserializationError(source)) => {
                Self::Damaged(source.to_string())
            }
            Failure::Database(error) if is_full(&error) => Error::Full(Arc::new(error)).into(),
            Failure::Database(error) => Self::Unavailable(Box::new(error)),
        }
    }
}

/// Whether the disk is full. diesel hides the codes, so the words decide: those of SQLite (`SQLITE_FULL`), and those
/// of the system that PostgreSQL passes on.
pub(crate) fn is_full(error: &diesel::result::Error) -> bool {
    let text = error.to_string();
    ["database or disk is full", "No space left on device"].iter().any(|words| text.contains(words))
}

/// Whether the disk refused to read or to write (`SQLITE_IOERR`), a failed `fsync` among it. Afterwards nobody knows
/// what is on it: a second `fsync` that succeeds says nothing of the pages that the first one lost.
pub(crate) fn is_broken(error: &diesel::result::Error) -> bool {
    error.to_string().contains("disk I/O error")
}

/// What a query yields.
pub(crate) type Answer<T> = Result<T, Failure>;

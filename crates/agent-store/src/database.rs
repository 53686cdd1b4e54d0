//! What the writer and the readers need of a database. SQLite and PostgreSQL are the two.

use crate::error::Error;
use diesel::QueryResult;
use diesel::connection::SimpleConnection;

/// What became of the transaction before, in a group that shares a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// There was none.
    NotBegun,
    /// What it wrote stays.
    Kept,
    /// What it wrote is taken back.
    Undone,
}

impl Ended {
    /// What ends its savepoint.
    pub(crate) fn statements(self) -> &'static str {
        match self {
            Self::NotBegun => "",
            Self::Kept => "RELEASE job; ",
            Self::Undone => "ROLLBACK TO job; RELEASE job; ",
        }
    }
}

/// A database that connections can be opened to.
pub(crate) trait Database: Send + Sync + 'static {
    /// What queries run on.
    type Conn: SimpleConnection + Send + 'static;

    /// Begins a transaction that writes. It waits here until nobody else writes, and never half-way.
    const BEGIN_WRITING: &'static str;
    /// Commits it, or fails where a statement failed that nobody told of.
    const COMMIT: &'static str;
    /// Begins a transaction whose queries all see the same state.
    const BEGIN_READING: &'static str;

    /// Opens the connection that writes.
    ///
    /// # Errors
    /// [`Error::Connect`] or [`Error::Server`].
    fn open_writer(&self) -> Result<Self::Conn, Error>;

    /// Opens a connection that only reads.
    ///
    /// # Errors
    /// [`Error::Connect`] or [`Error::Server`].
    fn open_reader(&self) -> Result<Self::Conn, Error>;

    /// Brings the schema up to date, all or nothing, while no other program does.
    ///
    /// # Errors
    /// [`Error::Migrate`] or [`Error::NewerDatabase`].
    fn migrate(conn: &mut Self::Conn) -> Result<(), Error>;

    /// Takes back whatever transaction is open; false when the connection is lost.
    fn roll_back(conn: &mut Self::Conn) -> bool;

    /// Ends one transaction of a group and begins the next. A savepoint that is gone is an error.
    ///
    /// Statements travel together where they can, because each journey to a server takes its time.
    fn next_savepoint(conn: &mut Self::Conn, last: Ended) -> QueryResult<()> {
        conn.batch_execute(&format!("{}SAVEPOINT job", last.statements()))
    }

    /// What is to be done from time to time between writes.
    fn tidy(_conn: &mut Self::Conn) -> QueryResult<()> {
        Ok(())
    }

    /// What is left to do when the last write is committed.
    fn finish(conn: &mut Self::Conn) -> QueryResult<()>;
}

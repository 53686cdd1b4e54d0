//! What the writer and the readers need of a database. SQLite and PostgreSQL are the two.

use crate::error::Error;
use diesel::QueryResult;
use diesel::connection::SimpleConnection;

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

    /// What is left to do when the last write is committed.
    fn finish(conn: &mut Self::Conn) -> QueryResult<()>;
}

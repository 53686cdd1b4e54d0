//! What the writer and the readers need of a database. SQLite and PostgreSQL are the two.

use crate::error::Error;
use agent_core::event::Topic;
use agent_core::ids::TenantId;
use agent_core::ports::Visibility;
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

/// Whose rows a transaction is about. Every statement names the tenant by itself; where the database can, it is told
/// as well, and shows nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// One tenant's.
    Tenant(TenantId),
    /// Everybody's: for what is looked up before anybody knows whose it is, and for the executor.
    All,
}

impl From<TenantId> for Scope {
    fn from(tenant: TenantId) -> Self {
        Self::Tenant(tenant)
    }
}

impl From<Visibility> for Scope {
    fn from(visibility: Visibility) -> Self {
        Self::Tenant(visibility.tenant())
    }
}

impl From<Option<Visibility>> for Scope {
    fn from(visibility: Option<Visibility>) -> Self {
        visibility.map_or(Self::All, Self::from)
    }
}

impl From<Topic> for Scope {
    fn from(topic: Topic) -> Self {
        match topic {
            Topic::Plan(tenant, _) | Topic::Tenant(tenant) => Self::Tenant(tenant),
            Topic::Owner(owner) => Self::Tenant(owner.tenant),
            Topic::Everything => Self::All,
        }
    }
}

/// Tells the last commit from every other: it stays the same as long as nobody commits anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LastCommit(pub(crate) [u32; 12]);

/// Knows the last commit without asking the database.
pub(crate) trait CommitWatch: Send + Sync {
    /// The last commit, of whatever program; `None` where that cannot be told at the moment.
    fn last(&self) -> Option<LastCommit>;
}

/// A database that connections can be opened to.
pub(crate) trait Database: Send + Sync + 'static {
    /// What queries run on.
    type Conn: SimpleConnection + Send + 'static;

    /// Begins a transaction that writes. It waits here until nobody else writes, and never half-way.
    const BEGIN_WRITING: &'static str;
    /// Whether a row is found by its key faster than another thread is asked to: where no journey to a server is made.
    const IS_NEAR: bool;
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

    /// Watches for commits, where that is possible without asking.
    fn watch_commits(&self) -> Option<Box<dyn CommitWatch>> {
        None
    }

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
    fn next_savepoint(conn: &mut Self::Conn, last: Ended, entering: Option<Scope>) -> QueryResult<()> {
        let entering = entering.map_or_else(String::new, |scope| format!("{}; ", Self::enter(scope)));
        conn.batch_execute(&format!("{}{entering}SAVEPOINT job", last.statements()))
    }

    /// The statement that has the database show only the rows of a scope until the transaction ends; empty where the
    /// database cannot.
    fn enter(_scope: Scope) -> String {
        String::new()
    }

    /// What is to be done from time to time between writes.
    fn tidy(_conn: &mut Self::Conn) -> QueryResult<()> {
        Ok(())
    }

    /// What is left to do when the last write is committed.
    fn finish(conn: &mut Self::Conn) -> QueryResult<()>;
}

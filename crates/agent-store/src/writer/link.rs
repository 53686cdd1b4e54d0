//! The writer's connection, and its way back when it was lost.

use super::job::Refusal;
use crate::database::Database;
use crate::error::Error;
use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long after a failed attempt to connect the next may follow, and how far that grows.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The connection that writes. Lost ones are opened again when there is something to write.
pub(super) struct Link<D: Database> {
    database: Arc<D>,
    conn: Option<D::Conn>,
    trouble: Option<Trouble>,
}

/// The last attempt to connect failed.
struct Trouble {
    error: Arc<Error>,
    since: Instant,
    pause: Duration,
}

impl<D: Database> Link<D> {
    /// Connects and brings the schema up to date.
    pub(super) fn open(database: Arc<D>) -> Result<Self, Error> {
        let mut conn = database.open_writer()?;
        D::migrate(&mut conn)?;
        Ok(Self { database, conn: Some(conn), trouble: None })
    }

    /// Runs the statements that begin a transaction. Nothing has run before them, so on a connection that turns
    /// out to be lost they are repeated on a new one.
    pub(super) fn begin(&mut self, statements: &str) -> Result<(), Refusal> {
        match self.conn()?.batch_execute(statements) {
            Ok(()) => return Ok(()),
            Err(error) if self.roll_back() => return Err(Refusal::NotCommitted(Arc::new(error))),
            Err(error) => tracing::warn!(%error, "the connection to the database is lost"),
        }
        self.conn()?.batch_execute(statements).map_err(|error| {
            self.roll_back();
            Refusal::NotCommitted(Arc::new(error))
        })
    }

    /// Commits. When the connection is lost meanwhile, nobody knows whether the database did.
    pub(super) fn commit(&mut self, statements: &str) -> Result<(), Refusal> {
        // Never on another connection than the transaction was begun on.
        let committed = match self.conn.as_mut() {
            Some(conn) => conn.batch_execute(statements),
            None => return Err(Refusal::Disconnected(Arc::new(Error::Closed))),
        };
        match committed {
            Ok(()) => Ok(()),
            Err(error) if self.roll_back() => Err(Refusal::NotCommitted(Arc::new(error))),
            Err(error) => Err(Refusal::OutcomeUnknown(Arc::new(error))),
        }
    }

    /// Takes back what is open; false when the connection is lost, which takes it back too.
    pub(super) fn roll_back(&mut self) -> bool {
        self.conn = self.conn.take().and_then(|mut conn| D::roll_back(&mut conn).then_some(conn));
        self.conn.is_some()
    }

    /// Leaves the connection open for good: SQLite empties its log when the last one closes, and that must not
    /// happen on a disk that has failed.
    pub(super) fn abandon(&mut self) {
        std::mem::forget(self.conn.take());
    }

    /// What is left to do before the connection is closed.
    pub(super) fn finish(&mut self) -> QueryResult<()> {
        self.conn.as_mut().map_or(Ok(()), D::finish)
    }

    /// The connection; opened again where it was lost, unless the last attempt failed just now.
    pub(super) fn conn(&mut self) -> Result<&mut D::Conn, Refusal> {
        if self.conn.is_none() {
            self.conn = Some(self.reconnect()?);
        }
        let missing = || Refusal::Disconnected(Arc::new(Error::Closed));
        self.conn.as_mut().ok_or_else(missing)
    }

    #[expect(clippy::disallowed_methods, reason = "a pause between attempts is the effect itself")]
    fn reconnect(&mut self) -> Result<D::Conn, Refusal> {
        if let Some(trouble) = &self.trouble
            && trouble.since.elapsed() < trouble.pause
        {
            return Err(Refusal::Disconnected(Arc::clone(&trouble.error)));
        }
        match self.database.open_writer() {
            Ok(conn) => {
                self.trouble = None;
                tracing::info!("the connection to the database is back");
                Ok(conn)
            }
            Err(error) => {
                let error = Arc::new(error);
                let pause = self.trouble.as_ref().map_or(FIRST_PAUSE, |trouble| trouble.pause * 2);
                let pause = pause.min(LONGEST_PAUSE);
                self.trouble = Some(Trouble { error: Arc::clone(&error), since: Instant::now(), pause });
                Err(Refusal::Disconnected(error))
            }
        }
    }
}

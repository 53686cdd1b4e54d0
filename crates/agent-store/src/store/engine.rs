//! One database with its writer and its readers.

use crate::database::{Database, Scope};
use crate::error::{Answer, Error};
use crate::glances::Glances;
use crate::marks::{MarkKey, Marks};
use crate::pool::Readers;
use crate::writer::{CommitFigures, Writer, WriterStatistics, Written};
use agent_core::ports::{CommitListener, PlanMark};
use std::sync::Arc;

/// The writer and the readers of one database.
pub(crate) struct Engine<D: Database> {
    writer: Writer<D>,
    readers: Readers<D>,
    glances: Glances<D>,
    marks: Marks,
}

impl<D: Database> Engine<D> {
    /// Opens the database and brings its schema up to date.
    pub(crate) fn open(database: D, listener: Arc<dyn CommitListener>) -> Result<Self, Error> {
        let database = Arc::new(database);
        let writer = Writer::start(&database, listener)?;
        let readers = Readers::open(&database)?;
        let glances = Glances::of(&database);
        let marks = Marks::new(database.watch_commits());
        Ok(Self { writer, readers, glances, marks })
    }

    pub(super) async fn close(&self) -> agent_core::Result<()> {
        self.writer.close().await
    }

    pub(super) async fn failed(&self) {
        self.writer.failed().await;
    }

    /// How much was written.
    pub(crate) fn statistics(&self) -> WriterStatistics {
        self.writer.statistics()
    }

    /// How it was committed.
    pub(super) fn commits(&self) -> CommitFigures {
        self.writer.commits()
    }

    /// Runs queries about a scope in one read transaction.
    pub(crate) async fn read<T, Q>(&self, scope: Scope, query: Q) -> agent_core::Result<T>
    where
        T: Send + 'static,
        Q: FnOnce(&mut D::Conn) -> Answer<T> + Send + 'static,
    {
        self.readers.read(scope, query).await
    }

    /// Runs one statement that finds a row by its key. Where the database is a file, it runs on the thread that asks: the
    /// way to another thread and back would take several times as long. As one statement it sees one state of the database.
    async fn glance<T, Q>(&self, scope: Scope, query: Q) -> agent_core::Result<T>
    where
        T: Send + 'static,
        Q: FnOnce(&mut D::Conn) -> Answer<T> + Send + 'static,
    {
        let Some(mut conn) = self.glances.take() else { return self.read(scope, query).await };
        let answer = query(&mut conn);
        if answer.is_ok() {
            self.glances.put_back(conn);
        }
        answer.map_err(agent_core::Error::from)
    }

    /// The mark of a plan; the query that looks at it runs only if anything was committed since it last did.
    pub(crate) async fn mark<Q>(&self, key: MarkKey, query: Q) -> agent_core::Result<Option<PlanMark>>
    where
        Q: FnOnce(&mut D::Conn) -> Answer<Option<PlanMark>> + Send + 'static,
    {
        let last = self.marks.last_commit();
        if let Some(mark) = last.and_then(|last| self.marks.find(last, &key)) {
            return Ok(Some(mark));
        }
        let found = self.glance(key.0.into(), query).await?;
        if let (Some(last), Some(mark)) = (last, found) {
            self.marks.keep(last, key, mark);
        }
        Ok(found)
    }

    /// Runs a transaction about a scope and waits until it is on the disk and listeners are told.
    pub(crate) async fn write<T, W>(&self, scope: Scope, work: W) -> agent_core::Result<Written<T>>
    where
        T: Send + 'static,
        W: FnOnce(&mut D::Conn) -> Answer<Written<T>> + Send + 'static,
    {
        self.writer.write(scope, work).await
    }

    /// Like [`Engine::write`], for what no listener is told of.
    pub(crate) async fn write_silently<T, W>(&self, scope: Scope, work: W) -> agent_core::Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut D::Conn) -> Answer<T> + Send + 'static,
    {
        self.write(scope, move |conn| work(conn).map(Written::silent)).await.map(|written| written.value)
    }
}

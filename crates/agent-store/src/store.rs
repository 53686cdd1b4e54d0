//! The store: one file, one writer, a few readers.

mod attempt_source;
mod conversations;
mod credentials;
mod event_log;
mod journal;
mod plan_reader;
mod plan_store;
mod users;

use crate::error::{Answer, Error};
use crate::pool::Readers;
use crate::sqlite::{Conn, dialect};
use crate::writer::{Writer, WriterStatistics, Written};
use crate::{location, migrate};
use agent_core::BoxError;
use agent_core::ports::CommitListener;
use diesel::Connection;
use std::sync::Arc;

/// Keeps plans, events, conversations, users and keys in one SQLite file. Cheap to clone; clones share everything.
///
/// Dropping the last clone lets the writer finish what waits and then end; [`Store::close`] waits for that.
#[derive(Clone)]
pub struct Store {
    parts: Arc<Parts>,
}

struct Parts {
    writer: Writer,
    readers: Readers,
}

impl Store {
    /// Opens the file that `sqlite://PATH` names, making it (readable for its owner only) where there is none,
    /// and brings its schema up to date. Blocks while it does; `listener` is told of events after each commit.
    ///
    /// # Errors
    /// Every [`Error`] up to [`Error::Thread`]: an address that names no file, a folder or file that cannot be
    /// used, a database written by a newer version.
    pub fn open(url: &str, listener: Arc<dyn CommitListener>) -> Result<Self, Error> {
        let path = location::file_of(url)?;
        location::create_private(&path)?;
        let unusable = |source: BoxError| Error::Connect { path: path.clone(), source };
        let address = path.to_str().ok_or_else(|| unusable("the path is not UTF-8".into()))?;
        let mut conn = Conn::establish(address).map_err(|error| unusable(Box::new(error)))?;
        dialect::prepare_writer(&mut conn).map_err(|error| unusable(Box::new(error)))?;
        migrate::bring_up_to_date(&mut conn)?;
        let readers = Readers::open(&path, address)?;
        let writer = Writer::start(conn, listener)?;
        Ok(Self { parts: Arc::new(Parts { writer, readers }) })
    }

    /// Carries out what waits, moves the write-ahead log into the file, and ends the writer. Writes that come
    /// later are refused; reading goes on until the last clone is dropped.
    ///
    /// # Errors
    /// `Unavailable` when it is closed already or the log cannot be moved; nothing committed is lost then.
    pub async fn close(&self) -> agent_core::Result<()> {
        self.parts.writer.close().await
    }

    /// How much was written, and in how many commits.
    pub fn statistics(&self) -> WriterStatistics {
        self.parts.writer.statistics()
    }

    /// Runs queries in one read transaction.
    pub(crate) async fn read<T, Q>(&self, query: Q) -> agent_core::Result<T>
    where
        T: Send + 'static,
        Q: FnOnce(&mut Conn) -> Answer<T> + Send + 'static,
    {
        self.parts.readers.read(query).await
    }

    /// Runs a transaction and waits until it is on the disk and listeners are told.
    pub(crate) async fn write<T, W>(&self, work: W) -> agent_core::Result<Written<T>>
    where
        T: Send + 'static,
        W: FnOnce(&mut Conn) -> Answer<Written<T>> + Send + 'static,
    {
        self.parts.writer.write(work).await
    }

    /// Like [`Store::write`], for what no listener is told of.
    pub(crate) async fn write_silently<T, W>(&self, work: W) -> agent_core::Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut Conn) -> Answer<T> + Send + 'static,
    {
        self.write(move |conn| work(conn).map(Written::silent)).await.map(|written| written.value)
    }
}

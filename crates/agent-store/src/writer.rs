//! The one thread that writes, and its group commit.
//!
//! An `fsync` takes milliseconds, a transaction microseconds. So the thread takes all transactions that wait,
//! gives each a savepoint of its own inside one transaction of the database, and commits them together: while
//! one commit reaches the disk, the next batch gathers. Nobody is answered before the commit.

mod figures;
mod job;
mod link;
mod thread;

use crate::database::{Database, Scope};
use crate::error::{Answer, Error, Failure};
use agent_core::event::Event;
use agent_core::ports::CommitListener;
use diesel::QueryResult;
use figures::Counters;
pub use figures::{CommitFigures, Distribution, WriterStatistics};
use job::{Job, Transaction};
use link::Link;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use thread::Thread;
use tokio::sync::{oneshot, watch};

/// What a transaction yields once it is committed.
#[derive(Debug)]
pub(crate) struct Written<T> {
    pub(crate) value: T,
    /// Events of one plan, in order; listeners are told after the commit.
    pub(crate) events: Vec<Event>,
}

impl<T> Written<T> {
    /// A result that nobody is told of.
    pub(crate) fn silent(value: T) -> Self {
        Self { value, events: Vec::new() }
    }
}

/// The way to the thread that writes. The thread ends when this is dropped and nothing waits any more.
pub(crate) struct Writer<D: Database> {
    sender: Sender<Message<D::Conn>>,
    counters: Arc<Counters>,
    failed: watch::Receiver<bool>,
}

enum Message<C> {
    Job(Box<dyn Job<C>>),
    Close(oneshot::Sender<QueryResult<()>>),
}

impl<D: Database> Writer<D> {
    /// Starts the thread, which opens its own connection and brings the schema up to date.
    pub(crate) fn start(database: &Arc<D>, listener: Arc<dyn CommitListener>) -> Result<Self, Error> {
        let (sender, receiver) = channel();
        let (opened, has_opened) = channel();
        let counters = Arc::new(Counters::default());
        let (tell_failed, failed) = watch::channel(false);
        let (database, counted) = (Arc::clone(database), Arc::clone(&counters));
        let builder = std::thread::Builder::new().name("agent-store-writer".to_owned());
        let run = move || match Link::open(database) {
            Ok(link) => {
                // Whoever opens the store waits for this.
                drop(opened.send(Ok(())));
                Thread::new(link, receiver, listener, counted, tell_failed).run();
            }
            Err(error) => drop(opened.send(Err(error))),
        };
        builder.spawn(run).map_err(Error::Thread)?;
        has_opened.recv().map_err(|_ended| Error::Closed)??;
        Ok(Self { sender, counters, failed })
    }

    /// Runs a transaction about a scope and waits until it is on the disk. It is carried out even when nobody waits any more.
    pub(crate) async fn write<T, W>(&self, scope: Scope, work: W) -> agent_core::Result<Written<T>>
    where
        T: Send + 'static,
        W: FnOnce(&mut D::Conn) -> Answer<Written<T>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Transaction::new(scope, work, reply);
        self.sender.send(Message::Job(Box::new(job))).map_err(|_closed| Error::Closed)?;
        answer.await.map_err(|_closed| Error::Closed)?
    }

    /// Carries out what waits, empties the write-ahead log and ends the thread.
    pub(crate) async fn close(&self) -> agent_core::Result<()> {
        let (reply, answer) = oneshot::channel();
        self.sender.send(Message::Close(reply)).map_err(|_closed| Error::Closed)?;
        let emptied = answer.await.map_err(|_closed| Error::Closed)?;
        emptied.map_err(|error| Failure::Database(error).into())
    }

    /// Waits until the disk has failed; for ever, where it does not.
    pub(crate) async fn failed(&self) {
        let mut failed = self.failed.clone();
        let ended = failed.wait_for(|failed| *failed).await.is_err();
        if ended {
            std::future::pending::<()>().await;
        }
    }

    pub(crate) fn statistics(&self) -> WriterStatistics {
        self.counters.statistics()
    }

    pub(crate) fn commits(&self) -> CommitFigures {
        self.counters.commits()
    }
}

//! The one thread that writes, and its group commit.
//!
//! An `fsync` takes milliseconds, a transaction microseconds. So the thread takes all transactions that wait,
//! gives each a savepoint of its own inside one transaction of the database, and commits them together: while
//! one commit reaches the disk, the next batch gathers. Nobody is answered before the commit.

use crate::error::{Answer, Error, Failure};
use crate::sqlite::{Conn, dialect};
use agent_core::event::Event;
use agent_core::failpoint;
use agent_core::ports::CommitListener;
use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;

/// The most transactions that share one commit.
const MAX_BATCH: usize = 256;

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

/// How much the writer has done since the store was opened; shows how well commits are shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriterStatistics {
    /// Commits of the database, each with its `fsync`.
    pub commits: u64,
    /// Transactions that callers asked for, the refused ones included.
    pub jobs: u64,
}

#[derive(Default)]
struct Counters {
    commits: AtomicU64,
    jobs: AtomicU64,
}

/// The way to the thread that writes. The thread ends when this is dropped and nothing waits any more.
pub(crate) struct Writer {
    sender: Sender<Message>,
    counters: Arc<Counters>,
}

enum Message {
    Job(Box<dyn Job>),
    Close(oneshot::Sender<QueryResult<()>>),
}

/// What the thread does in one go.
#[derive(Default)]
struct Batch {
    jobs: Vec<Box<dyn Job>>,
    /// Whoever asked the thread to end after these.
    closing: Option<oneshot::Sender<QueryResult<()>>>,
}

impl Writer {
    /// Starts the thread with the connection it alone will use.
    pub(crate) fn start(conn: Conn, listener: Arc<dyn CommitListener>) -> Result<Self, Error> {
        let (sender, receiver) = channel();
        let counters = Arc::new(Counters::default());
        let thread = Thread { conn, receiver, listener, counters: Arc::clone(&counters) };
        let builder = std::thread::Builder::new().name("agent-store-writer".to_owned());
        builder.spawn(move || thread.run()).map_err(Error::Thread)?;
        Ok(Self { sender, counters })
    }

    /// Runs a transaction and waits until it is on the disk. It is carried out even when nobody waits any more.
    pub(crate) async fn write<T, W>(&self, work: W) -> agent_core::Result<Written<T>>
    where
        T: Send + 'static,
        W: FnOnce(&mut Conn) -> Answer<Written<T>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Transaction { work: Some(work), outcome: None, reply };
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

    pub(crate) fn statistics(&self) -> WriterStatistics {
        WriterStatistics {
            commits: self.counters.commits.load(Ordering::Relaxed),
            jobs: self.counters.jobs.load(Ordering::Relaxed),
        }
    }
}

/// A transaction whose result type the thread need not know.
trait Job: Send {
    /// Does the work; whether it may be kept.
    fn run(&mut self, conn: &mut Conn) -> bool;
    /// What listeners are told when it was kept.
    fn events(&self) -> &[Event];
    /// Tells the caller, after the commit or after its failure.
    fn answer(self: Box<Self>, failed: Option<&Arc<diesel::result::Error>>);
}

struct Transaction<T, W> {
    work: Option<W>,
    outcome: Option<Answer<Written<T>>>,
    reply: oneshot::Sender<agent_core::Result<Written<T>>>,
}

impl<T, W> Job for Transaction<T, W>
where
    T: Send,
    W: FnOnce(&mut Conn) -> Answer<Written<T>> + Send,
{
    fn run(&mut self, conn: &mut Conn) -> bool {
        let Some(work) = self.work.take() else {
            return false;
        };
        // A panic in one caller's query must not take the writer away from all others.
        let outcome = catch_unwind(AssertUnwindSafe(|| work(conn)));
        let outcome = outcome.unwrap_or_else(|_panic| Err(Error::Panicked.into()));
        let kept = outcome.is_ok();
        self.outcome = Some(outcome);
        kept
    }

    fn events(&self) -> &[Event] {
        match &self.outcome {
            Some(Ok(written)) => &written.events,
            _ => &[],
        }
    }

    fn answer(self: Box<Self>, failed: Option<&Arc<diesel::result::Error>>) {
        let result = match (failed, self.outcome) {
            (None, Some(outcome)) => outcome.map_err(agent_core::Error::from),
            (Some(failure), _) => Err(Error::NotCommitted(Arc::clone(failure)).into()),
            (None, None) => Err(Error::Closed.into()),
        };
        // A caller that went away is no concern of the writer.
        drop(self.reply.send(result));
    }
}

struct Thread {
    conn: Conn,
    receiver: Receiver<Message>,
    listener: Arc<dyn CommitListener>,
    counters: Arc<Counters>,
}

impl Thread {
    fn run(mut self) {
        while let Ok(first) = self.receiver.recv() {
            let Batch { jobs, closing } = self.gather(first);
            if !jobs.is_empty() {
                self.process(jobs);
            }
            if let Some(reply) = closing {
                let emptied = dialect::checkpoint(&mut self.conn);
                // The connection is closed before the answer: whoever waited may remove the file.
                drop(self);
                drop(reply.send(emptied));
                return;
            }
        }
    }

    /// Everything that waits already, up to the limit or to a request to close.
    fn gather(&self, first: Message) -> Batch {
        let mut batch = Batch::default();
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Job(job) => batch.jobs.push(job),
                Message::Close(reply) => {
                    batch.closing = Some(reply);
                    break;
                }
            }
            next = if batch.jobs.len() < MAX_BATCH { self.receiver.try_recv().ok() } else { None };
        }
        batch
    }

    fn process(&mut self, mut batch: Vec<Box<dyn Job>>) {
        self.counters.jobs.fetch_add(batch.len() as u64, Ordering::Relaxed);
        let failure = match self.transact(&mut batch) {
            Ok(()) => None,
            Err(error) => {
                tracing::error!(%error, transactions = batch.len(), "a group of transactions was not committed");
                // Where SQLite has rolled back by itself this fails, and nothing is open either way.
                drop(self.conn.batch_execute("ROLLBACK"));
                Some(Arc::new(error))
            }
        };
        for job in batch {
            if failure.is_none() && !job.events().is_empty() {
                self.tell(job.events());
                failpoint::reach(failpoint::STORE_AFTER_TELLING);
            }
            job.answer(failure.as_ref());
        }
    }

    fn transact(&mut self, batch: &mut [Box<dyn Job>]) -> QueryResult<()> {
        dialect::begin(&mut self.conn)?;
        let kept = match &mut *batch {
            [alone] => alone.run(&mut self.conn),
            several => self.run_each(several)?,
        };
        // A crash is of interest where somebody is told of what was committed, not at the renewal of a lease.
        let telling = batch.iter().any(|job| !job.events().is_empty());
        if kept {
            pass(failpoint::STORE_BEFORE_COMMIT, telling);
            self.conn.batch_execute("COMMIT")?;
            pass(failpoint::STORE_AFTER_COMMIT, telling);
            self.counters.commits.fetch_add(1, Ordering::Relaxed);
        } else {
            drop(self.conn.batch_execute("ROLLBACK"));
        }
        Ok(())
    }

    /// Each in its own savepoint. A savepoint that is gone means that SQLite gave up the whole transaction
    /// (disk full, for one): then nothing that follows may run, because it would commit by itself.
    fn run_each(&mut self, batch: &mut [Box<dyn Job>]) -> QueryResult<bool> {
        let mut any = false;
        for job in batch {
            self.conn.batch_execute("SAVEPOINT job")?;
            if job.run(&mut self.conn) {
                self.conn.batch_execute("RELEASE job")?;
                any = true;
            } else {
                self.conn.batch_execute("ROLLBACK TO job; RELEASE job")?;
            }
        }
        Ok(any)
    }

    fn tell(&self, events: &[Event]) {
        let told = catch_unwind(AssertUnwindSafe(|| self.listener.committed(events)));
        if told.is_err() {
            tracing::error!(
                "a commit listener ended in a panic; its listeners read the events when next woken"
            );
        }
    }
}

fn pass(place: &'static str, telling: bool) {
    if telling {
        failpoint::reach(place);
    }
}

#[cfg(test)]
mod tests;

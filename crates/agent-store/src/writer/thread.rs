//! The thread itself: gathers, transacts, tells.

use super::Message;
use super::figures::Counters;
use super::job::{Job, Refusal};
use super::link::Link;
use crate::database::{Database, Ended, Scope};
use crate::error::is_broken;
use agent_core::event::Event;
use agent_core::failpoint;
use agent_core::ports::CommitListener;
use diesel::QueryResult;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};

/// The most transactions that share one commit.
const MAX_BATCH: usize = 256;

/// After how many transactions the database is tidied up: when nobody waits, and in any case. A checkpoint of SQLite
/// writes each changed page once, however often it changed, so rarely is cheap; the log must stay short enough to be
/// read at a start.
const UNTIDY_AT_LEAST: usize = 500;
const UNTIDY_AT_MOST: usize = 2_000;

/// How long a commit waits for those who were there last time: no longer than the last one took, within bounds,
/// and only while they keep coming.
const SHORTEST_WAIT: Duration = Duration::from_micros(500);
const LONGEST_WAIT: Duration = Duration::from_millis(5);
const GAP: Duration = Duration::from_micros(300);

#[expect(clippy::disallowed_methods, reason = "how long to wait for company belongs to the effect itself")]
fn now() -> Instant {
    Instant::now()
}

/// What the thread does in one go.
struct Batch<C> {
    jobs: Vec<Box<dyn Job<C>>>,
    /// Whoever asked the thread to end after these.
    closing: Option<oneshot::Sender<QueryResult<()>>>,
}

pub(super) struct Thread<D: Database> {
    link: Link<D>,
    receiver: Receiver<Message<D::Conn>>,
    listener: Arc<dyn CommitListener>,
    counters: Arc<Counters>,
    /// How many callers the last commit answered.
    expected: usize,
    /// How long it took to reach the disk.
    last_commit: Duration,
    /// Transactions since the database was last tidied up.
    untidy: usize,
    /// The disk has failed: everything is refused from then on, for this reason.
    broken: Option<Refusal>,
    /// Tells whoever must know of it.
    failed: watch::Sender<bool>,
}

impl<D: Database> Thread<D> {
    pub(super) fn new(
        link: Link<D>,
        receiver: Receiver<Message<D::Conn>>,
        listener: Arc<dyn CommitListener>,
        counters: Arc<Counters>,
        failed: watch::Sender<bool>,
    ) -> Self {
        Self {
            link,
            receiver,
            listener,
            counters,
            expected: 1,
            last_commit: Duration::ZERO,
            untidy: 0,
            broken: None,
            failed,
        }
    }

    pub(super) fn run(mut self) {
        while let Some(first) = self.first() {
            let Batch { jobs, closing } = self.gather(first);
            if !jobs.is_empty() {
                self.process(jobs);
            }
            if let Some(reply) = closing {
                let finished = self.finish();
                // The connection is closed before the answer: whoever waited may remove the file.
                drop(self);
                drop(reply.send(finished));
                return;
            }
        }
        if self.broken.is_some() {
            self.link.abandon();
        }
    }

    /// The next of those who wait. While nobody does, there is time to tidy up.
    fn first(&mut self) -> Option<Message<D::Conn>> {
        if self.untidy < UNTIDY_AT_MOST
            && let Ok(message) = self.receiver.try_recv()
        {
            return Some(message);
        }
        if self.untidy >= UNTIDY_AT_LEAST {
            self.tidy();
        }
        self.receiver.recv().ok()
    }

    fn tidy(&mut self) {
        self.untidy = 0;
        if self.broken.is_some() {
            return;
        }
        let Ok(conn) = self.link.conn() else { return };
        if let Err(error) = D::tidy(conn) {
            let refusal = Refusal::NotCommitted(Arc::new(error));
            tracing::warn!(error = ?refusal.cause(), "the database could not be tidied up; trying again later");
            self.notice_failure(Some(&refusal));
        }
    }

    /// What is left to do at the end; nothing more on a disk that has failed.
    fn finish(&mut self) -> QueryResult<()> {
        if self.broken.is_none() {
            return self.link.finish();
        }
        self.link.abandon();
        Err(diesel::result::Error::BrokenTransactionManager)
    }

    /// Everything that waits already, up to the limit or to a request to close, and what is about to come:
    /// whoever was answered together tends to come back together, and a commit that leaves half of them behind
    /// costs all of them another one.
    fn gather(&mut self, first: Message<D::Conn>) -> Batch<D::Conn> {
        let mut batch = Batch { jobs: Vec::new(), closing: None };
        let deadline = now() + self.last_commit.clamp(SHORTEST_WAIT, LONGEST_WAIT);
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Job(job) => batch.jobs.push(job),
                Message::Close(reply) => {
                    batch.closing = Some(reply);
                    break;
                }
            }
            next = self.next(batch.jobs.len(), deadline);
        }
        self.expected = batch.jobs.len();
        batch
    }

    fn next(&self, gathered: usize, deadline: Instant) -> Option<Message<D::Conn>> {
        if gathered >= MAX_BATCH {
            return None;
        }
        let waiting = self.receiver.try_recv().ok();
        if waiting.is_some() || gathered >= self.expected {
            return waiting;
        }
        // One caller alone is never made to wait: then no more than one is expected.
        self.receiver.recv_timeout(GAP.min(deadline.saturating_duration_since(now()))).ok()
    }

    fn process(&mut self, mut batch: Vec<Box<dyn Job<D::Conn>>>) {
        self.counters.asked(batch.len());
        self.untidy += batch.len();
        if let Some(refusal) = &self.broken {
            return batch.into_iter().for_each(|job| job.answer(Some(refusal)));
        }
        let refusal = self.transact(&mut batch).err().map(|refusal| explained(refusal, &mut batch));
        self.notice_failure(refusal.as_ref());
        match &refusal {
            None => {}
            // Said once by whoever was told; every caller is told.
            Some(Refusal::Disconnected(_)) => {
                tracing::debug!(transactions = batch.len(), "nothing is written while the database is away");
            }
            Some(Refusal::NotCommitted(error) | Refusal::OutcomeUnknown(error)) => {
                tracing::error!(%error, transactions = batch.len(), "a group of transactions was not committed");
            }
        }
        for job in batch {
            if refusal.is_none() && !job.events().is_empty() {
                self.tell(job.events());
                failpoint::reach(failpoint::STORE_AFTER_TELLING);
            }
            job.answer(refusal.as_ref());
        }
    }

    /// After the disk has failed once, nothing may be reported as durable any more.
    fn notice_failure(&mut self, refusal: Option<&Refusal>) {
        let Some(cause) = refusal.and_then(Refusal::cause).filter(|cause| is_broken(cause)) else { return };
        tracing::error!(error = %cause, "the storage has failed; nothing is written any more until a new start");
        self.broken = refusal.cloned();
        self.failed.send_replace(true);
    }

    fn transact(&mut self, batch: &mut [Box<dyn Job<D::Conn>>]) -> Result<(), Refusal> {
        let ran = match &mut *batch {
            [alone] => {
                self.link.begin(&opening::<D>(alone.scope()))?;
                Ok(alone.run(self.link.conn()?).then_some(Ended::NotBegun))
            }
            several => {
                let first = several.first().map_or(Scope::All, |job| job.scope());
                self.link.begin(&format!("{}; SAVEPOINT job", opening::<D>(first)))?;
                run_each::<D>(self.link.conn()?, several)
            }
        };
        match ran {
            Ok(Some(end)) => {
                let committing = now();
                // A crash is of interest where somebody is told of it, not at the renewal of a lease.
                let telling = batch.iter().any(|job| !job.events().is_empty());
                pass(failpoint::STORE_BEFORE_COMMIT, telling);
                self.link.commit(&format!("{}{}", end.statements(), D::COMMIT))?;
                pass(failpoint::STORE_AFTER_COMMIT, telling);
                self.last_commit = committing.elapsed();
                self.counters.committed(batch.len(), self.last_commit);
                Ok(())
            }
            Ok(None) => {
                self.link.roll_back();
                Ok(())
            }
            Err(error) => {
                self.link.roll_back();
                Err(Refusal::NotCommitted(Arc::new(error)))
            }
        }
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

/// Why a group failed, rather than that its savepoint is gone: a full disk is named by the job that met it.
fn explained<C>(refusal: Refusal, batch: &mut [Box<dyn Job<C>>]) -> Refusal {
    let no_room = batch.iter_mut().find_map(|job| job.found_no_room());
    no_room.map_or(refusal, |error| Refusal::NotCommitted(Arc::new(error)))
}

fn pass(place: &'static str, telling: bool) {
    if telling {
        failpoint::reach(place);
    }
}

/// What begins a transaction about a scope.
fn opening<D: Database>(scope: Scope) -> String {
    format!("{}; {}", D::BEGIN_WRITING, D::enter(scope))
}

/// Each in its own savepoint, of which the first is open. Yields how the last ended, when anything is to be kept.
///
/// A savepoint that is gone means that the database gave up the whole transaction (SQLite on a full disk, for
/// one): then nothing that follows may run, because it would commit by itself.
fn run_each<D: Database>(
    conn: &mut D::Conn,
    batch: &mut [Box<dyn Job<D::Conn>>],
) -> QueryResult<Option<Ended>> {
    let (mut any, mut last) = (false, Ended::NotBegun);
    let mut within = batch.first().map_or(Scope::All, |job| job.scope());
    for job in batch {
        if last != Ended::NotBegun {
            D::next_savepoint(conn, last, Some(job.scope()).filter(|scope| *scope != within))?;
        }
        within = job.scope();
        let kept = job.run(conn);
        any |= kept;
        last = if kept { Ended::Kept } else { Ended::Undone };
    }
    Ok(any.then_some(last))
}

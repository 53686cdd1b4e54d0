//! Delivers whatever is due, as long as it runs.

mod turn;

use crate::delivery::Sender;
use crate::error::Result;
use crate::ports::DeliveryQueue;
use agent_core::error::with_causes;
use agent_core::event::Event;
use agent_core::ports::{Clock, CommitListener, EventLog, Randomness};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

/// Tells the dispatcher of this server that looking is worth while. Clones share everything. Purely a hint: a lost one
/// costs delay, never a delivery.
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// Something may be due: an event was committed, or a webhook made, changed or switched on.
    pub fn look(&self) {
        self.0.notify_one();
    }
}

impl CommitListener for Wake {
    fn committed(&self, _: &[Event]) {
        self.look();
    }
}

/// What a dispatcher works with.
#[derive(Clone)]
pub struct Parts {
    /// Hands out webhooks.
    pub queue: Arc<dyn DeliveryQueue>,
    /// Has the events.
    pub log: Arc<dyn EventLog>,
    /// Calls receivers.
    pub sender: Sender,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Spreads retries.
    pub randomness: Arc<dyn Randomness>,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("sender", &self.sender).finish_non_exhaustive()
    }
}

/// What became of the calls that a dispatcher made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeliveryFigures {
    /// Events that arrived.
    pub delivered: u64,
    /// Calls that failed, and are repeated later.
    pub failed: u64,
    /// Calls after whose failure the webhook was switched off.
    pub given_up: u64,
}

#[derive(Debug, Default)]
struct Counts {
    delivered: AtomicU64,
    failed: AtomicU64,
    given_up: AtomicU64,
}

/// How much a dispatcher does at once, and how often it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Webhooks that are delivered to at the same time.
    pub concurrency: usize,
    /// Events that one of them gets before the others have their turn.
    pub events_per_turn: u32,
    /// How long it waits after a hint, so that many commits cost one look.
    pub gather: Duration,
    /// How long it waits without a hint.
    pub look_every: Duration,
}

impl Default for Pace {
    /// 8 webhooks, 50 events, 100 ms, 5 s.
    fn default() -> Self {
        Self {
            concurrency: 8,
            events_per_turn: 50,
            gather: Duration::from_millis(100),
            look_every: Duration::from_secs(5),
        }
    }
}

/// Delivers events to webhooks: each in order, at least once, one at a time per webhook.
///
/// A position moves on only after its event has arrived, so that a crash repeats the last delivery at most, under the
/// same id. Servers that share a store share the work.
#[derive(Debug, Clone)]
pub struct Dispatcher {
    parts: Parts,
    wake: Wake,
    pace: Pace,
    counts: Arc<Counts>,
}

impl Dispatcher {
    /// A dispatcher that is not running yet. `wake` goes to whoever commits.
    pub fn new(parts: Parts, wake: Wake, pace: Pace) -> Self {
        Self { parts, wake, pace, counts: Arc::default() }
    }

    /// What became of the calls that this dispatcher and its clones made.
    pub fn figures(&self) -> DeliveryFigures {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let Counts { delivered, failed, given_up } = &*self.counts;
        DeliveryFigures { delivered: read(delivered), failed: read(failed), given_up: read(given_up) }
    }

    /// Delivers what is due, until it is told to stop; then it waits for the calls that are under way.
    pub async fn run(&self, stop: CancellationToken) {
        let mut turns = JoinSet::new();
        while !stop.is_cancelled() {
            if let Err(error) = self.fill(&mut turns, &stop).await {
                warn!(error = with_causes(&error), "webhooks that are due cannot be claimed; trying again");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                Some(done) = turns.join_next() => note(done),
                () = self.wake.0.notified() => self.gather(&stop).await,
                () = tokio::time::sleep(self.pace.look_every) => {}
            }
        }
        while let Some(done) = turns.join_next().await {
            note(done);
        }
    }

    /// Gives every webhook that is due now a turn, and waits for all of them; returns how many there were.
    ///
    /// # Errors
    /// `Unavailable` when nobody can tell what is due.
    pub async fn turn(&self) -> Result<usize> {
        let mut turns = JoinSet::new();
        let n_started = self.fill(&mut turns, &CancellationToken::new()).await?;
        while let Some(done) = turns.join_next().await {
            note(done);
        }
        Ok(n_started)
    }

    /// Starts turns as long as there is room and something is due; returns how many.
    async fn fill(&self, turns: &mut JoinSet<()>, stop: &CancellationToken) -> Result<usize> {
        let room = self.pace.concurrency.max(1).saturating_sub(turns.len());
        let Some(limit) = u32::try_from(room).ok().filter(|limit| *limit > 0) else { return Ok(0) };
        let due = self.parts.queue.due(self.parts.clock.now(), self.lease(), limit).await?;
        let n_started = due.len();
        for claimed in due {
            let (dispatcher, stop) = (self.clone(), stop.clone());
            turns.spawn(async move { dispatcher.take_turn(claimed, &stop).await });
        }
        Ok(n_started)
    }

    async fn gather(&self, stop: &CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(self.pace.gather) => {}
        }
    }

    /// How long a claim holds: well beyond what one call may take, since it is renewed after each.
    fn lease(&self) -> Duration {
        self.parts.sender.limits().total.saturating_mul(2) + Duration::from_secs(30)
    }
}

fn note(done: Result<(), tokio::task::JoinError>) {
    if let Err(error) = done {
        error!(%error, "a delivery ended in a defect of the program; it is repeated when its claim has lapsed");
    }
}

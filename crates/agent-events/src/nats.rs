//! Wake-ups among servers on one database, through NATS JetStream.
//!
//! The database is the truth. What travels says which plans are worth a look; whoever hears of one reads the log, as
//! for a wake-up of their own. So a message that is lost costs delay (listeners look by themselves once a second,
//! executors at every third of a lease), and one that comes twice, late or out of order costs a look.

mod address;
mod link;
mod message;
mod outbox;

pub use address::BusAddress;

use crate::wakes::Wakes;
use agent_core::event::Event;
use agent_core::ids::PlanId;
use agent_core::ports::{CommitListener, Neighbours};
use link::Link;
use message::Note;
use outbox::Outbox;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The bus: tells those who listen here of each commit, and the other servers that there was one.
///
/// A commit never waits for it and never fails because of it. Until [`Bus::start`], and while NATS is away, what is to
/// be told gathers in bounded space.
pub struct Bus {
    wakes: Arc<Wakes>,
    outbox: Arc<Outbox>,
    joined: Arc<AtomicBool>,
    stop: CancellationToken,
    link: Mutex<Option<JoinHandle<()>>>,
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus").field("joined", &self.is_joined()).finish_non_exhaustive()
    }
}

impl Bus {
    /// A bus that is not connected yet.
    pub fn new(wakes: Arc<Wakes>) -> Self {
        Self {
            wakes,
            outbox: Arc::default(),
            joined: Arc::default(),
            stop: CancellationToken::new(),
            link: Mutex::default(),
        }
    }

    /// Joins the other servers of a database, now and whenever NATS was away, for as long as it takes. `database`
    /// tells apart databases that share a NATS; `server` names this process and no other. What others say about work
    /// is told to `neighbours`, the executor here.
    ///
    /// Must be called once, in a Tokio runtime.
    ///
    /// # Errors
    /// [`Error::BusAddress`](crate::Error::BusAddress) when a server has no address.
    pub fn start(
        &self,
        address: &BusAddress,
        database: &str,
        server: &str,
        neighbours: Arc<dyn Neighbours>,
    ) -> crate::Result<()> {
        let link = Link {
            servers: address.servers()?,
            options: address.options(),
            names: link::Names::of(database, server),
            wakes: Arc::clone(&self.wakes),
            outbox: Arc::clone(&self.outbox),
            joined: Arc::clone(&self.joined),
            stop: self.stop.clone(),
            neighbours,
        };
        let running = tokio::spawn(link.run());
        *self.link.lock().unwrap_or_else(PoisonError::into_inner) = Some(running);
        Ok(())
    }

    /// Whether the other servers hear of commits, and this one of theirs, at this moment.
    pub fn is_joined(&self) -> bool {
        self.joined.load(Ordering::Relaxed)
    }

    /// Tells what is left to be told, where that takes no more than a moment, and leaves.
    pub async fn stop(&self) {
        self.stop.cancel();
        let running = self.link.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(running) = running
            && let Err(error) = running.await
        {
            tracing::warn!(%error, "what shared wake-ups with other servers had broken");
        }
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl CommitListener for Bus {
    fn committed(&self, events: &[Event]) {
        self.wakes.committed(events);
        if let Some(first) = events.first() {
            self.outbox.put(first.plan_id, Note { written_for: Some(first.owner), ..Note::default() });
        }
    }
}

/// What the executor here has to tell those at the other servers.
impl Neighbours for Bus {
    fn changed(&self, plan: PlanId) {
        self.outbox.put(plan, Note { changed: true, ..Note::default() });
    }

    fn free(&self, plan: PlanId) {
        self.outbox.put(plan, Note { free: true, ..Note::default() });
    }

    fn missed(&self) {
        self.outbox.put_everything();
    }
}

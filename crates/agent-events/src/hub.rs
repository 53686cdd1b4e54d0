//! The place to listen: from any point of a topic, through the past, into the present.

use crate::envelope::Envelope;
use crate::error::{Error, Result};
use crate::replay::Follower;
use crate::wakes::{Ear, Wakes};
use crate::watched_log::WatchedLog;
use agent_core::event::Topic;
use agent_core::ids::{Owner, PlanId};
use agent_core::ports::EventLog;
use agent_core::transient::{Audience, Transient};
use futures_util::StreamExt;
use futures_util::stream::{BoxStream, unfold};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;

/// How often somebody looks what was written and perhaps not told, as long as anybody listens.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Lets any number of listeners follow any topic. Clones share everything.
#[derive(Clone)]
pub struct Hub {
    wakes: Arc<Wakes>,
    watched: Arc<WatchedLog>,
    epoch: Arc<str>,
}

/// A listener's view of a topic.
pub struct Subscription {
    /// The position after which the stream begins: the one asked for, or the newest at the time.
    pub start: i64,
    /// Every event with a position above `start`, each once, in order, without end. An error does not end
    /// it either: polled again, it waits a moment and goes on where it was.
    pub stream: BoxStream<'static, Result<Arc<Envelope>>>,
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("start", &self.start).finish_non_exhaustive()
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("listeners", &self.wakes.listeners()).finish_non_exhaustive()
    }
}

impl Hub {
    /// Joins the wake-ups that a store gives with the log that it keeps. The log must show events in the
    /// order of their positions: never one below a position that it has shown before.
    pub fn new(wakes: Arc<Wakes>, log: Arc<dyn EventLog>) -> Self {
        Self { wakes, watched: Arc::new(WatchedLog::new(log, LOOK_EVERY)), epoch: Arc::from("") }
    }

    /// The same hub over a log of this name: positions of a log of another name mean nothing here.
    #[must_use]
    pub fn of_epoch(self, epoch: &str) -> Self {
        Self { epoch: epoch.into(), ..self }
    }

    /// The name of the log.
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// The newest position of a topic.
    ///
    /// # Errors
    /// [`Error::Log`].
    pub async fn head(&self, topic: Topic) -> Result<i64> {
        self.watched.log.head(topic).await.map_err(Error::Log)
    }

    /// The same hub, where one of the listeners looks by itself in this interval when no wake-up comes. One
    /// second unless said otherwise; shorter finds what other servers wrote sooner and costs more reads.
    #[must_use]
    pub fn looking_every(mut self, interval: Duration) -> Self {
        self.watched = Arc::new(WatchedLog::new(self.watched.log.clone(), interval));
        self
    }

    /// Follows a topic from behind the position `after` (0 or less: from its beginning), or from the
    /// present when it is not given. Whether the caller may see the topic is for the caller to decide.
    ///
    /// # Errors
    /// [`Error::CursorBeyondHead`] when `after` lies in the future, [`Error::Log`] when the log cannot be read.
    pub async fn subscribe(&self, topic: Topic, after: Option<i64>) -> Result<Subscription> {
        self.watched.begin().await?;
        // Listening comes before looking: what is committed in between is then heard of at least once.
        let ear = self.wakes.listen(topic);
        let head = self.known_head(&ear, topic, after).await?;
        let start = match after {
            Some(after) if after > head => return Err(Error::CursorBeyondHead { after, head }),
            Some(after) => after.max(0),
            None => head,
        };
        let follower = Follower::new(self.watched.clone(), ear, topic, start);
        let stream = unfold(follower, |mut follower| async move {
            let item = follower.next().await;
            Some((item, follower))
        });
        Ok(Subscription { start, stream: stream.boxed() })
    }

    /// What passes in a topic from now on: never replayed, and dropped where a listener is slow.
    pub fn transients(&self, topic: Topic) -> BoxStream<'static, Arc<Transient>> {
        let ear = self.wakes.listen(topic);
        let receiver = ear.transients();
        let stream = unfold((ear, receiver), |(ear, mut receiver)| async move {
            loop {
                match receiver.recv().await {
                    Ok(transient) => return Some((transient, (ear, receiver))),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                }
            }
        });
        stream.boxed()
    }

    /// The newest position of a topic, asked of the log only where it is not known.
    async fn known_head(&self, ear: &Ear, topic: Topic, after: Option<i64>) -> Result<i64> {
        let known = ear.channel().tail().newest();
        if let Some(head) = known.filter(|head| after.is_none_or(|after| after <= *head)) {
            return Ok(head);
        }
        let head = self.head(topic).await?;
        ear.channel().tail().begin(head);
        Ok(head)
    }
}

impl Audience for Hub {
    fn watches(&self, plan: PlanId, owner: Owner) -> bool {
        self.wakes.watches(plan, owner)
    }

    fn show(&self, transient: Transient) {
        self.wakes.show(transient);
    }
}

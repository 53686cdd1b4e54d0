//! The place to listen: from any point of a topic, through the past, into the present.

use crate::envelope::Envelope;
use crate::error::{Error, Result};
use crate::replay::Follower;
use crate::wakes::Wakes;
use agent_core::event::Topic;
use agent_core::ports::EventLog;
use futures_util::StreamExt;
use futures_util::stream::{BoxStream, unfold};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long a listener waits for a wake-up before it looks by itself.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Lets any number of listeners follow any topic. Clones share everything.
#[derive(Clone)]
pub struct Hub {
    wakes: Arc<Wakes>,
    watched: Arc<WatchedLog>,
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
        Self { wakes, watched: Arc::new(WatchedLog::new(log, LOOK_EVERY)) }
    }

    /// The same hub, whose listeners look by themselves in this interval when no wake-up comes. One
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
        // Listening comes before looking: what is committed in between is then heard of at least once.
        let ear = self.wakes.listen(topic);
        let head = self.watched.log.head(topic).await.map_err(Error::Log)?;
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
}

/// The log, with one shared look per interval at whether anything was written at all, so that ten
/// thousand idle listeners cost one read and not ten thousand.
pub(crate) struct WatchedLog {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) interval: Duration,
    newest: Mutex<Option<(Instant, i64)>>,
}

impl WatchedLog {
    fn new(log: Arc<dyn EventLog>, interval: Duration) -> Self {
        Self { log, interval, newest: Mutex::new(None) }
    }

    /// The position of the newest event of all, at most half an interval old.
    pub(crate) async fn newest(&self) -> Result<i64> {
        let mut newest = self.newest.lock().await;
        if let Some((looked_at, head)) = *newest
            && looked_at.elapsed() < self.interval / 2
        {
            return Ok(head);
        }
        let head = self.log.head(Topic::Everything).await.map_err(Error::Log)?;
        *newest = Some((Instant::now(), head));
        Ok(head)
    }
}

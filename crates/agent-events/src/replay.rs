//! One listener's way through a topic: pages of the past, then what all listeners share.

use crate::envelope::Envelope;
use crate::error::{Error, Result};
use crate::tail::Look;
use crate::topic::position;
use crate::wakes::{Ear, Reading, Wakes};
use crate::watched_log::WatchedLog;
use agent_core::event::Topic;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio_util::task::AbortOnDropHandle;

/// The most events taken at once, and how many are at first, when nobody knows how large they are.
const PAGE: u32 = 100;
const FIRST_PAGE: u32 = 8;
/// The bytes of JSON that a page is to have: with larger events it has fewer of them.
const PAGE_BYTES: usize = 64 * 1024;

/// Follows a topic. Holds at most one page at a time, and reads on only when asked.
pub(crate) struct Follower {
    log: Arc<WatchedLog>,
    ear: Ear,
    topic: Topic,
    /// Position of the last event taken into `pending`.
    position: i64,
    pending: VecDeque<Arc<Envelope>>,
    /// How many events the next page has.
    limit: u32,
    failed: bool,
}

impl Follower {
    pub(crate) fn new(log: Arc<WatchedLog>, ear: Ear, topic: Topic, start: i64) -> Self {
        Self { log, ear, topic, position: start, pending: VecDeque::new(), limit: FIRST_PAGE, failed: false }
    }

    /// The next event, however long it takes; or that the log could not be read.
    pub(crate) async fn next(&mut self) -> Result<Arc<Envelope>> {
        if std::mem::take(&mut self.failed) {
            tokio::time::sleep(self.log.interval).await;
        }
        loop {
            if let Some(envelope) = self.pending.pop_front() {
                return Ok(envelope);
            }
            let step = match self.ear.look(self.position, PAGE_BYTES) {
                Look::Events(events) => {
                    self.take(events);
                    Ok(())
                }
                Look::Older => Box::pin(self.read_own_page()).await,
                Look::Unread => match self.ear.channel().begin_reading() {
                    Some(reading) => Box::pin(self.read_for_all(reading)).await,
                    None => self.wait().await,
                },
                Look::Nothing => self.wait().await,
            };
            if let Err(error) = step {
                self.failed = true;
                return Err(error);
            }
        }
    }

    /// Reads what only this listener lacks.
    async fn read_own_page(&mut self) -> Result<()> {
        let page = read(&self.log, self.ear.wakes(), self.topic, self.position, self.limit).await?;
        self.learn_from(Sizes::of(&page));
        if page.is_empty() {
            // The log lacks what others have heard; asking again at once would not bring it back.
            return self.wait().await;
        }
        self.take(within(page, PAGE_BYTES));
        Ok(())
    }

    /// Reads what nobody has who listens to the topic, in a task of its own: the others wait for it, whether or not
    /// this listener goes on asking.
    async fn read_for_all(&mut self, reading: Reading) -> Result<()> {
        let (log, wakes) = (Arc::clone(&self.log), Arc::clone(self.ear.wakes()));
        let (topic, limit) = (self.topic, self.limit);
        let task = tokio::spawn(async move {
            let (from, announced) = reading.channel().tail().unread();
            let page = read(&log, &wakes, topic, from, limit).await?;
            let was_all = page.len() < limit as usize;
            reading.channel().tail().append(from, &page, was_all.then_some(announced));
            Ok(Sizes::of(&page))
        });
        let sizes = AbortOnDropHandle::new(task).await.map_err(Error::stopped)??;
        self.learn_from(sizes);
        Ok(())
    }

    /// Chooses how many events the next page has, for it to have about as many bytes as it is to have.
    fn learn_from(&mut self, Sizes { events, bytes }: Sizes) {
        let fitting = (events * PAGE_BYTES).checked_div(bytes).unwrap_or_default();
        let most = self.limit.saturating_mul(4).min(PAGE);
        self.limit = u32::try_from(fitting).unwrap_or(PAGE).clamp(1, most);
    }

    async fn wait(&mut self) -> Result<()> {
        let patience = self.ear.patience(self.log.interval);
        match tokio::time::timeout(patience, self.ear.wake()).await {
            Ok(()) => Ok(()),
            Err(_elapsed) => Box::pin(self.log.look(self.ear.wakes())).await,
        }
    }

    fn take(&mut self, events: Vec<Arc<Envelope>>) {
        for envelope in events {
            let at = position(self.topic, &envelope.event);
            if at > self.position {
                self.position = at;
                self.pending.push_back(envelope);
            }
        }
    }
}

/// How much a page was.
struct Sizes {
    events: usize,
    bytes: usize,
}

impl Sizes {
    fn of(page: &[Arc<Envelope>]) -> Self {
        Self { events: page.len(), bytes: page.iter().map(|envelope| envelope.json.len()).sum() }
    }
}

async fn read(
    log: &WatchedLog,
    wakes: &Wakes,
    topic: Topic,
    after: i64,
    limit: u32,
) -> Result<Vec<Arc<Envelope>>> {
    let page = log.log.read(topic, after, limit).await.map_err(Error::Log)?;
    Ok(page.into_iter().map(|event| wakes.recent().seal(event)).collect())
}

/// The events that come first and have so many bytes of JSON; one at least, however large it is. What a listener holds
/// for itself is bounded by this, not by how large the events turn out to be.
fn within(mut page: Vec<Arc<Envelope>>, bytes: usize) -> Vec<Arc<Envelope>> {
    let mut taken = 0;
    let fitting = page.iter().take_while(|envelope| {
        taken += envelope.json.len();
        taken <= bytes
    });
    let fitting = fitting.count().max(1);
    page.truncate(fitting);
    page
}

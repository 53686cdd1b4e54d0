//! One listener's way through a topic: pages of the past, then what is carried by wake-ups or read anew.

use crate::envelope::Envelope;
use crate::error::{Error, Result};
use crate::hub::WatchedLog;
use crate::topic::position;
use crate::wakes::{Ear, Wake};
use agent_core::event::Topic;
use std::collections::VecDeque;
use std::sync::Arc;

/// Events read from the log at once.
const PAGE: u32 = 100;

/// Follows a topic. Holds at most one page or one commit at a time, and reads on only when asked.
pub(crate) struct Follower {
    log: Arc<WatchedLog>,
    ear: Ear,
    topic: Topic,
    /// Position of the last event taken into `pending`.
    position: i64,
    pending: VecDeque<Arc<Envelope>>,
    /// Whether the log may hold events behind `position` that nothing announces any more.
    behind: bool,
    /// The newest event of all when the log was last looked at without a wake-up.
    newest_seen: Option<i64>,
    failed: bool,
}

impl Follower {
    pub(crate) fn new(log: Arc<WatchedLog>, ear: Ear, topic: Topic, start: i64) -> Self {
        Self {
            log,
            ear,
            topic,
            position: start,
            pending: VecDeque::new(),
            behind: true,
            newest_seen: None,
            failed: false,
        }
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
            let step = if self.behind { self.read_page().await } else { self.wait().await };
            if let Err(error) = step {
                self.behind = true;
                self.failed = true;
                return Err(error);
            }
        }
    }

    async fn read_page(&mut self) -> Result<()> {
        let page = self.log.log.read(self.topic, self.position, PAGE).await.map_err(Error::Log)?;
        self.behind = page.len() >= PAGE as usize;
        for event in page {
            self.take(self.ear.recent().seal(event));
        }
        Ok(())
    }

    async fn wait(&mut self) -> Result<()> {
        match tokio::time::timeout(self.log.interval, self.ear.wake()).await {
            Ok(Wake::Committed(batch)) if matches!(self.topic, Topic::Plan(..)) => self.take_batch(&batch),
            // Positions over several plans have gaps, so that only the log can tell what comes next.
            Ok(Wake::Committed(_) | Wake::Missed) => {
                self.ear.forget();
                self.behind = true;
            }
            Err(_elapsed) => {
                let newest = self.log.newest().await?;
                self.behind = self.newest_seen != Some(newest);
                self.newest_seen = Some(newest);
            }
        }
        Ok(())
    }

    fn take_batch(&mut self, batch: &[Arc<Envelope>]) {
        self.behind = batch.is_empty();
        for envelope in batch {
            if position(self.topic, &envelope.event) > self.position + 1 {
                self.behind = true;
                return;
            }
            self.take(envelope.clone());
        }
    }

    fn take(&mut self, envelope: Arc<Envelope>) {
        let at = position(self.topic, &envelope.event);
        if at > self.position {
            self.position = at;
            self.pending.push_back(envelope);
        }
    }
}

//! The newest events of a topic, kept once for all who listen to it.

use crate::envelope::Envelope;
use crate::topic::position;
use agent_core::event::Topic;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most bytes of events a tail holds, unless one event alone is larger.
const BYTES: usize = 8 * 1024 * 1024;
/// Bytes that all tails together may hold before each is cut to [`SMALL_BYTES`].
const ALL_BYTES: usize = 64 * 1024 * 1024;
const SMALL_BYTES: usize = 16 * 1024;

/// Bytes that all tails of a server hold.
#[derive(Debug, Default)]
pub(crate) struct Held(AtomicUsize);

/// A run of events of one topic without a gap, the newest last.
#[derive(Debug)]
pub(crate) struct Tail {
    topic: Topic,
    /// Every event of the topic behind this position and up to `head` is here.
    after: i64,
    /// The position of the newest event here; `None` until the log was asked.
    head: Option<i64>,
    /// The newest event of all plans that was taken.
    cursor: i64,
    events: VecDeque<Arc<Envelope>>,
    bytes: usize,
    held: Arc<Held>,
    /// How often something was announced that is not here, and how much of that was read since.
    announced: u64,
    read: u64,
}

/// What a tail has for somebody who stands at a position.
#[derive(Debug)]
pub(crate) enum Look {
    /// These come next.
    Events(Vec<Arc<Envelope>>),
    /// What comes next is older than what is here.
    Older,
    /// The log holds more than what is here.
    Unread,
    /// Nothing comes next.
    Nothing,
}

impl Tail {
    pub(crate) fn new(topic: Topic, held: Arc<Held>) -> Self {
        Self {
            topic,
            after: 0,
            head: None,
            cursor: 0,
            events: VecDeque::new(),
            bytes: 0,
            held,
            announced: 0,
            read: 0,
        }
    }

    /// Begins at the newest position of the log, unless it has begun.
    pub(crate) fn begin(&mut self, head: i64) {
        if self.head.is_none() {
            self.after = head;
            self.head = Some(head);
        }
    }

    /// The position of the newest event, where nothing says that the log has a newer one.
    pub(crate) fn newest(&self) -> Option<i64> {
        self.head.filter(|_| self.announced == self.read)
    }

    /// Events behind a position, of about so many bytes of JSON.
    pub(crate) fn look(&self, position_seen: i64, bytes: usize) -> Look {
        if position_seen < self.after {
            return Look::Older;
        }
        let first = self.events.partition_point(|event| position(self.topic, &event.event) <= position_seen);
        if first < self.events.len() {
            let mut left = bytes;
            let fits = |envelope: &&Arc<Envelope>| {
                let is_first = left == bytes;
                let fits = is_first || envelope.json.len() <= left;
                left = left.saturating_sub(envelope.json.len());
                fits
            };
            return Look::Events(self.events.range(first..).take_while(fits).cloned().collect());
        }
        if self.announced == self.read { Look::Nothing } else { Look::Unread }
    }

    /// Takes committed events that continue what is here; otherwise notes that the log has more.
    pub(crate) fn committed(&mut self, events: &[Arc<Envelope>]) {
        let continues = |head: i64| match events.first() {
            Some(first) => matches!(self.topic, Topic::Plan(..)) && first.event.seq <= head + 1,
            None => true,
        };
        if !self.newest().is_some_and(continues) {
            // Positions over several plans have gaps, so that only the log can tell what comes next.
            self.announced += 1;
            return;
        }
        for event in events {
            self.push(event);
        }
    }

    /// Notes that the log holds an event with this cursor, or something unknown.
    pub(crate) fn announce(&mut self, cursor: Option<i64>) {
        if cursor.is_none_or(|cursor| cursor > self.cursor) {
            self.announced += 1;
        }
    }

    /// Where the log is to be read on from, and the announcements which that answers.
    pub(crate) fn unread(&self) -> (i64, u64) {
        (self.head.unwrap_or(self.after), self.announced)
    }

    /// Takes what the log had behind `from`; `answered` are the announcements that this answers, if it was all.
    pub(crate) fn append(&mut self, from: i64, page: &[Arc<Envelope>], answered: Option<u64>) {
        if self.head != Some(from) {
            // Somebody else has read meanwhile, or the events came with their commit.
            return;
        }
        for event in page {
            self.push(event);
        }
        self.read = answered.unwrap_or(self.read);
    }

    fn push(&mut self, envelope: &Arc<Envelope>) {
        let at = position(self.topic, &envelope.event);
        if self.head.is_some_and(|head| at <= head) {
            return;
        }
        self.head = Some(at);
        self.cursor = self.cursor.max(envelope.event.cursor);
        self.add(envelope.weight());
        self.events.push_back(Arc::clone(envelope));
        let bound = if self.held.0.load(Ordering::Relaxed) > ALL_BYTES { SMALL_BYTES } else { BYTES };
        while self.events.len() > 1 && self.bytes > bound {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(oldest) = self.events.pop_front() {
            self.after = position(self.topic, &oldest.event);
            self.bytes -= oldest.weight();
            self.held.0.fetch_sub(oldest.weight(), Ordering::Relaxed);
        }
    }

    fn add(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.held.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.held.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

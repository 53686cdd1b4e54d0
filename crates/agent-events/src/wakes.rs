//! Wake-ups: tells those who listen to a topic that there is something new, and keeps it for them.

use crate::envelope::{Envelope, Recent};
use crate::tail::{Held, Look, Tail};
use agent_core::event::{Event, Topic};
use agent_core::ids::{Owner, PlanId};
use agent_core::ports::CommitListener;
use agent_core::transient::{Audience, Transient};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::{broadcast, watch};

/// Transient messages a listener may leave unread before the oldest are dropped.
const TRANSIENTS: usize = 64;
/// So many listeners share one look; each waits at most so many intervals for another to do it.
const CROWD: usize = 64;
const LONGEST_PATIENCE: usize = 30;

/// The listener that a store calls after each commit. Cheap when nobody listens; holds per listened-to
/// topic a bounded number of recent events, and nothing for the others.
#[derive(Debug, Default)]
pub struct Wakes {
    channels: Mutex<HashMap<Topic, Arc<Channel>>>,
    held: Arc<Held>,
    recent: Recent,
    listeners: AtomicUsize,
    ears: AtomicUsize,
}

/// What all listeners of one topic share.
#[derive(Debug)]
pub(crate) struct Channel {
    tail: Mutex<Tail>,
    heard: watch::Sender<()>,
    /// Whether somebody reads the log for all.
    reading: AtomicBool,
    transients: OnceLock<broadcast::Sender<Arc<Transient>>>,
}

impl Wakes {
    /// Wake-ups with nobody listening yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many listeners there are at this moment.
    pub fn listeners(&self) -> usize {
        self.listeners.load(Ordering::Relaxed)
    }

    pub(crate) fn recent(&self) -> &Recent {
        &self.recent
    }

    pub(crate) fn listen(self: &Arc<Self>, topic: Topic) -> Ear {
        let mut channels = self.lock();
        let new = || Arc::new(Channel::new(Tail::new(topic, Arc::clone(&self.held))));
        let channel = Arc::clone(channels.entry(topic).or_insert_with(new));
        let heard = Some(channel.heard.subscribe());
        self.listeners.fetch_add(1, Ordering::Relaxed);
        let number = self.ears.fetch_add(1, Ordering::Relaxed);
        Ear { heard, channel, topic, wakes: self.clone(), number }
    }

    /// Wakes whoever follows a plan, its owner or everything: the log has this event, or something that another
    /// server has written.
    pub(crate) fn announce(&self, plan: PlanId, owner: Owner, cursor: Option<i64>) {
        for channel in self.concerned(plan, owner) {
            channel.announce(cursor);
        }
    }

    /// Wakes everybody: something may have been written that nobody here was told of.
    pub(crate) fn announce_everything(&self) {
        let channels: Vec<Arc<Channel>> = self.lock().values().cloned().collect();
        for channel in channels {
            channel.announce(None);
        }
    }

    /// The channels of those who listen to a plan, to its owner, to its tenant or to everything.
    fn concerned(&self, plan: PlanId, owner: Owner) -> Vec<Arc<Channel>> {
        let channels = self.lock();
        topics_of(plan, owner).iter().filter_map(|topic| channels.get(topic).cloned()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Topic, Arc<Channel>>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CommitListener for Wakes {
    fn committed(&self, events: &[Event]) {
        let Some(first) = events.first() else { return };
        let channels = self.concerned(first.plan_id, first.owner);
        if channels.is_empty() {
            return;
        }
        let sealed: Vec<Arc<Envelope>> = events.iter().map(|event| self.recent.seal(event.clone())).collect();
        for channel in channels {
            channel.committed(&sealed);
        }
    }
}

/// Those who listen for what passes, at this server: it is neither kept nor repeated, and the first to go where a listener
/// is slow.
impl Audience for Wakes {
    fn watches(&self, plan: PlanId, owner: Owner) -> bool {
        self.concerned(plan, owner).iter().any(|channel| channel.watchers().is_some())
    }

    fn show(&self, transient: Transient) {
        let channels = self.concerned(transient.plan_id, transient.owner);
        let transient = Arc::new(transient);
        for watchers in channels.iter().filter_map(|channel| channel.watchers()) {
            // Fails only when the last listener has just left.
            let _ = watchers.send(Arc::clone(&transient));
        }
    }
}

/// Whoever listens to one of these hears of an event.
fn topics_of(plan: PlanId, owner: Owner) -> [Topic; 4] {
    let tenant = owner.tenant;
    [Topic::Plan(tenant, plan), Topic::Owner(owner), Topic::Tenant(tenant), Topic::Everything]
}

impl Channel {
    fn new(tail: Tail) -> Self {
        Self {
            tail: Mutex::new(tail),
            heard: watch::Sender::new(()),
            reading: AtomicBool::new(false),
            transients: OnceLock::new(),
        }
    }

    pub(crate) fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads for all, unless somebody does; whoever waits is woken when the reading ends, however it ends.
    pub(crate) fn begin_reading(self: &Arc<Self>) -> Option<Reading> {
        let begun = self.reading.compare_exchange(false, true, Ordering::AcqRel, Ordering::Acquire);
        begun.ok().map(|_| Reading(Arc::clone(self)))
    }

    fn committed(&self, events: &[Arc<Envelope>]) {
        self.tail().committed(events);
        self.heard.send_replace(());
    }

    /// The way to those who want to hear of what passes, where there are any.
    fn watchers(&self) -> Option<&broadcast::Sender<Arc<Transient>>> {
        self.transients.get().filter(|watchers| watchers.receiver_count() > 0)
    }

    fn announce(&self, cursor: Option<i64>) {
        self.tail().announce(cursor);
        self.heard.send_replace(());
    }
}

/// The right to read the log for all listeners of a topic.
#[derive(Debug)]
pub(crate) struct Reading(Arc<Channel>);

impl Reading {
    pub(crate) fn channel(&self) -> &Channel {
        &self.0
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.reading.store(false, Ordering::Release);
        self.0.heard.send_replace(());
    }
}

/// One listener's end. Gone from the books when it is dropped.
#[derive(Debug)]
pub(crate) struct Ear {
    heard: Option<watch::Receiver<()>>,
    channel: Arc<Channel>,
    topic: Topic,
    wakes: Arc<Wakes>,
    number: usize,
}

impl Ear {
    /// What comes behind a position. What is told after this call wakes the next [`Ear::wake`].
    pub(crate) fn look(&mut self, position: i64, bytes: usize) -> Look {
        if let Some(heard) = &mut self.heard {
            heard.mark_unchanged();
        }
        self.channel.tail().look(position, bytes)
    }

    /// Waits until something was told since the last look. Safe to drop half-way.
    pub(crate) async fn wake(&mut self) {
        if let Some(heard) = &mut self.heard
            && heard.changed().await.is_ok()
        {
            return;
        }
        // Cannot end while this ear is in the books; waiting for the next regular look is right then.
        std::future::pending().await
    }

    /// How long this listener waits for a wake-up before it looks for all, so that there is a look in about each interval
    /// however many listen: the more there are, the longer each waits, and no two alike.
    pub(crate) fn patience(&self, interval: Duration) -> Duration {
        let crowd = (1 + self.wakes.listeners() / CROWD).min(LONGEST_PATIENCE);
        // The golden ratio spreads any run of numbers evenly.
        let share = (self.number as f64 * 0.618_033_988_749_895).fract();
        interval.mul_f64(crowd as f64 * (0.5 + share / 2.0))
    }

    /// What passes in the topic from now on.
    pub(crate) fn transients(&self) -> broadcast::Receiver<Arc<Transient>> {
        self.channel.transients.get_or_init(|| broadcast::Sender::new(TRANSIENTS)).subscribe()
    }

    pub(crate) fn channel(&self) -> &Arc<Channel> {
        &self.channel
    }

    pub(crate) fn wakes(&self) -> &Arc<Wakes> {
        &self.wakes
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        let mut channels = self.wakes.lock();
        self.heard = None;
        self.wakes.listeners.fetch_sub(1, Ordering::Relaxed);
        if self.channel.heard.receiver_count() == 0 {
            channels.remove(&self.topic);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_core::ids::TenantId;

    #[test]
    fn a_topic_nobody_listens_to_any_more_leaves_nothing_behind() {
        let wakes = Arc::new(Wakes::new());
        let (first, second) = (
            wakes.listen(Topic::Plan(TenantId(1), PlanId(1))),
            wakes.listen(Topic::Plan(TenantId(1), PlanId(1))),
        );
        assert_eq!(wakes.listeners(), 2);
        drop(first);
        assert_eq!(wakes.lock().len(), 1);
        drop(second);
        assert_eq!(wakes.lock().len(), 0);
    }
}

//! Wake-ups: tells those who listen to a topic that reading its log is worth while.

use crate::envelope::{Envelope, Recent};
use agent_core::event::{Event, Topic};
use agent_core::ids::{Owner, PlanId};
use agent_core::ports::CommitListener;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

/// Wake-ups a listener may leave unread before it is told to read the log instead.
const UNREAD: usize = 64;
/// Commits larger than this many bytes of JSON wake without carrying their events.
const CARRIED_BYTES: usize = 64 * 1024;

/// Events of one commit, or none when they are too large to carry: then the log has them.
type Batch = Arc<[Arc<Envelope>]>;

/// The listener that a store calls after each commit. Cheap when nobody listens; holds per listened-to
/// topic a bounded number of recent commits, and nothing for the others.
#[derive(Debug, Default)]
pub struct Wakes {
    topics: Mutex<HashMap<Topic, broadcast::Sender<Batch>>>,
    recent: Recent,
}

impl Wakes {
    /// Wake-ups with nobody listening yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many listeners there are at this moment.
    pub fn listeners(&self) -> usize {
        self.lock().values().map(broadcast::Sender::receiver_count).sum()
    }

    pub(crate) fn recent(&self) -> &Recent {
        &self.recent
    }

    pub(crate) fn listen(self: &Arc<Self>, topic: Topic) -> Ear {
        let receiver = self.lock().entry(topic).or_insert_with(|| broadcast::Sender::new(UNREAD)).subscribe();
        Ear { receiver: Some(receiver), topic, wakes: self.clone() }
    }

    /// Wakes whoever follows a plan, its owner or everything: another server has written, and the log has it.
    pub(crate) fn announce(&self, plan: PlanId, owner: Owner) {
        let nothing_carried: Batch = Arc::from([]);
        for sender in self.concerned(topics_of(plan, owner)) {
            let _ = sender.send(nothing_carried.clone());
        }
    }

    /// Wakes everybody: something may have been written that nobody here was told of.
    pub(crate) fn announce_everything(&self) {
        let nothing_carried: Batch = Arc::from([]);
        let senders: Vec<broadcast::Sender<Batch>> = self.lock().values().cloned().collect();
        for sender in senders {
            let _ = sender.send(nothing_carried.clone());
        }
    }

    /// The ways to those who listen to any of these.
    fn concerned(&self, topics: [Topic; 4]) -> Vec<broadcast::Sender<Batch>> {
        let listened_to = self.lock();
        topics.iter().filter_map(|topic| listened_to.get(topic).cloned()).collect()
    }

    fn batch(&self, events: &[Event]) -> Batch {
        let envelopes: Vec<Arc<Envelope>> =
            events.iter().map(|event| self.recent.seal(event.clone())).collect();
        let bytes: usize = envelopes.iter().map(|envelope| envelope.json.len()).sum();
        if bytes > CARRIED_BYTES { Arc::from([]) } else { envelopes.into() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Topic, broadcast::Sender<Batch>>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CommitListener for Wakes {
    fn committed(&self, events: &[Event]) {
        let Some(first) = events.first() else { return };
        let senders = self.concerned(topics_of(first.plan_id, first.owner));
        if senders.is_empty() {
            return;
        }
        let batch = self.batch(events);
        for sender in senders {
            // Fails only when the last listener has just left.
            let _ = sender.send(batch.clone());
        }
    }
}

/// Whoever listens to one of these hears of an event.
fn topics_of(plan: PlanId, owner: Owner) -> [Topic; 4] {
    let tenant = owner.tenant;
    [Topic::Plan(tenant, plan), Topic::Owner(owner), Topic::Tenant(tenant), Topic::Everything]
}

/// One listener's end. Gone from the books when it is dropped.
#[derive(Debug)]
pub(crate) struct Ear {
    receiver: Option<broadcast::Receiver<Batch>>,
    topic: Topic,
    wakes: Arc<Wakes>,
}

/// What a listener was woken with.
#[derive(Debug)]
pub(crate) enum Wake {
    /// These events were committed; empty when they must be read from the log.
    Committed(Batch),
    /// Some wake-ups were overwritten before they were heard.
    Missed,
}

impl Ear {
    /// The next wake-up. Safe to drop half-way.
    pub(crate) async fn wake(&mut self) -> Wake {
        let Some(receiver) = self.receiver.as_mut() else { return std::future::pending().await };
        match receiver.recv().await {
            Ok(batch) => Wake::Committed(batch),
            Err(RecvError::Lagged(_)) => Wake::Missed,
            // Cannot be while this ear is in the books; waiting for the next regular look is right then.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }

    /// Forgets the wake-ups that came so far: one look at the log answers them all.
    pub(crate) fn forget(&mut self) {
        let Some(receiver) = self.receiver.as_mut() else { return };
        while matches!(receiver.try_recv(), Ok(_) | Err(TryRecvError::Lagged(_))) {}
    }

    pub(crate) fn recent(&self) -> &Recent {
        self.wakes.recent()
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        let mut topics = self.wakes.lock();
        self.receiver = None;
        if topics.get(&self.topic).is_some_and(|sender| sender.receiver_count() == 0) {
            topics.remove(&self.topic);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_core::ids::{PlanId, TenantId};

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

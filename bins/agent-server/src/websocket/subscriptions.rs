//! The topics one connection listens to.

use agent_core::event::Topic;
use agent_core::transient::Transient;
use agent_events::{Envelope, Hub, Subscription, TopicName, position};
use futures_util::stream::{AbortHandle, BoxStream, SelectAll, abortable};
use futures_util::{FutureExt, StreamExt};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// What is heard of a topic.
pub(super) enum Heard {
    /// An event, or that the log cannot be read at the moment.
    Event(TopicName, agent_events::Result<Arc<Envelope>>),
    /// Something that passes.
    Transient(TopicName, Arc<Transient>),
}

/// What is wanted of a topic.
pub(super) struct Wanted {
    /// What the client calls it.
    pub(super) name: TopicName,
    /// What that means for this client.
    pub(super) topic: Topic,
    /// Only events of these names.
    pub(super) only: Option<BTreeSet<String>>,
    /// What passes, too.
    pub(super) transient: bool,
}

/// All subscriptions of a connection as one stream.
#[derive(Default)]
pub(super) struct Subscriptions {
    topics: HashMap<TopicName, Listening>,
    streams: SelectAll<BoxStream<'static, Heard>>,
}

struct Listening {
    topic: Topic,
    last: i64,
    only: Option<BTreeSet<String>>,
    aborts: Vec<AbortHandle>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        for abort in &self.aborts {
            abort.abort();
        }
    }
}

impl Subscriptions {
    /// How many topics there are.
    pub(super) fn len(&self) -> usize {
        self.topics.len()
    }

    /// Whether the topic is listened to.
    pub(super) fn contains(&self, name: TopicName) -> bool {
        self.topics.contains_key(&name)
    }

    /// Listens to a topic, in place of an earlier subscription to it.
    pub(super) fn add(&mut self, hub: &Hub, wanted: Wanted, subscription: Subscription) {
        let name = wanted.name;
        let (events, abort) = abortable(subscription.stream.map(move |event| Heard::Event(name, event)));
        let mut aborts = vec![abort];
        self.streams.push(events.boxed());
        if wanted.transient {
            let passing = hub.transients(wanted.topic).map(move |passing| Heard::Transient(name, passing));
            let (passing, abort) = abortable(passing);
            aborts.push(abort);
            self.streams.push(passing.boxed());
        }
        let (topic, last) = (wanted.topic, subscription.start);
        self.topics.insert(name, Listening { topic, last, only: wanted.only, aborts });
    }

    /// Listens no more; false when it did not.
    pub(super) fn remove(&mut self, name: TopicName) -> bool {
        self.topics.remove(&name).is_some()
    }

    /// The next that is heard of any topic; waits for ever while there are none.
    pub(super) async fn next(&mut self) -> Heard {
        loop {
            match self.streams.next().await {
                Some(heard) => return heard,
                None => std::future::pending::<()>().await,
            }
        }
    }

    /// What is to be heard without waiting.
    pub(super) fn next_now(&mut self) -> Option<Heard> {
        self.streams.next().now_or_never().flatten()
    }

    /// Takes note of an event that comes next; its position, unless the client does not want it.
    pub(super) fn pass(&mut self, name: TopicName, envelope: &Envelope) -> Option<i64> {
        let listening = self.topics.get_mut(&name)?;
        listening.last = position(listening.topic, &envelope.event);
        let wanted = listening.only.as_ref().is_none_or(|only| only.contains(envelope.event.body.name()));
        wanted.then_some(listening.last)
    }

    /// The positions behind which a client has to come back, such as `plan_1=41`, as many as fit a close frame.
    /// `unsent` are the events that never went out, the oldest first.
    pub(super) fn positions(&self, unsent: &[(TopicName, i64)]) -> String {
        let reached = |(name, listening): (&TopicName, &Listening)| {
            let first = unsent.iter().find(|(topic, _)| topic == name).map(|(_, position)| position - 1);
            format!("{name}={}", first.unwrap_or(listening.last))
        };
        let mut positions: Vec<String> = self.topics.iter().map(reached).collect();
        positions.sort_unstable();
        let mut text = String::new();
        for position in positions {
            if text.len() + position.len() > 90 {
                break;
            }
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&position);
        }
        text
    }
}

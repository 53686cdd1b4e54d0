//! The topics one connection listens to.

use agent_core::event::Topic;
use agent_events::{Envelope, Hub, TopicName, position};
use futures_util::StreamExt;
use futures_util::stream::{AbortHandle, BoxStream, SelectAll, abortable};
use std::collections::HashMap;
use std::sync::Arc;

type Heard = (TopicName, agent_events::Result<Arc<Envelope>>);

/// All subscriptions of a connection as one stream.
#[derive(Default)]
pub(super) struct Subscriptions {
    topics: HashMap<TopicName, Listening>,
    streams: SelectAll<BoxStream<'static, Heard>>,
}

struct Listening {
    topic: Topic,
    last: i64,
    abort: AbortHandle,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.abort.abort();
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

    /// Listens to a topic, in place of an earlier subscription to it. Returns the position behind which
    /// events will come.
    ///
    /// # Errors
    /// As [`Hub::subscribe`].
    pub(super) async fn add(
        &mut self,
        hub: &Hub,
        name: TopicName,
        topic: Topic,
        after: Option<i64>,
    ) -> agent_events::Result<i64> {
        let subscription = hub.subscribe(topic, after).await?;
        let (stream, abort) = abortable(subscription.stream.map(move |event| (name, event)));
        self.topics.insert(name, Listening { topic, last: subscription.start, abort });
        self.streams.push(stream.boxed());
        Ok(subscription.start)
    }

    /// Listens no more; false when it did not.
    pub(super) fn remove(&mut self, name: TopicName) -> bool {
        self.topics.remove(&name).is_some()
    }

    /// The next event of any topic; waits for ever while there are none.
    pub(super) async fn next(&mut self) -> Heard {
        loop {
            match self.streams.next().await {
                Some(heard) => return heard,
                None => std::future::pending::<()>().await,
            }
        }
    }

    /// Notes that an event was handed over for sending.
    pub(super) fn sent(&mut self, name: TopicName, envelope: &Envelope) {
        if let Some(listening) = self.topics.get_mut(&name) {
            listening.last = position(listening.topic, &envelope.event);
        }
    }

    /// The last positions that were sent, such as `plan_1=41`, as many as fit a close frame.
    pub(super) fn positions(&self) -> String {
        let mut positions: Vec<String> =
            self.topics.iter().map(|(name, listening)| format!("{name}={}", listening.last)).collect();
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

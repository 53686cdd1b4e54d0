//! An event together with its JSON, made once and shared by everybody who hears of it.

use crate::topic::TopicName;
use agent_core::event::Event;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// How much JSON is remembered for the next listener, in bytes.
const REMEMBERED_BYTES: usize = 8 * 1024 * 1024;

/// A committed event and the texts in which it is sent.
#[derive(Debug)]
pub struct Envelope {
    /// The event.
    pub event: Event,
    /// The event as one JSON object, see [`envelope_json`].
    pub json: Arc<str>,
    /// The JSON with the topic added, for those who follow the plan and for those who follow `all`.
    of_plan: OnceLock<Arc<str>>,
    of_all: OnceLock<Arc<str>>,
}

impl Envelope {
    /// Seals an event.
    pub fn new(event: Event) -> Self {
        let json = envelope_json(&event).into();
        Self { event, json, of_plan: OnceLock::new(), of_all: OnceLock::new() }
    }

    /// Bytes it takes, about: the event is as large as its text, and so is each of the two texts with a topic.
    pub(crate) fn weight(&self) -> usize {
        self.json.len() * 4 + size_of::<Self>()
    }

    /// The JSON with `topic` added, as a listener of several topics needs it; made once for all who follow the topic.
    pub fn json_with_topic(&self, topic: TopicName) -> &Arc<str> {
        let made = match topic {
            TopicName::Plan(_) => &self.of_plan,
            TopicName::All => &self.of_all,
        };
        made.get_or_init(|| {
            let fields = self.json.strip_suffix('}').unwrap_or(&self.json);
            format!(r#"{fields},"topic":"{topic}"}}"#).into()
        })
    }
}

/// The one JSON object that stands for an event everywhere: `seq`, `cursor`, `plan_id`, `task_id` (where
/// it concerns a task), `timestamp`, `event`, and the fields of that kind of event.
#[expect(
    clippy::expect_used,
    reason = "an event holds no map with keys that are not text, and writes to memory"
)]
pub fn envelope_json(event: &Event) -> String {
    serde_json::to_string(event).expect("an event is JSON")
}

/// Envelopes of recent events, so that many listeners of one event share one serialisation. Bounded by
/// bytes; the oldest events go first, because those who replay old ones rarely do so together.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    by_cursor: BTreeMap<i64, Arc<Envelope>>,
    bytes: usize,
}

impl Recent {
    /// The envelope of an event: the one made before, or a new one.
    pub(crate) fn seal(&self, event: Event) -> Arc<Envelope> {
        if let Some(known) = self.lock().by_cursor.get(&event.cursor) {
            return known.clone();
        }
        let envelope = Arc::new(Envelope::new(event));
        self.lock().keep(envelope)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Keeps an envelope, unless somebody else was faster; either way, the one that all share.
    fn keep(&mut self, envelope: Arc<Envelope>) -> Arc<Envelope> {
        let shared = self.by_cursor.entry(envelope.event.cursor).or_insert_with(|| {
            self.bytes += envelope.weight();
            envelope
        });
        let shared = shared.clone();
        while self.bytes > REMEMBERED_BYTES
            && let Some((_, oldest)) = self.by_cursor.pop_first()
        {
            self.bytes -= oldest.weight();
        }
        shared
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_core::event::EventBody;
    use agent_core::ids::{Owner, PlanId, TaskId, UserId};
    use agent_core::time::Timestamp;
    use serde_json::{Value, json};

    fn event(cursor: i64, result: Value) -> Event {
        Event {
            seq: 42,
            cursor,
            plan_id: PlanId(1),
            task_id: Some(TaskId(3)),
            timestamp: Timestamp::from_micros(1_767_268_800_000_000),
            owner: Owner::in_default_tenant(UserId(5)),
            body: EventBody::TaskCompleted { result: result.into() },
        }
    }

    #[test]
    fn the_json_has_the_fields_of_the_contract_and_does_not_name_the_owner() {
        let sent: Value = serde_json::from_str(&envelope_json(&event(77, json!("done")))).unwrap();
        let expected = json!({
            "seq": 42, "cursor": 77, "event": "task_completed", "plan_id": 1, "task_id": 3,
            "timestamp": "2026-01-01T12:00:00.000Z", "result": "done"
        });
        assert_eq!(sent, expected);
    }

    #[test]
    fn the_topic_is_added_without_touching_the_rest() {
        let envelope = Envelope::new(event(77, json!({"text": "a } b"})));
        let mut sent: Value = serde_json::from_str(envelope.json_with_topic(TopicName::All)).unwrap();
        assert_eq!(sent.as_object_mut().unwrap().remove("topic"), Some(json!("all")));
        assert_eq!(sent, serde_json::from_str::<Value>(&envelope.json).unwrap());
    }

    #[test]
    fn an_event_is_serialised_once_for_all_who_ask() {
        let recent = Recent::default();
        let first = recent.seal(event(1, json!("same")));
        let second = recent.seal(event(1, json!("same")));
        assert!(Arc::ptr_eq(&first.json, &second.json));
    }

    #[test]
    fn what_is_remembered_stays_within_its_bound_and_the_newest_stay() {
        let recent = Recent::default();
        let large = "x".repeat(REMEMBERED_BYTES / 8);
        for cursor in 1..=20 {
            recent.seal(event(cursor, json!(large)));
        }
        let kept = recent.lock();
        assert!(kept.bytes <= REMEMBERED_BYTES);
        assert_eq!(kept.by_cursor.keys().next_back(), Some(&20));
        assert!(!kept.by_cursor.contains_key(&1));
    }
}

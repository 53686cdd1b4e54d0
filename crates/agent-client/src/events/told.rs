//! Events as the server tells them, those of later versions included.

use agent_core::event::{EVENT_NAMES, Event};
use agent_core::ids::{PlanId, TaskId};
use serde::Deserialize;
use serde_json::{Map, Value};

/// An event of a kind that this version does not know.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct UnknownEvent {
    /// Position within the plan.
    pub seq: i64,
    /// Position among the events of all plans.
    pub cursor: i64,
    /// Its name.
    #[serde(rename = "event")]
    pub name: String,
    /// The plan.
    pub plan_id: PlanId,
    /// The task, where it concerns one.
    #[serde(default)]
    pub task_id: Option<TaskId>,
    /// The whole of it, as it came.
    #[serde(skip)]
    pub whole: Value,
}

/// What a task does at this moment, such as the words of a language model as they come. It is kept nowhere.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Transient {
    /// The plan.
    pub plan_id: PlanId,
    /// The task, where it concerns one.
    #[serde(default)]
    pub task_id: Option<TaskId>,
    /// What kind of thing it is.
    pub kind: String,
    /// The fields of this kind.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

/// An event as it was told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Told {
    /// One that this version knows.
    Known(Box<Event>),
    /// One that it does not know.
    Unknown(UnknownEvent),
}

impl Told {
    /// Reads an event.
    ///
    /// # Errors
    /// In words, for what is no event.
    pub(crate) fn read(whole: Value) -> Result<Self, String> {
        let name = whole["event"].as_str().unwrap_or_default();
        if EVENT_NAMES.contains(&name) {
            let read = Event::deserialize(&whole);
            return read
                .map(|event| Self::Known(Box::new(event)))
                .map_err(|error| format!("an event {name:?} that cannot be read: {error}"));
        }
        let read = UnknownEvent::deserialize(&whole);
        read.map(|event| Self::Unknown(UnknownEvent { whole, ..event }))
            .map_err(|error| format!("something that is no event: {error}"))
    }

    /// Position within the plan.
    pub(crate) fn seq(&self) -> i64 {
        match self {
            Self::Known(event) => event.seq,
            Self::Unknown(event) => event.seq,
        }
    }

    /// Position among the events of all plans.
    pub(crate) fn cursor(&self) -> i64 {
        match self {
            Self::Known(event) => event.cursor,
            Self::Unknown(event) => event.cursor,
        }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Known(event) => event.body.name(),
            Self::Unknown(event) => &event.name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_event_of_a_later_version_keeps_its_place_and_one_that_is_broken_is_no_event() {
        let event = |name: &str| {
            json!({"seq": 4, "cursor": 9, "event": name, "plan_id": 1, "timestamp": "2026-01-01T12:00:00.000Z",
                   "result": "ok", "topic": "plan_1"})
        };
        let known = Told::read(event("task_completed")).unwrap();
        assert!(matches!(&known, Told::Known(event) if event.plan_id == PlanId(1)));
        let later = Told::read(event("task_admired")).unwrap();
        assert_eq!((later.seq(), later.cursor(), later.name()), (4, 9, "task_admired"));
        assert!(Told::read(event("task_failed")).unwrap_err().contains("task_failed"));
        assert!(Told::read(json!({"event": "task_admired"})).is_err());
    }
}

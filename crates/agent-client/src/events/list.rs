//! Events as a list, of a plan or of all plans.

use super::{Told, Topic, UnknownEvent};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::http::Call;
use agent_core::event::Event;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// Which events to list, and how long to wait for some.
#[derive(Debug, Clone)]
#[must_use = "nothing is asked until `fetch`"]
pub struct ListEvents {
    client: Client,
    topic: Topic,
    wanted: Wanted,
}

#[derive(Debug, Clone, Default, Serialize)]
struct Wanted {
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wait_ms: Option<u64>,
}

/// A page of events, oldest first.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct EventPage {
    /// The events.
    pub events: Vec<Event>,
    /// Events of kinds that this version does not know.
    pub unknown: Vec<UnknownEvent>,
    /// Pass as [`ListEvents::after`] to get what follows.
    pub next_after: i64,
}

#[derive(Deserialize)]
struct Page {
    events: Vec<Value>,
    next_after: i64,
}

impl ListEvents {
    pub(crate) fn new(client: Client, topic: Topic) -> Self {
        Self { client, topic, wanted: Wanted::default() }
    }

    /// Only those behind this position; from the first unless said otherwise.
    pub fn after(mut self, position: i64) -> Self {
        self.wanted.after = Some(position);
        self
    }

    /// At most so many, 1 to 200; 50 unless said otherwise.
    pub fn limit(mut self, limit: u32) -> Self {
        self.wanted.limit = Some(limit);
        self
    }

    /// Where there are none, waits so long for one to come; 30 s at most.
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wanted.wait_ms = Some(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        self
    }

    /// Asks for the page.
    ///
    /// # Errors
    /// `Problem` with `plan_not_found`, or a position that is not there yet, and what any request may end with.
    pub async fn fetch(&self) -> Result<EventPage> {
        let url = match self.topic {
            Topic::Plan(id) => self.client.url(&["plans", &id.to_string(), "events"]),
            Topic::All => self.client.url(&["events"]),
        };
        let patience = Duration::from_millis(self.wanted.wait_ms.unwrap_or_default());
        let call = Call::get(url).query(&self.wanted)?;
        let call = call.patient(patience);
        let name = call.name().to_owned();
        let answer: Page = self.client.send(call).await?;
        let mut page = EventPage { events: Vec::new(), unknown: Vec::new(), next_after: answer.next_after };
        for event in answer.events {
            match Told::read(event).map_err(|detail| Error::protocol(&name, detail))? {
                Told::Known(event) => page.events.push(*event),
                Told::Unknown(event) => page.unknown.push(event),
            }
        }
        Ok(page)
    }
}

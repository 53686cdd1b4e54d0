//! The events of a plan as a list.

use crate::client::Client;
use crate::error::{Error, Result};
use crate::events::{Told, UnknownEvent};
use crate::http::Call;
use agent_core::event::Event;
use agent_core::ids::PlanId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// Which events of a plan to list, and how long to wait for some.
#[derive(Debug, Clone)]
#[must_use = "nothing is asked until `fetch`"]
pub struct ListEvents {
    client: Client,
    plan: PlanId,
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
    /// The plan.
    pub plan_id: PlanId,
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
    pub(super) fn new(client: Client, plan: PlanId) -> Self {
        Self { client, plan, wanted: Wanted::default() }
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

    /// Where there are none, waits so long for one to come; the server says what is too long.
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wanted.wait_ms = Some(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        self
    }

    /// Asks for the page.
    ///
    /// # Errors
    /// `Problem` with `plan_not_found`, and what any request may end with.
    pub async fn fetch(&self) -> Result<EventPage> {
        let id = self.plan.to_string();
        let patience = Duration::from_millis(self.wanted.wait_ms.unwrap_or_default());
        let call = Call::get(self.client.url(&["plans", &id, "events"])).query(&self.wanted)?;
        let call = call.patient(patience);
        let name = call.name().to_owned();
        let answer: Page = self.client.send(call).await?;
        let mut page = EventPage {
            plan_id: self.plan,
            events: Vec::new(),
            unknown: Vec::new(),
            next_after: answer.next_after,
        };
        for event in answer.events {
            match Told::read(event).map_err(|detail| Error::protocol(&name, detail))? {
                Told::Known(event) => page.events.push(*event),
                Told::Unknown(event) => page.unknown.push(event),
            }
        }
        Ok(page)
    }
}

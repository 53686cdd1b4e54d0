//! Pages of events, read at once or waited for.

use super::Plans;
use crate::error::Result;
use agent_auth::Principal;
use agent_core::event::{Event, Topic};
use agent_core::ids::PlanId;
use agent_core::ports::EventLog;
use agent_events::{TopicName, position};
use futures_util::{FutureExt, StreamExt};
use std::time::Duration;
use tokio::time::timeout;

/// Which events to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EventQuery {
    /// Only events behind this position.
    pub after: i64,
    /// At most so many.
    pub limit: u32,
    /// How long to wait for the first where there is none yet.
    pub wait: Duration,
}

/// A page of events.
#[derive(Debug, Clone, PartialEq)]
pub struct EventPage {
    /// The events, oldest first.
    pub events: Vec<Event>,
    /// Pass as `after` to get the next page.
    pub next_after: i64,
}

impl EventPage {
    /// A page without events.
    pub fn empty(after: i64) -> Self {
        Self { events: Vec::new(), next_after: after }
    }
}

impl Plans {
    /// Events of a plan after a position, which is a `seq`.
    ///
    /// # Errors
    /// `PlanNotFound`; a position beyond the newest event.
    pub async fn events(&self, caller: &Principal, id: PlanId, query: EventQuery) -> Result<EventPage> {
        self.state(caller, id).await?;
        self.page(Topic::Plan(caller.tenant, id), query).await
    }

    /// Events of all plans that the caller may see, after a position, which is a `cursor`.
    ///
    /// # Errors
    /// A position beyond the newest event.
    pub async fn all_events(&self, caller: &Principal, query: EventQuery) -> Result<EventPage> {
        self.page(TopicName::All.seen_by(caller.visibility()), query).await
    }

    async fn page(&self, topic: Topic, query: EventQuery) -> Result<EventPage> {
        let EventQuery { after, limit, wait } = query;
        let mut events = EventLog::read(&self.store, topic, after, limit).await?;
        if events.is_empty() && (after > 0 || !wait.is_zero()) {
            // Refuses a position that does not exist yet: whoever has one has another log in mind.
            let mut stream = self.hub.subscribe(topic, Some(after)).await?.stream;
            let mut next = timeout(wait, stream.next()).await.ok().flatten();
            while let Some(envelope) = next {
                events.push(envelope?.event.clone());
                let is_full = events.len() >= limit as usize;
                next = if is_full { None } else { stream.next().now_or_never().flatten() };
            }
        }
        let next_after = events.last().map_or(after, |event| position(topic, event));
        Ok(EventPage { events, next_after })
    }
}

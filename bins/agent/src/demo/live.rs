//! A plan's events over the WebSocket, as any other program would follow them.

use crate::exit::Failure;
use agent_client::{Client, Follow, Topic};
use agent_core::event::Event;
use agent_core::ids::PlanId;
use futures_util::StreamExt;

/// A subscription to one plan.
pub(super) struct Live {
    events: Follow,
    received: usize,
}

impl Live {
    /// Follows a plan from its first event.
    pub(super) fn follow(base: &str, token: &str, plan: i64) -> Result<Self, Failure> {
        let client = Client::builder(base).token(token).client_id("agent-demo").build()?;
        let events = client.events().topic(Topic::Plan(PlanId(plan))).after(0).follow();
        Ok(Self { events, received: 0 })
    }

    /// How many events came.
    pub(super) fn received(&self) -> usize {
        self.received
    }

    /// The next event.
    pub(super) async fn next(&mut self) -> Result<Event, Failure> {
        let event = self.events.next().await.ok_or_else(|| Failure::work("the WebSocket ended"))??;
        self.received += 1;
        Ok(event)
    }
}

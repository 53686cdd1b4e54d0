//! Reading committed events.

use super::Store;
use crate::sqlite::events;
use agent_core::Result;
use agent_core::event::{Event, Topic};
use agent_core::ports::EventLog;
use async_trait::async_trait;

#[async_trait]
impl EventLog for Store {
    async fn read(&self, topic: Topic, after: i64, limit: u32) -> Result<Vec<Event>> {
        Store::read(self, move |conn| events::read(conn, topic, after, limit)).await
    }

    async fn head(&self, topic: Topic) -> Result<i64> {
        Store::read(self, move |conn| events::head(conn, topic)).await
    }
}

//! Reading committed events.

use super::{Store, read};
use agent_core::Result;
use agent_core::event::{Event, Topic, Touched};
use agent_core::ports::EventLog;
use async_trait::async_trait;

#[async_trait]
impl EventLog for Store {
    async fn read(&self, topic: Topic, after: i64, limit: u32) -> Result<Vec<Event>> {
        read!(self, topic, db, |conn| db::events::read(conn, topic, after, limit))
    }

    async fn head(&self, topic: Topic) -> Result<i64> {
        read!(self, topic, db, |conn| db::events::head(conn, topic))
    }

    async fn touched(&self, after: i64) -> Result<Vec<Touched>> {
        read!(self, Topic::Everything, db, |conn| db::events::touched(conn, after))
    }
}

//! Conversations.

use super::{Store, read, transact};
use agent_core::Result;
use agent_core::ids::MessageId;
use agent_core::ports::{ConversationMessage, Conversations, MessageFilter, NewMessage};
use agent_core::time::Timestamp;
use async_trait::async_trait;

#[async_trait]
impl Conversations for Store {
    async fn add(&self, message: &NewMessage, at: Timestamp) -> Result<MessageId> {
        let message = message.clone();
        let added =
            transact!(self, message.owner.tenant, db, |conn| db::conversation::add(conn, &message, at))?;
        Ok(added.value)
    }

    async fn messages(&self, filter: &MessageFilter) -> Result<(Vec<ConversationMessage>, u64)> {
        let filter = filter.clone();
        read!(self, filter.visibility, db, |conn| db::conversation::list(conn, &filter))
    }
}

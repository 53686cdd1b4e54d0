//! Conversations.

use super::Store;
use crate::sqlite::conversation;
use agent_core::Result;
use agent_core::ids::MessageId;
use agent_core::ports::{ConversationMessage, Conversations, MessageFilter, NewMessage};
use agent_core::time::Timestamp;
use async_trait::async_trait;

#[async_trait]
impl Conversations for Store {
    async fn add(&self, message: &NewMessage, at: Timestamp) -> Result<MessageId> {
        let message = message.clone();
        let added = self.write(move |conn| conversation::add(conn, &message, at)).await?;
        Ok(added.value)
    }

    async fn messages(&self, filter: &MessageFilter) -> Result<(Vec<ConversationMessage>, u64)> {
        let filter = filter.clone();
        self.read(move |conn| conversation::list(conn, &filter)).await
    }
}

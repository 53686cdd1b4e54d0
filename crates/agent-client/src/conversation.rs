//! What people, models and tools said.

use crate::client::Client;
use crate::error::Result;
use crate::http::Call;
use crate::paging;
use crate::wire::conversation::{Message, MessageFilter, MessagePage, Saved, Say};
use agent_core::ids::{MessageId, PlanId};
use futures_util::Stream;
use uuid::Uuid;

/// The conversations that the caller may see.
#[derive(Debug, Clone)]
pub struct Conversation {
    client: Client,
}

impl Conversation {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// A page of messages, oldest first.
    ///
    /// # Errors
    /// What any request may end with.
    pub async fn list(&self, filter: &MessageFilter) -> Result<MessagePage> {
        self.client.send(Call::get(self.client.url(&["conversation"])).query(filter)?).await
    }

    /// All messages, oldest first, from the filter's `cursor` on; pages are fetched as they are needed. Ends with the first
    /// error.
    pub fn all(&self, filter: MessageFilter) -> impl Stream<Item = Result<Message>> + Send + use<> {
        let conversation = self.clone();
        paging::all(filter.cursor.clone(), move |cursor| {
            let (conversation, filter) = (conversation.clone(), MessageFilter { cursor, ..filter.clone() });
            async move { conversation.list(&filter).await.map(|page| (page.messages, page.next_cursor)) }
        })
    }

    /// Says something as a person, once; with a plan, the next call to its model hears it.
    ///
    /// # Errors
    /// `Problem` with `plan_not_found`, and what any request may end with.
    pub async fn say(&self, text: &str, plan: Option<PlanId>) -> Result<MessageId> {
        let call = Call::post(self.client.url(&["conversation"]));
        let call = call.json(&Say { role: "user", content: text, plan_id: plan })?;
        let saved: Saved = self.client.send(call.once(Uuid::new_v4().to_string())).await?;
        Ok(saved.message_id)
    }
}

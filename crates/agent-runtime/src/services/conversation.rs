//! What people, models and tools said.

use crate::error::Result;
use agent_auth::Principal;
use agent_core::Error;
use agent_core::error::Defect;
use agent_core::ids::{MessageId, PlanId};
use agent_core::plan::Idempotency;
use agent_core::plan::graph::MAX_TEXT;
use agent_core::ports::{Clock, ConversationMessage, Conversations, MessageFilter, NewMessage, Redactor};
use std::sync::Arc;

/// A page of messages.
#[derive(Debug, Clone, PartialEq)]
pub struct ConversationPage {
    /// The messages, oldest first.
    pub messages: Vec<ConversationMessage>,
    /// How many match in all.
    pub total: u64,
    /// Pass as the cursor to get the next page.
    pub next: Option<MessageId>,
}

/// Which messages to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WantedMessages {
    /// Only of this plan.
    pub plan_id: Option<PlanId>,
    /// Only what this role said.
    pub role: Option<String>,
    /// Only those in which these words are found ([`agent_core::search`]).
    pub text: Option<String>,
    /// Only those newer than this one (the cursor).
    pub after: Option<MessageId>,
    /// At most so many.
    pub limit: u32,
}

/// Requests about conversations.
#[derive(Clone)]
pub struct Conversation {
    pub(crate) store: agent_store::Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) redactor: Arc<dyn Redactor>,
}

impl Conversation {
    /// Messages the caller may see, oldest first.
    ///
    /// # Errors
    /// `InvalidPlan` for a role that there is not, `Unavailable`.
    pub async fn list(&self, caller: &Principal, wanted: WantedMessages) -> Result<ConversationPage> {
        let WantedMessages { plan_id, role, text, after, limit } = wanted;
        role.as_deref().map_or(Ok(()), |role| check_role(role, "?role"))?;
        let filter = MessageFilter { visibility: caller.visibility(), plan_id, role, text, after, limit };
        let (messages, total) = Conversations::messages(&self.store, &filter).await?;
        let full = u32::try_from(messages.len()).is_ok_and(|length| length == limit);
        let next = messages.last().filter(|_| full).map(|message| message.id);
        Ok(ConversationPage { messages, total, next })
    }

    /// Keeps a message; with an idempotency key, a repeated request finds the message of the first.
    ///
    /// # Errors
    /// `InvalidPlan` naming the bad field, `PlanNotFound`, `IdempotencyMismatch`.
    pub async fn add(
        &self,
        caller: &Principal,
        role: String,
        content: String,
        plan_id: Option<PlanId>,
        idempotency: Option<Idempotency>,
    ) -> Result<MessageId> {
        check_role(&role, "/role")?;
        if content.trim().is_empty() || content.len() > MAX_TEXT || content.contains('\0') {
            let detail = format!("must be 1 to {MAX_TEXT} bytes of text without NUL");
            return Err(Error::InvalidPlan(vec![Defect::new("/content", detail)]).into());
        }
        // What a person says reaches the model, and stays.
        let content = self.redactor.redact(&content).into_owned();
        let message = NewMessage { owner: caller.owner(), role, content, plan_id, idempotency };
        Ok(Conversations::add(&self.store, &message, self.clock.now()).await?)
    }
}

fn check_role(role: &str, place: &str) -> Result<()> {
    if ["system", "user", "assistant", "tool"].contains(&role) {
        return Ok(());
    }
    let detail = format!("{role:?} is none of: system, user, assistant, tool");
    Err(Error::InvalidPlan(vec![Defect::new(place, detail)]).into())
}

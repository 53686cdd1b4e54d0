//! What people, models and tools said.

use agent_core::ports::ConversationMessage;
use agent_core::time::Timestamp;
use agent_runtime::ConversationPage;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which messages to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListMessages {
    /// Only messages of this plan.
    #[param(value_type = Option<i64>, minimum = 1)]
    pub plan_id: Option<String>,
    /// Only what this role said: `system`, `user`, `assistant` or `tool`.
    pub role: Option<String>,
    /// Only messages that have all of these words, each taken literally, in whatever case; the last may be the beginning
    /// of one.
    #[param(max_length = 512)]
    pub q: Option<String>,
    /// At most so many; 50 when absent.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    pub limit: Option<String>,
    /// The `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// Messages, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MessagesView {
    /// The messages.
    pub messages: Vec<MessageView>,
    /// How many match in all.
    pub total: u64,
    /// Pass as `cursor` to get the next page; null on the last.
    #[schema(example = json!(null))]
    pub next_cursor: Option<String>,
}

impl From<ConversationPage> for MessagesView {
    fn from(page: ConversationPage) -> Self {
        Self {
            messages: page.messages.into_iter().map(Into::into).collect(),
            total: page.total,
            next_cursor: page.next.map(|id| id.to_string()),
        }
    }
}

/// One message.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "id": 1, "role": "user", "content": "Make the tests pass", "plan_id": 1,
    "created_at": "2026-01-01T12:00:00.000Z"
}))]
pub struct MessageView {
    /// Identifier.
    pub id: i64,
    /// `system`, `user`, `assistant` or `tool`.
    pub role: String,
    /// Text.
    pub content: String,
    /// The plan it belongs to.
    pub plan_id: Option<i64>,
    /// When it was said.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

impl From<ConversationMessage> for MessageView {
    fn from(message: ConversationMessage) -> Self {
        Self {
            id: message.id.get(),
            role: message.role,
            content: message.content,
            plan_id: message.plan_id.map(agent_core::ids::PlanId::get),
            created_at: message.created_at,
        }
    }
}

/// A message to be kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"role": "user", "content": "Please keep the old names.", "plan_id": 1}))]
pub struct CreateMessage {
    /// `system`, `user`, `assistant` or `tool`.
    pub role: String,
    /// Text.
    #[schema(min_length = 1, max_length = 32_768)]
    pub content: String,
    /// The plan it belongs to.
    #[serde(default)]
    pub plan_id: Option<i64>,
}

/// A message that is kept.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({"status": "saved", "message_id": 1}))]
pub struct SavedMessageView {
    /// Always `saved`.
    pub status: &'static str,
    /// Its id.
    pub message_id: i64,
}

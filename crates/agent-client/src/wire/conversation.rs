//! Messages.

use agent_core::ids::{MessageId, PlanId};
use agent_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Message {
    /// Identifier.
    pub id: MessageId,
    /// `system`, `user`, `assistant` or `tool`.
    pub role: String,
    /// Text.
    pub content: String,
    /// The plan it belongs to.
    #[serde(default)]
    pub plan_id: Option<PlanId>,
    /// When it was said.
    pub created_at: Timestamp,
}

/// A page of messages, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct MessagePage {
    /// The messages.
    pub messages: Vec<Message>,
    /// How many match in all.
    pub total: u64,
    /// The `cursor` of the next page; `None` on the last.
    #[serde(default)]
    pub next_cursor: Option<String>,
}

/// Which messages to list; the default is all that the caller may see.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MessageFilter {
    /// Only messages of this plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_id: Option<PlanId>,
    /// Only what this role said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Only messages that contain this text.
    #[serde(rename = "q", skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// At most so many in a page, 1 to 200; the server's 50 when `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Say<'a> {
    pub(crate) role: &'static str,
    pub(crate) content: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) plan_id: Option<PlanId>,
}

#[derive(Deserialize)]
pub(crate) struct Saved {
    pub(crate) message_id: MessageId,
}

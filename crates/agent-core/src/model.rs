//! What is said to a language model and what comes back, independent of any provider.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// One request to a language model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Prompt {
    /// Standing instructions; the stable prefix that providers can cache.
    pub system: String,
    /// The conversation so far, oldest first.
    pub messages: Vec<Message>,
    /// Tools the model may call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<ToolDescription>,
    /// Asks for an answer that is JSON of this schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<OutputSchema>,
    /// Ceiling for the answer, in tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u32>,
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Message {
    /// What the person or the server says.
    User {
        /// Text.
        content: String,
    },
    /// What the model said, with the tools it called.
    Assistant {
        /// Text; empty when it only called tools.
        content: String,
        /// Calls, in order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<ToolCall>,
    },
    /// What a tool answered.
    Tool {
        /// The call this answers.
        call_id: String,
        /// The tool's name.
        name: String,
        /// The answer as text.
        content: String,
    },
}

impl Message {
    /// The text of it.
    pub fn text(&self) -> &str {
        match self {
            Self::User { content } | Self::Assistant { content, .. } | Self::Tool { content, .. } => content,
        }
    }

    /// A user turn.
    pub fn user(content: impl Into<String>) -> Self {
        Self::User { content: content.into() }
    }
}

/// A tool as the model sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolDescription {
    /// Name to call it by.
    pub name: String,
    /// What it is for and when to use it.
    pub description: String,
    /// JSON schema of its input.
    pub input_schema: Value,
}

/// A JSON schema that the answer must follow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutputSchema {
    /// Short name, `[a-z_]+`.
    pub name: String,
    /// The JSON schema.
    pub schema: Value,
}

/// The model asks for a tool to be run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Pairs the call with its answer; unique within a conversation.
    pub id: String,
    /// The tool.
    pub name: String,
    /// Its input; an object when the model followed the schema.
    pub arguments: Value,
}

/// Tokens of one or more calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
}

impl Usage {
    /// Both together.
    pub fn total(self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }

    /// The sum of two.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
        }
    }
}

/// Why the model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// It had said everything.
    EndTurn,
    /// It waits for tool answers.
    ToolCalls,
    /// The ceiling for the answer was reached; the text is cut.
    Length,
    /// The provider withheld the answer.
    Filtered,
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Completion {
    /// Text; may be empty beside tool calls.
    pub content: String,
    /// Calls, in order.
    #[serde(default)]
    pub tool_calls: Vec<ToolCall>,
    /// Tokens, as the provider counted them.
    pub usage: Usage,
    /// Why it ended.
    pub stop: StopReason,
    /// The model that answered, as the provider names it.
    pub model: String,
}

/// Which model answers; shown in `/health`, `/stats` and by the command line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelDescription {
    /// `openai`, `anthropic`, `gemini`, `ollama` or `scripted`.
    pub provider: String,
    /// Model name.
    pub model: String,
}

/// Receives an answer while it is being written. Purely for show: nothing durable rests on it.
pub trait TokenSink: Send {
    /// A piece of text, in order.
    fn token(&mut self, text: &str);

    /// The answer begins anew, so what was shown of it so far is void. Ignored unless written out.
    fn restart(&mut self) {}
}

/// Discards what it is told.
#[derive(Debug, Default, Clone, Copy)]
pub struct Silent;

impl TokenSink for Silent {
    fn token(&mut self, _text: &str) {}
}

/// Why a language model did not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The key is missing, wrong or lacks a right.
    #[error("the language model refused the key: {0}")]
    Unauthorized(String),
    /// Too many requests; worth a retry after the pause.
    #[error("the language model is rate limited: {detail}")]
    RateLimited {
        /// What the provider said.
        detail: String,
        /// How long it asked us to wait.
        retry_after: Option<Duration>,
    },
    /// The account is used up; waiting does not help, paying or another provider does.
    #[error("the account at the language model's provider is used up: {0}")]
    QuotaExhausted(String),
    /// Not reachable, overloaded or broken; worth a retry.
    #[error("the language model cannot be reached: {0}")]
    Unavailable(String),
    /// The conversation does not fit the model's window.
    #[error("the conversation is too long for the language model: {0}")]
    ContextOverflow(String),
    /// The provider found the request faulty; a retry would get the same answer.
    #[error("the language model refused the request: {0}")]
    Refused(String),
    /// The answer broke the protocol: not what the provider promises to send.
    #[error("the language model's answer could not be read: {0}")]
    Malformed(String),
    /// No answer in time.
    #[error("the language model did not answer within {0:?}")]
    TimedOut(Duration),
    /// The scripted model has no turn for this request.
    #[error("the script holds no answer: {0}")]
    ScriptExhausted(String),
    /// The provider's settings are incomplete.
    #[error("the language model is not configured: {0}")]
    Misconfigured(String),
}

impl ModelError {
    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::RateLimited { .. } | Self::Unavailable(_) | Self::TimedOut(_) | Self::Malformed(_)
        )
    }
}

//! The script of the scripted model, as written by people.

use agent_core::model::{ModelError, Usage};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;

/// What the scripted model says, in order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The answers.
    pub turns: Vec<Turn>,
}

/// One answer of a script.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// When it fits; `None` fits every request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Match>,
    /// What is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Tools that are called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<TurnToolCall>,
    /// A structured answer, in place of `text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<Value>,
    /// The tokens that are reported.
    #[serde(default)]
    pub usage: Usage,
    /// How long the answer takes to write, in milliseconds.
    #[serde(default)]
    pub delay_ms: u64,
    /// Fails in this way instead of answering.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// Whether it may be used any number of times.
    #[serde(default)]
    pub repeat: bool,
}

/// A tool call of a script.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TurnToolCall {
    /// The tool.
    pub name: String,
    /// Its input; an empty object when left out.
    #[serde(default = "no_arguments")]
    pub arguments: Value,
}

fn no_arguments() -> Value {
    Value::Object(Map::new())
}

/// Conditions on a request; all that are given must hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// Stands in the system prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_contains: Option<String>,
    /// Stands in the last message, whoever said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_message_contains: Option<String>,
    /// Stands in the system prompt or in a user message: what the work is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_contains: Option<String>,
    /// Whether an answer of a JSON schema is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub structured: Option<bool>,
    /// How many answers the conversation already holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<usize>,
}

/// A way in which a provider fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// [`ModelError::Unauthorized`].
    Unauthorized,
    /// [`ModelError::RateLimited`], without a pause.
    RateLimited,
    /// [`ModelError::Unavailable`].
    Unavailable,
    /// [`ModelError::Malformed`].
    Malformed,
    /// [`ModelError::TimedOut`], after the turn's delay.
    TimedOut,
    /// [`ModelError::ContextOverflow`].
    ContextOverflow,
}

impl Fault {
    /// The error that is returned, after `waited`.
    pub(super) fn error(self, waited: Duration) -> ModelError {
        let why = || "the script says so".to_owned();
        match self {
            Self::Unauthorized => ModelError::Unauthorized(why()),
            Self::RateLimited => ModelError::RateLimited { detail: why(), retry_after: None },
            Self::Unavailable => ModelError::Unavailable(why()),
            Self::Malformed => ModelError::Malformed(why()),
            Self::TimedOut => ModelError::TimedOut(waited),
            Self::ContextOverflow => ModelError::ContextOverflow(why()),
        }
    }
}

impl Turn {
    /// What is said, structured answers included.
    pub(super) fn content(&self) -> String {
        match &self.json {
            Some(json) => json.to_string(),
            None => self.text.clone().unwrap_or_default(),
        }
    }

    fn fault_in_itself(&self) -> Option<&'static str> {
        let speaks = self.text.is_some() || self.json.is_some() || !self.tool_calls.is_empty();
        match self.fault {
            Some(_) if speaks => Some("has a `fault`, so it cannot have `text`, `json` or `tool_calls` too"),
            None if !speaks => Some("needs `text`, `json`, `tool_calls` or `fault`"),
            _ if self.text.is_some() && self.json.is_some() => {
                Some("has `text` and `json`: keep one of them")
            }
            _ => None,
        }
    }
}

impl Script {
    /// Reads a script: an object with `turns`, a list of turns, or JSON lines with a turn on each.
    ///
    /// # Errors
    /// [`ModelError::Misconfigured`] naming the line and the field, or the turn, that is wrong.
    pub fn parse(text: &str) -> Result<Self, ModelError> {
        Self::read(text).map_err(|why| ModelError::Misconfigured(format!("the script {why}")))
    }

    pub(super) fn read(text: &str) -> Result<Self, String> {
        let script = match form(text) {
            Form::Object => serde_json::from_str::<Self>(text),
            Form::List => serde_json::from_str(text).map(|turns| Self { turns }),
            Form::Lines => serde_json::Deserializer::from_str(text)
                .into_iter::<Turn>()
                .collect::<Result<_, _>>()
                .map(|turns| Self { turns }),
        };
        let script = script.map_err(|error| format!("is faulty: {error}"))?;
        if script.turns.is_empty() {
            return Err("holds no turns".into());
        }
        for (place, turn) in script.turns.iter().enumerate() {
            if let Some(why) = turn.fault_in_itself() {
                return Err(format!("is faulty: turn {} {why}", place + 1));
            }
        }
        Ok(script)
    }
}

enum Form {
    Object,
    List,
    Lines,
}

/// Which form a text has. Decided before reading, so that errors name lines and fields of that form.
fn form(text: &str) -> Form {
    if text.trim_start().starts_with('[') {
        return Form::List;
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Map<String, Value>>();
    match values.next() {
        Some(Ok(first)) if !first.contains_key("turns") => Form::Lines,
        _ => Form::Object,
    }
}

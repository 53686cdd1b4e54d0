//! What holds for tool calls of every provider: readable arguments, ids that pair, inputs that
//! every provider takes back.

use agent_core::model::{Message, Prompt, ToolCall};
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// A tool call before it has a sure id.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Unidentified {
    /// What the provider called it; empty when it did not.
    pub(crate) id: String,
    /// The tool.
    pub(crate) name: String,
    /// Its input.
    pub(crate) arguments: Value,
}

/// Arguments as written by a model. What is not JSON stays text, so that the model can be told.
pub(crate) fn read_arguments(text: &str) -> Value {
    if text.trim().is_empty() {
        return Value::Object(Map::new());
    }
    serde_json::from_str(text).unwrap_or_else(|_not_json| Value::String(text.to_owned()))
}

/// Arguments in the form in which every provider takes them back: an object.
pub(crate) fn as_object(arguments: &Value) -> Value {
    match arguments {
        Value::Object(_) => arguments.clone(),
        Value::Null => Value::Object(Map::new()),
        other => json!({ "input": other }),
    }
}

/// Gives every call an id that is unique in the conversation: its own where it is, else one made
/// from its place in the conversation, so that the same conversation always yields the same ids.
pub(crate) fn identify(
    prompt: &Prompt,
    calls: Vec<Unidentified>,
    fresh: impl Fn(&str, usize) -> String,
) -> Vec<ToolCall> {
    let mut taken: HashSet<String> =
        earlier_calls(prompt).map(|call| call.id.clone()).filter(|id| !id.is_empty()).collect();
    let mut number = earlier_calls(prompt).count();
    let mut identified = Vec::with_capacity(calls.len());
    for call in calls {
        let mut id = call.id;
        while id.is_empty() || taken.contains(&id) {
            number += 1;
            id = fresh(&call.name, number);
        }
        taken.insert(id.clone());
        identified.push(ToolCall { id, name: call.name, arguments: call.arguments });
    }
    identified
}

/// The id of the n-th call of a conversation.
pub(crate) fn numbered(_name: &str, number: usize) -> String {
    format!("call_{number}")
}

fn earlier_calls(prompt: &Prompt) -> impl Iterator<Item = &ToolCall> {
    prompt.messages.iter().flat_map(|message| match message {
        Message::Assistant { tool_calls, .. } => tool_calls.as_slice(),
        _ => &[],
    })
}

//! Tool calls that a server wrote into the text instead of calling.
//!
//! Some OpenAI-compatible servers do not know the tool syntax of the model they run and pass it
//! on as text: bare JSON, JSON in a code fence, or JSON in `<tool_call>` tags. Only a text that is
//! nothing else, and names offered tools, is taken for calls: prose about a tool stays prose.

use crate::tool_calls::{Unidentified, read_arguments};
use agent_core::model::ToolDescription;
use serde_json::Value;

/// The calls that `text` consists of; `None` when it is anything else.
pub(crate) fn find(text: &str, offered: &[ToolDescription]) -> Option<Vec<Unidentified>> {
    let text = unwrapped(text);
    if !text.starts_with(['{', '[']) {
        return None;
    }
    let mut calls = Vec::new();
    for value in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
        match value.ok()? {
            Value::Array(items) => {
                for item in &items {
                    calls.push(call(item, offered)?);
                }
            }
            item => calls.push(call(&item, offered)?),
        }
    }
    (!calls.is_empty()).then_some(calls)
}

/// The text without what models put around calls.
pub(crate) fn unwrapped(text: &str) -> String {
    let mut text = text.trim();
    if let Some((_, after)) = text.strip_prefix("<think>").and_then(|rest| rest.split_once("</think>")) {
        text = after.trim();
    }
    if let Some(inside) = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```")) {
        // What follows the fence on its line is the language.
        text = inside.split_once('\n').map_or(inside, |(_, body)| body).trim();
    }
    if text.starts_with("<tool_call>") {
        return text.replace("<tool_call>", "").replace("</tool_call>", "\n").trim().to_owned();
    }
    text.to_owned()
}

fn call(value: &Value, offered: &[ToolDescription]) -> Option<Unidentified> {
    let value = value.get("function").filter(|function| function.is_object()).unwrap_or(value);
    let name = value.get("name")?.as_str()?;
    if !offered.iter().any(|tool| tool.name == name) {
        return None;
    }
    let arguments = match value.get("arguments").or_else(|| value.get("parameters"))? {
        Value::String(text) => read_arguments(text),
        object @ Value::Object(_) => object.clone(),
        _ => return None,
    };
    Some(Unidentified { id: String::new(), name: name.to_owned(), arguments })
}

//! The request body of the chat completions protocol.

use crate::tool_calls::as_object;
use agent_core::model::{Message, OutputSchema, Prompt, ToolCall, ToolDescription};
use serde_json::{Map, Value, json};

/// How the schema of the answer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Structure {
    /// In the field made for it.
    Native,
    /// In the system message, for servers that refuse the field.
    InWords,
}

/// The body that asks for an answer to `prompt`, streamed.
pub(crate) fn body(prompt: &Prompt, model: &str, structure: Structure, host: &str) -> Value {
    let mut body = json!({
        "model": model,
        "messages": messages(prompt, structure),
        "stream": true,
        "stream_options": { "include_usage": true },
    });
    if !prompt.tools.is_empty() {
        body["tools"] = prompt.tools.iter().map(tool).collect();
    }
    if let Some(limit) = prompt.max_output_tokens {
        body[limit_field(host)] = json!(limit);
    }
    if let (Some(output), Structure::Native) = (&prompt.output, structure) {
        body["response_format"] = json!({ "type": "json_schema", "json_schema": json_schema(output) });
    }
    body
}

fn messages(prompt: &Prompt, structure: Structure) -> Vec<Value> {
    let mut system = prompt.system.clone();
    if let (Some(output), Structure::InWords) = (&prompt.output, structure) {
        system.push_str(&format!(
            "\n\nAnswer with one JSON value that follows this JSON schema, and nothing else:\n{}",
            output.schema
        ));
    }
    let mut messages = Vec::with_capacity(prompt.messages.len() + 1);
    if !system.is_empty() {
        messages.push(json!({ "role": "system", "content": system }));
    }
    messages.extend(prompt.messages.iter().map(message));
    messages
}

fn message(message: &Message) -> Value {
    match message {
        Message::User { content } => json!({ "role": "user", "content": content }),
        Message::Assistant { content, tool_calls } if tool_calls.is_empty() => {
            json!({ "role": "assistant", "content": content })
        }
        Message::Assistant { content, tool_calls } => json!({
            "role": "assistant",
            "content": content,
            "tool_calls": tool_calls.iter().map(call).collect::<Vec<_>>(),
        }),
        Message::Tool { call_id, content, .. } => {
            json!({ "role": "tool", "tool_call_id": call_id, "content": content })
        }
    }
}

fn call(call: &ToolCall) -> Value {
    json!({
        "id": call.id,
        "type": "function",
        "function": { "name": call.name, "arguments": as_object(&call.arguments).to_string() },
    })
}

fn tool(tool: &ToolDescription) -> Value {
    json!({
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.input_schema,
        },
    })
}

fn json_schema(output: &OutputSchema) -> Value {
    let mut schema = json!({ "name": output.name, "schema": output.schema });
    if is_strict(&output.schema) {
        schema["strict"] = json!(true);
    }
    schema
}

/// Whether the provider can promise to follow the schema: it does so only where every object is
/// closed and every property required, and refuses to promise anything else.
fn is_strict(schema: &Value) -> bool {
    let Value::Object(fields) = schema else { return true };
    let closed = match fields.get("properties").and_then(Value::as_object) {
        Some(properties) => is_closed(fields, properties) && properties.values().all(is_strict),
        None => fields.get("type").and_then(Value::as_str) != Some("object"),
    };
    let named = ["$defs", "definitions"].iter().filter_map(|name| fields.get(*name)?.as_object());
    let choices = fields.get("anyOf").and_then(Value::as_array).into_iter().flatten();
    closed
        && fields.get("items").is_none_or(is_strict)
        && named.flat_map(Map::values).all(is_strict)
        && choices.into_iter().all(is_strict)
        && !["oneOf", "allOf", "not", "patternProperties"].iter().any(|name| fields.contains_key(*name))
}

fn is_closed(fields: &Map<String, Value>, properties: &Map<String, Value>) -> bool {
    let required = fields.get("required").and_then(Value::as_array);
    fields.get("additionalProperties") == Some(&Value::Bool(false))
        && required.is_some_and(|names| {
            properties.keys().all(|key| names.iter().any(|name| name.as_str() == Some(key)))
        })
}

/// OpenAI's own models refuse the field that every other server knows.
fn limit_field(host: &str) -> &'static str {
    let own = host.ends_with("openai.com") || host.ends_with("openai.azure.com");
    if own { "max_completion_tokens" } else { "max_tokens" }
}

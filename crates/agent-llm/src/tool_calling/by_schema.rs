//! Tool calls through an answer schema: the tools are told in words, each answer is one JSON object
//! that either names a tool with its arguments or gives the answer, and the conversation so far is
//! told in the same form.
//!
//! The object is wrapped (`{"action": …}`) because hosted providers want an object at the root of a
//! schema, and no choice there.

use crate::tool_calls::{Unidentified, as_object, identify, numbered, read_arguments};
use crate::written_calls::{self, unwrapped};
use agent_core::model::{Completion, Message, OutputSchema, Prompt, StopReason, ToolCall, ToolDescription};
use serde_json::{Map, Value, json};

const ACTION: &str = "action";
// The tool must be chosen before its arguments are written. Servers go through a schema in the order
// in which it is sent, which is that of the alphabet: hence these two names.
const TOOL: &str = "name";
const ARGUMENTS: &str = "parameters";
const ANSWER: &str = "answer";

/// The same prompt without tools, asking for an action by schema.
pub(super) fn asking(prompt: &Prompt) -> Prompt {
    Prompt {
        system: format!("{}{}", prompt.system, words(&prompt.tools)),
        messages: messages(&prompt.messages),
        tools: Vec::new(),
        output: Some(OutputSchema { name: ACTION.into(), schema: schema(prompt) }),
        max_output_tokens: prompt.max_output_tokens,
    }
}

/// The answer to `prompt` from the answer to what [`asking`] made of it. What follows no schema stays text.
pub(super) fn read(prompt: &Prompt, mut completion: Completion) -> Completion {
    let calls = match action(&completion.content) {
        Some(Action::Call(call)) => vec![call],
        Some(Action::Answer(text)) => {
            completion.content = text;
            return completion;
        }
        None => written_calls::find(&completion.content, &prompt.tools).unwrap_or_default(),
    };
    if calls.is_empty() {
        return completion;
    }
    completion.content.clear();
    completion.tool_calls = identify(prompt, calls, numbered);
    if completion.stop == StopReason::EndTurn {
        completion.stop = StopReason::ToolCalls;
    }
    completion
}

enum Action {
    Call(Unidentified),
    Answer(String),
}

fn action(text: &str) -> Option<Action> {
    let whole: Value = serde_json::from_str(&unwrapped(text)).ok()?;
    let action = whole.get(ACTION).unwrap_or(&whole);
    if let Some(name) = action.get(TOOL).and_then(Value::as_str) {
        let arguments = match action.get(ARGUMENTS) {
            Some(Value::String(text)) => read_arguments(text),
            Some(Value::Null) | None => Value::Object(Map::new()),
            Some(other) => other.clone(),
        };
        return Some(Action::Call(Unidentified { id: String::new(), name: name.to_owned(), arguments }));
    }
    Some(Action::Answer(match action.get(ANSWER)? {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }))
}

/// What stands behind the system prompt: it is the same in every request of a conversation, so that
/// the prefix can be cached.
fn words(tools: &[ToolDescription]) -> String {
    let mut text = format!(
        "\n\nYou choose one action at a time. Write nothing but one JSON object.\n\
         To use a tool: {{\"{ACTION}\":{{\"{TOOL}\":\"name of the tool\",\"{ARGUMENTS}\":{{…}}}}}}\n\
         To answer without a tool: {{\"{ACTION}\":{{\"{ANSWER}\":\"your answer\"}}}}\n\
         The tools:\n"
    );
    for tool in tools {
        text.push_str(&format!("- {}: {}\n", tool.name, tool.description));
        let properties = tool.input_schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            text.push_str(&format!("  - {name}{}\n", about(property, is_required(tool, name))));
        }
    }
    text
}

/// Type, need and meaning of an argument, as far as its schema tells.
fn about(property: &Value, required: bool) -> String {
    let kind = property.get("type").and_then(Value::as_str).unwrap_or("any");
    let need = if required { "" } else { ", may be left out" };
    match property.get("description").and_then(Value::as_str) {
        Some(meaning) => format!(" ({kind}{need}): {meaning}"),
        None => format!(" ({kind}{need})"),
    }
}

fn is_required(tool: &ToolDescription, name: &str) -> bool {
    let names = tool.input_schema.get("required").and_then(Value::as_array);
    names.is_some_and(|names| names.iter().any(|required| required.as_str() == Some(name)))
}

fn schema(prompt: &Prompt) -> Value {
    let mut definitions = Map::new();
    let mut choices: Vec<Value> =
        prompt.tools.iter().map(|tool| call_schema(tool, &mut definitions)).collect();
    let answer = match &prompt.output {
        Some(output) => hoisted(&output.schema, &output.name, &mut definitions),
        None => json!({ "type": "string" }),
    };
    choices.push(closed(&[(ANSWER, answer)]));
    let mut schema = closed(&[(ACTION, json!({ "anyOf": choices }))]);
    if !definitions.is_empty() {
        schema["$defs"] = Value::Object(definitions);
    }
    schema
}

fn call_schema(tool: &ToolDescription, definitions: &mut Map<String, Value>) -> Value {
    let mut arguments = hoisted(&tool.input_schema, &tool.name, definitions);
    if arguments.get("type").is_none() && arguments.get("$ref").is_none() {
        arguments = json!({ "type": "object" });
    }
    closed(&[(TOOL, json!({ "type": "string", "enum": [tool.name] })), (ARGUMENTS, arguments)])
}

/// An object with exactly these fields.
fn closed(fields: &[(&str, Value)]) -> Value {
    let properties: Map<String, Value> =
        fields.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    json!({ "type": "object", "properties": properties, "required": names, "additionalProperties": false })
}

/// A schema that stands inside another one: its definitions move to the root, under names of `owner`.
fn hoisted(schema: &Value, owner: &str, definitions: &mut Map<String, Value>) -> Value {
    let mut schema = schema.clone();
    rename_references(&mut schema, owner);
    if let Value::Object(fields) = &mut schema {
        fields.remove("$schema");
        for place in ["$defs", "definitions"] {
            if let Some(Value::Object(own)) = fields.remove(place) {
                definitions.extend(own.into_iter().map(|(name, value)| (format!("{owner}.{name}"), value)));
            }
        }
    }
    schema
}

fn rename_references(schema: &mut Value, owner: &str) {
    match schema {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(target) if name == "$ref" => {
                        let own =
                            target.strip_prefix("#/$defs/").or_else(|| target.strip_prefix("#/definitions/"));
                        if let Some(own) = own {
                            *target = format!("#/$defs/{owner}.{own}");
                        }
                    }
                    other => rename_references(other, owner),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename_references(item, owner)),
        _ => {}
    }
}

/// The conversation without calls. Turns of the same side become one: many chat templates allow no
/// other order than one after the other.
fn messages(said: &[Message]) -> Vec<Message> {
    let mut messages: Vec<Message> = Vec::with_capacity(said.len());
    for message in said.iter().map(plain) {
        match (messages.last_mut(), message) {
            (Some(Message::User { content: last }), Message::User { content })
            | (Some(Message::Assistant { content: last, .. }), Message::Assistant { content, .. }) => {
                last.push_str("\n\n");
                last.push_str(&content);
            }
            (_, message) => messages.push(message),
        }
    }
    messages
}

fn plain(message: &Message) -> Message {
    match message {
        Message::User { .. } => message.clone(),
        Message::Assistant { content, tool_calls } if tool_calls.is_empty() => {
            assistant(json!({ ACTION: { ANSWER: content } }).to_string())
        }
        Message::Assistant { content, tool_calls } => {
            let text = Some(content.clone()).filter(|text| !text.is_empty());
            let lines: Vec<String> = text.into_iter().chain(tool_calls.iter().map(written)).collect();
            assistant(lines.join("\n"))
        }
        Message::Tool { name, content, .. } => Message::user(format!("The tool {name} answered:\n{content}")),
    }
}

fn assistant(content: String) -> Message {
    Message::Assistant { content, tool_calls: Vec::new() }
}

fn written(call: &ToolCall) -> String {
    json!({ ACTION: { TOOL: call.name, ARGUMENTS: as_object(&call.arguments) } }).to_string()
}

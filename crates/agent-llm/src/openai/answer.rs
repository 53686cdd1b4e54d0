//! Puts an answer together from the chunks of a chat completions stream.
//!
//! Servers differ: tool calls come whole or in many fragments, with or without index and id;
//! arguments come as text or as an object; `content` is text, null, absent or a list of parts;
//! usage comes beside the end or behind it; a server that does not stream sends `message` in place
//! of `delta`. All of these are read here, and nothing downstream needs to know.

use crate::failure;
use crate::limits::{ANSWER_LIMIT, too_long};
use crate::tool_calls::{Unidentified, identify, numbered, read_arguments};
use agent_core::model::{Completion, ModelError, Prompt, StopReason, TokenSink, Usage};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Chunk {
    model: Option<String>,
    choices: Option<Vec<Choice>>,
    usage: Option<TokenCounts>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(alias = "message")]
    delta: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Delta {
    content: Option<Value>,
    refusal: Option<String>,
    tool_calls: Option<Vec<Fragment>>,
}

#[derive(Deserialize)]
struct Fragment {
    index: Option<usize>,
    id: Option<String>,
    function: Option<FunctionFragment>,
}

#[derive(Deserialize)]
struct FunctionFragment {
    name: Option<String>,
    arguments: Option<Value>,
}

#[derive(Deserialize)]
struct TokenCounts {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
}

#[derive(Default)]
struct CallParts {
    index: Option<usize>,
    id: String,
    name: String,
    arguments: String,
}

/// An answer in the making.
#[derive(Default)]
pub(crate) struct Answer {
    content: String,
    calls: Vec<CallParts>,
    usage: Usage,
    finish: Option<String>,
    refused: bool,
    model: Option<String>,
    length: usize,
    done: bool,
}

impl Answer {
    /// Whether the server said that nothing more comes.
    pub(crate) fn is_done(&self) -> bool {
        self.done
    }

    /// Takes the data of one event (or a whole body).
    pub(crate) fn take(&mut self, data: &str, sink: &mut dyn TokenSink) -> Result<(), ModelError> {
        let data = data.trim();
        if data.is_empty() {
            return Ok(());
        }
        if data == "[DONE]" {
            self.done = true;
            return Ok(());
        }
        self.length += data.len();
        if self.length > ANSWER_LIMIT {
            return Err(too_long());
        }
        let chunk: Chunk = serde_json::from_str(data)
            .map_err(|error| ModelError::Malformed(format!("{error}, in: {}", failure::bounded(data))))?;
        if let Some(error) = chunk.error.filter(|error| !error.is_null()) {
            return Err(failure::from_event(&error));
        }
        if self.model.is_none() {
            self.model = chunk.model.filter(|model| !model.is_empty());
        }
        if let Some(counts) = chunk.usage {
            self.usage = Usage {
                input_tokens: counts.prompt_tokens.unwrap_or(0),
                output_tokens: counts.completion_tokens.unwrap_or(0),
            };
        }
        for choice in chunk.choices.unwrap_or_default() {
            self.take_choice(choice, sink);
        }
        Ok(())
    }

    fn take_choice(&mut self, choice: Choice, sink: &mut dyn TokenSink) {
        if let Some(delta) = choice.delta {
            if let Some(text) = delta.content.as_ref().and_then(text_of) {
                self.say(&text, sink);
            }
            if let Some(refusal) = delta.refusal.filter(|text| !text.is_empty()) {
                self.refused = true;
                self.say(&refusal, sink);
            }
            for fragment in delta.tool_calls.unwrap_or_default() {
                self.take_fragment(fragment);
            }
        }
        if let Some(reason) = choice.finish_reason.filter(|reason| !reason.is_empty()) {
            self.finish = Some(reason);
        }
    }

    fn say(&mut self, text: &str, sink: &mut dyn TokenSink) {
        if !text.is_empty() {
            sink.token(text);
            self.content.push_str(text);
        }
    }

    fn take_fragment(&mut self, fragment: Fragment) {
        let id = fragment.id.unwrap_or_default();
        let call = self.call_for(fragment.index, &id);
        if call.id.is_empty() {
            call.id = id;
        }
        let Some(function) = fragment.function else { return };
        if let Some(name) = function.name.filter(|_| call.name.is_empty()) {
            call.name = name;
        }
        match function.arguments {
            Some(Value::String(piece)) => call.arguments.push_str(&piece),
            Some(Value::Null) | None => {}
            Some(whole) => call.arguments = whole.to_string(),
        }
    }

    /// The call that a fragment continues, or a new one.
    fn call_for(&mut self, index: Option<usize>, id: &str) -> &mut CallParts {
        let another = |call: &CallParts| !id.is_empty() && !call.id.is_empty() && call.id != id;
        let place = match index {
            // Some servers number every call 0 and tell them apart by id only.
            Some(_) => self.calls.iter().rposition(|call| call.index == index && !another(call)),
            None => self.calls.len().checked_sub(1).filter(|last| {
                let last = &self.calls[*last];
                id.is_empty() || last.id == id
            }),
        };
        let place = place.unwrap_or_else(|| {
            self.calls.push(CallParts { index, ..CallParts::default() });
            self.calls.len() - 1
        });
        &mut self.calls[place]
    }

    /// The whole answer to `prompt`.
    pub(crate) fn finish(self, prompt: &Prompt, asked: &str) -> Result<Completion, ModelError> {
        if !self.done && self.finish.is_none() {
            return Err(ModelError::Malformed(format!(
                "the stream broke off after {} characters of text and {} tool calls",
                self.content.chars().count(),
                self.calls.len()
            )));
        }
        let calls: Vec<Unidentified> = self
            .calls
            .into_iter()
            .map(|call| Unidentified {
                id: call.id,
                name: call.name,
                arguments: read_arguments(&call.arguments),
            })
            .collect();
        let stop = match self.finish.as_deref() {
            Some("length" | "max_tokens") => StopReason::Length,
            Some("content_filter") => StopReason::Filtered,
            _ if self.refused => StopReason::Filtered,
            _ if calls.is_empty() => StopReason::EndTurn,
            _ => StopReason::ToolCalls,
        };
        Ok(Completion {
            content: self.content,
            tool_calls: identify(prompt, calls, numbered),
            usage: self.usage,
            stop,
            model: self.model.unwrap_or_else(|| asked.to_owned()),
        })
    }
}

/// Text given as text or as a list of parts.
fn text_of(content: &Value) -> Option<String> {
    match content {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => {
            Some(parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect())
        }
        _ => None,
    }
}

//! Keeps a stream that never ends from filling the memory.

use crate::limits::{ANSWER_LIMIT, too_long};
use agent_core::model::ModelError;
use genai::chat::ChatStreamEvent;
use serde_json::Value;

/// How much of an answer has come.
#[derive(Debug, Default)]
pub(super) struct Length {
    bytes: usize,
    /// The call that is being written, and what was counted of it: `genai` repeats its beginning
    /// with every piece.
    call: (String, usize),
}

impl Length {
    /// Counts an event.
    pub(super) fn take(&mut self, event: &ChatStreamEvent) -> Result<(), ModelError> {
        self.bytes += match event {
            ChatStreamEvent::Chunk(chunk)
            | ChatStreamEvent::ReasoningChunk(chunk)
            | ChatStreamEvent::ThoughtSignatureChunk(chunk) => chunk.content.len(),
            ChatStreamEvent::ToolCallChunk(chunk) => {
                let length = match &chunk.tool_call.fn_arguments {
                    Value::String(text) => text.len(),
                    other => other.to_string().len(),
                };
                self.growth(&chunk.tool_call.call_id, length)
            }
            _ => 0,
        };
        if self.bytes > ANSWER_LIMIT { Err(too_long()) } else { Ok(()) }
    }

    fn growth(&mut self, id: &str, length: usize) -> usize {
        let counted = if self.call.0 == id { self.call.1 } else { 0 };
        self.call = (id.to_owned(), length);
        length.saturating_sub(counted)
    }
}

//! A prompt in the words of `genai`.

use crate::tool_calls::as_object;
use agent_core::model::{Message, Prompt};
use genai::chat::{
    CacheControl, ChatMessage, ChatOptions, ChatRequest, ContentPart, JsonSpec, MessageContent, Tool,
    ToolCall, ToolResponse,
};

/// What is asked.
pub(crate) fn chat(prompt: &Prompt) -> ChatRequest {
    let mut request = ChatRequest::new(messages(&prompt.messages));
    if !prompt.system.is_empty() {
        request = request.with_system(prompt.system.clone());
    }
    if !prompt.tools.is_empty() {
        request = request.with_tools(prompt.tools.iter().map(|tool| {
            Tool::new(tool.name.clone())
                .with_description(tool.description.clone())
                .with_schema(tool.input_schema.clone())
        }));
    }
    request
}

/// How it is to be answered. Temperature is left to the provider: the newest models refuse it.
pub(crate) fn options(prompt: &Prompt) -> ChatOptions {
    let mut options = ChatOptions::default()
        .with_capture_usage(true)
        .with_capture_tool_calls(true)
        .with_cache_control(CacheControl::Ephemeral);
    if let Some(limit) = prompt.max_output_tokens {
        options = options.with_max_tokens(limit);
    }
    if let Some(output) = &prompt.output {
        options = options.with_response_format(JsonSpec::new(output.name.clone(), output.schema.clone()));
    }
    options
}

/// Tool answers that follow each other go into one message: both providers want the answers to
/// all calls of a turn together. An assistant turn without content is left out: none is allowed.
fn messages(said: &[Message]) -> Vec<ChatMessage> {
    let mut messages = Vec::with_capacity(said.len());
    let mut answers: Vec<ToolResponse> = Vec::new();
    for message in said {
        if let Message::Tool { call_id, name, content } = message {
            answers.push(ToolResponse::new(call_id, content).with_fn_name(name));
            continue;
        }
        flush(&mut answers, &mut messages);
        match message {
            Message::User { content } => messages.push(ChatMessage::user(content.clone())),
            Message::Assistant { content, tool_calls } => {
                let text = (!content.is_empty()).then(|| ContentPart::Text(content.clone()));
                let calls = tool_calls.iter().map(|call| {
                    ContentPart::ToolCall(ToolCall {
                        call_id: call.id.clone(),
                        fn_name: call.name.clone(),
                        fn_arguments: as_object(&call.arguments),
                        thought_signatures: None,
                    })
                });
                let parts: Vec<ContentPart> = text.into_iter().chain(calls).collect();
                if !parts.is_empty() {
                    messages.push(ChatMessage::assistant(MessageContent::from_parts(parts)));
                }
            }
            Message::Tool { .. } => {}
        }
    }
    flush(&mut answers, &mut messages);
    messages
}

fn flush(answers: &mut Vec<ToolResponse>, messages: &mut Vec<ChatMessage>) {
    if !answers.is_empty() {
        messages.push(ChatMessage::from(std::mem::take(answers)));
    }
}

//! Anthropic and Gemini, through the `genai` client. (Its Ollama adapter sends no answer schemas,
//! and it hides what OpenAI-compatible dialects need; both are spoken in `openai.rs`.)

mod failure;
mod length;
mod request;

use crate::endpoint::Endpoint;
use crate::patience::Patience;
use crate::settings::Provider;
use crate::tool_calls::{Unidentified, identify, numbered, read_arguments};
use agent_core::model::{Completion, ModelDescription, ModelError, Prompt, StopReason, TokenSink, Usage};
use agent_core::ports::LanguageModel;
use async_trait::async_trait;
use futures_util::StreamExt;
use genai::adapter::AdapterKind;
use genai::chat::{ChatStream, ChatStreamEvent, StreamEnd};
use genai::resolver::{AuthData, Endpoint as Address};
use genai::{Client, ModelIden, ServiceTarget};
use length::Length;
use serde_json::Value;
use std::sync::OnceLock;

/// A model that `genai` reaches.
pub(crate) struct Remote {
    provider: Provider,
    kind: AdapterKind,
    endpoint: Endpoint,
    model: String,
    patience: Patience,
    client: OnceLock<Client>,
}

impl Remote {
    pub(crate) fn new(provider: Provider, endpoint: Endpoint, model: String, patience: Patience) -> Self {
        let kind = match provider {
            Provider::Gemini => AdapterKind::Gemini,
            _ => AdapterKind::Anthropic,
        };
        Self { provider, kind, endpoint, model, patience, client: OnceLock::new() }
    }

    fn client(&self) -> Result<&Client, ModelError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = Client::builder()
            .with_reqwest(self.endpoint.client()?.clone())
            .build()
            .map_err(|error| ModelError::Misconfigured(crate::failure::chain(&error)))?;
        Ok(self.client.get_or_init(|| client))
    }

    fn target(&self) -> ServiceTarget {
        ServiceTarget {
            endpoint: Address::from_owned(self.endpoint.base()),
            auth: AuthData::from_single(self.endpoint.key().unwrap_or_default()),
            model: ModelIden::new(self.kind, self.model.clone()),
        }
    }

    async fn ask(&self, prompt: &Prompt, sink: &mut dyn TokenSink) -> Result<Completion, ModelError> {
        let options = request::options(prompt);
        let answer = self
            .client()?
            .exec_chat_stream(self.target(), request::chat(prompt), Some(&options))
            .await
            .map_err(|error| self.failure(error))?;
        let (content, end) = self.follow(answer.stream, sink).await?;
        self.completion(prompt, content, end)
    }

    /// Reads the stream to its end.
    async fn follow(
        &self,
        mut stream: ChatStream,
        sink: &mut dyn TokenSink,
    ) -> Result<(String, StreamEnd), ModelError> {
        let mut content = String::new();
        let mut length = Length::default();
        while let Some(event) = self.patience.piece(stream.next()).await? {
            let event = event.map_err(|error| self.failure(error))?;
            length.take(&event)?;
            match event {
                ChatStreamEvent::Chunk(chunk) if !chunk.content.is_empty() => {
                    sink.token(&chunk.content);
                    content.push_str(&chunk.content);
                }
                ChatStreamEvent::End(end) => return Ok((content, end)),
                _ => {}
            }
        }
        Err(broken_off(&content))
    }

    fn completion(&self, prompt: &Prompt, content: String, end: StreamEnd) -> Result<Completion, ModelError> {
        let usage = usage(&end);
        let stop = match &end.captured_stop_reason {
            Some(genai::chat::StopReason::MaxTokens(_)) => Some(StopReason::Length),
            Some(genai::chat::StopReason::ContentFilter(_)) => Some(StopReason::Filtered),
            Some(genai::chat::StopReason::Other(reason)) => other_stop(reason)?,
            Some(_) => None,
            // Without a reason the stream was cut: genai ends a Gemini stream either way.
            None => return Err(broken_off(&content)),
        };
        let calls: Vec<Unidentified> = end
            .captured_into_tool_calls()
            .unwrap_or_default()
            .into_iter()
            .map(|call| Unidentified {
                id: call.call_id,
                name: call.fn_name,
                arguments: match call.fn_arguments {
                    Value::String(text) => read_arguments(&text),
                    other => other,
                },
            })
            .collect();
        let stop = match stop {
            Some(stop) => stop,
            None if calls.is_empty() => StopReason::EndTurn,
            None => StopReason::ToolCalls,
        };
        // genai knows ids of this form as its own stand-ins and does not send them to Gemini.
        let stand_in = |name: &str, number: usize| format!("call#{name}#{number}");
        let tool_calls = match self.provider {
            Provider::Gemini => identify(prompt, calls, stand_in),
            _ => identify(prompt, calls, numbered),
        };
        Ok(Completion { content, tool_calls, usage, stop, model: self.model.clone() })
    }

    fn failure(&self, error: genai::Error) -> ModelError {
        failure::from_genai(error, self.endpoint.host())
    }
}

fn usage(end: &StreamEnd) -> Usage {
    let count = |tokens: Option<i32>| tokens.and_then(|tokens| u64::try_from(tokens).ok()).unwrap_or(0);
    end.captured_usage.as_ref().map_or_else(Usage::default, |usage| Usage {
        input_tokens: count(usage.prompt_tokens),
        output_tokens: count(usage.completion_tokens),
    })
}

/// Reasons that genai passes on as the provider words them.
fn other_stop(reason: &str) -> Result<Option<StopReason>, ModelError> {
    match reason.to_ascii_lowercase().as_str() {
        "refusal" | "safety" | "recitation" | "blocklist" | "prohibited_content" | "spii" => {
            Ok(Some(StopReason::Filtered))
        }
        "malformed_function_call" | "unexpected_tool_call" => {
            Err(ModelError::Malformed("the model wrote a tool call that its provider could not read".into()))
        }
        _ => Ok(None),
    }
}

fn broken_off(content: &str) -> ModelError {
    ModelError::Malformed(format!("the stream broke off after {} characters", content.chars().count()))
}

#[async_trait]
impl LanguageModel for Remote {
    fn describe(&self) -> ModelDescription {
        ModelDescription { provider: self.provider.as_str().into(), model: self.model.clone() }
    }

    async fn complete(&self, prompt: &Prompt, sink: &mut dyn TokenSink) -> Result<Completion, ModelError> {
        self.patience
            .whole(Box::pin(self.ask(prompt, sink)))
            .await
            .map_err(|error| self.endpoint.without_key(error))
    }
}

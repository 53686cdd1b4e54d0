//! The providers against a real HTTP server on loopback that speaks their streaming protocols.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot be set up must fail")]

mod anthropic;
mod failures;
mod faults;
mod gemini;
mod openai;
mod peer;
mod retrying;
mod tool_calling;
mod wire;

use agent_core::model::{Prompt, TokenSink, ToolDescription};
use agent_core::ports::LanguageModel;
use agent_llm::{LlmSettings, Provider, connect};
use peer::Peer;
use secrecy::SecretString;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// The key in every request; no error and no `Debug` may show it.
const KEY: &str = "sk-test-0123456789";

/// Settings for the peer, without retries.
fn settings(peer: &Peer, provider: Provider) -> LlmSettings {
    LlmSettings {
        provider: Some(provider),
        base_url: Some(peer.url()),
        model: Some("test-model".into()),
        api_key: Some(SecretString::from(KEY)),
        request_timeout: Duration::from_secs(20),
        first_byte_timeout: Duration::from_secs(10),
        max_retries: 0,
        ..LlmSettings::default()
    }
}

fn model(peer: &Peer, provider: Provider) -> Arc<dyn LanguageModel> {
    connect(settings(peer, provider)).unwrap()
}

/// A prompt that offers one tool.
fn prompt_with_tool() -> Prompt {
    Prompt {
        tools: vec![ToolDescription {
            name: "read_file".into(),
            description: "Reads a file.".into(),
            input_schema: json!({"type": "object", "properties": {"path": {"type": "string"}}}),
        }],
        ..prompt()
    }
}

fn prompt() -> Prompt {
    Prompt {
        system: "Be brief.".into(),
        messages: vec![agent_core::model::Message::user("Say hello.")],
        ..Prompt::default()
    }
}

/// Collects what is shown.
#[derive(Default)]
struct Shown(Vec<String>);

impl TokenSink for Shown {
    fn token(&mut self, text: &str) {
        self.0.push(text.to_owned());
    }

    fn restart(&mut self) {
        self.0.push("(anew)".into());
    }
}

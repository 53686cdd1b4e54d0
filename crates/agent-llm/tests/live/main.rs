//! Round trips with real models behind real servers.
//!
//! `AGENT_TEST_LLM_URL` is the base URL of an OpenAI-compatible server (`tests/start-local-llm.sh`
//! starts one), `AGENT_TEST_LLM_MODEL` and `AGENT_TEST_LLM_KEY` are for servers that need them.
//! `AGENT_TEST_LLM_SECOND_URL` is a server that knows no tools: the same script with
//! `LOCAL_LLM_SERVER=2026.10.11549`. Tests whose server is not given say so and pass.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "it must fail loudly, and tell what a real model said"
)]

mod answers;
mod failing;
mod stopping;
mod tools;

use agent_core::model::{Completion, ModelError, Prompt, TokenSink};
use agent_core::ports::LanguageModel;
use agent_llm::{LlmSettings, Provider, ToolCalling, connect};
use secrecy::SecretString;
use std::sync::Arc;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

/// A server to test against.
struct Live {
    settings: LlmSettings,
    /// The tests of this file share few slots and look at all of them: one test at a time.
    _alone: MutexGuard<'static, ()>,
}

impl Live {
    /// The server of `AGENT_TEST_LLM_URL`.
    async fn first() -> Option<Self> {
        Self::at("AGENT_TEST_LLM_URL").await
    }

    /// The server of `AGENT_TEST_LLM_SECOND_URL`.
    async fn second() -> Option<Self> {
        Self::at("AGENT_TEST_LLM_SECOND_URL").await
    }

    async fn at(name: &str) -> Option<Self> {
        static ALONE: Mutex<()> = Mutex::const_new(());
        let Some(url) = variable(name) else {
            println!("nothing was tested: {name} is not set");
            return None;
        };
        let settings = LlmSettings {
            provider: Some(Provider::OpenAi),
            base_url: Some(url),
            model: Some(variable("AGENT_TEST_LLM_MODEL").unwrap_or_else(|| "default".into())),
            api_key: variable("AGENT_TEST_LLM_KEY").map(SecretString::from),
            ..LlmSettings::default()
        };
        Some(Self { settings, _alone: ALONE.lock().await })
    }

    fn model(&self) -> Arc<dyn LanguageModel> {
        connect(self.settings.clone()).unwrap()
    }

    fn calling(&self, way: ToolCalling) -> Arc<dyn LanguageModel> {
        connect(LlmSettings { tool_calling: way, ..self.settings.clone() }).unwrap()
    }

    /// The same server through the wire format of Anthropic; `None` where it does not speak it.
    async fn anthropic(&self) -> Option<Arc<dyn LanguageModel>> {
        let settings = LlmSettings { provider: Some(Provider::Anthropic), ..self.settings.clone() };
        let model = connect(settings).unwrap();
        let hello = Prompt {
            messages: vec![agent_core::model::Message::user("Hello.")],
            max_output_tokens: Some(2),
            ..Prompt::default()
        };
        match model.complete(&hello, &mut Shown::default()).await {
            Err(ModelError::Refused(text)) if text.contains("404") => {
                println!("nothing was tested: this server does not speak Anthropic's messages ({text})");
                None
            }
            other => {
                other.unwrap();
                Some(model)
            }
        }
    }

    /// Whether asking too much costs nothing.
    fn is_local(&self) -> bool {
        let url = self.settings.base_url.as_deref().unwrap_or_default();
        url.contains("127.0.0.1") || url.contains("localhost")
    }
}

#[expect(clippy::disallowed_methods, reason = "the switches of these tests stand in the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[derive(Default)]
struct Shown {
    text: String,
    pieces: usize,
}

impl TokenSink for Shown {
    fn token(&mut self, text: &str) {
        self.text.push_str(text);
        self.pieces += 1;
    }

    fn restart(&mut self) {
        *self = Self::default();
    }
}

async fn ask(model: &dyn LanguageModel, prompt: &Prompt) -> (Completion, Shown) {
    let mut shown = Shown::default();
    let start = Instant::now();
    let answer = model.complete(prompt, &mut shown).await.unwrap();
    println!(
        "{:?}: {} pieces, {:?}, stop {:?}, calls {:?}, text {:?}",
        start.elapsed(),
        shown.pieces,
        answer.usage,
        answer.stop,
        answer.tool_calls,
        answer.content
    );
    (answer, shown)
}

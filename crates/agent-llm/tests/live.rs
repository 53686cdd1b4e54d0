//! One round trip of each kind against a real model. Set `AGENT_TEST_LLM_URL` to the base URL of an
//! OpenAI-compatible server (`tests/start-local-llm.sh` starts one) and, where it needs them,
//! `AGENT_TEST_LLM_MODEL` and `AGENT_TEST_LLM_KEY`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "it must fail loudly, and tell what a real model said"
)]

use agent_core::model::{Completion, Message, OutputSchema, Prompt, TokenSink, ToolDescription};
use agent_core::ports::LanguageModel;
use agent_llm::{LlmSettings, Provider, connect};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::time::Instant;

#[expect(clippy::disallowed_methods, reason = "the one switch of this test stands in the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn real_model() -> Option<Arc<dyn LanguageModel>> {
    let Some(url) = variable("AGENT_TEST_LLM_URL") else {
        println!("nothing was tested: AGENT_TEST_LLM_URL is not set");
        return None;
    };
    let settings = LlmSettings {
        provider: Some(Provider::OpenAi),
        base_url: Some(url),
        model: Some(variable("AGENT_TEST_LLM_MODEL").unwrap_or_else(|| "default".into())),
        api_key: variable("AGENT_TEST_LLM_KEY").map(SecretString::from),
        ..LlmSettings::default()
    };
    Some(connect(settings).unwrap())
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

#[tokio::test]
async fn a_real_model_answers_streamed_and_counted() {
    let Some(model) = real_model() else { return };
    let prompt = Prompt {
        system: "You answer in one short sentence.".into(),
        messages: vec![Message::user("What is the capital of France?")],
        max_output_tokens: Some(40),
        ..Prompt::default()
    };
    let (answer, shown) = ask(&*model, &prompt).await;
    assert!(!answer.content.is_empty() && answer.content == shown.text && shown.pieces > 1);
    assert!(answer.usage.input_tokens > 0 && answer.usage.output_tokens > 0);
}

#[tokio::test]
async fn a_real_model_follows_an_answer_schema() {
    let Some(model) = real_model() else { return };
    let schema = json!({
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 30}, "is_capital": {"type": "boolean"}},
        "required": ["city", "is_capital"],
        "additionalProperties": false
    });
    let prompt = Prompt {
        system: "You answer in JSON.".into(),
        messages: vec![Message::user("Describe Paris.")],
        output: Some(OutputSchema { name: "city".into(), schema }),
        max_output_tokens: Some(120),
        ..Prompt::default()
    };
    let (answer, _) = ask(&*model, &prompt).await;
    let value: Value = serde_json::from_str(&answer.content).unwrap();
    assert!(value["city"].is_string() && value["is_capital"].is_boolean());
}

#[tokio::test]
async fn a_real_model_is_offered_a_tool_and_told_its_answer() {
    let Some(model) = real_model() else { return };
    let mut prompt = Prompt {
        system: "You work with tools. Read a file before you speak about it.".into(),
        messages: vec![Message::user("Use read_file to read the file notes.txt.")],
        tools: vec![ToolDescription {
            name: "read_file".into(),
            description: "Reads a file of the repository.".into(),
            input_schema: json!({
                "type": "object",
                "properties": {"path": {"type": "string"}},
                "required": ["path"]
            }),
        }],
        max_output_tokens: Some(80),
        ..Prompt::default()
    };
    let (answer, _) = ask(&*model, &prompt).await;
    // Whether a small model calls the tool is its own affair; what it does must be readable.
    assert!(!answer.tool_calls.is_empty() || !answer.content.is_empty());
    let Some(call) = answer.tool_calls.first().cloned() else {
        println!("the model did not call the tool");
        return;
    };
    assert!(!call.id.is_empty());
    prompt
        .messages
        .push(Message::Assistant { content: answer.content, tool_calls: answer.tool_calls.clone() });
    for call in &answer.tool_calls {
        prompt.messages.push(Message::Tool {
            call_id: call.id.clone(),
            name: call.name.clone(),
            content: "Buy milk.".into(),
        });
    }
    let (second, _) = ask(&*model, &prompt).await;
    assert!(!second.content.is_empty() || !second.tool_calls.is_empty());
}

//! A server that gives prepared answers to those whose requests it understands.

use crate::program::Program;
use crate::{saying, with_tool};
use agent_core::model::{Message, ModelError, OutputSchema, Prompt, Silent, StopReason, TokenSink, Usage};
use agent_core::ports::LanguageModel;
use agent_llm::{LlmSettings, Provider, connect};
use secrecy::SecretString;
use serde_json::json;
use std::io::Write;
use std::sync::Arc;
use tempfile::NamedTempFile;

/// Every provider that is reached over the network, with the path that stands in its base URL.
const PROVIDERS: [(Provider, &str); 4] = [
    (Provider::OpenAi, "/v1"),
    (Provider::Ollama, "/v1"),
    (Provider::Anthropic, "/v1"),
    (Provider::Gemini, "/v1beta"),
];

const LONG: &str =
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich, und niemand weiß, warum.";

/// What is answered; the first that matches.
fn answers() -> NamedTempFile {
    let fixtures = json!({"fixtures": [
        {
            "match": {"userMessage": "Read", "toolResultContains": "Buy milk."},
            "response": {"content": "The note says to buy milk."}
        },
        {
            "match": {"userMessage": "Read", "toolName": "read_file"},
            "response": {"toolCalls": [
                {"name": "read_file", "arguments": {"path": "notes.txt"}},
                {"name": "read_file", "arguments": {"path": "more.txt"}}
            ]}
        },
        {
            "match": {"userMessage": "Describe", "responseFormat": "json_schema"},
            "response": {"content": "{\"city\":\"Paris\"}"}
        },
        {
            "match": {"userMessage": "Tell", "systemMessage": "Be brief."},
            "response": {"content": LONG, "usage": {
                "prompt_tokens": 11, "completion_tokens": 22, "input_tokens": 11, "output_tokens": 22,
                "promptTokenCount": 11, "candidatesTokenCount": 22
            }}
        },
        {
            "match": {"userMessage": "Hurry"},
            "response": {"error": {"message": "Slow down.", "type": "rate_limit_error"}, "status": 429}
        }
    ]});
    let mut file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
    file.write_all(fixtures.to_string().as_bytes()).unwrap();
    file
}

async fn aimock(answers: &NamedTempFile) -> Option<Program> {
    Program::start("AGENT_TEST_AIMOCK", &[answers.path().to_str().unwrap()], "/health").await
}

fn model(server: &Program, (provider, path): (Provider, &str)) -> Arc<dyn LanguageModel> {
    connect(LlmSettings {
        provider: Some(provider),
        base_url: Some(format!("{}{path}", server.url)),
        model: Some("some-model".into()),
        api_key: Some(SecretString::from("any")),
        max_retries: 0,
        ..LlmSettings::default()
    })
    .unwrap()
}

#[derive(Default)]
struct Shown(Vec<String>);

impl TokenSink for Shown {
    fn token(&mut self, text: &str) {
        self.0.push(text.to_owned());
    }
}

#[tokio::test]
async fn text_is_streamed_and_counted() {
    let answers = answers();
    let Some(server) = aimock(&answers).await else { return };
    for provider in PROVIDERS {
        let mut shown = Shown::default();
        let answer = model(&server, provider).complete(&saying("Tell me more."), &mut shown).await.unwrap();
        assert_eq!((answer.content.as_str(), answer.stop), (LONG, StopReason::EndTurn), "{}", provider.0);
        assert!(shown.0.len() > 1 && shown.0.concat() == LONG, "{}: {:?}", provider.0, shown.0);
        assert_eq!(answer.usage, Usage { input_tokens: 11, output_tokens: 22 }, "{}", provider.0);
    }
}

#[tokio::test]
async fn two_calls_at_once_and_their_answers_are_understood() {
    let answers = answers();
    let Some(server) = aimock(&answers).await else { return };
    for provider in PROVIDERS {
        let model = model(&server, provider);
        let mut prompt = with_tool("Read the notes.");
        let first = model.complete(&prompt, &mut Silent).await.unwrap();
        assert_eq!(first.stop, StopReason::ToolCalls, "{}", provider.0);
        let paths: Vec<_> = first.tool_calls.iter().map(|call| call.arguments["path"].clone()).collect();
        assert_eq!(paths, ["notes.txt", "more.txt"], "{}", provider.0);
        assert_ne!(first.tool_calls[0].id, first.tool_calls[1].id, "{}", provider.0);
        let calls = first.tool_calls.clone();
        prompt.messages.push(Message::Assistant { content: first.content, tool_calls: first.tool_calls });
        for call in calls {
            let content = "Buy milk.".into();
            prompt.messages.push(Message::Tool { call_id: call.id, name: call.name, content });
        }
        let second = model.complete(&prompt, &mut Silent).await.unwrap();
        assert_eq!(second.content, "The note says to buy milk.", "{}", provider.0);
    }
}

#[tokio::test]
async fn an_answer_schema_is_understood() {
    let answers = answers();
    let Some(server) = aimock(&answers).await else { return };
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
        "additionalProperties": false});
    let prompt =
        Prompt { output: Some(OutputSchema { name: "city".into(), schema }), ..saying("Describe Paris.") };
    // It does not look at the schemas of the other two.
    for provider in [PROVIDERS[0], PROVIDERS[1]] {
        let answer = model(&server, provider).complete(&prompt, &mut Silent).await;
        assert_eq!(answer.unwrap().content, r#"{"city":"Paris"}"#, "{}", provider.0);
    }
}

#[tokio::test]
async fn a_rate_limit_is_recognised() {
    let answers = answers();
    let Some(server) = aimock(&answers).await else { return };
    for provider in PROVIDERS {
        let error = model(&server, provider).complete(&saying("Hurry."), &mut Silent).await.unwrap_err();
        assert!(
            matches!(&error, ModelError::RateLimited { detail, .. } if detail.contains("Slow down.")),
            "{}: {error:?}",
            provider.0
        );
    }
}

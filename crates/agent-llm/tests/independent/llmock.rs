//! A server that misbehaves, and its verdict about us.

use crate::program::Program;
use crate::{saying, with_tool};
use agent_core::model::{Completion, Message, ModelError, Prompt, Silent, StopReason};
use agent_core::ports::{LanguageModel, Randomness};
use agent_llm::{LlmSettings, Provider, RetryPolicy, Retrying, ToolCalling, connect};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The wire formats, each with the path under which it is served.
const FORMATS: [(Provider, &str); 3] =
    [(Provider::OpenAi, "/v1"), (Provider::Anthropic, "/anthropic/v1"), (Provider::Gemini, "/gemini/v1beta")];

struct Always;

impl Randomness for Always {
    fn fraction(&self) -> f64 {
        1.0
    }
}

async fn llmock() -> Option<Program> {
    Program::start("AGENT_TEST_LLMOCK", &[], "/health").await
}

fn model(server: &Program, (provider, path): (Provider, &str)) -> Arc<dyn LanguageModel> {
    let connected = connect(LlmSettings {
        provider: Some(provider),
        base_url: Some(format!("{}{path}", server.url)),
        model: Some("some-model".into()),
        api_key: Some(SecretString::from("any")),
        tool_calling: ToolCalling::Native,
        first_byte_timeout: Duration::from_secs(2),
        max_retries: 0,
        ..LlmSettings::default()
    });
    let policy = RetryPolicy { first_pause: Duration::from_millis(100), ..RetryPolicy::default() };
    Arc::new(Retrying::new(connected.unwrap(), policy, Arc::new(Always)))
}

async fn ask(model: &dyn LanguageModel, prompt: &Prompt) -> Result<Completion, ModelError> {
    model.complete(prompt, &mut Silent).await
}

async fn misbehave(server: &Program, behaviours: Value) {
    server.post("/_llmock/scenario", &json!({"behaviors": behaviours})).await;
}

/// Nothing at all to find fault with, and every fault was really met.
async fn is_passed(server: &Program, calls: u64, attempts: u64) {
    let pending = server.get("/_llmock/scenario").await;
    assert_eq!(pending["pending"], json!([]));
    let verdict = server.get("/_llmock/verdict").await;
    println!("{verdict}");
    assert_eq!(verdict["findings"], json!([]));
    assert_eq!((verdict["calls"].as_u64(), verdict["attempts"].as_u64()), (Some(calls), Some(attempts)));
}

/// What passes by itself is asked for again, as it should be.
async fn outlives_troubles(format: (Provider, &str)) {
    let Some(server) = llmock().await else { return };
    let troubles = [
        (3, json!([{"type": "fail", "status": 429, "retry_after": 0.4, "times": 2}])),
        (
            4,
            json!([{"type": "fail", "status": 429}, {"type": "fail", "status": 500}, {"type": "fail", "status": 529}]),
        ),
        (2, json!([{"type": "stream_fault", "kind": "disconnect", "after_chunks": 2}])),
        (2, json!([{"type": "stream_fault", "kind": "truncate", "after_chunks": 2}])),
        (2, json!([{"type": "stream_fault", "kind": "malformed", "after_chunks": 1}])),
        (2, json!([{"type": "stream_fault", "kind": "stall", "stall_seconds": 30, "after_chunks": 1}])),
        (1, json!([{"type": "slow_first_token", "seconds": 0.5}])),
        (2, json!([{"type": "slow_first_token", "seconds": 30}])),
    ];
    let model = model(&server, format);
    for (number, (_, behaviours)) in troubles.iter().enumerate() {
        misbehave(&server, behaviours.clone()).await;
        let answer = ask(&*model, &saying(&format!("Tell about trouble {number}."))).await;
        let answer = answer.unwrap_or_else(|error| panic!("{behaviours}: {error}"));
        assert!(!answer.content.is_empty() && answer.stop == StopReason::EndTurn, "{answer:?}");
    }
    is_passed(&server, troubles.len() as u64, troubles.iter().map(|(attempts, _)| attempts).sum()).await;
}

#[tokio::test]
async fn troubles_are_outlived_with_openai() {
    outlives_troubles(FORMATS[0]).await;
}

#[tokio::test]
async fn troubles_are_outlived_with_anthropic() {
    outlives_troubles(FORMATS[1]).await;
}

#[tokio::test]
async fn troubles_are_outlived_with_gemini() {
    outlives_troubles(FORMATS[2]).await;
}

#[tokio::test]
async fn what_would_fail_again_is_never_asked_again() {
    let Some(server) = llmock().await else { return };
    for format in FORMATS {
        let model = model(&server, format);
        for status in [400, 401, 403, 404, 422] {
            misbehave(&server, json!([{"type": "fail", "status": status}])).await;
            let prompt = saying(&format!("Tell {} about status {status}.", format.0));
            let error = ask(&*model, &prompt).await.unwrap_err();
            let is_key = matches!(error, ModelError::Unauthorized(_));
            let is_refusal = matches!(error, ModelError::Refused(_));
            assert!(if matches!(status, 401 | 403) { is_key } else { is_refusal }, "{status}: {error:?}");
        }
    }
    is_passed(&server, 15, 15).await;
}

#[tokio::test]
async fn a_server_that_stays_down_is_given_up_in_time() {
    let Some(server) = llmock().await else { return };
    misbehave(&server, json!([{"type": "fail", "status": 503, "times": 5}])).await;
    let error = ask(&*model(&server, FORMATS[0]), &saying("Are you there?")).await.unwrap_err();
    // It names a second for each pause.
    assert!(error.is_transient() && error.to_string().contains("503"), "{error:?}");
    is_passed(&server, 1, 5).await;
}

#[tokio::test]
async fn tools_are_called_and_answered_in_every_wire_format() {
    let Some(server) = llmock().await else { return };
    for format in FORMATS {
        let model = model(&server, format);
        let mut prompt = with_tool(&format!("Read a file for {}.", format.0));
        let first = ask(&*model, &prompt).await.unwrap();
        assert_eq!((first.stop, first.tool_calls.len()), (StopReason::ToolCalls, 1), "{first:?}");
        let call = first.tool_calls[0].clone();
        assert!(call.name == "read_file" && call.arguments["path"].is_string(), "{call:?}");
        prompt.messages.push(Message::Assistant { content: first.content, tool_calls: first.tool_calls });
        let content = "Buy milk.".into();
        prompt.messages.push(Message::Tool { call_id: call.id, name: call.name, content });
        let second = ask(&*model, &prompt).await.unwrap();
        // It answers in words only where it has understood whose answer the tool's is.
        assert_eq!((second.stop, second.tool_calls.len()), (StopReason::EndTurn, 0), "{second:?}");
    }
    is_passed(&server, 6, 6).await;
}

#[tokio::test]
async fn broken_calls_reach_whoever_runs_them() {
    let Some(server) = llmock().await else { return };
    for format in FORMATS {
        let model = model(&server, format);
        misbehave(&server, json!([{"type": "tool_fault", "kind": "unknown_tool"}])).await;
        let unknown = ask(&*model, &with_tool(&format!("Read for {}.", format.0))).await.unwrap();
        assert_ne!(unknown.tool_calls[0].name, "read_file");
        if format.0 == Provider::Gemini {
            // Its arguments are part of the protocol's own JSON, so they cannot be broken by themselves.
            continue;
        }
        misbehave(&server, json!([{"type": "tool_fault", "kind": "malformed_arguments"}])).await;
        let broken = ask(&*model, &with_tool(&format!("Read again for {}.", format.0))).await.unwrap();
        assert!(broken.tool_calls[0].arguments.is_string(), "{broken:?}");
    }
    is_passed(&server, 5, 5).await;
}

#[tokio::test]
async fn a_call_that_is_cut_off_is_asked_for_again() {
    let Some(server) = llmock().await else { return };
    // Gemini sends a call in one piece, with its end.
    for format in [FORMATS[0], FORMATS[1]] {
        let scripted = json!([{"name": "read_file", "arguments": {"path": "notes.txt"}}]);
        misbehave(
            &server,
            json!([
                {"type": "reply", "tool_calls": scripted, "times": 2},
                {"type": "stream_fault", "kind": "disconnect", "after_chunks": 1}
            ]),
        )
        .await;
        let prompt = with_tool(&format!("Read notes.txt for {}.", format.0));
        let answer = ask(&*model(&server, format), &prompt).await.unwrap();
        assert_eq!(answer.tool_calls[0].arguments, json!({"path": "notes.txt"}), "{}", format.0);
    }
    is_passed(&server, 2, 4).await;
}

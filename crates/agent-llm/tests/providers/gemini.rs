//! Gemini's generateContent protocol.

use crate::peer::{Peer, Reply, event, refusal};
use crate::{KEY, Shown, model, prompt, prompt_with_tool};
use agent_core::model::{Message, ModelError, Silent, StopReason, Usage};
use agent_llm::Provider;
use serde_json::{Value, json};
use std::time::Duration;

fn chunk(part: Value, finish: Option<&str>) -> Value {
    let mut candidate = json!({"content": {"role": "model", "parts": [part]}});
    if let Some(reason) = finish {
        candidate["finishReason"] = json!(reason);
    }
    json!({"candidates": [candidate], "usageMetadata":
        {"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 7}})
}

fn stream(chunks: &[Value]) -> Reply {
    Reply::Stream(chunks.iter().map(event).collect())
}

#[tokio::test]
async fn text_is_shown_piece_by_piece_and_counted() {
    let peer = Peer::start(vec![stream(&[
        chunk(json!({"text": "Hel"}), None),
        chunk(json!({"text": "lo."}), Some("STOP")),
    ])]);
    let mut shown = Shown::default();
    let answer = model(&peer, Provider::Gemini).complete(&prompt(), &mut shown).await.unwrap();
    assert_eq!(shown.0, ["Hel", "lo."]);
    assert_eq!((answer.content.as_str(), answer.stop), ("Hello.", StopReason::EndTurn));
    assert_eq!(answer.usage, Usage { input_tokens: 5, output_tokens: 2 });
    let asked = &peer.asked()[0];
    assert_eq!(asked.path, "/v1beta/models/test-model:streamGenerateContent?alt=sse");
    assert_eq!(asked.headers["x-goog-api-key"], KEY);
}

#[tokio::test]
async fn calls_of_later_turns_get_ids_that_differ_from_earlier_ones() {
    let call = || chunk(json!({"functionCall": {"name": "read_file", "args": {"path": "a"}}}), Some("STOP"));
    let peer = Peer::start(vec![stream(&[call()]), stream(&[call()])]);
    let model = model(&peer, Provider::Gemini);
    let mut prompt = prompt_with_tool();
    let first = model.complete(&prompt, &mut Silent).await.unwrap();
    assert_eq!(first.stop, StopReason::ToolCalls);
    assert_eq!(first.tool_calls[0].arguments, json!({"path": "a"}));
    prompt.messages.push(Message::Assistant { content: String::new(), tool_calls: first.tool_calls.clone() });
    prompt.messages.push(Message::Tool {
        call_id: first.tool_calls[0].id.clone(),
        name: "read_file".into(),
        content: "text".into(),
    });
    let second = model.complete(&prompt, &mut Silent).await.unwrap();
    assert_ne!(second.tool_calls[0].id, first.tool_calls[0].id);
    let sent = peer.asked()[1].body["contents"].to_string();
    assert!(sent.contains("functionResponse") && sent.contains("read_file"), "{sent}");
}

#[tokio::test]
async fn a_cut_stream_and_a_rate_limit_are_told_apart() {
    let limited = json!({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "quota",
        "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2.5s"}]}});
    let peer = Peer::start(vec![stream(&[chunk(json!({"text": "Hel"}), None)]), refusal(429, limited)]);
    let model = model(&peer, Provider::Gemini);
    let cut = model.complete(&prompt(), &mut Silent).await.unwrap_err();
    assert!(matches!(cut, ModelError::Malformed(_)), "{cut:?}");
    let limited = model.complete(&prompt(), &mut Silent).await.unwrap_err();
    assert!(
        matches!(limited, ModelError::RateLimited { retry_after: Some(pause), .. }
            if pause == Duration::from_millis(2500)),
        "{limited:?}"
    );
}

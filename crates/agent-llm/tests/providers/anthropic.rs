//! Anthropic's messages protocol.

use crate::peer::{Peer, Reply, named_stream_of, refusal};
use crate::{KEY, Shown, model, prompt, prompt_with_tool};
use agent_core::model::{Message, ModelError, OutputSchema, Prompt, Silent, StopReason, ToolCall, Usage};
use agent_llm::Provider;
use serde_json::{Value, json};
use std::time::Duration;

fn stream(blocks: &[Value], stop: &str) -> Reply {
    let mut events = vec![json!({"type": "message_start", "message": {"id": "m", "role": "assistant",
        "content": [], "usage": {"input_tokens": 20, "output_tokens": 1}}})];
    events.extend_from_slice(blocks);
    events.push(json!({"type": "message_delta", "delta": {"stop_reason": stop},
        "usage": {"output_tokens": 9}}));
    events.push(json!({"type": "message_stop"}));
    named_stream_of(&events)
}

fn text(pieces: &[&str]) -> Vec<Value> {
    let mut events = vec![json!({"type": "content_block_start", "index": 0,
        "content_block": {"type": "text", "text": ""}})];
    events.extend(pieces.iter().map(|piece| {
        json!({"type": "content_block_delta", "index": 0,
            "delta": {"type": "text_delta", "text": piece}})
    }));
    events.push(json!({"type": "content_block_stop", "index": 0}));
    events
}

fn tool(id: &str, pieces: &[&str]) -> Vec<Value> {
    let mut events = vec![json!({"type": "content_block_start", "index": 1,
        "content_block": {"type": "tool_use", "id": id, "name": "read_file", "input": {}}})];
    events.extend(pieces.iter().map(|piece| {
        json!({"type": "content_block_delta", "index": 1,
            "delta": {"type": "input_json_delta", "partial_json": piece}})
    }));
    events.push(json!({"type": "content_block_stop", "index": 1}));
    events
}

#[tokio::test]
async fn text_is_shown_piece_by_piece_and_counted() {
    let peer = Peer::start(vec![stream(&text(&["Hel", "lo."]), "end_turn")]);
    let mut shown = Shown::default();
    let answer = model(&peer, Provider::Anthropic).complete(&prompt(), &mut shown).await.unwrap();
    assert_eq!(shown.0, ["Hel", "lo."]);
    assert_eq!((answer.content.as_str(), answer.stop), ("Hello.", StopReason::EndTurn));
    assert_eq!(answer.usage, Usage { input_tokens: 20, output_tokens: 9 });
    let asked = &peer.asked()[0];
    assert_eq!(asked.path, "/v1/messages");
    assert_eq!(asked.headers["x-api-key"], KEY);
    assert_eq!(asked.body["stream"], true);
    assert!(asked.body["max_tokens"].as_u64().is_some() && asked.body.get("temperature").is_none());
    assert!(asked.body["system"].to_string().contains("Be brief."));
}

#[tokio::test]
async fn tools_are_called_and_their_answers_sent_back_together() {
    let blocks = [text(&["Reading."]), tool("toolu_1", &["{\"pa", "th\":\"a\"}"]), tool("toolu_2", &[])];
    let peer =
        Peer::start(vec![stream(&blocks.concat(), "tool_use"), stream(&text(&["Done."]), "max_tokens")]);
    let model = model(&peer, Provider::Anthropic);
    let mut prompt = prompt_with_tool();
    let answer = model.complete(&prompt, &mut Silent).await.unwrap();
    assert_eq!(answer.stop, StopReason::ToolCalls);
    let call = |id: &str, arguments| ToolCall { id: id.into(), name: "read_file".into(), arguments };
    assert_eq!(answer.tool_calls, [call("toolu_1", json!({"path": "a"})), call("toolu_2", json!({}))]);
    prompt.messages.push(Message::Assistant { content: answer.content, tool_calls: answer.tool_calls });
    for id in ["toolu_1", "toolu_2"] {
        prompt.messages.push(Message::Tool {
            call_id: id.into(),
            name: "read_file".into(),
            content: format!("answer to {id}"),
        });
    }
    let second = model.complete(&prompt, &mut Silent).await.unwrap();
    assert_eq!(second.stop, StopReason::Length);
    let body = &peer.asked()[1].body;
    assert_eq!(body["tools"][0]["name"], "read_file");
    let messages = body["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 3);
    assert_eq!(messages[1]["content"][1]["type"], "tool_use");
    let results = messages[2]["content"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    assert_eq!(results[0]["tool_use_id"], "toolu_1");
    assert_eq!(results[1]["content"], "answer to toolu_2");
}

#[tokio::test]
async fn an_answer_schema_and_a_ceiling_are_sent() {
    let peer = Peer::start(vec![stream(&text(&["{}"]), "end_turn")]);
    let prompt = Prompt {
        output: Some(OutputSchema {
            name: "plan".into(),
            schema: json!({"type": "object", "properties": {}}),
        }),
        max_output_tokens: Some(55),
        ..prompt()
    };
    model(&peer, Provider::Anthropic).complete(&prompt, &mut Silent).await.unwrap();
    let body = &peer.asked()[0].body;
    assert_eq!(body["max_tokens"], 55);
    assert_eq!(body["output_config"]["format"]["type"], "json_schema");
}

#[tokio::test]
async fn errors_are_read_as_everywhere() {
    let limited = Reply::Status(429, vec![("retry-after", "3".into())], "slow".into());
    let overloaded = named_stream_of(&[
        json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
    ]);
    let cut = named_stream_of(&text(&["Hel"]));
    let body = json!({"type": "error", "error": {"type": "authentication_error",
        "message": format!("invalid x-api-key {KEY}")}});
    let long = json!({"type": "error", "error": {"type": "invalid_request_error",
        "message": "prompt is too long: 9 tokens > 8 maximum"}});
    let peer = Peer::start(vec![limited, overloaded, cut, refusal(401, body), refusal(400, long)]);
    let model = model(&peer, Provider::Anthropic);
    let mut errors = Vec::new();
    for _ in 0..5 {
        errors.push(model.complete(&prompt(), &mut Silent).await.unwrap_err());
    }
    assert!(
        matches!(&errors[0], ModelError::RateLimited { retry_after: Some(pause), .. }
            if *pause == Duration::from_secs(3)),
        "{errors:?}"
    );
    assert!(matches!(&errors[1], ModelError::Unavailable(text) if text == "Overloaded"), "{errors:?}");
    assert!(matches!(&errors[2], ModelError::Malformed(_)), "{errors:?}");
    assert!(matches!(&errors[3], ModelError::Unauthorized(_)), "{errors:?}");
    assert!(!format!("{errors:?}").contains(KEY));
    assert!(matches!(&errors[4], ModelError::ContextOverflow(_)), "{errors:?}");
}

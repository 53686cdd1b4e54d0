//! The same answers in every wire format.

use crate::peer::{Piece, event};
use agent_llm::Provider;
use serde_json::{Value, json};

/// The providers that are hosted; each has a wire format of its own.
pub(crate) const FORMATS: [Provider; 3] = [Provider::OpenAi, Provider::Anthropic, Provider::Gemini];

fn named(body: &Value) -> Piece {
    Piece::Text(format!("event: {}\ndata: {body}\n\n", body["type"].as_str().unwrap()))
}

/// What comes before anything is said.
pub(crate) fn opening(format: Provider) -> Vec<Piece> {
    match format {
        Provider::Anthropic => vec![named(&json!({"type": "message_start", "message": {"id": "m",
            "role": "assistant", "content": [], "usage": {"input_tokens": 2, "output_tokens": 1}}}))],
        _ => vec![],
    }
}

/// A piece of text.
pub(crate) fn text(format: Provider, text: &str) -> Vec<Piece> {
    match format {
        Provider::Anthropic => vec![
            named(&json!({"type": "content_block_start", "index": 0,
                "content_block": {"type": "text", "text": ""}})),
            named(&json!({"type": "content_block_delta", "index": 0,
                "delta": {"type": "text_delta", "text": text}})),
        ],
        Provider::Gemini => {
            vec![event(&json!({"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}}]}))]
        }
        _ => vec![event(&json!({"choices": [{"delta": {"content": text}}]}))],
    }
}

/// A call with these arguments, which are JSON or meant to be. (Gemini cannot send any other.)
pub(crate) fn call(format: Provider, name: &str, arguments: &str) -> Vec<Piece> {
    match format {
        Provider::Anthropic => vec![
            named(&json!({"type": "content_block_start", "index": 1,
                "content_block": {"type": "tool_use", "id": "c1", "name": name, "input": {}}})),
            named(&json!({"type": "content_block_delta", "index": 1,
                "delta": {"type": "input_json_delta", "partial_json": arguments}})),
            named(&json!({"type": "content_block_stop", "index": 1})),
        ],
        Provider::Gemini => {
            let arguments: Value = serde_json::from_str(arguments).unwrap();
            let part = json!({"functionCall": {"name": name, "args": arguments}});
            vec![event(&json!({"candidates": [{"content": {"role": "model", "parts": [part]}}]}))]
        }
        _ => vec![event(&json!({"choices": [{"delta": {"tool_calls": [
            {"index": 0, "id": "c1", "function": {"name": name, "arguments": arguments}}]}}]}))],
    }
}

/// The end of a whole answer.
pub(crate) fn end(format: Provider) -> Vec<Piece> {
    match format {
        Provider::Anthropic => vec![
            named(&json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"},
                "usage": {"output_tokens": 2}})),
            named(&json!({"type": "message_stop"})),
        ],
        Provider::Gemini => vec![event(&json!({"candidates": [{"content": {"parts": [{"text": ""}]},
            "finishReason": "STOP"}]}))],
        _ => vec![
            event(&json!({"choices": [{"delta": {}, "finish_reason": "stop"}]})),
            Piece::Text("data: [DONE]\n\n".into()),
        ],
    }
}

/// A whole answer around `middle`.
pub(crate) fn whole(format: Provider, middle: Vec<Piece>) -> Vec<Piece> {
    [opening(format), middle, end(format)].concat()
}

/// The first half of the bytes of the last of these pieces, after the others.
pub(crate) fn half(mut pieces: Vec<Piece>) -> Vec<Piece> {
    if let Some(Piece::Text(text)) = pieces.last_mut() {
        let mut middle = text.len() / 2;
        while !text.is_char_boundary(middle) {
            middle -= 1;
        }
        text.truncate(middle);
    }
    pieces
}

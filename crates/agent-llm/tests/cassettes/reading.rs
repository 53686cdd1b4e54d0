//! What a recorded answer says, read in the plainest way, to compare with what the product reads.

use agent_llm::Provider;
use serde_json::Value;
use std::collections::BTreeMap;

/// Text, and the calls with their arguments.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) calls: Vec<(String, Value)>,
}

/// Reads the body of a recorded stream.
pub(crate) fn said(provider: Provider, body: &str) -> Said {
    let events = body
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter(|data| *data != "[DONE]")
        .map(|data| serde_json::from_str::<Value>(data).unwrap());
    let mut text = String::new();
    let mut calls: BTreeMap<u64, (String, String)> = BTreeMap::new();
    for event in events {
        let (piece, number, name, arguments) = match provider {
            Provider::Anthropic => (
                &event["delta"]["text"],
                &event["index"],
                &event["content_block"]["name"],
                &event["delta"]["partial_json"],
            ),
            _ => {
                let delta = &event["choices"][0]["delta"];
                let call = &delta["tool_calls"][0];
                (&delta["content"], &call["index"], &call["function"]["name"], &call["function"]["arguments"])
            }
        };
        text.push_str(piece.as_str().unwrap_or_default());
        if name.is_string() || arguments.is_string() {
            let call = calls.entry(number.as_u64().unwrap()).or_default();
            call.0.push_str(name.as_str().unwrap_or_default());
            call.1.push_str(arguments.as_str().unwrap_or_default());
        }
    }
    let calls =
        calls.into_values().map(|(name, json)| (name, serde_json::from_str(&json).unwrap())).collect();
    Said { text, calls }
}

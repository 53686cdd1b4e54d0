//! The format: one exchange a line, found again by a key.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::Path;

/// Fields of a body that say nothing about what is asked: two requests that differ only there are one.
const VOLATILE: [&str; 4] = ["user", "metadata", "prompt_cache_key", "safety_identifier"];

/// One request and what was answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Exchange {
    /// Finds the exchange again: see [`key`].
    pub(crate) key: String,
    /// Place in the recording, from 0. Equal keys are replayed in this order.
    pub(crate) seq: usize,
    pub(crate) request: Request,
    pub(crate) status: u16,
    /// The headers that mean something to a client; never one that authorises.
    pub(crate) headers: Vec<(String, String)>,
    /// Pieces of the body, each with the milliseconds since the request.
    pub(crate) chunks: Vec<(u64, String)>,
    pub(crate) end: End,
}

/// What was asked. Headers are left out: they hold the key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Value,
}

/// How the body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum End {
    Whole,
    Cut,
}

impl Exchange {
    /// The whole body of the answer.
    pub(crate) fn body(&self) -> String {
        self.chunks.iter().map(|(_, text)| text.as_str()).collect()
    }
}

/// The hash of provider, path and canonical body without what is volatile.
pub(crate) fn key(provider: &str, path: &str, body: &Value) -> String {
    let mut digest = Sha256::new();
    for part in [provider, path, &canonical(&steady(body))] {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    let mut text = String::from("sha256:");
    for byte in digest.finalize() {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// The body without what is volatile.
pub(crate) fn steady(body: &Value) -> Value {
    let mut body = body.clone();
    if let Value::Object(fields) = &mut body {
        fields.retain(|name, _| !VOLATILE.contains(&name.as_str()));
    }
    body
}

/// One form for equal values: no blanks, and names in order. (In which order a build keeps them on
/// its own depends on what else is built with it.)
pub(crate) fn canonical(value: &Value) -> String {
    sorted(value).to_string()
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort();
            let fields = names.into_iter().map(|name| (name.clone(), sorted(&fields[name])));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// Reads a cassette.
pub(crate) fn read(path: &Path) -> Vec<Exchange> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Writes a cassette.
pub(crate) fn write(path: &Path, exchanges: &[Exchange]) {
    let lines: String = exchanges.iter().fold(String::new(), |mut text, exchange| {
        text.push_str(&canonical(&serde_json::to_value(exchange).unwrap()));
        text.push('\n');
        text
    });
    std::fs::write(path, lines).unwrap();
}

//! Stands between the client and a real server, and keeps what they say.

use crate::cassette::{self, End, Exchange, Request, key};
use crate::scenarios::{SCENARIOS, Scenario};
use crate::server::{Answer, Asked, Handler, Server};
use crate::{KEY, model_at, path_of};
use async_trait::async_trait;
use std::sync::{Arc, Mutex};
use tokio::time::Instant;

/// Headers of requests that the server needs.
const PASSED_ON: [&str; 4] = ["authorization", "x-api-key", "anthropic-version", "content-type"];

/// Headers of answers that are kept.
const KEPT: [&str; 3] = ["content-type", "retry-after", "retry-after-ms"];

struct Recorder {
    provider: &'static str,
    target: String,
    client: reqwest::Client,
    exchanges: Mutex<Vec<Exchange>>,
}

#[async_trait]
impl Handler for Recorder {
    async fn answer(&self, asked: Asked) -> Answer {
        let mut request = self.client.post(format!("{}{}", self.target, asked.path)).json(&asked.body);
        for (name, value) in asked.headers.iter().filter(|(name, _)| PASSED_ON.contains(&name.as_str())) {
            request = request.header(name, value);
        }
        let start = Instant::now();
        let mut response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let headers: Vec<(String, String)> = KEPT
            .iter()
            .filter_map(|name| {
                Some(((*name).to_owned(), response.headers().get(*name)?.to_str().ok()?.to_owned()))
            })
            .collect();
        let mut pieces = Vec::new();
        let end = loop {
            match response.chunk().await {
                Ok(Some(bytes)) => pieces.push((start.elapsed().as_millis() as u64, bytes.to_vec())),
                Ok(None) => break End::Whole,
                Err(_) => break End::Cut,
            }
        };
        let chunks = as_text(pieces);
        let answer = Answer {
            status,
            headers: headers.clone(),
            chunks: chunks.iter().map(|(_, text)| text.clone()).collect(),
            end,
        };
        let mut exchanges = self.exchanges.lock().unwrap();
        let seq = exchanges.len();
        let key = key(self.provider, &asked.path, &asked.body);
        let request = Request { method: asked.method, path: asked.path, body: asked.body };
        exchanges.push(Exchange { key, seq, request, status, headers, chunks, end });
        answer
    }
}

/// Pieces as text: half a character waits for its other half.
fn as_text(pieces: Vec<(u64, Vec<u8>)>) -> Vec<(u64, String)> {
    let mut waiting = Vec::new();
    let mut chunks = Vec::new();
    for (moment, piece) in pieces {
        waiting.extend(piece);
        if let Ok(text) = std::str::from_utf8(&waiting) {
            chunks.push((moment, text.to_owned()));
            waiting.clear();
        }
    }
    assert!(waiting.is_empty(), "the server sent half a character");
    chunks
}

#[expect(clippy::disallowed_methods, reason = "the one switch of recording stands in the environment")]
fn target() -> Option<String> {
    std::env::var("AGENT_RECORD_CASSETTES").ok().filter(|url| !url.is_empty())
}

#[tokio::test]
async fn record() {
    let Some(target) = target() else {
        println!("nothing was recorded: AGENT_RECORD_CASSETTES is not set");
        return;
    };
    for scenario in SCENARIOS {
        record_scenario(scenario, &target).await;
    }
}

/// A small model does not always do what a scenario is about, so it is asked a few times.
async fn record_scenario(scenario: &Scenario, target: &str) {
    let mut last = String::new();
    for _ in 0..30 {
        let recorder = Arc::new(Recorder {
            provider: scenario.provider.as_str(),
            target: target.trim_end_matches('/').to_owned(),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            exchanges: Mutex::default(),
        });
        let server = Server::start(recorder.clone());
        match (scenario.play)(model_at(&server.url, scenario)).await {
            Ok(_) => {
                let exchanges = recorder.exchanges.lock().unwrap();
                cassette::write(&path_of(scenario), &exchanges);
                assert!(!std::fs::read_to_string(path_of(scenario)).unwrap().contains(KEY));
                println!("{}: {} exchanges", scenario.name, exchanges.len());
                return;
            }
            Err(why) => last = why,
        }
    }
    panic!("{}: the model never did it; at last {last}", scenario.name);
}

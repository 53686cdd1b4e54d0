//! Answers as a recorded server did.

use crate::cassette::{End, Exchange, key};
use crate::differences;
use crate::server::{Answer, Asked, Handler, Server};
use async_trait::async_trait;
use serde_json::Value;
use std::sync::{Arc, Mutex};

struct Tape {
    provider: &'static str,
    recorded: Vec<Exchange>,
    /// The bodies that were asked, each with the exchange that answered it.
    played: Mutex<Vec<(usize, Value)>>,
    misses: Mutex<Vec<String>>,
}

/// A server that replays a cassette. Pieces come as they were cut, without the pauses between them.
pub(crate) struct Player {
    tape: Arc<Tape>,
    server: Server,
}

impl Player {
    pub(crate) fn start(provider: &'static str, recorded: Vec<Exchange>) -> Self {
        let tape = Tape { provider, recorded, played: Mutex::default(), misses: Mutex::default() };
        let tape = Arc::new(tape);
        Self { server: Server::start(tape.clone()), tape }
    }

    pub(crate) fn url(&self) -> &str {
        &self.server.url
    }

    /// What was asked, with the place of the exchange that answered.
    pub(crate) fn played(&self) -> Vec<(usize, Value)> {
        self.tape.played.lock().unwrap().clone()
    }

    /// What was asked in vain, in words.
    pub(crate) fn misses(&self) -> Vec<String> {
        self.tape.misses.lock().unwrap().clone()
    }
}

#[async_trait]
impl Handler for Tape {
    async fn answer(&self, asked: Asked) -> Answer {
        let key = key(self.provider, &asked.path, &asked.body);
        let mut played = self.played.lock().unwrap();
        let next = self
            .recorded
            .iter()
            .find(|exchange| exchange.key == key && !played.iter().any(|(seq, _)| *seq == exchange.seq));
        let Some(exchange) = next else {
            let why = differences::told(&self.recorded, &asked.path, &asked.body);
            self.misses.lock().unwrap().push(why.clone());
            return Answer { status: 400, headers: vec![], chunks: vec![why], end: End::Whole };
        };
        played.push((exchange.seq, asked.body));
        Answer {
            status: exchange.status,
            headers: exchange.headers.clone(),
            chunks: exchange.chunks.iter().map(|(_, text)| text.clone()).collect(),
            end: exchange.end,
        }
    }
}

//! Live monitoring over WebSocket: topics, replay, and what happens to slow or silent clients.

mod connection;
mod handshake;
mod message;
mod subscriptions;

pub(crate) use connection::{Connection, Opened, every};
pub(crate) use handshake::{Handshake, PROTOCOL};

use std::time::Duration;

/// How WebSocket connections are kept. The defaults are those of the wire contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebSocketSettings {
    /// How long a client may take to say who it is.
    pub authentication_deadline: Duration,
    /// The server pings this often.
    pub ping_every: Duration,
    /// It is looked this often whether the token is still accepted, and its owner may still see as much.
    pub recheck_every: Duration,
    /// A client that says nothing for this long is dropped.
    pub silence_limit: Duration,
    /// How long the queue of a connection may stay full before the client counts as too slow.
    pub write_deadline: Duration,
    /// The most topics one connection listens to.
    pub max_topics: usize,
    /// The largest message of a client, in bytes.
    pub max_message: usize,
}

impl Default for WebSocketSettings {
    fn default() -> Self {
        Self {
            authentication_deadline: Duration::from_secs(5),
            ping_every: Duration::from_secs(20),
            recheck_every: Duration::from_secs(4),
            silence_limit: Duration::from_secs(60),
            write_deadline: Duration::from_secs(10),
            max_topics: 100,
            max_message: 64 * 1024,
        }
    }
}

//! Live monitoring over WebSocket: topics, replay, and what happens to slow or silent clients.

mod allowance;
mod commands;
mod connection;
mod handshake;
mod identity;
mod message;
mod sources;
mod subscriptions;
mod tickets;

pub(crate) use connection::Connection;
pub(crate) use handshake::{Handshake, PROTOCOL};
pub(crate) use identity::{Credentials, Opened};
pub(crate) use sources::{Sources, Unproven};
pub(crate) use tickets::{GOOD_FOR, Tickets};

use agent_websocket::Limits;
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
    /// How long something may wait without anything being taken before the client counts as too slow.
    pub write_deadline: Duration,
    /// What one connection may take and keep waiting.
    pub limits: Limits,
    /// The most topics one connection listens to.
    pub max_topics: usize,
    /// The most messages of a client in a second; a burst may be twice that.
    pub messages_per_second: u32,
    /// The most connections from one network whose owners have yet to say who they are.
    pub max_unproven: usize,
}

impl Default for WebSocketSettings {
    fn default() -> Self {
        Self {
            authentication_deadline: Duration::from_secs(5),
            ping_every: Duration::from_secs(20),
            recheck_every: Duration::from_secs(3),
            silence_limit: Duration::from_secs(60),
            write_deadline: Duration::from_secs(10),
            limits: Limits::default(),
            max_topics: 100,
            messages_per_second: 100,
            max_unproven: 32,
        }
    }
}

//! How the server is.

use serde::Deserialize;

/// That the server lives.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Health {
    /// Always `healthy`.
    pub status: String,
    /// Version of the program.
    pub version: String,
    /// The provider of the language model; `none` where none is configured.
    pub llm_provider: String,
    /// Time since the start, in milliseconds.
    pub uptime_ms: u64,
}

/// A few figures, of what the caller may see.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Stats {
    /// Plans.
    pub total_plans: u64,
    /// Those that completed.
    pub completed_plans: u64,
    /// Open WebSocket connections.
    pub active_sessions: u64,
    /// Messages of conversations.
    pub total_messages: u64,
    /// The provider of the language model; `none` where none is configured.
    pub llm_provider: String,
}

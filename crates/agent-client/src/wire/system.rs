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

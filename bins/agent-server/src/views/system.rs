//! How the server is.

use agent_runtime::{Health, Part, Readiness, Stats};
use serde::Serialize;
use utoipa::ToSchema;

/// What this server is and where to read about it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "name": "agent", "version": "0.1.0", "docs": "/docs", "redoc": "/redoc", "openapi": "/openapi.json"
}))]
pub struct RootView {
    /// Always `agent`.
    pub name: &'static str,
    /// Version of the program.
    pub version: &'static str,
    /// Where to try the API.
    pub docs: &'static str,
    /// Where to read about it.
    pub redoc: &'static str,
    /// The description of the API for programs.
    pub openapi: &'static str,
}

/// That the process lives.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({"status": "healthy", "version": "0.1.0", "llm_provider": "openai", "uptime_ms": 81234}))]
pub struct HealthView {
    /// Always `healthy`.
    pub status: &'static str,
    /// Version of the program.
    pub version: &'static str,
    /// The provider of the language model; `none` where none is configured.
    pub llm_provider: String,
    /// Time since the start, in milliseconds.
    pub uptime_ms: u64,
}

impl From<Health> for HealthView {
    fn from(health: Health) -> Self {
        Self {
            status: "healthy",
            version: health.version,
            llm_provider: health.llm_provider,
            uptime_ms: u64::try_from(health.uptime.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// Whether the server can take requests.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "status": "ready",
    "parts": [{"name": "database", "status": "ready", "detail": "answers"}]
}))]
pub struct ReadinessView {
    /// `ready` or `not_ready`.
    pub status: &'static str,
    /// Each part.
    pub parts: Vec<PartView>,
}

/// How one part is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({"name": "database", "status": "ready", "detail": "answers"}))]
pub struct PartView {
    /// `database`, `events`, `workers` or `sandbox`.
    pub name: &'static str,
    /// `ready` or `not_ready`.
    pub status: &'static str,
    /// What is known about it.
    pub detail: String,
}

fn word(ready: bool) -> &'static str {
    if ready { "ready" } else { "not_ready" }
}

impl From<Readiness> for ReadinessView {
    fn from(readiness: Readiness) -> Self {
        let status = word(readiness.is_ready());
        let part = |part: Part| PartView { name: part.name, status: word(part.ready), detail: part.detail };
        Self { status, parts: readiness.parts.into_iter().map(part).collect() }
    }
}

/// A few figures, of what the caller may see.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "total_plans": 12, "completed_plans": 9, "active_sessions": 2, "total_messages": 31, "llm_provider": "openai"
}))]
pub struct StatsView {
    /// Plans.
    pub total_plans: u64,
    /// Completed ones among them.
    pub completed_plans: u64,
    /// Open WebSocket connections of this server.
    pub active_sessions: usize,
    /// Messages.
    pub total_messages: u64,
    /// The provider of the language model; `none` where none is configured.
    pub llm_provider: String,
}

impl StatsView {
    /// The agent's figures with those of the server.
    pub fn new(stats: Stats, active_sessions: usize) -> Self {
        Self {
            total_plans: stats.total_plans,
            completed_plans: stats.completed_plans,
            active_sessions,
            total_messages: stats.total_messages,
            llm_provider: stats.llm_provider,
        }
    }
}

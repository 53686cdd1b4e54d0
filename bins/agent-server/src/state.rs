//! What all requests of a server share.

use crate::websocket::WebSocketSettings;
use agent_runtime::Agent;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use tokio_util::sync::CancellationToken;

/// What all requests of a server share.
pub(crate) struct AppState {
    agent: Agent,
    stopping: CancellationToken,
    websocket: WebSocketSettings,
    sessions: AtomicUsize,
    document: OnceLock<crate::openapi::Document>,
}

impl AppState {
    /// Shared by a server of this agent.
    pub(crate) fn new(agent: Agent, websocket: WebSocketSettings, stopping: CancellationToken) -> Self {
        Self { agent, stopping, websocket, sessions: AtomicUsize::new(0), document: OnceLock::new() }
    }

    /// The agent that does the work.
    pub(crate) fn agent(&self) -> &Agent {
        &self.agent
    }

    /// Cancelled when the server begins to stop.
    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    /// How WebSocket connections are kept.
    pub(crate) fn websocket(&self) -> &WebSocketSettings {
        &self.websocket
    }

    /// The API's document, made when it is first asked for: most servers are never asked.
    pub(crate) fn document(&self) -> &crate::openapi::Document {
        self.document.get_or_init(crate::openapi::Document::build)
    }

    /// Open WebSocket connections.
    pub(crate) fn sessions(&self) -> usize {
        self.sessions.load(Ordering::Relaxed)
    }

    /// Counts a connection for as long as the guard lives.
    pub(crate) fn count_session(self: &Arc<Self>) -> SessionGuard {
        self.sessions.fetch_add(1, Ordering::Relaxed);
        SessionGuard(Arc::clone(self))
    }
}

/// One counted connection.
pub(crate) struct SessionGuard(Arc<AppState>);

impl Drop for SessionGuard {
    fn drop(&mut self) {
        self.0.sessions.fetch_sub(1, Ordering::Relaxed);
    }
}

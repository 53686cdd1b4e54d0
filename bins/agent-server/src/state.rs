//! What all requests of a server share.

use crate::auditing::Auditing;
use crate::websocket::WebSocketSettings;
use agent_limits::Limits;
use agent_runtime::Agent;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use tokio_util::sync::CancellationToken;

/// Addresses, users, keys and tenants that are kept in mind for the limits, of each kind.
const MAX_KEYS: usize = 65_536;

/// What all requests of a server share.
pub(crate) struct AppState {
    agent: Agent,
    stopping: CancellationToken,
    websocket: WebSocketSettings,
    sessions: AtomicUsize,
    limits: Limits,
    auditing: Auditing,
    document: OnceLock<crate::openapi::Document>,
}

impl AppState {
    /// Shared by a server of this agent.
    pub(crate) fn new(agent: Agent, websocket: WebSocketSettings, stopping: CancellationToken) -> Self {
        let most = NonZeroUsize::new(MAX_KEYS).unwrap_or(NonZeroUsize::MIN);
        Self {
            limits: Limits::new(&agent.settings().access.quotas, most),
            auditing: Auditing::default(),
            agent,
            stopping,
            websocket,
            sessions: AtomicUsize::new(0),
            document: OnceLock::new(),
        }
    }

    /// The agent that does the work.
    pub(crate) fn agent(&self) -> &Agent {
        &self.agent
    }

    /// How often somebody may ask.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What is recorded.
    pub(crate) fn auditing(&self) -> &Auditing {
        &self.auditing
    }

    /// Cancelled when the server begins to stop.
    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    /// How WebSocket connections are kept.
    pub(crate) fn websocket(&self) -> &WebSocketSettings {
        &self.websocket
    }

    /// The API's document, made when it is first needed: by whoever reads it, or by the first change to be recorded.
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

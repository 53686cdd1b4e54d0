//! What all requests of a server share.

use crate::auditing::Auditing;
use crate::compression::Kept;
use crate::metrics::Metrics;
use crate::plan_answers::PlanAnswers;
use crate::traces::Traces;
use crate::websocket::{Credentials, Sources, Tickets, WebSocketSettings};
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
    credentials: Credentials,
    tickets: Tickets,
    sources: Arc<Sources>,
    limits: Limits,
    auditing: Auditing,
    metrics: Metrics,
    traces: Option<Traces>,
    compressed: Kept,
    plan_answers: PlanAnswers,
    document: OnceLock<crate::openapi::Document>,
}

impl AppState {
    /// Shared by a server of this agent.
    pub(crate) fn new(
        agent: Agent,
        websocket: WebSocketSettings,
        traces: Option<Traces>,
        stopping: CancellationToken,
    ) -> Self {
        let most = NonZeroUsize::new(MAX_KEYS).unwrap_or(NonZeroUsize::MIN);
        Self {
            limits: Limits::new(&agent.settings().access.quotas, most),
            auditing: Auditing::default(),
            metrics: Metrics::default(),
            traces,
            compressed: Kept::default(),
            plan_answers: PlanAnswers::default(),
            agent,
            stopping,
            websocket,
            sessions: AtomicUsize::new(0),
            credentials: Credentials::default(),
            tickets: Tickets::default(),
            sources: Arc::default(),
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

    /// What is counted here.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Where traces go, if anywhere.
    pub(crate) fn traces(&self) -> Option<&Traces> {
        self.traces.as_ref()
    }

    /// Answers about plans that may hold still.
    pub(crate) fn plan_answers(&self) -> &PlanAnswers {
        &self.plan_answers
    }

    /// What is kept compressed.
    pub(crate) fn compressed(&self) -> &Kept {
        &self.compressed
    }

    /// Cancelled when the server begins to stop.
    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    /// How WebSocket connections are kept.
    pub(crate) fn websocket(&self) -> &WebSocketSettings {
        &self.websocket
    }

    /// What the owners of open connections have shown.
    pub(crate) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Tickets for WebSocket connections.
    pub(crate) fn tickets(&self) -> &Tickets {
        &self.tickets
    }

    /// Where connections come from whose owners have yet to say who they are.
    pub(crate) fn sources(&self) -> &Arc<Sources> {
        &self.sources
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
        let number = self.sessions.fetch_add(1, Ordering::Relaxed);
        SessionGuard { state: Arc::clone(self), number }
    }
}

/// One counted connection.
pub(crate) struct SessionGuard {
    state: Arc<AppState>,
    /// How many there were before it.
    number: usize,
}

impl SessionGuard {
    /// Milliseconds after which to come back, spread over those who are told so at once.
    pub(crate) fn spread(&self) -> u64 {
        /// Coprime with the span, so that neighbours are far apart and none is left out.
        const STRIDE: u64 = 617;
        const SPAN: u64 = 2_000;
        500 + (self.number as u64).wrapping_mul(STRIDE) % SPAN
    }
}

impl Drop for SessionGuard {
    fn drop(&mut self) {
        self.state.sessions.fetch_sub(1, Ordering::Relaxed);
    }
}

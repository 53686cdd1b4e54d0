//! What can be scraped: figures of the requests and listeners here, and what the agent counts, as Prometheus reads it.
//!
//! Nothing is global: what is counted here hangs on the server, and the text is put together when somebody asks for it.

mod listener;
mod requests;
mod snapshot;
mod streams;

pub(crate) use listener::MetricsListener;
pub(crate) use requests::{InFlight, Requests};
pub(crate) use streams::{Listening, Streams, Transport};

use crate::state::AppState;
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use snapshot::Snapshot;
use std::fmt;

/// The content type of the text.
pub(crate) use prometheus_client::encoding::prometheus_text::CONTENT_TYPE;

/// What every name begins with, but for the usual names of what a process uses.
const PREFIX: &str = "agent";

/// What the server counts.
#[derive(Default)]
pub(crate) struct Metrics {
    /// Requests by route.
    pub(crate) requests: Requests,
    /// Whoever listens to events.
    pub(crate) streams: Streams,
    /// Logins that were refused.
    pub(crate) login_failures: Counter,
    /// Requests beyond what somebody may make.
    pub(crate) rate_limited: Counter,
}

impl Metrics {
    /// Everything as text, as it is at this moment.
    ///
    /// # Errors
    /// When the text cannot be written, which a text in memory always can.
    pub(crate) fn render(&self, state: &AppState) -> Result<String, fmt::Error> {
        let mut registry = Registry::default();
        let own = registry.sub_registry_with_prefix(PREFIX);
        self.requests.register(own);
        self.streams.register(own);
        own.register("login_failures", "Logins that were refused", self.login_failures.clone());
        own.register(
            "http_rate_limited",
            "Requests that were refused because too many came",
            self.rate_limited.clone(),
        );
        let sessions = state.sessions();
        let spans = state.traces().map(|traces| traces.figures());
        registry.register_collector(Box::new(Snapshot::new(state.agent(), sessions, spans)));
        let mut text = String::new();
        prometheus_text::encode(&mut text, &registry)?;
        Ok(text)
    }
}

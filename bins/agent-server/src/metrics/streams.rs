//! Whoever listens to events, and how long these take to reach them.

use agent_core::event::Event;
use agent_core::time::Timestamp;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Upper bounds of the time from a commit to a listener, in seconds.
const BOUNDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// By which way a listener gets events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "the names are the values of a label")]
pub(crate) enum Transport {
    /// A WebSocket connection.
    websocket,
    /// Server-sent events.
    sse,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    transport: Transport,
}

/// Counts what listeners get.
pub(crate) struct Streams {
    open: Gauge,
    sent: Family<Labels, Counter>,
    lag: Family<Labels, Histogram, fn() -> Histogram>,
}

impl Default for Streams {
    fn default() -> Self {
        let lag = Family::new_with_constructor((|| Histogram::new(BOUNDS)) as fn() -> Histogram);
        Self { open: Gauge::default(), sent: Family::default(), lag }
    }
}

/// One listener's share of the figures.
pub(crate) struct Listening {
    since: Timestamp,
    sent: Counter,
    lag: Histogram,
    /// Counted for as long as it lives, where it is a stream.
    open: Option<Gauge>,
}

impl Streams {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("event_streams", "Open streams of server-sent events", self.open.clone());
        registry.register("events_sent", "Events that were handed to listeners", self.sent.clone());
        registry.register_with_unit(
            "event_lag",
            "Time from the commit of an event until it was handed to a listener who was there before it",
            Unit::Seconds,
            self.lag.clone(),
        );
    }

    /// A listener who comes now.
    pub(crate) fn listener(&self, transport: Transport, now: Timestamp) -> Listening {
        let labels = Labels { transport };
        let open = (transport == Transport::sse).then(|| {
            self.open.inc();
            self.open.clone()
        });
        let (sent, lag) = (self.sent.get_or_create_owned(&labels), self.lag.get_or_create_owned(&labels));
        Listening { since: now, sent, lag, open }
    }
}

impl Listening {
    /// An event was handed over. What was committed before the listener came is replayed, which is no lag.
    pub(crate) fn got(&self, event: &Event, now: Timestamp) {
        self.sent.inc();
        if event.timestamp >= self.since {
            self.lag.observe(now.since(event.timestamp).as_secs_f64());
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(open) = &self.open {
            open.dec();
        }
    }
}

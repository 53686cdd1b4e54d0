//! Traces: each request, the attempts it leads to and what these ask of tools and models, sent to a collector.
//!
//! A span that ended waits in a bounded queue until a task sends it off. A collector that is slow or away fills the
//! queue, and what finds no place there is dropped and counted: nothing here ever waits for it.

mod layer;
mod queue;
mod request;

pub use queue::SpanFigures;
pub(crate) use request::RequestSpan;

use layer::SpanLayer;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, SpanExporter as _};
use queue::{Counts, Queue, Sending};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

/// How long the collector may take to accept a batch.
const EXPORT_DEADLINE: Duration = Duration::from_secs(5);

/// The way to a collector. Clones share everything.
#[derive(Clone)]
pub struct Traces(Arc<Inner>);

struct Inner {
    tracer: SdkTracer,
    /// Holds the queue; no span is kept any more once it is gone.
    provider: SdkTracerProvider,
    counts: Arc<Counts>,
    sending: Mutex<Option<Sending>>,
}

impl Traces {
    /// Begins to send traces there, as OTLP over HTTP. Whether somebody listens turns out later.
    ///
    /// Must be called in a Tokio runtime.
    ///
    /// # Errors
    /// In words, where the address cannot be used at all.
    pub fn start(endpoint: &str) -> Result<Self, String> {
        let built = SpanExporter::builder()
            .with_http()
            .with_endpoint(endpoint)
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(EXPORT_DEADLINE)
            .build();
        let mut exporter = built.map_err(|error| format!("otlp_endpoint: {error}"))?;
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder().with_service_name("agent-server").with_attribute(version).build();
        exporter.set_resource(&resource);
        let counts = Arc::<Counts>::default();
        let (queue, sending) = Queue::start(exporter, Arc::clone(&counts));
        let provider =
            SdkTracerProvider::builder().with_resource(resource).with_span_processor(queue).build();
        let tracer = provider.tracer("agent");
        let sending = Mutex::new(Some(sending));
        Ok(Self(Arc::new(Inner { tracer, provider, counts, sending })))
    }

    /// What takes the spans of attempts out of the program's own log.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        SpanLayer::new(self.0.tracer.clone()).of_attempts()
    }

    /// What became of the spans so far.
    pub fn figures(&self) -> SpanFigures {
        self.0.counts.read()
    }

    /// Sends what waits, for as long as that may take, and nothing more after that.
    pub async fn stop(&self, within: Duration) {
        let sending = self.0.sending.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(sending) = sending {
            sending.stop(within).await;
        }
        // The exporter has nothing left to flush.
        drop(self.0.provider.shutdown());
    }
}

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traces").field("figures", &self.figures()).finish_non_exhaustive()
    }
}

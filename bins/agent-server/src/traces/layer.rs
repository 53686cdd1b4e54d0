//! Turns the spans of the program's own log that are about attempts into spans of traces.

use super::request::parent;
use opentelemetry::propagation::Extractor;
use opentelemetry::trace::{Span as _, SpanContext, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::trace::SdkTracer;
use std::fmt;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Context as Tree;
use tracing_subscriber::registry::LookupSpan;

/// Under which name a span says which one it belongs to, where that is not one of the log.
const TRACEPARENT: &str = "traceparent";
/// Under which name a span says how it ended, and what says that it ended badly.
const OUTCOME: &str = "outcome";
const FAILED: &str = "failed";

/// Turns spans into spans.
pub(super) struct SpanLayer {
    tracer: SdkTracer,
}

/// The span of a trace that belongs to a span of the log.
struct Traced {
    span: <SdkTracer as Tracer>::Span,
}

impl SpanLayer {
    pub(super) fn new(tracer: SdkTracer) -> Self {
        Self { tracer }
    }

    /// Only for the spans of attempts and of what they ask for.
    pub(super) fn of_attempts<S>(self) -> impl Layer<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let is_of_attempt =
            |about: &Metadata<'_>| about.is_span() && about.target().starts_with("agent_core::executor");
        self.with_filter(filter_fn(is_of_attempt))
    }
}

impl<S> Layer<S> for SpanLayer
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, tree: Tree<'_, S>) {
        let Some(span) = tree.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let around = span.parent().and_then(|parent| {
            parent.extensions().get::<Traced>().map(|traced| traced.span.span_context().clone())
        });
        let within = match around {
            Some(around) => local(around),
            None => parent(&fields),
        };
        let builder = self.tracer.span_builder(span.name()).with_attributes(fields.attributes);
        let traced = Traced { span: self.tracer.build_with_context(builder, &within) };
        span.extensions_mut().insert(traced);
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, tree: Tree<'_, S>) {
        let Some(span) = tree.span(id) else { return };
        let mut fields = Fields::default();
        record.record(&mut fields);
        if let Some(traced) = span.extensions_mut().get_mut::<Traced>() {
            if fields.has_failed {
                traced.span.set_status(Status::error(FAILED));
            }
            traced.span.set_attributes(fields.attributes);
        }
    }

    fn on_close(&self, id: Id, tree: Tree<'_, S>) {
        if let Some(mut traced) = tree.span(&id).and_then(|span| span.extensions_mut().remove::<Traced>()) {
            traced.span.end();
        }
    }
}

fn local(around: SpanContext) -> Context {
    Context::new().with_remote_span_context(around)
}

/// The fields of a span, as attributes.
#[derive(Default)]
struct Fields {
    attributes: Vec<KeyValue>,
    traceparent: Option<String>,
    has_failed: bool,
}

impl Fields {
    fn add(&mut self, field: &Field, value: impl Into<Value>) {
        self.attributes.push(KeyValue::new(field.name(), value));
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == TRACEPARENT {
            self.traceparent = Some(value.to_owned());
            return;
        }
        self.has_failed |= field.name() == OUTCOME && value == FAILED;
        self.add(field, value.to_owned());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, i64::try_from(value).unwrap_or(i64::MAX));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format!("{value:?}"));
    }
}

impl Extractor for Fields {
    fn get(&self, key: &str) -> Option<&str> {
        self.traceparent.as_deref().filter(|_| key == TRACEPARENT)
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}

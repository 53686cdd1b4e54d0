//! The span of a request.

use super::Traces;
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{Span, SpanContext, SpanKind, Status, Tracer};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracer;
use std::sync::Arc;

/// The span of a request that is being answered.
pub(crate) struct RequestSpan {
    span: <SdkTracer as Tracer>::Span,
    method: Method,
}

struct Headers<'h>(&'h HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(|name| name.as_str()).collect()
    }
}

/// The span that a `traceparent` names; an empty context where it names none.
pub(super) fn parent(carrier: &dyn Extractor) -> Context {
    TraceContextPropagator::new().extract_with_context(&Context::new(), carrier)
}

/// A place in a trace, as W3C Trace Context writes it.
fn traceparent(context: &SpanContext) -> String {
    let (trace, span, flags) = (context.trace_id(), context.span_id(), context.trace_flags().to_u8());
    format!("00-{trace}-{span}-{flags:02x}")
}

impl Traces {
    /// A request begins to be answered: in the trace that its `traceparent` names, or in one of its own.
    pub(crate) fn begin_request(&self, method: &Method, headers: &HeaderMap, id: &str) -> RequestSpan {
        let tracer = &self.0.tracer;
        let attributes = [
            KeyValue::new("http.request.method", method.as_str().to_owned()),
            KeyValue::new("request_id", id.to_owned()),
        ];
        let builder = tracer
            .span_builder(method.as_str().to_owned())
            .with_kind(SpanKind::Server)
            .with_attributes(attributes);
        let span = tracer.build_with_context(builder, &parent(&Headers(headers)));
        RequestSpan { span, method: method.clone() }
    }
}

impl RequestSpan {
    /// What later work names as its parent.
    pub(crate) fn traceparent(&self) -> Arc<str> {
        traceparent(self.span.span_context()).into()
    }

    /// The request was answered. Paths as they were asked for stay out: they may say what is nobody's business.
    pub(crate) fn end(mut self, route: &str, status: StatusCode) {
        self.span.update_name(format!("{} {route}", self.method));
        self.span.set_attribute(KeyValue::new("http.route", route.to_owned()));
        self.span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
        if status.is_server_error() {
            self.span.set_status(Status::error(status.canonical_reason().unwrap_or_default()));
        }
        self.span.end();
    }
}

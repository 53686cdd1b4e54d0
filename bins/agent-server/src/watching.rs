//! What is seen of a request by whoever watches the server: its duration in the metrics, its place in a trace, and its
//! name on the lines of the log that it leads to.

use crate::asked::Asked;
use crate::metrics::InFlight;
use crate::state::AppState;
use crate::traces::RequestSpan;
use actix_web::HttpRequest;
use actix_web::dev::ServiceRequest;
use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use agent_core::origin::Origin;
use std::future::Future;
use tokio::time::Instant;
use tracing::Instrument;

/// The operation whose refusals are logins that failed.
const LOGIN: &str = "log_in";

/// A request that is being watched.
pub(crate) struct Watched {
    state: Option<Data<AppState>>,
    began: Instant,
    span: Option<RequestSpan>,
    _in_flight: Option<InFlight>,
}

impl Watched {
    /// From now on.
    pub(crate) fn begin(request: &ServiceRequest, asked: &Asked) -> Self {
        let state = request.app_data::<Data<AppState>>().cloned();
        let traces = state.as_ref().and_then(|state| state.traces());
        let span = traces.map(|traces| traces.begin_request(request.method(), request.headers(), asked.id()));
        let in_flight = state.as_ref().map(|state| state.metrics().requests.begin());
        Self { state, began: Instant::now(), span, _in_flight: in_flight }
    }

    /// Works on the request: whatever is done for it, now or later, goes back to it.
    pub(crate) async fn work<F: Future>(&self, asked: &Asked, work: F) -> F::Output {
        let traceparent = self.span.as_ref().map(RequestSpan::traceparent);
        let origin = Origin { request_id: asked.name(), traceparent };
        let span = tracing::debug_span!("request", request_id = asked.id());
        origin.scope(work.instrument(span)).await
    }

    /// It is answered; `routed` is what the router made of it.
    pub(crate) fn end(self, method: &Method, routed: &HttpRequest, status: StatusCode) {
        let Some(state) = &self.state else { return };
        let metrics = state.metrics();
        let route = metrics.requests.answered(method, routed, status, self.began.elapsed());
        match status {
            StatusCode::TOO_MANY_REQUESTS => {
                metrics.rate_limited.inc();
            }
            StatusCode::UNAUTHORIZED | StatusCode::GONE if routed.match_name() == Some(LOGIN) => {
                metrics.login_failures.inc();
            }
            _ => {}
        }
        if let Some(span) = self.span {
            span.end(&route, status);
        }
    }
}

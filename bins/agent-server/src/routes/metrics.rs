//! Figures for Prometheus.

use crate::error::{ApiError, ErrorCode, Result};
use crate::metrics::CONTENT_TYPE;
use crate::state::AppState;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

/// Gives figures about this server, as Prometheus reads them (text format 0.0.4).
///
/// For whoever shows the scrape token (`AGENT_METRICS_TOKEN`) as `Authorization: Bearer`; tokens and keys of users are
/// not accepted, and without a scrape token nothing is here. `AGENT_METRICS_BIND` gives the same on an address of its
/// own, without a token.
#[utoipa::path(
    tag = "system",
    responses(
        (status = 200, description = "The figures", body = String, content_type = "text/plain"),
        (status = 401, description = "No scrape token, or another one", body = crate::error::Problem, content_type = "application/problem+json"),
        (status = 404, description = "Metrics are not served on this address", body = crate::error::Problem, content_type = "application/problem+json"),
        ApiError
    )
)]
#[get("/metrics")]
pub(crate) async fn show_metrics(request: HttpRequest, state: Data<AppState>) -> Result<HttpResponse> {
    let Some(token) = &state.agent().settings().observing.metrics_token else {
        let detail = "metrics are not served on this address: give AGENT_METRICS_TOKEN a token for scrapes, or \
            AGENT_METRICS_BIND an address of their own";
        return Err(ApiError::new(ErrorCode::NotFound, detail));
    };
    let shown = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start())
    });
    if !shown.is_some_and(|shown| is_same(shown, token.expose_secret())) {
        let detail = "metrics are for whoever shows the scrape token as `Authorization: Bearer`";
        return Err(ApiError::new(ErrorCode::InvalidToken, detail));
    }
    answer(&state)
}

/// The same for an address whose every visitor may read it.
#[get("/metrics")]
pub(crate) async fn show_metrics_openly(state: Data<AppState>) -> Result<HttpResponse> {
    answer(&state)
}

fn answer(state: &AppState) -> Result<HttpResponse> {
    let text = state.metrics().render(state).map_err(|error| ApiError::internal(error.to_string()))?;
    Ok(HttpResponse::Ok().content_type(CONTENT_TYPE).body(text))
}

/// Whether two texts are the same, in a time that tells nothing of where they differ: it is their hashes that are
/// compared.
fn is_same(shown: &str, token: &str) -> bool {
    Sha256::digest(shown) == Sha256::digest(token)
}

//! How the server is.

use crate::error::{ApiError, Result};
use crate::extract::{Caller, scope};
use crate::state::AppState;
use crate::views::system::{HealthView, ReadinessView, RootView, StatsView};
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, get};

/// Says what this server is and where to read about it.
#[utoipa::path(tag = "system", responses((status = 200, description = "Name and links", body = RootView), ApiError))]
#[get("/")]
pub(crate) async fn show_root(state: Data<AppState>) -> Json<RootView> {
    Json(RootView {
        name: "agent",
        version: state.agent().health().version,
        docs: "/docs",
        redoc: "/redoc",
        openapi: "/openapi.json",
    })
}

/// Says that the process lives, without asking the database.
#[utoipa::path(tag = "system", responses((status = 200, description = "It lives", body = HealthView), ApiError))]
#[get("/health")]
pub(crate) async fn show_health(state: Data<AppState>) -> Json<HealthView> {
    Json(state.agent().health().into())
}

/// Says whether every part can do its work.
#[utoipa::path(
    tag = "system",
    responses(
        (status = 200, description = "Every part is ready", body = ReadinessView),
        (status = 503, description = "Some part is not ready", body = ReadinessView),
        (status = 500, description = "A fault of the server", body = crate::error::Problem, content_type = "application/problem+json"),
    )
)]
#[get("/ready")]
pub(crate) async fn show_readiness(state: Data<AppState>) -> HttpResponse {
    let readiness = state.agent().readiness().await;
    let ready = readiness.is_ready() && !state.stopping().is_cancelled();
    let mut view = ReadinessView::from(readiness);
    if ready {
        return HttpResponse::Ok().json(view);
    }
    view.status = "not_ready";
    HttpResponse::ServiceUnavailable().json(view)
}

/// Gives a few figures, of what the caller may see.
#[utoipa::path(
    tag = "system",
    responses((status = 200, description = "The figures", body = StatsView), ApiError),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[get("/stats")]
pub(crate) async fn show_stats(
    caller: Caller<scope::PlansRead>,
    state: Data<AppState>,
) -> Result<Json<StatsView>> {
    let stats = state.agent().stats(&caller).await?;
    Ok(Json(StatsView::new(stats, state.sessions())))
}

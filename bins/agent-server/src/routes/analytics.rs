//! Figures about executions.

use crate::error::{ApiError, ErrorCode, Result};
use crate::extract::{Caller, Page, ValidPath, ValidQuery, scope};
use crate::state::AppState;
use crate::views::analytics::{
    AnalysedPlanPath, AnalysedTaskPath, FiguresByPath, FiguresByView, ListFiguresBy, PerformanceView,
    PlanFiguresView, SummaryView, TaskFiguresView,
};
use actix_web::get;
use actix_web::web::{Data, Json};
use agent_core::ids::PlanId;

/// Gives the figures of everybody's work in the tenant in short.
#[utoipa::path(
    tag = "analytics",
    responses((status = 200, description = "The figures", body = SummaryView), ApiError),
    security(("bearer" = ["analytics:read"]), ("api_key" = ["analytics:read"]))
)]
#[get("/analytics")]
pub(crate) async fn show_analytics(
    caller: Caller<scope::AnalyticsRead>,
    state: Data<AppState>,
) -> Result<Json<SummaryView>> {
    Ok(Json(SummaryView(state.agent().analytics().summary(caller.tenant).await?)))
}

/// Gives the figures of everybody's work in the tenant in detail, with what happened lately.
#[utoipa::path(
    tag = "analytics",
    responses((status = 200, description = "The figures", body = PerformanceView), ApiError),
    security(("bearer" = ["analytics:read"]), ("api_key" = ["analytics:read"]))
)]
#[get("/analytics/performance")]
pub(crate) async fn show_performance(
    caller: Caller<scope::AnalyticsRead>,
    state: Data<AppState>,
) -> Result<Json<PerformanceView>> {
    Ok(Json(PerformanceView(state.agent().analytics().performance(caller.tenant).await?)))
}

/// Gives the figures of one task.
#[utoipa::path(
    tag = "analytics",
    params(AnalysedTaskPath),
    responses((status = 200, description = "The figures", body = TaskFiguresView), ApiError),
    security(("bearer" = ["analytics:read"]), ("api_key" = ["analytics:read"]))
)]
#[get("/analytics/tasks/{id}")]
pub(crate) async fn show_task_analytics(
    caller: Caller<scope::AnalyticsRead>,
    path: ValidPath<AnalysedTaskPath>,
    state: Data<AppState>,
) -> Result<Json<TaskFiguresView>> {
    let figures = state.agent().analytics().task(caller.tenant, path.id.into()).await?;
    let none =
        || ApiError::new(ErrorCode::NoExecutions, format!("task {} has no finished execution", path.id));
    Ok(Json(TaskFiguresView(figures.ok_or_else(none)?)))
}

/// Gives the figures of one plan that the caller may see.
#[utoipa::path(
    tag = "analytics",
    params(AnalysedPlanPath),
    responses((status = 200, description = "The figures", body = PlanFiguresView), ApiError),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[get("/analytics/plans/{id}")]
pub(crate) async fn show_plan_analytics(
    caller: Caller<scope::PlansRead>,
    path: ValidPath<AnalysedPlanPath>,
    state: Data<AppState>,
) -> Result<Json<PlanFiguresView>> {
    let plan = PlanId(path.id);
    state.agent().plans().state(&caller, plan).await?;
    let figures = state.agent().analytics().plan(caller.tenant, plan).await?;
    Ok(Json(PlanFiguresView::new(plan, figures)))
}

/// Gives the figures of each template, user or model of the tenant.
#[utoipa::path(
    tag = "analytics",
    params(FiguresByPath, ListFiguresBy),
    responses((status = 200, description = "The figures", body = FiguresByView), ApiError),
    security(("bearer" = ["analytics:read"]), ("api_key" = ["analytics:read"]))
)]
#[get("/analytics/by/{dimension}")]
pub(crate) async fn list_analytics_by(
    caller: Caller<scope::AnalyticsRead>,
    path: ValidPath<FiguresByPath>,
    query: ValidQuery<ListFiguresBy>,
    state: Data<AppState>,
) -> Result<Json<FiguresByView>> {
    let page = Page::read(query.limit.as_deref(), None)?;
    let after = query.after().map_err(|wrong| ApiError::invalid_field("?cursor", wrong))?;
    let dimension = path.dimension.into();
    Ok(Json(state.agent().analytics().by(caller.tenant, dimension, after, page.limit).await?.into()))
}

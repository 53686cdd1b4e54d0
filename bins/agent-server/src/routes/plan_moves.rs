//! Plans: setting them going, holding them up, ending them.

use crate::error::{ApiError, Result};
use crate::extract::{Caller, OptionalJson, ValidPath, scope};
use crate::state::AppState;
use crate::views::plan::{ExecutionAcceptedView, PlanPath, RetryTasks, SelectTask};
use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use agent_core::executor::Submitted;

fn accepted(submitted: Submitted) -> HttpResponse {
    HttpResponse::Accepted().json(ExecutionAcceptedView::from(submitted))
}

/// Starts executing a plan, or one of its tasks with what it needs.
#[utoipa::path(
    tag = "plans",
    params(PlanPath),
    request_body = SelectTask,
    responses((status = 202, description = "Accepted; follow the events for the outcome", body = ExecutionAcceptedView), ApiError),
    security(("bearer" = ["plans:execute"]), ("api_key" = ["plans:execute"]))
)]
#[post("/plans/{plan_id}/execute")]
pub(crate) async fn execute_plan(
    caller: Caller<scope::PlansExecute>,
    path: ValidPath<PlanPath>,
    body: OptionalJson<SelectTask>,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    let task = body.0.task_id.map(Into::into);
    let submitted = state.agent().plans().execute(&caller, path.plan_id.into(), task).await?;
    Ok(accepted(submitted))
}

/// Starts nothing new of a plan until it is resumed; what runs goes on to its end.
#[utoipa::path(
    tag = "plans",
    params(PlanPath),
    responses((status = 202, description = "Accepted; follow the events for the outcome", body = ExecutionAcceptedView), ApiError),
    security(("bearer" = ["plans:execute"]), ("api_key" = ["plans:execute"]))
)]
#[post("/plans/{plan_id}/pause")]
pub(crate) async fn pause_plan(
    caller: Caller<scope::PlansExecute>,
    path: ValidPath<PlanPath>,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    let submitted = state.agent().plans().pause(&caller, path.plan_id.into()).await?;
    Ok(accepted(submitted))
}

/// Goes on with a paused plan.
#[utoipa::path(
    tag = "plans",
    params(PlanPath),
    responses((status = 202, description = "Accepted; follow the events for the outcome", body = ExecutionAcceptedView), ApiError),
    security(("bearer" = ["plans:execute"]), ("api_key" = ["plans:execute"]))
)]
#[post("/plans/{plan_id}/resume")]
pub(crate) async fn resume_plan(
    caller: Caller<scope::PlansExecute>,
    path: ValidPath<PlanPath>,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    let submitted = state.agent().plans().resume(&caller, path.plan_id.into()).await?;
    Ok(accepted(submitted))
}

/// Ends a plan, what runs of it included.
#[utoipa::path(
    tag = "plans",
    params(PlanPath),
    responses((status = 202, description = "Accepted; follow the events for the outcome", body = ExecutionAcceptedView), ApiError),
    security(("bearer" = ["plans:execute"]), ("api_key" = ["plans:execute"]))
)]
#[post("/plans/{plan_id}/cancel")]
pub(crate) async fn cancel_plan(
    caller: Caller<scope::PlansExecute>,
    path: ValidPath<PlanPath>,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    let submitted = state.agent().plans().cancel(&caller, path.plan_id.into()).await?;
    Ok(accepted(submitted))
}

/// Tries again what failed of a plan, or one of its tasks; with `following`, a task and all that follows from it.
#[utoipa::path(
    tag = "plans",
    params(PlanPath),
    request_body = RetryTasks,
    responses((status = 202, description = "Accepted; follow the events for the outcome", body = ExecutionAcceptedView), ApiError),
    security(("bearer" = ["plans:execute"]), ("api_key" = ["plans:execute"]))
)]
#[post("/plans/{plan_id}/retry")]
pub(crate) async fn retry_plan(
    caller: Caller<scope::PlansExecute>,
    path: ValidPath<PlanPath>,
    body: OptionalJson<RetryTasks>,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    let task = body.0.task_id.map(Into::into);
    let submitted = state.agent().plans().retry(&caller, path.plan_id.into(), task, body.0.following).await?;
    Ok(accepted(submitted))
}

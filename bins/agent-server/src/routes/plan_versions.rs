//! Plans: changing what they are to do, and what they were to do before.

use crate::error::{ApiError, ErrorCode, Problem, Result};
use crate::extract::{Caller, IfMatch, ValidJson, ValidPath, scope};
use crate::state::AppState;
use crate::views::edit_plan::EditPlan;
use crate::views::plan::PlanPath;
use crate::views::version::{EditedPlanView, PlanVersionPath, PlanVersionView, PlanVersionsView};
use actix_web::web::{Data, Json};
use actix_web::{get, patch};

/// Edits a plan, whatever it is doing: its goal, its rules, its tasks. All of the edit, or nothing.
///
/// Work whose definition and inputs stay the same stays done; what is under way and concerned is stopped. A plan
/// that had ended and has work again waits to be executed.
#[utoipa::path(
    tag = "plans",
    params(
        PlanPath,
        ("If-Match" = String, Header, description = "The plan's `version` as its author has seen it, such as `\"3\"`; `*` edits whatever is there", example = "\"1\"")
    ),
    request_body = EditPlan,
    responses(
        (status = 200, description = "The plan as edited, and what that meant for each task", body = EditedPlanView),
        (status = 412, description = "The plan was edited since", body = Problem, content_type = "application/problem+json"),
        (status = 428, description = "If-Match is missing", body = Problem, content_type = "application/problem+json"),
        ApiError
    ),
    security(("bearer" = ["plans:write"]), ("api_key" = ["plans:write"]))
)]
#[patch("/plans/{plan_id}")]
pub(crate) async fn edit_plan(
    caller: Caller<scope::PlansWrite>,
    path: ValidPath<PlanPath>,
    seen: IfMatch,
    body: ValidJson<EditPlan>,
    state: Data<AppState>,
) -> Result<Json<EditedPlanView>> {
    let make = |plan: &_| body.0.clone().into_edit(plan);
    let edited = state.agent().plans().edit_with(&caller, path.plan_id.into(), seen.0, make).await?;
    Ok(Json(edited.into()))
}

/// Lists the versions of a plan's goal, rules and tasks, oldest first.
#[utoipa::path(
    tag = "plans",
    params(PlanPath),
    responses((status = 200, description = "The versions", body = PlanVersionsView), ApiError),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[get("/plans/{plan_id}/versions")]
pub(crate) async fn list_versions(
    caller: Caller<scope::PlansRead>,
    path: ValidPath<PlanPath>,
    state: Data<AppState>,
) -> Result<Json<PlanVersionsView>> {
    let versions = state.agent().plans().versions(&caller, path.plan_id.into()).await?;
    Ok(Json(PlanVersionsView::of(path.plan_id, versions)))
}

/// Finds what a plan was to do in one of its versions.
#[utoipa::path(
    tag = "plans",
    params(PlanVersionPath),
    responses((status = 200, description = "The version", body = PlanVersionView), ApiError),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[get("/plans/{plan_id}/versions/{version}")]
pub(crate) async fn find_version(
    caller: Caller<scope::PlansRead>,
    path: ValidPath<PlanVersionPath>,
    state: Data<AppState>,
) -> Result<Json<PlanVersionView>> {
    let PlanVersionPath { plan_id, version } = path.0;
    let versions = state.agent().plans().versions(&caller, plan_id.into()).await?;
    let found = versions.into_iter().find(|kept| kept.definition.version == version);
    let found = found.ok_or_else(|| {
        ApiError::new(ErrorCode::VersionNotFound, format!("plan {plan_id} has no version {version}"))
    })?;
    Ok(Json(found.into()))
}

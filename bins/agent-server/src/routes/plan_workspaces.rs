//! What plans changed, and what becomes of the folders of isolated ones.

use crate::error::{ApiError, Result};
use crate::extract::{Caller, ValidPath, scope};
use crate::state::AppState;
use crate::views::plan::PlanPath;
use crate::views::workspace::{PlanDiffView, PlanDiscardedView, PlanMergedView};
use actix_web::web::{Data, Json};
use actix_web::{get, post};

/// Shows all changes that a plan made to files, as one unified diff.
#[utoipa::path(
    tag = "plans",
    params(PlanPath),
    responses((status = 200, description = "The changes", body = PlanDiffView), ApiError),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[get("/plans/{plan_id}/diff")]
pub(crate) async fn show_diff(
    caller: Caller<scope::PlansRead>,
    path: ValidPath<PlanPath>,
    state: Data<AppState>,
) -> Result<Json<PlanDiffView>> {
    let plan_id = path.plan_id;
    let diff = state.agent().plans().diff(&caller, plan_id.into()).await?;
    Ok(Json(PlanDiffView { plan_id, diff }))
}

/// Brings what an isolated plan committed to the files of its repository; what was changed there since stays.
#[utoipa::path(
    tag = "plans",
    params(PlanPath),
    responses((status = 200, description = "The files as they are now hold the changes", body = PlanMergedView), ApiError),
    security(("bearer" = ["plans:execute"]), ("api_key" = ["plans:execute"]))
)]
#[post("/plans/{plan_id}/merge")]
pub(crate) async fn merge_plan(
    caller: Caller<scope::PlansExecute>,
    path: ValidPath<PlanPath>,
    state: Data<AppState>,
) -> Result<Json<PlanMergedView>> {
    let merged = state.agent().plans().merge(&caller, path.plan_id.into()).await?;
    Ok(Json(PlanMergedView::of(path.plan_id, merged)))
}

/// Removes the folder of an isolated plan with its branch; what was not merged is lost.
#[utoipa::path(
    tag = "plans",
    params(PlanPath),
    responses((status = 200, description = "Folder and branch are gone", body = PlanDiscardedView), ApiError),
    security(("bearer" = ["plans:execute"]), ("api_key" = ["plans:execute"]))
)]
#[post("/plans/{plan_id}/discard")]
pub(crate) async fn discard_plan(
    caller: Caller<scope::PlansExecute>,
    path: ValidPath<PlanPath>,
    state: Data<AppState>,
) -> Result<Json<PlanDiscardedView>> {
    state.agent().plans().discard(&caller, path.plan_id.into()).await?;
    Ok(Json(PlanDiscardedView { plan_id: path.plan_id, discarded: true }))
}

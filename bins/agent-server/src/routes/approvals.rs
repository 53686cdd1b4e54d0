//! Questions to people, and their answers.

use crate::error::{ApiError, Result};
use crate::extract::{Caller, ValidJson, ValidPath, ValidQuery, scope};
use crate::state::AppState;
use crate::views::approval::{
    ApprovalPath, ApprovalsView, DecideApproval, DecidedView, Decision, ListApprovals,
};
use actix_web::web::{Data, Json};
use actix_web::{get, post};

/// The longest note, in bytes.
const MAX_NOTE: usize = 2_000;

/// Lists the questions that wait for an answer, oldest first.
#[utoipa::path(
    tag = "approvals",
    params(ListApprovals),
    responses((status = 200, description = "The questions", body = ApprovalsView), ApiError),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[get("/approvals")]
pub(crate) async fn list_approvals(
    caller: Caller<scope::PlansRead>,
    query: ValidQuery<ListApprovals>,
    state: Data<AppState>,
) -> Result<Json<ApprovalsView>> {
    let asked = state.agent().plans().approvals(&caller, query.include_decided).await?;
    let total = asked.len();
    Ok(Json(ApprovalsView { approvals: asked.into_iter().map(Into::into).collect(), total }))
}

/// Answers a question; the plan goes on, or the task does not run.
#[utoipa::path(
    tag = "approvals",
    params(ApprovalPath),
    request_body = DecideApproval,
    responses((status = 200, description = "The answer is taken", body = DecidedView), ApiError),
    security(("bearer" = ["approvals:decide"]), ("api_key" = ["approvals:decide"]))
)]
#[post("/approvals/{id}")]
pub(crate) async fn decide_approval(
    caller: Caller<scope::ApprovalsDecide>,
    path: ValidPath<ApprovalPath>,
    body: ValidJson<DecideApproval>,
    state: Data<AppState>,
) -> Result<Json<DecidedView>> {
    let DecideApproval { decision, note } = body.0;
    if note.as_ref().is_some_and(|note| note.len() > MAX_NOTE || note.contains('\0')) {
        return Err(ApiError::invalid_field(
            "/note",
            format!("must be at most {MAX_NOTE} bytes without NUL"),
        ));
    }
    let approve = decision == Decision::Approve;
    let plan = state.agent().plans().decide(&caller, path.id.into(), approve, note).await?.plan;
    Ok(Json(DecidedView {
        approval_id: path.id,
        decision,
        plan_id: plan.id.get(),
        status: plan.status.into(),
    }))
}

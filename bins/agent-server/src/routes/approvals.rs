//! Questions to people, and their answers.

use crate::asked::Asked;
use crate::error::{ApiError, Result};
use crate::extract::{Caller, Page, ValidJson, ValidPath, ValidQuery, scope};
use crate::state::AppState;
use crate::views::approval::{
    ApprovalPath, ApprovalView, ApprovalsView, DecideApproval, DecidedView, ListApprovals,
};
use actix_web::web::{Data, Json};
use actix_web::{get, post};
use agent_runtime::WantedApprovals;

/// Lists questions about plans that the caller may see, oldest first.
#[utoipa::path(
    tag = "approvals",
    params(ListApprovals),
    responses((status = 200, description = "A page of questions", body = ApprovalsView), ApiError),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[get("/approvals")]
pub(crate) async fn list_approvals(
    caller: Caller<scope::PlansRead>,
    query: ValidQuery<ListApprovals>,
    state: Data<AppState>,
) -> Result<Json<ApprovalsView>> {
    let page = Page::read(query.limit.as_deref(), query.cursor.as_deref())?;
    let plan = query.plan_id.as_deref().map(str::parse::<i64>).transpose();
    let plan = plan.map_err(|_no_number| ApiError::invalid_field("?plan_id", "must be the id of a plan"))?;
    let wanted = WantedApprovals {
        plan_id: plan.map(Into::into),
        include_decided: query.include_decided,
        after: page.cursor.map(Into::into),
        limit: page.limit,
    };
    Ok(Json(state.agent().approvals().list(&caller, wanted).await?.into()))
}

/// Shows a question, what a yes to it covers, and how it ended.
#[utoipa::path(
    tag = "approvals",
    params(ApprovalPath),
    responses((status = 200, description = "The question", body = ApprovalView), ApiError),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[get("/approvals/{id}")]
pub(crate) async fn find_approval(
    caller: Caller<scope::PlansRead>,
    path: ValidPath<ApprovalPath>,
    state: Data<AppState>,
) -> Result<Json<ApprovalView>> {
    Ok(Json(state.agent().approvals().find(&caller, path.id.into()).await?.into()))
}

/// Answers a question; the first answer counts.
///
/// A question that is closed answers 409 `approval_closed` with `decision` and `decided_by`; an `args_hash` of other
/// bytes 409 `approval_mismatch`.
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
    asked: Asked,
    body: ValidJson<DecideApproval>,
    state: Data<AppState>,
) -> Result<Json<DecidedView>> {
    let answer = body.0.into_answer()?;
    asked.note("decision", answer.decision.as_str());
    Ok(Json(state.agent().approvals().decide(&caller, path.id.into(), answer).await?.into()))
}

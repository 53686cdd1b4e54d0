//! What the rules say, before anything is done.

use crate::error::{ApiError, Result};
use crate::extract::{Caller, ValidJson, scope};
use crate::state::AppState;
use crate::views::policy_check::{CheckPolicy, VerdictView};
use actix_web::post;
use actix_web::web::{Data, Json};
use agent_core::policy::{Judged, Policy};

/// Says what would become of a call: allowed, asked or denied, by whose rules, and why.
#[utoipa::path(
    tag = "approvals",
    request_body = CheckPolicy,
    responses((status = 200, description = "What the rules say", body = VerdictView), ApiError),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[post("/policy/check")]
pub(crate) async fn check_policy(
    _caller: Caller<scope::PlansRead>,
    body: ValidJson<CheckPolicy>,
    state: Data<AppState>,
) -> Result<Json<VerdictView>> {
    let (tool, demand) = body.0.demand().ok_or_else(|| {
        ApiError::invalid_field("/command", "name exactly one of command, write and domain")
    })?;
    let policy: Policy = body.0.policy.into();
    let judge = state.agent().judge();
    if let Some(problem) = judge.problems(&policy.rules).into_iter().next() {
        let pointer = format!("/policy/rules/{}", problem.index);
        return Err(ApiError::invalid_field(&pointer, problem.detail));
    }
    Ok(Json(judge.judge(Judged { tool, demand: &demand, policy: &policy }).into()))
}

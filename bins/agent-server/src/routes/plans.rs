//! Plans: making them and looking at them.

use crate::error::{ApiError, Result};
use crate::extract::{Caller, IdempotencyKey, Page, ValidJson, ValidPath, ValidQuery, scope, searched};
use crate::plan_answers::PlanAnswer;
use crate::state::AppState;
use crate::views::create_plan::{CreatePlan, Defects};
use crate::views::execution::ExecutionsView;
use crate::views::plan::{
    CreatedPlanView, ListPlans, PlanDetailsView, PlanPath, PlanTaskPath, PlanTasksView, PlansView,
};
use crate::views::task::TaskView;
use actix_web::http::header::{CACHE_CONTROL, ContentType, ETAG};
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, get, post};
use agent_core::ports::PlanFilter;

/// Creates a plan: from tasks, from a template, or by a language model from the goal alone.
///
/// The answer is durable. With `Idempotency-Key`, a repeated request finds the plan of the first, and the
/// key with another body is refused.
#[utoipa::path(
    tag = "plans",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated request harmless; 1 to 255 characters")),
    request_body = CreatePlan,
    responses(
        (status = 201, description = "The plan", body = CreatedPlanView,
         headers(("Location" = String, description = "Path of the plan"))),
        ApiError
    ),
    security(("bearer" = ["plans:write"]), ("api_key" = ["plans:write"]))
)]
#[post("/plans")]
pub(crate) async fn create_plan(
    caller: Caller<scope::PlansWrite>,
    key: IdempotencyKey,
    body: ValidJson<CreatePlan>,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    let key = key.with(&body.0)?;
    let mut request: agent_runtime::CreatePlan = body
        .0
        .try_into()
        .map_err(|Defects(defects)| ApiError::fields(crate::error::ErrorCode::InvalidPlan, defects))?;
    request.idempotency = key;
    let created = state.agent().plans().create(&caller, request).await?;
    let location = format!("/plans/{}", created.plan.id);
    Ok(HttpResponse::Created().insert_header(("Location", location)).json(CreatedPlanView::from(&created)))
}

/// Lists plans, newest first: the caller's own, or everybody's for administrators.
#[utoipa::path(
    tag = "plans",
    params(ListPlans),
    responses((status = 200, description = "A page of plans", body = PlansView), ApiError),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[get("/plans")]
pub(crate) async fn list_plans(
    caller: Caller<scope::PlansRead>,
    query: ValidQuery<ListPlans>,
    state: Data<AppState>,
) -> Result<Json<PlansView>> {
    let page = Page::read(query.limit.as_deref(), query.cursor.as_deref())?;
    let status = query.status.as_deref().map(str::parse).transpose();
    let filter = PlanFilter {
        visibility: caller.visibility(),
        status: status.map_err(|error: String| ApiError::invalid_field("?status", error))?,
        text: searched(query.q.as_deref())?,
        before: page.cursor.map(Into::into),
        limit: page.limit,
    };
    Ok(Json(state.agent().plans().list(&caller, filter).await?.into()))
}

/// Finds a plan with its tasks and figures.
///
/// Its `ETag` begins with the plan's `version` and is taken as `If-Match` of an edit.
#[utoipa::path(
    tag = "plans",
    params(PlanPath),
    responses((status = 200, description = "The plan", body = PlanDetailsView), ApiError),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[get("/plans/{plan_id}")]
pub(crate) async fn find_plan(
    caller: Caller<scope::PlansRead>,
    path: ValidPath<PlanPath>,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    let (plans, plan) = (state.agent().plans(), path.plan_id.into());
    let mark = plans.mark(&caller, plan).await?;
    let answer = match state.plan_answers().find(plan, mark) {
        Some(answer) => answer,
        None => {
            let made = PlanAnswer::new(plans.find(&caller, plan).await?).map_err(ApiError::internal)?;
            state.plan_answers().keep(plan, mark, &made);
            made
        }
    };
    let mut response = HttpResponse::Ok();
    response.insert_header((ETAG, answer.tag)).insert_header((CACHE_CONTROL, "private, no-cache"));
    Ok(response.content_type(ContentType::json()).body(answer.body))
}

/// Lists the tasks of a plan, by position.
#[utoipa::path(
    tag = "plans",
    params(PlanPath),
    responses((status = 200, description = "The tasks", body = PlanTasksView), ApiError),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[get("/plans/{plan_id}/tasks")]
pub(crate) async fn list_tasks(
    caller: Caller<scope::PlansRead>,
    path: ValidPath<PlanPath>,
    state: Data<AppState>,
) -> Result<Json<PlanTasksView>> {
    let plan = state.agent().plans().state(&caller, path.plan_id.into()).await?;
    Ok(Json(PlanTasksView { plan_id: plan.plan.id.get(), tasks: TaskView::all(&plan) }))
}

/// Lists the attempts at a task, oldest first, each with its recorded steps.
#[utoipa::path(
    tag = "plans",
    params(PlanTaskPath),
    responses((status = 200, description = "The attempts", body = ExecutionsView), ApiError),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[get("/plans/{plan_id}/tasks/{task_id}/executions")]
pub(crate) async fn list_executions(
    caller: Caller<scope::PlansRead>,
    path: ValidPath<PlanTaskPath>,
    state: Data<AppState>,
) -> Result<Json<ExecutionsView>> {
    let (plan_id, task_id) = (path.plan_id, path.task_id);
    let attempts = state.agent().plans().executions(&caller, plan_id.into(), task_id.into()).await?;
    let executions = attempts.into_iter().map(Into::into).collect();
    Ok(Json(ExecutionsView { plan_id, task_id, executions }))
}

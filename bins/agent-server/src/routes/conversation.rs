//! What people, models and tools said.

use crate::error::{ApiError, Result};
use crate::extract::{Caller, IdempotencyKey, Page, ValidJson, ValidQuery, scope, searched};
use crate::state::AppState;
use crate::views::conversation::{CreateMessage, ListMessages, MessagesView, SavedMessageView};
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, get, post};
use agent_runtime::WantedMessages;

/// Lists messages the caller may see, oldest first.
///
/// A plan's conversation holds what the person, the models and their tools said. What a person adds to a running plan
/// (`POST /conversation` with role `user`) is part of the next call to its model.
#[utoipa::path(
    tag = "conversation",
    params(ListMessages),
    responses((status = 200, description = "A page of messages", body = MessagesView), ApiError),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[get("/conversation")]
pub(crate) async fn list_messages(
    caller: Caller<scope::PlansRead>,
    query: ValidQuery<ListMessages>,
    state: Data<AppState>,
) -> Result<Json<MessagesView>> {
    let page = Page::read(query.limit.as_deref(), query.cursor.as_deref())?;
    let plan = query.plan_id.as_deref().map(str::parse::<i64>).transpose();
    let plan = plan.map_err(|_no_number| ApiError::invalid_field("?plan_id", "must be the id of a plan"))?;
    let wanted = WantedMessages {
        plan_id: plan.map(Into::into),
        role: query.role.clone(),
        text: searched(query.q.as_deref())?,
        after: page.cursor.map(Into::into),
        limit: page.limit,
    };
    Ok(Json(state.agent().conversation().list(&caller, wanted).await?.into()))
}

/// Keeps a message.
///
/// With `Idempotency-Key`, a repeated request finds the message of the first.
#[utoipa::path(
    tag = "conversation",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated request harmless; 1 to 255 characters")),
    request_body = CreateMessage,
    responses((status = 201, description = "The message is kept", body = SavedMessageView), ApiError),
    security(("bearer" = ["plans:write"]), ("api_key" = ["plans:write"]))
)]
#[post("/conversation")]
pub(crate) async fn create_message(
    caller: Caller<scope::PlansWrite>,
    key: IdempotencyKey,
    body: ValidJson<CreateMessage>,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    let key = key.with(&body.0)?;
    let CreateMessage { role, content, plan_id } = body.0;
    let id = state.agent().conversation().add(&caller, role, content, plan_id.map(Into::into), key).await?;
    Ok(HttpResponse::Created().json(SavedMessageView { status: "saved", message_id: id.get() }))
}

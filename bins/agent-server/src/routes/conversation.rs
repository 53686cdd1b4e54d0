//! What people, models and tools said.

use crate::error::{ApiError, Result};
use crate::extract::{Caller, IdempotencyKey, Page, ValidJson, ValidQuery, scope};
use crate::state::AppState;
use crate::views::conversation::{CreateMessage, ListMessages, MessagesView, SavedMessageView};
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, get, post};

/// Lists messages the caller may see, oldest first.
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
    let after = page.cursor.map(Into::into);
    let conversation = state.agent().conversation();
    Ok(Json(conversation.list(&caller, plan.map(Into::into), after, page.limit).await?.into()))
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

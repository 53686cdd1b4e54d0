//! Webhooks: addresses that are told of the events of the caller's plans.

use crate::error::{ApiError, Result};
use crate::extract::{Caller, IdempotencyKey, Page, ValidJson, ValidPath, ValidQuery, scope};
use crate::state::AppState;
use crate::views::webhook::{
    CreateWebhook, ListWebhooks, UpdateWebhook, WebhookPath, WebhookSecretView, WebhookView, WebhooksView,
};
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, delete, get, patch, post};
use agent_webhooks::WebhookId;

/// Makes a webhook, which is told of what happens from now on to the caller's own plans.
///
/// The answer shows the secret that deliveries are signed with, this once. Addresses within the house are refused, and
/// one person has 20 at most. With `Idempotency-Key`, a repeated request finds the webhook of the first.
#[utoipa::path(
    tag = "webhooks",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated request harmless; 1 to 255 characters")),
    request_body = CreateWebhook,
    responses(
        (status = 201, description = "The webhook with its secret", body = WebhookSecretView,
         headers(("Location" = String, description = "Path of the webhook"))),
        ApiError
    ),
    security(("bearer" = ["plans:write"]), ("api_key" = ["plans:write"]))
)]
#[post("/webhooks")]
pub(crate) async fn create_webhook(
    caller: Caller<scope::PlansWrite>,
    key: IdempotencyKey,
    body: ValidJson<CreateWebhook>,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    let idempotency = key.with(&body.0)?;
    let CreateWebhook { url, events } = body.0;
    let request = agent_runtime::CreateWebhook { url, events, idempotency };
    let webhook = state.agent().webhooks().create(&caller, request).await?;
    let location = format!("/webhooks/{}", webhook.id);
    Ok(HttpResponse::Created().insert_header(("Location", location)).json(WebhookSecretView::from(&webhook)))
}

/// Lists the caller's webhooks, oldest first.
#[utoipa::path(
    tag = "webhooks",
    params(ListWebhooks),
    responses((status = 200, description = "A page of webhooks", body = WebhooksView), ApiError),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[get("/webhooks")]
pub(crate) async fn list_webhooks(
    caller: Caller<scope::PlansRead>,
    query: ValidQuery<ListWebhooks>,
    state: Data<AppState>,
) -> Result<Json<WebhooksView>> {
    let page = Page::read(query.limit.as_deref(), query.cursor.as_deref())?;
    let after = page.cursor.map(WebhookId);
    Ok(Json(state.agent().webhooks().list(&caller, after, page.limit).await?.into()))
}

/// Shows a webhook, how far it has got, and what went wrong last.
#[utoipa::path(
    tag = "webhooks",
    params(WebhookPath),
    responses((status = 200, description = "The webhook", body = WebhookView), ApiError),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[get("/webhooks/{webhook_id}")]
pub(crate) async fn find_webhook(
    caller: Caller<scope::PlansRead>,
    path: ValidPath<WebhookPath>,
    state: Data<AppState>,
) -> Result<Json<WebhookView>> {
    let webhook = state.agent().webhooks().find(&caller, WebhookId(path.webhook_id)).await?;
    Ok(Json((&webhook).into()))
}

/// Changes a webhook, or switches it on or off.
///
/// What failed before is forgotten, so that the next attempt is made at once. Switched on again, it is told everything
/// since it was told last, or with `skip_missed` only what happens from now on.
#[utoipa::path(
    tag = "webhooks",
    params(WebhookPath),
    request_body = UpdateWebhook,
    responses((status = 200, description = "The webhook as changed", body = WebhookView), ApiError),
    security(("bearer" = ["plans:write"]), ("api_key" = ["plans:write"]))
)]
#[patch("/webhooks/{webhook_id}")]
pub(crate) async fn update_webhook(
    caller: Caller<scope::PlansWrite>,
    path: ValidPath<WebhookPath>,
    body: ValidJson<UpdateWebhook>,
    state: Data<AppState>,
) -> Result<Json<WebhookView>> {
    let id = WebhookId(path.webhook_id);
    let webhook = state.agent().webhooks().update(&caller, id, body.0.into()).await?;
    Ok(Json((&webhook).into()))
}

/// Forgets a webhook and its secrets; a call that is under way is not taken back.
#[utoipa::path(
    tag = "webhooks",
    params(WebhookPath),
    responses((status = 204, description = "The webhook is gone"), ApiError),
    security(("bearer" = ["plans:write"]), ("api_key" = ["plans:write"]))
)]
#[delete("/webhooks/{webhook_id}")]
pub(crate) async fn delete_webhook(
    caller: Caller<scope::PlansWrite>,
    path: ValidPath<WebhookPath>,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    state.agent().webhooks().delete(&caller, WebhookId(path.webhook_id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Gives a webhook another secret, and shows it this once.
///
/// Deliveries are signed with the former secret too for 24 hours, so that a receiver can change over.
#[utoipa::path(
    tag = "webhooks",
    params(WebhookPath),
    responses((status = 200, description = "The webhook with its new secret", body = WebhookSecretView), ApiError),
    security(("bearer" = ["plans:write"]), ("api_key" = ["plans:write"]))
)]
#[post("/webhooks/{webhook_id}/secret")]
pub(crate) async fn rotate_webhook_secret(
    caller: Caller<scope::PlansWrite>,
    path: ValidPath<WebhookPath>,
    state: Data<AppState>,
) -> Result<Json<WebhookSecretView>> {
    let id = WebhookId(path.webhook_id);
    let webhook = state.agent().webhooks().rotate_secret(&caller, id).await?;
    Ok(Json((&webhook).into()))
}

//! Logging in and out, tokens, keys and one's own password.

use crate::asked::Asked;
use crate::error::{ApiError, Result};
use crate::extract::{Caller, IdempotencyKey, OptionalJson, ValidJson, ValidPath, scope};
use crate::state::AppState;
use crate::views::account::{
    ChangePassword, CreateKey, CreatedKeyView, KeyPath, KeysView, Login, Refresh, SessionView, ValidationView,
};
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, delete, get, post, put};
use secrecy::ExposeSecret;
use std::rc::Rc;

/// Logs in with a name and a password.
#[utoipa::path(
    tag = "auth",
    request_body = Login,
    responses(
        (status = 200, description = "The session", body = SessionView),
        (status = 410, description = "A one-time password that was used or is over", body = crate::error::Problem, content_type = "application/problem+json"),
        (status = 401, description = "Wrong name or password", body = crate::error::Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many failed attempts; see Retry-After", body = crate::error::Problem, content_type = "application/problem+json"),
        ApiError
    )
)]
#[post("/auth/login")]
pub(crate) async fn log_in(
    asked: Asked,
    body: ValidJson<Login>,
    state: Data<AppState>,
) -> Result<Json<SessionView>> {
    asked.claims(&body.0.username);
    let source = asked.address().map(|address| address.to_string()).unwrap_or_default();
    let authenticator = state.agent().authenticator();
    let session =
        authenticator.login(&body.0.username, &body.0.password, body.0.tenant.as_deref(), &source).await?;
    asked.is_of(Rc::new(session.principal()));
    Ok(Json(session.into()))
}

/// Buys the next session with a refresh token, which is used up by it.
#[utoipa::path(
    tag = "auth",
    request_body = Refresh,
    responses(
        (status = 200, description = "The next session", body = SessionView),
        (status = 401, description = "The token is not accepted", body = crate::error::Problem, content_type = "application/problem+json"),
        ApiError
    )
)]
#[post("/auth/refresh")]
pub(crate) async fn refresh_session(
    asked: Asked,
    body: ValidJson<Refresh>,
    state: Data<AppState>,
) -> Result<Json<SessionView>> {
    let token = body.0.refresh_token.expose_secret();
    let session = state.agent().authenticator().refresh(token).await?;
    asked.is_of(Rc::new(session.principal()));
    Ok(Json(session.into()))
}

/// Ends every session of the caller, everywhere. API keys stay.
#[utoipa::path(
    tag = "auth",
    responses((status = 204, description = "All sessions are ended"), ApiError),
    security(("bearer" = ["keys:manage"]), ("api_key" = ["keys:manage"]))
)]
#[post("/auth/logout")]
pub(crate) async fn log_out(
    caller: Caller<scope::KeysManage>,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    state.agent().authenticator().logout(&caller).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Says who the caller is and what the token or key may be used for.
#[utoipa::path(
    tag = "auth",
    responses((status = 200, description = "The token or key is accepted", body = ValidationView), ApiError),
    security(("bearer" = []), ("api_key" = []))
)]
#[get("/auth/validate")]
pub(crate) async fn validate_token(caller: Caller<scope::LoggedIn>) -> Json<ValidationView> {
    Json(ValidationView::from(&*caller))
}

/// Changes the caller's own password and ends all sessions, the present one too.
#[utoipa::path(
    tag = "auth",
    request_body = ChangePassword,
    responses((status = 204, description = "The password is changed; log in again"), ApiError),
    security(("bearer" = ["keys:manage"]), ("api_key" = ["keys:manage"]))
)]
#[put("/auth/password")]
pub(crate) async fn change_password(
    caller: Caller<scope::KeysManage>,
    body: ValidJson<ChangePassword>,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    let ChangePassword { current_password, new_password } = body.0;
    state.agent().authenticator().change_password(&caller, &current_password, &new_password).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Makes an API key for the caller; the key itself is shown this once.
///
/// With `Idempotency-Key`, a repeated request gets the same key again.
#[utoipa::path(
    tag = "auth",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated request harmless; 1 to 255 characters")),
    request_body = CreateKey,
    responses((status = 201, description = "The key", body = CreatedKeyView), ApiError),
    security(("bearer" = ["keys:manage"]), ("api_key" = ["keys:manage"]))
)]
#[post("/auth/token")]
pub(crate) async fn create_key(
    caller: Caller<scope::KeysManage>,
    key: IdempotencyKey,
    asked: Asked,
    body: OptionalJson<CreateKey>,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    let key = key.with(&body.0)?;
    let CreateKey { name, scopes, expires_at } = body.0;
    let scopes = scopes.map(|names| agent_auth::parse_scopes(&names)).transpose()?;
    let name = name.unwrap_or_default();
    asked.note("name", name.as_str());
    let authenticator = state.agent().authenticator();
    let created = match key {
        None => authenticator.create_key(&caller, &name, scopes.as_deref(), expires_at).await?,
        Some(key) => {
            authenticator.create_key_once(&caller, (&name, scopes.as_deref(), expires_at), &key).await?
        }
    };
    asked.note("key_id", created.key.id);
    asked.note("scopes", created.key.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>());
    Ok(HttpResponse::Created().json(CreatedKeyView::from(created)))
}

/// Lists the caller's API keys, oldest first.
#[utoipa::path(
    tag = "auth",
    responses((status = 200, description = "The keys", body = KeysView), ApiError),
    security(("bearer" = ["keys:manage"]), ("api_key" = ["keys:manage"]))
)]
#[get("/auth/keys")]
pub(crate) async fn list_keys(
    caller: Caller<scope::KeysManage>,
    state: Data<AppState>,
) -> Result<Json<KeysView>> {
    let keys = state.agent().authenticator().list_keys(&caller).await?;
    let total = keys.len();
    Ok(Json(KeysView { keys: keys.into_iter().map(Into::into).collect(), total }))
}

/// Revokes one of the caller's API keys; it is refused from now on.
#[utoipa::path(
    tag = "auth",
    params(KeyPath),
    responses((status = 204, description = "The key is revoked"), ApiError),
    security(("bearer" = ["keys:manage"]), ("api_key" = ["keys:manage"]))
)]
#[delete("/auth/keys/{key_id}")]
pub(crate) async fn revoke_key(
    caller: Caller<scope::KeysManage>,
    path: ValidPath<KeyPath>,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    state.agent().authenticator().revoke_key(&caller, path.key_id).await?;
    Ok(HttpResponse::NoContent().finish())
}

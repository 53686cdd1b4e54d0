//! Accounts, for administrators.

use crate::error::{ApiError, Result};
use crate::extract::{Caller, IdempotencyKey, ValidJson, ValidPath, scope};
use crate::state::AppState;
use crate::views::account::{CreateUser, UpdateUser, UserPath, UserView, UsersView};
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, get, patch, post};
use secrecy::ExposeSecret;

/// Makes an account.
///
/// With `Idempotency-Key`, a repeated request finds the account of the first.
#[utoipa::path(
    tag = "users",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated request harmless; 1 to 255 characters")),
    request_body = CreateUser,
    responses((status = 201, description = "The user", body = UserView), ApiError),
    security(("bearer" = ["users:manage"]), ("api_key" = ["users:manage"]))
)]
#[post("/users")]
pub(crate) async fn create_user(
    caller: Caller<scope::UsersManage>,
    key: IdempotencyKey,
    body: ValidJson<CreateUser>,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    let CreateUser { username, password, role } = body.0;
    let authenticator = state.agent().authenticator();
    let meaning = (&username, password.expose_secret(), role);
    let user = match key.with(&meaning)? {
        None => authenticator.create_user(&username, &password, role.into()).await?,
        Some(key) => {
            authenticator.create_user_once(&caller, (&username, &password, role.into()), &key).await?
        }
    };
    Ok(HttpResponse::Created().json(UserView::from(user)))
}

/// Lists all accounts by id.
#[utoipa::path(
    tag = "users",
    responses((status = 200, description = "The users", body = UsersView), ApiError),
    security(("bearer" = ["users:manage"]), ("api_key" = ["users:manage"]))
)]
#[get("/users")]
pub(crate) async fn list_users(
    _caller: Caller<scope::UsersManage>,
    state: Data<AppState>,
) -> Result<Json<UsersView>> {
    let users = state.agent().authenticator().list_users().await?;
    let total = users.len();
    Ok(Json(UsersView { users: users.into_iter().map(Into::into).collect(), total }))
}

/// Changes an account: role, whether it is disabled, password.
#[utoipa::path(
    tag = "users",
    params(UserPath),
    request_body = UpdateUser,
    responses((status = 200, description = "The user as changed", body = UserView), ApiError),
    security(("bearer" = ["users:manage"]), ("api_key" = ["users:manage"]))
)]
#[patch("/users/{id}")]
pub(crate) async fn update_user(
    _caller: Caller<scope::UsersManage>,
    path: ValidPath<UserPath>,
    body: ValidJson<UpdateUser>,
    state: Data<AppState>,
) -> Result<Json<UserView>> {
    let UpdateUser { role, disabled, password } = body.0;
    let update = agent_auth::UpdateUser { role: role.map(Into::into), disabled, password };
    let user = state.agent().authenticator().update_user(path.id.into(), &update).await?;
    Ok(Json(user.into()))
}

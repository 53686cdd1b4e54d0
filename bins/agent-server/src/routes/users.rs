//! Accounts, for administrators.

use crate::error::{ApiError, Result};
use crate::extract::{Caller, ValidJson, ValidPath, scope};
use crate::state::AppState;
use crate::views::account::{CreateUser, UpdateUser, UserPath, UserView, UsersView};
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, get, patch, post};

/// Makes an account.
#[utoipa::path(
    tag = "users",
    request_body = CreateUser,
    responses((status = 201, description = "The user", body = UserView), ApiError),
    security(("bearer" = ["users:manage"]), ("api_key" = ["users:manage"]))
)]
#[post("/users")]
pub(crate) async fn create_user(
    _caller: Caller<scope::UsersManage>,
    body: ValidJson<CreateUser>,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    let CreateUser { username, password, role } = body.0;
    let user = state.agent().authenticator().create_user(&username, &password, role.into()).await?;
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

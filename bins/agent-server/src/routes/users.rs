//! Accounts, for administrators.

use crate::asked::Asked;
use crate::error::{ApiError, Result};
use crate::extract::{Caller, IdempotencyKey, ValidJson, ValidPath, scope};
use crate::state::AppState;
use crate::views::account::{CreateUser, UpdateUser, UserPath, UserView, UsersView};
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, delete, get, patch, post};
use agent_core::ids::Owner;
use secrecy::ExposeSecret;

/// Makes an account in the caller's tenant.
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
    asked: Asked,
    body: ValidJson<CreateUser>,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    let CreateUser { username, password, role } = body.0;
    asked.note("username", username.as_str());
    asked.note("role", agent_auth::Role::from(role).as_str());
    let authenticator = state.agent().authenticator();
    let meaning = (&username, password.expose_secret(), role);
    let user = match key.with(&meaning)? {
        None => authenticator.create_user(&caller, &username, &password, role.into()).await?,
        Some(key) => {
            authenticator.create_user_once(&caller, (&username, &password, role.into()), &key).await?
        }
    };
    Ok(HttpResponse::Created().json(UserView::from(user)))
}

/// Lists the members of the caller's tenant by id.
#[utoipa::path(
    tag = "users",
    responses((status = 200, description = "The users", body = UsersView), ApiError),
    security(("bearer" = ["users:manage"]), ("api_key" = ["users:manage"]))
)]
#[get("/users")]
pub(crate) async fn list_users(
    caller: Caller<scope::UsersManage>,
    state: Data<AppState>,
) -> Result<Json<UsersView>> {
    Ok(Json(state.agent().authenticator().list_users(&caller).await?.into()))
}

/// Changes a member of the caller's tenant: role, whether the account is disabled, password.
///
/// Password and `disabled` are changed by administrators of the tenant that made the account; `operator` by operators.
#[utoipa::path(
    tag = "users",
    params(UserPath),
    request_body = UpdateUser,
    responses((status = 200, description = "The user as changed", body = UserView), ApiError),
    security(("bearer" = ["users:manage"]), ("api_key" = ["users:manage"]))
)]
#[patch("/users/{id}")]
pub(crate) async fn update_user(
    caller: Caller<scope::UsersManage>,
    path: ValidPath<UserPath>,
    asked: Asked,
    body: ValidJson<UpdateUser>,
    state: Data<AppState>,
) -> Result<Json<UserView>> {
    note_update(&asked, &body.0);
    let UpdateUser { role, operator, disabled, password } = body.0;
    let update = agent_auth::UpdateUser { role: role.map(Into::into), operator, disabled, password };
    let user = state.agent().authenticator().update_user(&caller, path.id.into(), &update).await?;
    Ok(Json(user.into()))
}

/// Removes a member from the caller's tenant, with their keys there. At home the account is disabled, too, and its
/// sessions end; its name stays taken, because what it made stays.
#[utoipa::path(
    tag = "users",
    params(UserPath),
    responses((status = 204, description = "The user is removed"), ApiError),
    security(("bearer" = ["users:manage"]), ("api_key" = ["users:manage"]))
)]
#[delete("/users/{id}")]
pub(crate) async fn remove_user(
    caller: Caller<scope::UsersManage>,
    path: ValidPath<UserPath>,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    let agent = state.agent();
    agent.authenticator().remove_user(&caller, path.id.into()).await?;
    agent.plans().cancel_all(Owner { tenant: caller.tenant, user: path.id.into() }).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn note_update(asked: &Asked, update: &UpdateUser) {
    if let Some(role) = update.role {
        asked.note("role", agent_auth::Role::from(role).as_str());
    }
    if let Some(operator) = update.operator {
        asked.note("operator", operator);
    }
    if let Some(disabled) = update.disabled {
        asked.note("disabled", disabled);
    }
    if update.password.is_some() {
        asked.note("password", "set");
    }
}

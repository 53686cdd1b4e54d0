//! Tenants, for operators of the server.

use crate::asked::Asked;
use crate::error::{ApiError, ErrorCode, Result};
use crate::extract::{Caller, IdempotencyKey, ValidJson, ValidPath, scope};
use crate::state::AppState;
use crate::views::account::{UserView, UsersView};
use crate::views::tenant::{
    CreateMember, CreateTenant, MemberPath, RepositoryRootsView, SetMember, TenantPath, TenantView,
    TenantsView,
};
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, delete, get, post, put};
use agent_core::ids::Owner;
use secrecy::ExposeSecret;

/// Makes a tenant.
///
/// With `Idempotency-Key`, a repeated request finds the tenant of the first.
#[utoipa::path(
    tag = "tenants",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated request harmless; 1 to 255 characters")),
    request_body = CreateTenant,
    responses((status = 201, description = "The tenant", body = TenantView), ApiError),
    security(("bearer" = ["tenants:manage"]), ("api_key" = ["tenants:manage"]))
)]
#[post("/tenants")]
pub(crate) async fn create_tenant(
    caller: Caller<scope::TenantsManage>,
    key: IdempotencyKey,
    asked: Asked,
    body: ValidJson<CreateTenant>,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    asked.note("name", body.0.name.as_str());
    let key = key.with(&body.0)?;
    let tenant = state.agent().authenticator().create_tenant(&caller, &body.0.name, key.as_ref()).await?;
    Ok(HttpResponse::Created().json(TenantView::from(tenant)))
}

/// Lists all tenants by id.
#[utoipa::path(
    tag = "tenants",
    responses((status = 200, description = "The tenants", body = TenantsView), ApiError),
    security(("bearer" = ["tenants:manage"]), ("api_key" = ["tenants:manage"]))
)]
#[get("/tenants")]
pub(crate) async fn list_tenants(
    _caller: Caller<scope::TenantsManage>,
    state: Data<AppState>,
) -> Result<Json<TenantsView>> {
    Ok(Json(state.agent().authenticator().list_tenants().await?.into()))
}

/// Lists the tenants that the caller is a member of.
#[utoipa::path(
    tag = "auth",
    responses((status = 200, description = "The tenants", body = TenantsView), ApiError),
    security(("bearer" = []), ("api_key" = []))
)]
#[get("/auth/tenants")]
pub(crate) async fn list_own_tenants(
    caller: Caller<scope::LoggedIn>,
    state: Data<AppState>,
) -> Result<Json<TenantsView>> {
    Ok(Json(state.agent().authenticator().tenants_of(&caller).await?.into()))
}

/// Lists the members of a tenant by id.
#[utoipa::path(
    tag = "tenants",
    params(TenantPath),
    responses((status = 200, description = "The members", body = UsersView), ApiError),
    security(("bearer" = ["tenants:manage"]), ("api_key" = ["tenants:manage"]))
)]
#[get("/tenants/{tenant_id}/members")]
pub(crate) async fn list_members(
    _caller: Caller<scope::TenantsManage>,
    path: ValidPath<TenantPath>,
    state: Data<AppState>,
) -> Result<Json<UsersView>> {
    Ok(Json(state.agent().authenticator().list_members(path.tenant_id.into()).await?.into()))
}

/// Makes an account in a tenant, such as its first administrator.
///
/// With `Idempotency-Key`, a repeated request finds the account of the first.
#[utoipa::path(
    tag = "tenants",
    params(TenantPath, ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated request harmless; 1 to 255 characters")),
    request_body = CreateMember,
    responses((status = 201, description = "The user", body = UserView), ApiError),
    security(("bearer" = ["tenants:manage"]), ("api_key" = ["tenants:manage"]))
)]
#[post("/tenants/{tenant_id}/members")]
pub(crate) async fn create_member(
    caller: Caller<scope::TenantsManage>,
    path: ValidPath<TenantPath>,
    key: IdempotencyKey,
    asked: Asked,
    body: ValidJson<CreateMember>,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    let CreateMember { username, password, role } = body.0;
    asked.note("username", username.as_str());
    asked.note("role", agent_auth::Role::from(role).as_str());
    let key = key.with(&(path.tenant_id, &username, password.expose_secret(), role))?;
    let user = (username.as_str(), &password, role.into());
    let authenticator = state.agent().authenticator();
    let made = authenticator.create_user_in(&caller, path.tenant_id.into(), user, key.as_ref()).await?;
    Ok(HttpResponse::Created().json(UserView::from(made)))
}

/// Makes somebody who has an account a member of a tenant, or gives a member another role.
#[utoipa::path(
    tag = "tenants",
    params(MemberPath),
    request_body = SetMember,
    responses((status = 200, description = "The member", body = UserView), ApiError),
    security(("bearer" = ["tenants:manage"]), ("api_key" = ["tenants:manage"]))
)]
#[put("/tenants/{tenant_id}/members/{user_id}")]
pub(crate) async fn set_member(
    _caller: Caller<scope::TenantsManage>,
    path: ValidPath<MemberPath>,
    asked: Asked,
    body: ValidJson<SetMember>,
    state: Data<AppState>,
) -> Result<Json<UserView>> {
    let authenticator = state.agent().authenticator();
    asked.note("role", agent_auth::Role::from(body.0.role).as_str());
    let role = body.0.role.into();
    Ok(Json(authenticator.set_member(path.tenant_id.into(), path.user_id.into(), role).await?.into()))
}

/// Ends a membership, with the member's keys there. What they made stays with the tenant.
#[utoipa::path(
    tag = "tenants",
    params(MemberPath),
    responses((status = 204, description = "They are no member any more"), ApiError),
    security(("bearer" = ["tenants:manage"]), ("api_key" = ["tenants:manage"]))
)]
#[delete("/tenants/{tenant_id}/members/{user_id}")]
pub(crate) async fn remove_member(
    _caller: Caller<scope::TenantsManage>,
    path: ValidPath<MemberPath>,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    let agent = state.agent();
    agent.authenticator().remove_member(path.tenant_id.into(), path.user_id.into()).await?;
    agent.plans().cancel_all(Owner { tenant: path.tenant_id.into(), user: path.user_id.into() }).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Shows the folders below which a tenant's repositories must lie.
#[utoipa::path(
    tag = "tenants",
    params(TenantPath),
    responses((status = 200, description = "The folders", body = RepositoryRootsView), ApiError),
    security(("bearer" = ["tenants:manage"]), ("api_key" = ["tenants:manage"]))
)]
#[get("/tenants/{tenant_id}/repository-roots")]
pub(crate) async fn show_repository_roots(
    _caller: Caller<scope::TenantsManage>,
    path: ValidPath<TenantPath>,
    state: Data<AppState>,
) -> Result<Json<RepositoryRootsView>> {
    let roots = state.agent().repositories().roots_of(path.tenant_id.into()).await?;
    Ok(Json(RepositoryRootsView { repository_roots: roots.ok_or_else(|| unknown(path.tenant_id))? }))
}

/// Gives a tenant folders of its own, below which its repositories must lie and nobody else's may.
///
/// They must lie below the repository roots of the server's settings. A tenant that has none cannot work on
/// repositories; the first tenant has all that was given to nobody.
#[utoipa::path(
    tag = "tenants",
    params(TenantPath),
    request_body = RepositoryRootsView,
    responses((status = 200, description = "The folders as they were resolved", body = RepositoryRootsView), ApiError),
    security(("bearer" = ["tenants:manage"]), ("api_key" = ["tenants:manage"]))
)]
#[put("/tenants/{tenant_id}/repository-roots")]
pub(crate) async fn set_repository_roots(
    _caller: Caller<scope::TenantsManage>,
    path: ValidPath<TenantPath>,
    asked: Asked,
    body: ValidJson<RepositoryRootsView>,
    state: Data<AppState>,
) -> Result<Json<RepositoryRootsView>> {
    asked.note("repository_roots", body.0.repository_roots.clone());
    let given =
        state.agent().repositories().give_roots(path.tenant_id.into(), body.0.repository_roots).await?;
    Ok(Json(RepositoryRootsView { repository_roots: given.ok_or_else(|| unknown(path.tenant_id))? }))
}

fn unknown(tenant: i64) -> ApiError {
    ApiError::new(ErrorCode::TenantNotFound, format!("tenant {tenant} does not exist"))
}

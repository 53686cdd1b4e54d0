//! Tenants and their members.

use super::words::RoleView;
use agent_auth::ports::Tenant;
use agent_core::time::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A tenant to be made.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "research"}))]
pub struct CreateTenant {
    /// Its name: 1 to 64 letters, digits, `-`, `_` and `.`.
    #[schema(max_length = 64)]
    pub name: String,
}

/// An organisation on this server.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({"tenant_id": 2, "name": "research", "created_at": "2026-01-01T12:00:00.000Z"}))]
pub struct TenantView {
    /// Identifier.
    pub tenant_id: i64,
    /// Its name.
    pub name: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

impl From<Tenant> for TenantView {
    fn from(tenant: Tenant) -> Self {
        Self { tenant_id: tenant.id.get(), name: tenant.name, created_at: tenant.created_at }
    }
}

/// Tenants by id.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TenantsView {
    /// The tenants.
    pub tenants: Vec<TenantView>,
    /// How many there are.
    pub total: usize,
}

impl From<Vec<Tenant>> for TenantsView {
    fn from(tenants: Vec<Tenant>) -> Self {
        let total = tenants.len();
        Self { tenants: tenants.into_iter().map(Into::into).collect(), total }
    }
}

/// The tenant in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TenantPath {
    /// The tenant.
    #[param(minimum = 1, example = 1)]
    pub tenant_id: i64,
}

/// The member in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct MemberPath {
    /// The tenant.
    #[param(minimum = 1, example = 1)]
    pub tenant_id: i64,
    /// The user.
    #[param(minimum = 1, example = 1)]
    pub user_id: i64,
}

/// A member's role.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"role": "user"}))]
pub struct SetMember {
    /// What they may do in the tenant.
    pub role: RoleView,
}

/// An account to be made in a tenant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"username": "grace", "password": "…", "role": "admin"}))]
pub struct CreateMember {
    /// The name to log in with.
    pub username: String,
    /// The first password.
    #[schema(value_type = String, format = Password)]
    pub password: SecretString,
    /// What they may do in the tenant.
    pub role: RoleView,
}

/// The folders of a tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"repository_roots": ["/srv/research"]}))]
pub struct RepositoryRootsView {
    /// The folders below which the tenant's repositories must lie.
    pub repository_roots: Vec<String>,
}

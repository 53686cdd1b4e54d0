//! Logins, keys and users.

use super::words::RoleView;
use agent_auth::ports::{ApiKey, User};
use agent_auth::{CreatedKey, Principal, Session};
use agent_core::time::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A name and a password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"username": "demo", "password": "demo123"}))]
pub struct Login {
    /// The tenant to work in; the account's own when absent.
    #[serde(default)]
    pub tenant: Option<String>,
    /// The name.
    pub username: String,
    /// The password.
    #[schema(value_type = String, format = Password)]
    pub password: SecretString,
}

/// A refresh token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"refresh_token": "rt_…"}))]
pub struct Refresh {
    /// The token; it is used up by this.
    #[schema(value_type = String, format = Password)]
    pub refresh_token: SecretString,
}

/// An open session.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "access_token": "eyJ…", "token_type": "bearer", "expires_in": 3600, "expires_at": "2026-01-01T13:00:00.000Z",
    "refresh_token": "rt_…", "user_id": 1, "username": "demo", "tenant_id": 1, "roles": ["user"]
}))]
pub struct SessionView {
    /// For `Authorization: Bearer`.
    pub access_token: String,
    /// Always `bearer`.
    pub token_type: &'static str,
    /// How long the access token is accepted, in seconds.
    pub expires_in: u64,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// Buys the next session, once.
    pub refresh_token: String,
    /// Who logged in.
    pub user_id: i64,
    /// Their name.
    pub username: String,
    /// The tenant that the session works in.
    pub tenant_id: i64,
    /// Their roles there.
    pub roles: Vec<RoleView>,
}

impl From<Session> for SessionView {
    fn from(session: Session) -> Self {
        Self {
            access_token: session.access_token,
            token_type: "bearer",
            expires_in: session.expires_in_seconds,
            expires_at: session.expires_at,
            refresh_token: session.refresh_token,
            user_id: session.user.id.get(),
            username: session.user.username,
            tenant_id: session.user.tenant.get(),
            roles: vec![session.user.role.into()],
        }
    }
}

/// Who the caller is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "valid": true, "user_id": 1, "username": "demo", "tenant_id": 1, "roles": ["user"], "operator": false,
    "scopes": ["plans:read", "plans:write"], "expires_at": "2026-01-01T13:00:00.000Z"
}))]
pub struct ValidationView {
    /// Always true: what is not valid is a 401.
    pub valid: bool,
    /// The account.
    pub user_id: i64,
    /// Its name.
    pub username: String,
    /// The tenant that it works in.
    pub tenant_id: i64,
    /// Its roles there.
    pub roles: Vec<RoleView>,
    /// Whether it looks after the server itself.
    pub operator: bool,
    /// What this very token or key may be used for.
    pub scopes: Vec<String>,
    /// When the token or key ends; null for keys without an end.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
}

impl From<&Principal> for ValidationView {
    fn from(principal: &Principal) -> Self {
        Self {
            valid: true,
            user_id: principal.user_id.get(),
            username: principal.username.clone(),
            tenant_id: principal.tenant.get(),
            roles: vec![principal.role.into()],
            operator: principal.operator,
            scopes: principal.scopes.iter().map(ToString::to_string).collect(),
            expires_at: principal.expires_at,
        }
    }
}

/// An API key to be made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "ci", "scopes": ["plans:read"], "expires_at": "2027-01-01T00:00:00Z"}))]
pub struct CreateKey {
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub name: Option<String>,
    /// What it may be used for; everything the caller may do when absent.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    /// When it ends; never when absent.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
}

/// A key just made.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "api_key": "ak_…", "key_id": 1, "prefix": "ak_3fK9", "name": "ci", "scopes": ["plans:read"],
    "created_at": "2026-01-01T12:00:00.000Z", "expires_at": null
}))]
pub struct CreatedKeyView {
    /// The whole key. Shown this once; only a hash of it is kept.
    pub api_key: String,
    /// Its id.
    pub key_id: i64,
    /// The part that may be shown.
    pub prefix: String,
    /// What it is for.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it ends.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
}

impl From<CreatedKey> for CreatedKeyView {
    fn from(created: CreatedKey) -> Self {
        let CreatedKey { secret, key } = created;
        Self {
            api_key: secret,
            key_id: key.id,
            prefix: key.public_id,
            name: key.name,
            scopes: key.scopes.iter().map(ToString::to_string).collect(),
            created_at: key.created_at,
            expires_at: key.expires_at,
        }
    }
}

/// The caller's keys, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct KeysView {
    /// The keys, revoked ones too.
    pub keys: Vec<KeyView>,
    /// How many there are.
    pub total: usize,
}

/// A key without its secret.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "key_id": 1, "prefix": "Zm9vYmFy", "name": "ci", "scopes": ["plans:read"], "created_at": "2026-01-01T12:00:00.000Z",
    "expires_at": null, "revoked_at": null, "last_used_at": null
}))]
pub struct KeyView {
    /// Its id.
    pub key_id: i64,
    /// The part that may be shown.
    pub prefix: String,
    /// What it is for.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it ends.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
}

impl From<ApiKey> for KeyView {
    fn from(key: ApiKey) -> Self {
        Self {
            key_id: key.id,
            prefix: key.public_id,
            name: key.name,
            scopes: key.scopes.iter().map(ToString::to_string).collect(),
            created_at: key.created_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
            last_used_at: key.last_used_at,
        }
    }
}

/// The key in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct KeyPath {
    /// The key.
    #[param(minimum = 1, example = 1)]
    pub key_id: i64,
}

/// The present password and the one to come.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"current_password": "…", "new_password": "…"}))]
pub struct ChangePassword {
    /// The present password.
    #[schema(value_type = String, format = Password)]
    pub current_password: SecretString,
    /// The new one.
    #[schema(value_type = String, format = Password)]
    pub new_password: SecretString,
}

/// The user in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct UserPath {
    /// The user.
    #[param(minimum = 1, example = 1)]
    pub id: i64,
}

/// A user to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"username": "ada", "password": "…", "role": "user"}))]
pub struct CreateUser {
    /// The name to log in with.
    pub username: String,
    /// The first password.
    #[schema(value_type = String, format = Password)]
    pub password: SecretString,
    /// What they may do.
    pub role: RoleView,
}

/// What is to change about a user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"role": "viewer"}))]
pub struct UpdateUser {
    /// A new role in the caller's tenant.
    #[serde(default)]
    pub role: Option<RoleView>,
    /// Whether they look after the server itself.
    #[serde(default)]
    pub operator: Option<bool>,
    /// Disable or enable.
    #[serde(default)]
    pub disabled: Option<bool>,
    /// A new password.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password)]
    pub password: Option<SecretString>,
}

/// All users by id.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct UsersView {
    /// The users.
    pub users: Vec<UserView>,
    /// How many there are.
    pub total: usize,
}

impl From<Vec<User>> for UsersView {
    fn from(users: Vec<User>) -> Self {
        let total = users.len();
        Self { users: users.into_iter().map(Into::into).collect(), total }
    }
}

/// A person or program with an account.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "user_id": 2, "username": "ada", "tenant_id": 1, "role": "user", "operator": false, "disabled": false,
    "created_at": "2026-01-01T12:00:00.000Z"
}))]
pub struct UserView {
    /// Identifier.
    pub user_id: i64,
    /// The name to log in with.
    pub username: String,
    /// The tenant that this is about.
    pub tenant_id: i64,
    /// What they may do there.
    pub role: RoleView,
    /// Whether they look after the server itself.
    pub operator: bool,
    /// Whether every login and token is refused.
    pub disabled: bool,
    /// When the account was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            user_id: user.id.get(),
            username: user.username,
            tenant_id: user.tenant.get(),
            role: user.role.into(),
            operator: user.operator,
            disabled: user.disabled,
            created_at: user.created_at,
        }
    }
}

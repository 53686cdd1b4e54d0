//! Logins and who the caller is.

use agent_core::ids::{TenantId, UserId};
use agent_core::time::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// An open session. The client keeps and renews it by itself; its tokens are here for programs that keep a login beyond
/// their own end.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct Session {
    /// For `Authorization: Bearer`.
    pub access_token: SecretString,
    /// Buys the next session, once.
    pub refresh_token: SecretString,
    /// How long the access token is accepted, counted from when the session was opened.
    #[serde(deserialize_with = "seconds")]
    pub expires_in: Duration,
    /// The same by the server's clock; `None` from servers that do not say.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// Who logged in.
    pub user_id: UserId,
    /// Their name.
    pub username: String,
    /// The tenant that the session works in.
    #[serde(default)]
    pub tenant_id: TenantId,
    /// Their roles there.
    #[serde(default)]
    pub roles: Vec<String>,
}

fn seconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_secs)
}

/// Who the caller is, and what the token or key may be used for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Validation {
    /// Always true: what is not valid is a problem with status 401.
    pub valid: bool,
    /// The account.
    pub user_id: UserId,
    /// Its name.
    pub username: String,
    /// The tenant that it works in.
    #[serde(default)]
    pub tenant_id: TenantId,
    /// Its roles there.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Whether it looks after the server itself.
    #[serde(default)]
    pub operator: bool,
    /// What this very token or key may be used for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// When the token or key ends; `None` for keys without an end.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// Opens one WebSocket without any other credential, such as in a browser, which can send no headers there.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct Ticket {
    /// For `GET /ws/{client_id}?ticket=…`; good once.
    pub ticket: SecretString,
    /// How long it is accepted, counted from when it was made.
    #[serde(rename = "expires_in_ms", deserialize_with = "milliseconds")]
    pub expires_in: Duration,
}

fn milliseconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

#[derive(Serialize)]
pub(crate) struct LogIn<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<&'a str>,
    pub(crate) username: &'a str,
    pub(crate) password: &'a str,
}

#[derive(Serialize)]
pub(crate) struct Refresh<'a> {
    pub(crate) refresh_token: &'a str,
}

/// What a person or program may do in a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// Looks.
    Viewer,
    /// Makes and executes plans of their own.
    User,
    /// Looks after the tenant.
    Admin,
}

/// An API key to be made; the default has no name, may do all that the caller may, and does not end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CreateKey {
    /// What it is for, 100 characters at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it may be used for; everything that the caller may do when `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// When it ends; never when `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// A key just made.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct CreatedKey {
    /// The whole key. Shown this once; the server keeps a hash of it.
    pub api_key: SecretString,
    /// Its id.
    pub key_id: i64,
    /// The part that may be shown.
    pub prefix: String,
    /// What it is for.
    #[serde(default)]
    pub name: String,
    /// What it may be used for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// The caller's keys, oldest first, revoked ones too.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct KeyList {
    /// The keys.
    pub keys: Vec<Key>,
    /// How many there are.
    pub total: u64,
}

/// A key without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Key {
    /// Its id.
    pub key_id: i64,
    /// The part that may be shown.
    pub prefix: String,
    /// What it is for.
    #[serde(default)]
    pub name: String,
    /// What it may be used for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    #[serde(default)]
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    #[serde(default)]
    pub last_used_at: Option<Timestamp>,
}

/// An account to be made.
#[derive(Debug, Clone)]
pub struct CreateUser {
    /// The name to log in with.
    pub username: String,
    /// The first password.
    pub password: SecretString,
    /// What they may do.
    pub role: Role,
}

#[derive(Serialize)]
pub(crate) struct CreateUserBody<'a> {
    pub(crate) username: &'a str,
    pub(crate) password: &'a str,
    pub(crate) role: Role,
}

/// What is to change about an account; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct UpdateUser {
    /// Another role in the caller's tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Whether every login and token is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
}

/// The members of a tenant, by id.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct UserList {
    /// The accounts.
    pub users: Vec<User>,
    /// How many there are.
    pub total: u64,
}

/// A person or program with an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct User {
    /// Identifier.
    pub user_id: UserId,
    /// The name to log in with.
    pub username: String,
    /// The tenant that this is about.
    #[serde(default)]
    pub tenant_id: TenantId,
    /// What they may do there.
    pub role: Role,
    /// Whether they look after the server itself.
    #[serde(default)]
    pub operator: bool,
    /// Whether every login and token is refused.
    pub disabled: bool,
    /// When the account was made.
    pub created_at: Timestamp,
}

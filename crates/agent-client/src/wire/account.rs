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
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
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

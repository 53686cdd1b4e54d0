//! What the file of logins holds.

use agent_client::{Session, Timestamp};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All logins, and which server is asked when none is named.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Stored {
    /// The server of the last login.
    pub(crate) current: Option<String>,
    /// Logins by the address of the server.
    #[serde(default)]
    pub(crate) logins: BTreeMap<String, Login>,
}

/// A login at a server.
#[derive(Serialize, Deserialize)]
pub(crate) struct Login {
    /// Who logged in.
    pub(crate) username: String,
    /// What is shown to the server.
    #[serde(flatten)]
    pub(crate) credential: Credential,
}

/// What is shown to a server. Has no `Debug`: it is secret.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Credential {
    /// The tokens of a session.
    Session {
        /// For `Authorization: Bearer`.
        access_token: String,
        /// Buys the next session, once.
        refresh_token: String,
        /// When the access token ends.
        expires_at: Option<Timestamp>,
    },
    /// An API key.
    ApiKey {
        /// The key.
        api_key: String,
    },
}

impl From<&Session> for Credential {
    fn from(session: &Session) -> Self {
        Self::Session {
            access_token: session.access_token.expose_secret().to_owned(),
            refresh_token: session.refresh_token.expose_secret().to_owned(),
            expires_at: session.expires_at,
        }
    }
}

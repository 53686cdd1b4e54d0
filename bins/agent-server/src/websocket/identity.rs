//! Who holds a connection, and whether they still may.

use crate::error::{ApiError, Result};
use crate::extract::credential;
use crate::state::AppState;
use actix_web::http::header::HeaderMap;
use agent_auth::{Credential, Principal, Scope};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::time::Instant;

const DAY: Duration = Duration::from_hours(24);

/// What another connection found out counts for this part of the interval: with it and the half second for which accounts
/// are known, whoever lost a right is out within five seconds.
const FRESH_PARTS: u32 = 4;

/// Credentials of open connections, each looked at once for all connections that rest on it.
#[derive(Default)]
pub(crate) struct Credentials(Mutex<HashMap<[u8; 32], Weak<Shown>>>);

/// A credential that was shown, and what was last found out about it.
struct Shown {
    token: SecretString,
    is_api_key: bool,
    digest: [u8; 32],
    last: tokio::sync::Mutex<Option<(Instant, Found)>>,
}

/// What a look at a credential says.
#[derive(Clone)]
enum Found {
    /// It is this caller's.
    Caller(Arc<Principal>),
    /// It is not accepted any more.
    Refused,
    /// That could not be found out.
    Unknown,
}

/// A user and the credential that proved them, which is shown again from time to time.
#[derive(Clone)]
pub(crate) struct Opened {
    /// Who it is.
    pub(crate) principal: Principal,
    shown: Arc<Shown>,
}

impl Credentials {
    fn of(&self, shown: Credential<'_>) -> Arc<Shown> {
        let (text, is_api_key) = match shown {
            Credential::Bearer(text) => (text, false),
            Credential::ApiKey(text) => (text, true),
        };
        let digest = Sha256::new().chain_update([u8::from(is_api_key)]).chain_update(text).finalize().into();
        let mut known = self.lock();
        if let Some(shown) = known.get(&digest).and_then(Weak::upgrade) {
            return shown;
        }
        // Those that are gone are swept when the table would grow.
        if known.len() == known.capacity() {
            known.retain(|_, shown| shown.strong_count() > 0);
        }
        let token = SecretString::from(text);
        let shown = Arc::new(Shown { token, is_api_key, digest, last: tokio::sync::Mutex::default() });
        known.insert(shown.digest, Arc::downgrade(&shown));
        shown
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Weak<Shown>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Opened {
    /// Finds out who shows a credential.
    ///
    /// # Errors
    /// As [`agent_auth::Authenticator::authenticate`].
    pub(crate) async fn authenticate(state: &AppState, shown: Credential<'_>) -> agent_auth::Result<Self> {
        let principal = state.agent().authenticator().authenticate(shown).await?;
        Ok(Self::of(state, principal, shown))
    }

    /// Somebody who was found out by this credential.
    pub(crate) fn of(state: &AppState, principal: Principal, shown: Credential<'_>) -> Self {
        Self { principal, shown: state.credentials().of(shown) }
    }

    /// Somebody who was found out by what a request shows.
    ///
    /// # Errors
    /// As [`credential`]; 500 where nothing is shown, which nobody is found out by.
    pub(crate) fn by(state: &AppState, principal: &Principal, headers: &HeaderMap) -> Result<Self> {
        let missing = || ApiError::internal("who asks is known and showed nothing");
        Ok(Self::of(state, principal.clone(), credential(headers)?.ok_or_else(missing)?))
    }

    /// How long the credential is still good; one without an end is to be shown anew after a day.
    pub(crate) fn lifetime(&self, state: &AppState) -> Duration {
        let now = state.agent().clock().now();
        self.principal.expires_at.map_or(DAY, |end| end.since(now)).min(DAY * 365)
    }

    /// What was shown.
    pub(crate) fn credential(&self) -> Credential<'_> {
        self.shown.credential()
    }

    /// Whether the credential is still accepted, and its owner still sees as much as when it was shown.
    ///
    /// # Errors
    /// Why not, in words.
    pub(crate) async fn recheck(&self, state: &AppState) -> Result<(), &'static str> {
        match self.shown.look(state).await {
            Found::Caller(now) if now.visibility() != self.principal.visibility() => {
                Err("your rights have changed")
            }
            Found::Caller(now) if self.principal.may(Scope::PlansRead) && !now.may(Scope::PlansRead) => {
                Err("your rights have changed")
            }
            Found::Caller(_) | Found::Unknown => Ok(()),
            Found::Refused => Err("the token is no longer accepted"),
        }
    }
}

impl Shown {
    fn credential(&self) -> Credential<'_> {
        let text = self.token.expose_secret();
        if self.is_api_key { Credential::ApiKey(text) } else { Credential::Bearer(text) }
    }

    /// Whose it is at this moment, unless another connection has found that out just now.
    async fn look(&self, state: &AppState) -> Found {
        let mut last = self.last.lock().await;
        let fresh = state.websocket().recheck_every / FRESH_PARTS;
        if let Some((at, found)) = last.as_ref()
            && at.elapsed() < fresh
        {
            return found.clone();
        }
        let found = match state.agent().authenticator().authenticate(self.credential()).await {
            Ok(now) => Found::Caller(Arc::new(now)),
            Err(agent_auth::Error::Store(_)) => Found::Unknown,
            Err(_) => Found::Refused,
        };
        *last = Some((Instant::now(), found.clone()));
        found
    }
}

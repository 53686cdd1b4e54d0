//! The front door: who is this caller?

mod accounts;
mod keys;
mod sessions;

pub use accounts::UpdateUser;
pub use keys::{CreatedKey, parse_scopes};
pub use sessions::Session;

use crate::api_key::{self, ParsedKey};
use crate::error::{Error, Result};
use crate::jwt::SigningKey;
use crate::password::Passwords;
use crate::ports::{Account, ApiKey, ApiKeyStore, RandomBytes, RefreshTokenStore, UserStore};
use crate::principal::{Principal, Scope};
use crate::random::SystemRandom;
use crate::throttle::Throttle;
use agent_core::ids::UserId;
use agent_core::ports::Clock;
use agent_core::time::Timestamp;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The last use of a key is noted at most this often.
const TOUCH_EVERY: Duration = Duration::from_mins(1);

/// Where accounts, keys and refresh tokens are kept; usually one store behind all three.
#[derive(Clone)]
pub struct Stores {
    /// Accounts.
    pub users: Arc<dyn UserStore>,
    /// API keys.
    pub keys: Arc<dyn ApiKeyStore>,
    /// Refresh tokens.
    pub refresh: Arc<dyn RefreshTokenStore>,
}

/// What a caller shows to be let in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Credential<'a> {
    /// What follows `Bearer`: an access token or an API key.
    Bearer(&'a str),
    /// An API key sent by itself.
    ApiKey(&'a str),
}

impl fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bearer(_) => "Credential::Bearer(..)",
            Self::ApiKey(_) => "Credential::ApiKey(..)",
        })
    }
}

impl<'a> Credential<'a> {
    /// Reads `Bearer <token>`, the scheme in any case.
    ///
    /// # Errors
    /// [`Error::InvalidToken`] for another scheme or a token with blanks.
    pub fn from_authorization(value: &'a str) -> Result<Self> {
        let (scheme, token) =
            value.split_once(' ').ok_or(Error::InvalidToken("no token after the scheme"))?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Error::InvalidToken("scheme is not Bearer"));
        }
        let token = token.trim_start_matches(' ');
        if token.is_empty() || token.contains(char::is_whitespace) {
            return Err(Error::InvalidToken("token is empty or has blanks"));
        }
        Ok(Self::Bearer(token))
    }
}

/// Lets callers in, keeps them out, and looks after accounts and keys.
///
/// Nothing is cached: each call reads the account, so a logout, a revoked key, a changed role or a disabled
/// account takes effect with the next call on every server.
pub struct Authenticator {
    stores: Stores,
    signing_key: SigningKey,
    passwords: Passwords,
    clock: Arc<dyn Clock>,
    random: Arc<dyn RandomBytes>,
    throttle: Mutex<Throttle>,
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator").field("signing_key", &self.signing_key).finish_non_exhaustive()
    }
}

impl Authenticator {
    /// Puts the parts together; secrets are made of the operating system's random numbers.
    pub fn new(stores: Stores, signing_key: SigningKey, passwords: Passwords, clock: Arc<dyn Clock>) -> Self {
        let random = Arc::new(SystemRandom);
        Self { stores, signing_key, passwords, clock, random, throttle: Mutex::default() }
    }

    /// Makes secrets, ids and salts from this source instead.
    #[must_use]
    pub fn with_random(self, random: Arc<dyn RandomBytes>) -> Self {
        Self { passwords: self.passwords.with_random(Arc::clone(&random)), random, ..self }
    }

    /// Who shows this credential, and what it may be used for.
    ///
    /// # Errors
    /// `InvalidToken`, `Expired`, `Disabled`: not let in. `Store`: cannot tell at the moment.
    pub async fn authenticate(&self, credential: Credential<'_>) -> Result<Principal> {
        match credential {
            Credential::ApiKey(text) => self.authenticate_key(text).await,
            Credential::Bearer(text) if api_key::is_api_key(text) => self.authenticate_key(text).await,
            Credential::Bearer(text) => self.authenticate_token(text).await,
        }
    }

    async fn authenticate_token(&self, token: &str) -> Result<Principal> {
        let claims = self.signing_key.verify(token, self.clock.now())?;
        let account = self.enabled_account(claims.user_id).await?;
        if account.tokens_valid_after != claims.epoch {
            return Err(Error::InvalidToken("the session was ended"));
        }
        let scopes = account.user.role.scopes().to_vec();
        Ok(principal(account, scopes, Some(claims.expires_at)))
    }

    async fn authenticate_key(&self, text: &str) -> Result<Principal> {
        let parsed = ParsedKey::parse(text)?;
        let Some((key, kept_hash)) = self.stores.keys.find_key(&parsed.public_id).await? else {
            return Err(Error::InvalidToken("unknown API key"));
        };
        if !parsed.matches(&kept_hash) {
            return Err(Error::InvalidToken("wrong secret of an API key"));
        }
        if key.revoked_at.is_some() {
            return Err(Error::InvalidToken("revoked API key"));
        }
        let now = self.clock.now();
        if key.expires_at.is_some_and(|end| now >= end) {
            return Err(Error::Expired);
        }
        let account = self.enabled_account(key.owner).await?;
        self.note_use(&key, now).await;
        let role = account.user.role;
        let scopes = key.scopes.into_iter().filter(|scope| role.scopes().contains(scope)).collect();
        Ok(principal(account, scopes, key.expires_at))
    }

    /// The last use is a courtesy to the owner; a store that cannot note it does not keep the caller out.
    async fn note_use(&self, key: &ApiKey, now: Timestamp) {
        if key.last_used_at.is_some_and(|last| now.since(last) < TOUCH_EVERY) {
            return;
        }
        if let Err(error) = self.stores.keys.touch(key.id, now).await {
            tracing::warn!(key = key.id, %error, "the use of an API key could not be noted");
        }
    }

    async fn enabled_account(&self, id: UserId) -> Result<Account> {
        let account = self.stores.users.find(id).await?.ok_or(Error::InvalidToken("the user is gone"))?;
        if account.user.disabled { Err(Error::Disabled) } else { Ok(account) }
    }

    fn throttle(&self) -> MutexGuard<'_, Throttle> {
        // Its state is a plain table of times, whole after every statement.
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn principal(account: Account, scopes: Vec<Scope>, expires_at: Option<Timestamp>) -> Principal {
    let user = account.user;
    Principal { user_id: user.id, username: user.username, role: user.role, scopes, expires_at }
}

//! The front door: who is this caller?

mod accounts;
mod administrators;
mod family;
mod first_accounts;
mod keys;
mod known;
mod proof;
mod sessions;
mod tenants;

pub use accounts::UpdateUser;
pub use keys::{CreatedKey, parse_scopes};
pub use sessions::Session;

use crate::api_key::{self, ParsedKey};
use crate::error::{Error, Result};
use crate::jwt::SigningKey;
use crate::password::Passwords;
use crate::ports::{
    Account, ApiKey, ApiKeyStore, RandomBytes, RefreshTokenStore, TenantStore, User, UserStore,
};
use crate::principal::{self, Principal, Scope};
use crate::random::SystemRandom;
use crate::throttle::Throttle;
use agent_core::ids::Owner;
use agent_core::ports::Clock;
use agent_core::time::Timestamp;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The last use of a key is noted at most this often.
const TOUCH_EVERY: Duration = Duration::from_mins(1);

/// Where accounts, tenants, keys and refresh tokens are kept; usually one store behind all four.
#[derive(Clone)]
pub struct Stores {
    /// Accounts.
    pub users: Arc<dyn UserStore>,
    /// Tenants and their members.
    pub tenants: Arc<dyn TenantStore>,
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
/// Rights come from the store and never from a token: a logout, a changed role, an ended membership or a disabled account
/// takes effect with the next call at the server that made the change, and within half a second at the others, which keep
/// what they have read for so long. Keys are looked up at each call.
pub struct Authenticator {
    stores: Stores,
    signing_key: SigningKey,
    passwords: Passwords,
    clock: Arc<dyn Clock>,
    random: Arc<dyn RandomBytes>,
    throttle: Mutex<Throttle>,
    known: known::KnownAccounts,
    /// Held while a one-time password is used up, so that of two who show it at once one is let in.
    one_time: tokio::sync::Mutex<()>,
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
        let (throttle, one_time) = (Mutex::default(), tokio::sync::Mutex::default());
        let known = known::KnownAccounts::default();
        Self { stores, signing_key, passwords, clock, random, throttle, known, one_time }
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
        let account = self.enabled_account(claims.owner(), Some(claims.epoch)).await?;
        if account.tokens_valid_after != claims.epoch {
            return Err(Error::InvalidToken("the session was ended"));
        }
        let scopes = principal::scopes_of(account.user.role, account.user.operator);
        Ok(Caller { key_id: None, scopes, expires_at: Some(claims.expires_at) }.principal(account.user))
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
        let account = self.enabled_account(key.owner, None).await?;
        self.note_use(&key, now).await;
        let (role, operator) = (account.user.role, account.user.operator);
        let scopes = key.scopes.into_iter().filter(|scope| principal::has(role, operator, *scope)).collect();
        Ok(Caller { key_id: Some(key.id), scopes, expires_at: key.expires_at }.principal(account.user))
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

    /// The account, as the store has it where what is known of it would keep the caller out: they may just have logged in
    /// again at another server.
    async fn enabled_account(&self, member: Owner, epoch: Option<Timestamp>) -> Result<Account> {
        let now = self.clock.now();
        let lets_in = |account: &Account| {
            !account.user.disabled && epoch.is_none_or(|epoch| epoch == account.tokens_valid_after)
        };
        match self.known.find(member, now).filter(lets_in) {
            Some(account) => Ok(account),
            None => self.read_enabled_account(member).await,
        }
    }

    /// The account as the store has it at this moment.
    async fn read_enabled_account(&self, member: Owner) -> Result<Account> {
        let (since, now) = (self.known.begin(), self.clock.now());
        let account = self.stores.users.find(member).await?;
        let account = account.ok_or(Error::InvalidToken("the user is gone or no longer a member"))?;
        self.known.keep(since, member, &account, now);
        if account.user.disabled { Err(Error::Disabled) } else { Ok(account) }
    }

    fn throttle(&self) -> MutexGuard<'_, Throttle> {
        // Its state is a plain table of times, whole after every statement.
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the credential says about a caller, beside who its owner is.
struct Caller {
    key_id: Option<i64>,
    scopes: Vec<Scope>,
    expires_at: Option<Timestamp>,
}

impl Caller {
    fn principal(self, user: User) -> Principal {
        let Self { key_id, scopes, expires_at } = self;
        let User { id, username, tenant, role, operator, .. } = user;
        Principal { user_id: id, tenant, username, role, operator, scopes, key_id, expires_at }
    }
}

impl User {
    /// The user as a member of the tenant that this is about.
    pub fn member(&self) -> Owner {
        Owner { tenant: self.tenant, user: self.id }
    }
}

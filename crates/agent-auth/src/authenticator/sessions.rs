//! Logging in, staying in and logging out.

use super::Authenticator;
use crate::error::{Error, Result};
use crate::jwt::ACCESS_TOKEN_LIFETIME;
use crate::password::{Slot, Verdict, check_password_rules};
use crate::ports::{Account, NewRefreshToken, Redeemed, User, UserChange};
use crate::principal::Principal;
use crate::random::{self, SECRET_CHARS};
use crate::throttle::Origin;
use crate::username::check_username;
use agent_core::ids::UserId;
use agent_core::time::Timestamp;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use std::fmt;
use std::time::Duration;

/// How long an unused refresh token is accepted; each use gives a new one.
const REFRESH_TOKEN_LIFETIME: Duration = Duration::from_hours(14 * 24);
const REFRESH_PREFIX: &str = "rt_";
const FAMILY_CHARS: usize = 22;
/// Stands for the source when a logged-in user proves the present password.
const PASSWORD_CHANGE: &str = "password change";

/// What a caller gets for a good login or refresh token.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// JWT for `Authorization: Bearer`.
    pub access_token: String,
    /// Buys the next session, once.
    pub refresh_token: String,
    /// How long the access token is accepted: 3600.
    pub expires_in_seconds: u64,
    /// When the access token ends.
    pub expires_at: Timestamp,
    /// Who logged in.
    pub user: User,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("user", &self.user)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl Authenticator {
    /// Opens a session for a name and password. `source` says where the caller comes from (an address), so
    /// that guessing from one place does not lock the owner out in another.
    ///
    /// # Errors
    /// `InvalidCredentials`, `Disabled` (right password only), `TooManyAttempts`, `Busy`, `Store`, `Cryptography`.
    pub async fn login(&self, username: &str, password: &SecretString, source: &str) -> Result<Session> {
        let account = self.prove_password(username, password, source).await?;
        if account.user.disabled {
            return Err(Error::Disabled);
        }
        // The epoch is part of the family's name: when the account's epoch moves on, all its refresh
        // tokens die in that same write, whatever else is in flight.
        let family = random::base62(&*self.random, FAMILY_CHARS)?;
        let family = format!("{}.{family}", account.tokens_valid_after.as_micros());
        self.open_session(account, family).await
    }

    /// Opens the next session; the refresh token is used up. One that comes twice ends all sessions of its login.
    ///
    /// # Errors
    /// `InvalidToken`, `RefreshTokenReused`, `Disabled`, `Store`, `Cryptography`.
    pub async fn refresh(&self, token: &str) -> Result<Session> {
        let secret = token.strip_prefix(REFRESH_PREFIX).unwrap_or_default();
        if secret.len() != SECRET_CHARS || !random::is_base62(secret) {
            return Err(Error::InvalidToken("not a refresh token"));
        }
        match self.stores.refresh.redeem(&Sha256::digest(token), self.clock.now()).await? {
            Redeemed::Refused => Err(Error::InvalidToken("unknown or ended refresh token")),
            Redeemed::Reused { user } => {
                tracing::warn!(user = user.get(), "a refresh token was used twice; its family is revoked");
                Err(Error::RefreshTokenReused { user })
            }
            Redeemed::Accepted { user, family } => {
                let account = self.enabled_account(user).await?;
                let epoch = account.tokens_valid_after.as_micros().to_string();
                if family.split_once('.').is_none_or(|(of_login, _)| of_login != epoch) {
                    return Err(Error::InvalidToken("the session was ended"));
                }
                self.open_session(account, family).await
            }
        }
    }

    /// Ends every session of the caller, everywhere: all access and refresh tokens. API keys stay.
    ///
    /// # Errors
    /// `UserNotFound`, `Store`.
    pub async fn logout(&self, principal: &Principal) -> Result<()> {
        self.end_sessions(principal.user_id, UserChange::default()).await?;
        Ok(())
    }

    /// Changes the caller's own password and ends all sessions, the present one too.
    ///
    /// # Errors
    /// `InvalidCredentials` when `current` is wrong, `WeakPassword`, `TooManyAttempts`, `Busy`, `Disabled`, `Store`,
    /// `Cryptography`.
    pub async fn change_password(
        &self,
        principal: &Principal,
        current: &SecretString,
        new: &SecretString,
    ) -> Result<()> {
        let account = self.prove_password(&principal.username, current, PASSWORD_CHANGE).await?;
        if account.user.id != principal.user_id {
            return Err(Error::InvalidCredentials);
        }
        check_password_rules(new, &account.user.username)?;
        let change =
            UserChange { password_hash: Some(self.passwords.hash(new).await?), ..UserChange::default() };
        self.end_sessions(account.user.id, change).await?;
        Ok(())
    }

    /// Applies a change and moves the account's epoch on, in one write; the epoch always grows, even when the
    /// clock was set back.
    pub(super) async fn end_sessions(&self, id: UserId, mut change: UserChange) -> Result<User> {
        let account = self.stores.users.find(id).await?.ok_or(Error::UserNotFound(id))?;
        let next = account.tokens_valid_after.plus(Duration::from_micros(1));
        change.tokens_valid_after = Some(next.max(self.clock.now()));
        let user = self.stores.users.update(id, &change).await?.ok_or(Error::UserNotFound(id))?;
        self.stores.refresh.revoke_all(id).await?;
        Ok(user)
    }

    async fn open_session(&self, account: Account, family: String) -> Result<Session> {
        let now = self.clock.now();
        let user = account.user;
        let issued = self.signing_key.issue(user.id, account.tokens_valid_after, now, &*self.random)?;
        let refresh_token = format!("{REFRESH_PREFIX}{}", random::base62(&*self.random, SECRET_CHARS)?);
        let kept = NewRefreshToken {
            token_hash: Sha256::digest(&refresh_token).to_vec(),
            user: user.id,
            family,
            expires_at: now.plus(REFRESH_TOKEN_LIFETIME),
        };
        self.stores.refresh.keep(&kept).await?;
        Ok(Session {
            access_token: issued.token,
            refresh_token,
            expires_in_seconds: ACCESS_TOKEN_LIFETIME.as_secs(),
            expires_at: issued.expires_at,
            user,
        })
    }

    /// The account whose password this is. A failure is counted while the core is still held, so parallel
    /// guesses get at most one try per core beyond the limit.
    async fn prove_password(&self, username: &str, password: &SecretString, source: &str) -> Result<Account> {
        let origin = Origin::new(username, source);
        self.refuse_throttled(&origin)?;
        let account = match check_username(username) {
            Ok(()) => self.stores.users.find_by_name(username).await?,
            Err(_) => None,
        };
        let slot = self.passwords.slot().await?;
        // Others of this origin may have failed while this one waited for its turn.
        self.refuse_throttled(&origin)?;
        let kept = account.as_ref().map(|account| account.password_hash.as_str());
        let (slot, verdict) = slot.verify(password, kept).await?;
        match (verdict, account) {
            (Verdict::Right, Some(account)) => {
                self.throttle().forget(&origin);
                Ok(account)
            }
            (Verdict::RightButOutdated, Some(account)) => {
                self.throttle().forget(&origin);
                self.renew_hash(slot, &account, password).await;
                Ok(account)
            }
            (_, account) => {
                self.throttle().record(origin, self.clock.now());
                let user = account.map(|account| account.user.id.get());
                tracing::info!(user, source, "a login failed");
                Err(Error::InvalidCredentials)
            }
        }
    }

    fn refuse_throttled(&self, origin: &Origin) -> Result<()> {
        match self.throttle().wait(origin, self.clock.now()) {
            Some(retry_after) => Err(Error::TooManyAttempts { retry_after }),
            None => Ok(()),
        }
    }

    /// Brings an old hash to the present cost. The login is good either way, so a failure is only logged.
    async fn renew_hash(&self, slot: Slot, account: &Account, password: &SecretString) {
        if let Err(error) = self.try_renew_hash(slot, account, password).await {
            tracing::warn!(user = account.user.id.get(), %error, "a password hash was not renewed");
        }
    }

    async fn try_renew_hash(&self, slot: Slot, account: &Account, password: &SecretString) -> Result<()> {
        let (_, hash) = slot.hash(password).await?;
        let id = account.user.id;
        // The password may have been changed meanwhile; the old one must not come back.
        let unchanged = |now: Account| now.password_hash == account.password_hash;
        if self.stores.users.find(id).await?.is_some_and(unchanged) {
            let change = UserChange { password_hash: Some(hash), ..UserChange::default() };
            self.stores.users.update(id, &change).await?;
        }
        Ok(())
    }
}

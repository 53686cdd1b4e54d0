//! Logging in, staying in and logging out.

use super::Authenticator;
use super::family::Family;
use super::proof::Claim;
use crate::error::{Error, Result};
use crate::jwt::ACCESS_TOKEN_LIFETIME;
use crate::name::{check_tenant_name, check_username};
use crate::password::check_password_rules;
use crate::ports::{Account, NewRefreshToken, Redeemed, User, UserChange};
use crate::principal::{Principal, scopes_of};
use crate::random::{self, SECRET_CHARS};
use agent_core::ids::Owner;
use agent_core::time::Timestamp;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use std::fmt;
use std::time::Duration;

/// How long an unused refresh token is accepted; each use gives a new one, until the login is over.
const REFRESH_TOKEN_LIFETIME: Duration = Duration::from_hours(14 * 24);
const REFRESH_PREFIX: &str = "rt_";
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

impl Session {
    /// Who logged in, with what the session's access token may be used for.
    pub fn principal(&self) -> Principal {
        let User { id, tenant, role, operator, .. } = self.user;
        Principal {
            user_id: id,
            tenant,
            username: self.user.username.clone(),
            role,
            operator,
            scopes: scopes_of(role, operator),
            key_id: None,
            expires_at: Some(self.expires_at),
        }
    }
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
    /// Opens a session for a name and password, in the tenant of that name or else where the user is at home. `source`
    /// says where the caller comes from (an address), so that guessing from one place does not lock the owner out in
    /// another. A tenant that does not exist, or that the user is no member of, is answered as a wrong password is.
    ///
    /// # Errors
    /// `InvalidCredentials`, `Disabled` and `OneTimePasswordSpent` (right password only), `TooManyAttempts`, `Busy`,
    /// `Store`, `Cryptography`.
    pub async fn login(
        &self,
        username: &str,
        password: &SecretString,
        tenant: Option<&str>,
        source: &str,
    ) -> Result<Session> {
        let find = async {
            let is_possible =
                check_username(username).is_ok() && tenant.map_or(Ok(()), check_tenant_name).is_ok();
            if is_possible { self.stores.users.find_by_name(username, tenant).await } else { Ok(None) }
        };
        let account = self.prove_password(Claim { username, source }, password, find).await?;
        if account.user.disabled {
            return Err(Error::Disabled);
        }
        self.use_up_password(&account).await?;
        let family = Family::new(account.tokens_valid_after, self.clock.now(), &*self.random)?;
        self.open_session(account, &family).await
    }

    /// Opens the next session, in the same tenant; the refresh token is used up. One that comes twice ends all sessions
    /// of its login. Ninety days after the login no token renews it any more.
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
            Redeemed::Reused { owner } => {
                tracing::warn!(%owner, "a refresh token was used twice; its family is revoked");
                Err(Error::RefreshTokenReused { owner })
            }
            Redeemed::Accepted { owner, family } => {
                let account = self.read_enabled_account(owner).await?;
                let family = Family::parse(&family).filter(|family| family.is_of(account.tokens_valid_after));
                let family = family.ok_or(Error::InvalidToken("the session was ended"))?;
                if self.clock.now() >= family.ends_at() {
                    return Err(Error::InvalidToken("the login is too long ago"));
                }
                self.open_session(account, &family).await
            }
        }
    }

    /// Ends every session of the caller, everywhere: all access and refresh tokens. API keys stay.
    ///
    /// # Errors
    /// `UserNotFound`, `Store`.
    pub async fn logout(&self, principal: &Principal) -> Result<()> {
        self.end_sessions(principal.owner(), UserChange::default()).await?;
        Ok(())
    }

    /// Changes the caller's own password and ends all sessions, the present one too. A one-time password that was used
    /// up is good as `current` still: the session that it opened is there to set a real one.
    ///
    /// # Errors
    /// `InvalidCredentials` when `current` is wrong, `WeakPassword`, `TooManyAttempts`, `Busy`, `Store`,
    /// `Cryptography`.
    pub async fn change_password(
        &self,
        principal: &Principal,
        current: &SecretString,
        new: &SecretString,
    ) -> Result<()> {
        let claim = Claim { username: &principal.username, source: PASSWORD_CHANGE };
        let find = self.stores.users.find(principal.owner());
        let account = self.prove_password(claim, current, find).await?;
        check_password_rules(new, &account.user.username)?;
        let change =
            UserChange { password_hash: Some(self.passwords.hash(new).await?), ..UserChange::default() };
        self.end_sessions(account.user.member(), change).await?;
        Ok(())
    }

    /// Applies a change and moves the account's epoch on, in one write, which ends its sessions in all tenants; the epoch
    /// always grows, even when the clock was set back.
    pub(super) async fn end_sessions(&self, member: Owner, mut change: UserChange) -> Result<User> {
        let account = self.find_member(member).await?;
        let next = account.tokens_valid_after.plus(Duration::from_micros(1));
        change.tokens_valid_after = Some(next.max(self.clock.now()));
        let user = self.change_account(member, &change).await?;
        self.stores.refresh.revoke_all(member.user).await?;
        Ok(user)
    }

    /// Writes a change of an account, which counts here from the next call on.
    pub(super) async fn change_account(&self, member: Owner, change: &UserChange) -> Result<User> {
        let user = self.stores.users.update(member, change).await;
        self.known.forget();
        user?.ok_or(Error::UserNotFound(member.user))
    }

    async fn open_session(&self, account: Account, family: &Family) -> Result<Session> {
        let now = self.clock.now();
        let user = account.user;
        let issued = self.signing_key.issue(user.member(), account.tokens_valid_after, now, &*self.random)?;
        let refresh_token = format!("{REFRESH_PREFIX}{}", random::secret(&*self.random)?);
        let kept = NewRefreshToken {
            token_hash: Sha256::digest(&refresh_token).to_vec(),
            owner: user.member(),
            family: family.to_string(),
            expires_at: now.plus(REFRESH_TOKEN_LIFETIME).min(family.ends_at()),
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
}

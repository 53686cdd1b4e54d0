//! Proving a password: slowly for who guesses, and in the same time whether or not there is such a user.

use super::Authenticator;
use crate::error::{Error, Result};
use crate::password::{Slot, Verdict};
use crate::ports::{Account, UserChange};
use crate::throttle::Origin;
use secrecy::SecretString;

/// Who says that a password is theirs, and where they say so.
pub(super) struct Claim<'a> {
    pub(super) username: &'a str,
    /// An address, or what stands for one.
    pub(super) source: &'a str,
}

impl Authenticator {
    /// The account whose password this is, looked up by `find` when the throttle lets it. A failure is counted while
    /// the core is still held, so parallel guesses get at most one try per core beyond the limit.
    pub(super) async fn prove_password(
        &self,
        claim: Claim<'_>,
        password: &SecretString,
        find: impl Future<Output = agent_core::Result<Option<Account>>>,
    ) -> Result<Account> {
        let Claim { username, source } = claim;
        let origin = Origin::new(username, source);
        self.refuse_throttled(&origin)?;
        let account = find.await?;
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

    /// Uses up a password that may be used once, which only that of the first administrator is.
    pub(super) async fn use_up_password(&self, account: &Account) -> Result<()> {
        if account.password_expires_at.is_none() {
            return Ok(());
        }
        let _alone = self.one_time.lock().await;
        let (member, now) = (account.user.member(), self.clock.now());
        // Somebody may have been let in with it, or may have set another, while this one was checked.
        let is_unused = |latest: Account| {
            latest.password_hash == account.password_hash
                && latest.password_expires_at.is_some_and(|end| now < end)
        };
        if !self.stores.users.find(member).await?.is_some_and(is_unused) {
            return Err(Error::OneTimePasswordSpent);
        }
        let change = UserChange { password_expires_at: Some(now), ..UserChange::default() };
        self.stores.users.update(member, &change).await?;
        Ok(())
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
        // A new hash would take away the end of a one-time password.
        if account.password_expires_at.is_some() {
            return Ok(());
        }
        let (_, hash) = slot.hash(password).await?;
        let member = account.user.member();
        // The password may have been changed meanwhile; the old one must not come back.
        let unchanged = |now: Account| now.password_hash == account.password_hash;
        if self.stores.users.find(member).await?.is_some_and(unchanged) {
            let change = UserChange { password_hash: Some(hash), ..UserChange::default() };
            self.stores.users.update(member, &change).await?;
        }
        Ok(())
    }
}

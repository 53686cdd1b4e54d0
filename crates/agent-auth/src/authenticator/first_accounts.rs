//! The accounts that a server begins with.

use super::Authenticator;
use crate::error::Result;
use crate::password::{Verdict, check_password_rules};
use crate::ports::{Account, NewUser, User, UserChange};
use crate::principal::Role;
use crate::random;
use agent_core::ids::TenantId;
use agent_core::time::Timestamp;
use secrecy::SecretString;
use std::time::Duration;

const ADMIN: &str = "admin";
const DEMO_ACCOUNTS: [(&str, &str, Role); 2] =
    [("demo", "demo123", Role::User), (ADMIN, "admin123", Role::Admin)];
const ONE_TIME_PASSWORD_CHARS: usize = 24;
/// How long a password is good that the server made: it was printed somewhere.
const ONE_TIME_PASSWORD_LIFETIME: Duration = Duration::from_hours(1);

impl Authenticator {
    /// Makes the accounts `demo`/`demo123` and `admin`/`admin123` in the tenant that every server has, past all
    /// password rules: only for a server that nobody else can reach. Accounts of these names that exist already stay as
    /// they are.
    ///
    /// # Errors
    /// `Busy`, `Store`, `Cryptography`.
    pub async fn create_demo_accounts(&self) -> Result<()> {
        for (username, password, role) in DEMO_ACCOUNTS {
            if self.stores.users.find_by_name(username, None).await?.is_none() {
                self.insert_first((username, role), &password.into(), None).await?;
            }
        }
        Ok(())
    }

    /// The enabled accounts that have a demo password, so that a server others can reach may refuse to start
    /// on a database that was once used for a demo.
    ///
    /// # Errors
    /// `Busy`, `Store`, `Cryptography`.
    pub async fn find_demo_accounts(&self) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for (username, password, _) in DEMO_ACCOUNTS {
            let Some(account) = self.stores.users.find_by_name(username, None).await? else { continue };
            let verdict = self.passwords.verify(&password.into(), Some(&account.password_hash)).await?;
            if verdict != Verdict::Wrong && !account.user.disabled {
                found.push(account.user.username);
            }
        }
        Ok(found)
    }

    /// Sees to it that somebody can log in: where there are no users yet, makes the administrator and operator `admin`
    /// with the given password, or with a random one that is returned to be shown and is kept nowhere. That one lets
    /// its owner in once within the hour, to set a real one. While nobody has set one, a later start sets the given
    /// password, or makes a random one anew when the last was used or is over.
    ///
    /// # Errors
    /// `WeakPassword`, `Busy`, `Store`, `Cryptography`.
    pub async fn ensure_admin(&self, password: Option<SecretString>) -> Result<Option<String>> {
        if self.stores.users.is_empty().await? {
            return self.make_admin(password).await;
        }
        match self.stores.users.find_by_name(ADMIN, None).await? {
            Some(Account { user, password_expires_at: Some(end), .. }) => {
                self.renew_admin(&user, end, password).await
            }
            Some(_) | None => Ok(None),
        }
    }

    async fn make_admin(&self, password: Option<SecretString>) -> Result<Option<String>> {
        let admin = (ADMIN, Role::Admin);
        if let Some(password) = password {
            check_password_rules(&password, ADMIN)?;
            self.insert_first(admin, &password, None).await?;
            return Ok(None);
        }
        let generated = random::base62(&*self.random, ONE_TIME_PASSWORD_CHARS)?;
        let created = self.insert_first(admin, &generated.as_str().into(), Some(self.one_hour_on())).await?;
        // Another server that starts at the same time may have been first; then its password is the one.
        Ok(created.map(|_| generated))
    }

    /// Gives the first administrator a way in again who never set a password; sessions of whoever came in with the last
    /// one end.
    async fn renew_admin(
        &self,
        admin: &User,
        end: Timestamp,
        password: Option<SecretString>,
    ) -> Result<Option<String>> {
        if let Some(password) = password {
            check_password_rules(&password, ADMIN)?;
            let password_hash = Some(self.passwords.hash(&password).await?);
            self.end_sessions(admin.member(), UserChange { password_hash, ..UserChange::default() }).await?;
            return Ok(None);
        }
        if self.clock.now() < end {
            return Ok(None);
        }
        let generated = random::base62(&*self.random, ONE_TIME_PASSWORD_CHARS)?;
        let change = UserChange {
            password_hash: Some(self.passwords.hash(&generated.as_str().into()).await?),
            password_expires_at: Some(self.one_hour_on()),
            ..UserChange::default()
        };
        self.end_sessions(admin.member(), change).await?;
        Ok(Some(generated))
    }

    fn one_hour_on(&self) -> Timestamp {
        self.clock.now().plus(ONE_TIME_PASSWORD_LIFETIME)
    }

    /// An account past all rules; administrators among the first are operators too.
    async fn insert_first(
        &self,
        (username, role): (&str, Role),
        password: &SecretString,
        password_expires_at: Option<Timestamp>,
    ) -> Result<Option<User>> {
        let user = NewUser {
            username: username.to_owned(),
            password_hash: self.passwords.hash(password).await?,
            password_expires_at,
            tenant: TenantId::DEFAULT,
            role,
            operator: role == Role::Admin,
            request_key: None,
        };
        Ok(self.stores.users.create(&user, self.clock.now()).await?)
    }
}

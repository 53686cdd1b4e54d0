//! Looking after accounts. Whoever calls these has checked that the caller may ([`Scope::UsersManage`]).
//!
//! [`Scope::UsersManage`]: crate::Scope::UsersManage

use super::Authenticator;
use crate::error::{Error, Result};
use crate::password::{Verdict, check_password_rules};
use crate::ports::{NewUser, RequestKey, User, UserChange};
use crate::principal::{Principal, Role};
use crate::random;
use crate::username::check_username;
use agent_core::ids::UserId;
use agent_core::plan::Idempotency;
use secrecy::SecretString;

const ADMIN: &str = "admin";
const DEMO_ACCOUNTS: [(&str, &str, Role); 2] =
    [("demo", "demo123", Role::User), (ADMIN, "admin123", Role::Admin)];
const ONE_TIME_PASSWORD_CHARS: usize = 24;

/// What changes about a user; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct UpdateUser {
    /// A new role; takes effect with the user's next call.
    pub role: Option<Role>,
    /// Disable or enable. Disabling ends all sessions, and enabling does not bring them back.
    pub disabled: Option<bool>,
    /// A new password, set by an administrator; ends all sessions.
    pub password: Option<SecretString>,
}

impl Authenticator {
    /// Makes an account.
    ///
    /// # Errors
    /// `InvalidUsername`, `WeakPassword`, `UsernameTaken`, `Busy`, `Store`, `Cryptography`.
    pub async fn create_user(&self, username: &str, password: &SecretString, role: Role) -> Result<User> {
        check_username(username)?;
        check_password_rules(password, username)?;
        self.insert_user(username, password, role, None).await?.ok_or(Error::UsernameTaken)
    }

    /// As [`Authenticator::create_user`], for a caller whose repeated request finds the user of the first.
    ///
    /// # Errors
    /// As [`Authenticator::create_user`]; `Store` with `IdempotencyMismatch` when the key came with another request.
    pub async fn create_user_once(
        &self,
        caller: &Principal,
        (username, password, role): (&str, &SecretString, Role),
        idempotency: &Idempotency,
    ) -> Result<User> {
        check_username(username)?;
        check_password_rules(password, username)?;
        let owner = caller.user_id;
        // What recognises the request knows the password, so that it is kept under the signing secret only.
        let parts = ["user", &owner.to_string(), &idempotency.key, &idempotency.fingerprint];
        let idempotency =
            Idempotency { key: idempotency.key.clone(), fingerprint: self.signing_key.derive(&parts)? };
        let request_key = Some(RequestKey { owner, idempotency });
        let created = self.insert_user(username, password, role, request_key).await?;
        created.ok_or(Error::UsernameTaken)
    }

    /// All users by id.
    ///
    /// # Errors
    /// `Store`.
    pub async fn list_users(&self) -> Result<Vec<User>> {
        Ok(self.stores.users.list().await?)
    }

    /// One user.
    ///
    /// # Errors
    /// `UserNotFound`, `Store`.
    pub async fn find_user(&self, id: UserId) -> Result<User> {
        let account = self.stores.users.find(id).await?.ok_or(Error::UserNotFound(id))?;
        Ok(account.user)
    }

    /// Changes an account.
    ///
    /// # Errors
    /// `UserNotFound`, `WeakPassword`, `LastAdmin`, `Busy`, `Store`, `Cryptography`.
    pub async fn update_user(&self, id: UserId, update: &UpdateUser) -> Result<User> {
        let user = self.find_user(id).await?;
        let stays_admin = update.role.unwrap_or(user.role) == Role::Admin;
        let stays_enabled = !update.disabled.unwrap_or(user.disabled);
        if !(stays_admin && stays_enabled) && self.is_last_admin(&user).await? {
            return Err(Error::LastAdmin);
        }
        let mut change = UserChange { role: update.role, disabled: update.disabled, ..UserChange::default() };
        if let Some(password) = &update.password {
            check_password_rules(password, &user.username)?;
            change.password_hash = Some(self.passwords.hash(password).await?);
        }
        if change.password_hash.is_some() || update.disabled == Some(true) {
            return self.end_sessions(id, change).await;
        }
        self.stores.users.update(id, &change).await?.ok_or(Error::UserNotFound(id))
    }

    /// Makes the accounts `demo`/`demo123` and `admin`/`admin123`, past all password rules: only for a server
    /// that nobody else can reach. Accounts of these names that exist already stay as they are.
    ///
    /// # Errors
    /// `Busy`, `Store`, `Cryptography`.
    pub async fn create_demo_accounts(&self) -> Result<()> {
        for (username, password, role) in DEMO_ACCOUNTS {
            if self.stores.users.find_by_name(username).await?.is_none() {
                self.insert_user(username, &password.into(), role, None).await?;
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
            let Some(account) = self.stores.users.find_by_name(username).await? else { continue };
            let verdict = self.passwords.verify(&password.into(), Some(&account.password_hash)).await?;
            if verdict != Verdict::Wrong && !account.user.disabled {
                found.push(account.user.username);
            }
        }
        Ok(found)
    }

    /// Sees to it that somebody can log in: where there are no users yet, makes the administrator `admin` with
    /// the given password, or with a random one that is returned to be shown once and is kept nowhere.
    ///
    /// # Errors
    /// `WeakPassword`, `Busy`, `Store`, `Cryptography`.
    pub async fn ensure_admin(&self, password: Option<SecretString>) -> Result<Option<String>> {
        if !self.stores.users.list().await?.is_empty() {
            return Ok(None);
        }
        if let Some(password) = password {
            check_password_rules(&password, ADMIN)?;
            self.insert_user(ADMIN, &password, Role::Admin, None).await?;
            return Ok(None);
        }
        let generated = random::base62(&*self.random, ONE_TIME_PASSWORD_CHARS)?;
        let created = self.insert_user(ADMIN, &generated.as_str().into(), Role::Admin, None).await?;
        // Another server that starts at the same time may have been first; then its password is the one.
        Ok(created.map(|_| generated))
    }

    async fn insert_user(
        &self,
        username: &str,
        password: &SecretString,
        role: Role,
        request_key: Option<RequestKey>,
    ) -> Result<Option<User>> {
        let password_hash = self.passwords.hash(password).await?;
        let user = NewUser { username: username.to_owned(), password_hash, role, request_key };
        Ok(self.stores.users.create(&user, self.clock.now()).await?)
    }

    async fn is_last_admin(&self, user: &User) -> Result<bool> {
        let is_active_admin = |user: &User| user.role == Role::Admin && !user.disabled;
        if !is_active_admin(user) {
            return Ok(false);
        }
        let users = self.stores.users.list().await?;
        Ok(!users.iter().any(|other| other.id != user.id && is_active_admin(other)))
    }
}

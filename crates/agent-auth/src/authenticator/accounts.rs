//! Looking after the members of the caller's tenant. Whoever calls these has checked that the caller may
//! ([`Scope::UsersManage`]); members of other tenants do not seem to exist.
//!
//! [`Scope::UsersManage`]: crate::Scope::UsersManage

use super::Authenticator;
use super::administrators::is_enabled_admin;
use crate::error::{Error, Result};
use crate::name::check_username;
use crate::password::check_password_rules;
use crate::ports::{Account, NewUser, RequestKey, User, UserChange};
use crate::principal::{Principal, Role, Scope};
use agent_core::ids::{Owner, TenantId, UserId};
use agent_core::plan::Idempotency;
use secrecy::SecretString;

/// What changes about a user; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct UpdateUser {
    /// A new role in the caller's tenant; takes effect with the user's next call.
    pub role: Option<Role>,
    /// Whether they look after the server itself; only for operators to say.
    pub operator: Option<bool>,
    /// Disable or enable. Disabling ends all sessions, and enabling does not bring them back. Only in the tenant that
    /// made the account.
    pub disabled: Option<bool>,
    /// A new password, set by an administrator; ends all sessions. Only in the tenant that made the account.
    pub password: Option<SecretString>,
}

impl UpdateUser {
    fn touches_the_account(&self) -> bool {
        self.disabled.is_some() || self.password.is_some()
    }
}

impl Authenticator {
    /// Makes an account whose home is the caller's tenant.
    ///
    /// # Errors
    /// `InvalidUsername`, `WeakPassword`, `UsernameTaken`, `Busy`, `Store`, `Cryptography`.
    pub async fn create_user(
        &self,
        caller: &Principal,
        username: &str,
        password: &SecretString,
        role: Role,
    ) -> Result<User> {
        self.make_user(caller.tenant, (username, password, role), None).await
    }

    /// As [`Authenticator::create_user`], for a caller whose repeated request finds the user of the first.
    ///
    /// # Errors
    /// As [`Authenticator::create_user`]; `Store` with `IdempotencyMismatch` when the key came with another request.
    pub async fn create_user_once(
        &self,
        caller: &Principal,
        user: (&str, &SecretString, Role),
        idempotency: &Idempotency,
    ) -> Result<User> {
        let request_key = self.user_request(caller, caller.tenant, idempotency)?;
        self.make_user(caller.tenant, user, Some(request_key)).await
    }

    /// All members of the caller's tenant by id.
    ///
    /// # Errors
    /// `Store`.
    pub async fn list_users(&self, caller: &Principal) -> Result<Vec<User>> {
        Ok(self.stores.users.list(caller.tenant).await?)
    }

    /// One member of the caller's tenant.
    ///
    /// # Errors
    /// `UserNotFound`, `Store`.
    pub async fn find_user(&self, caller: &Principal, id: UserId) -> Result<User> {
        Ok(self.find_member(Owner { tenant: caller.tenant, user: id }).await?.user)
    }

    /// Changes a member of the caller's tenant.
    ///
    /// That its last enabled administrator stays is seen to in this tenant only: where else a disabled account was
    /// the last one, operators put that right.
    ///
    /// # Errors
    /// `UserNotFound`, `NotAtHome`, `OperatorOnly`, `WeakPassword`, `LastAdmin`, `LastOperator`, `Busy`, `Store`,
    /// `Cryptography`.
    pub async fn update_user(&self, caller: &Principal, id: UserId, update: &UpdateUser) -> Result<User> {
        let member = Owner { tenant: caller.tenant, user: id };
        let account = self.find_member(member).await?;
        refuse_forbidden(caller, &account, update)?;
        let becomes = User {
            role: update.role.unwrap_or(account.user.role),
            operator: update.operator.unwrap_or(account.user.operator),
            disabled: update.disabled.unwrap_or(account.user.disabled),
            ..account.user.clone()
        };
        if !is_enabled_admin(&becomes) {
            self.refuse_last_admin(&account.user).await?;
        }
        if !becomes.operator || becomes.disabled {
            self.refuse_last_operator(&account.user).await?;
        }
        let mut change = UserChange {
            role: update.role,
            operator: update.operator,
            disabled: update.disabled,
            ..UserChange::default()
        };
        if let Some(password) = &update.password {
            check_password_rules(password, &account.user.username)?;
            change.password_hash = Some(self.passwords.hash(password).await?);
        }
        if change.password_hash.is_some() || update.disabled == Some(true) {
            return self.end_sessions(member, change).await;
        }
        self.change_account(member, &change).await
    }

    /// Ends a membership of the caller's tenant, with the API keys that work in it. Where the account is at home it is
    /// disabled too, everywhere, and its sessions end. Its name stays taken, so that whoever bears it in the records is
    /// never somebody else.
    ///
    /// # Errors
    /// `UserNotFound`, `OwnAccount`, `OperatorOnly`, `LastAdmin`, `LastOperator`, `Store`.
    pub async fn remove_user(&self, caller: &Principal, id: UserId) -> Result<()> {
        let member = Owner { tenant: caller.tenant, user: id };
        let account = self.find_member(member).await?;
        if id == caller.user_id {
            return Err(Error::OwnAccount);
        }
        let disabling = UpdateUser { disabled: Some(true), ..UpdateUser::default() };
        let is_at_home = account.home == caller.tenant;
        if is_at_home {
            refuse_forbidden(caller, &account, &disabling)?;
            self.refuse_last_operator(&account.user).await?;
        }
        self.refuse_last_admin(&account.user).await?;
        if is_at_home {
            let change = UserChange { disabled: Some(true), ..UserChange::default() };
            self.end_sessions(member, change).await?;
        }
        self.end_membership(&account.user).await
    }

    pub(super) async fn find_member(&self, member: Owner) -> Result<Account> {
        self.stores.users.find(member).await?.ok_or(Error::UserNotFound(member.user))
    }

    /// Makes an account by all rules.
    pub(super) async fn make_user(
        &self,
        tenant: TenantId,
        (username, password, role): (&str, &SecretString, Role),
        request_key: Option<RequestKey>,
    ) -> Result<User> {
        check_username(username)?;
        check_password_rules(password, username)?;
        let user = NewUser {
            username: username.to_owned(),
            password_hash: self.passwords.hash(password).await?,
            password_expires_at: None,
            tenant,
            role,
            operator: false,
            request_key,
        };
        self.stores.users.create(&user, self.clock.now()).await?.ok_or(Error::UsernameTaken)
    }

    /// What recognises a request for a user knows the password, so that it is kept under the signing secret only.
    pub(super) fn user_request(
        &self,
        caller: &Principal,
        tenant: TenantId,
        idempotency: &Idempotency,
    ) -> Result<RequestKey> {
        let owner = caller.owner();
        let Idempotency { key, fingerprint } = idempotency;
        let parts = ["user", &owner.to_string(), &tenant.to_string(), key, fingerprint];
        let fingerprint = self.signing_key.derive(&parts)?;
        Ok(RequestKey { owner, idempotency: Idempotency { key: key.clone(), fingerprint } })
    }
}

/// Who sets a password or switches an account off has it in hand: that is for the tenant that made it, and for an
/// operator's account, which reaches into all tenants, for operators.
fn refuse_forbidden(caller: &Principal, account: &Account, update: &UpdateUser) -> Result<()> {
    if update.touches_the_account() && account.home != caller.tenant {
        return Err(Error::NotAtHome);
    }
    let is_for_operators =
        update.operator.is_some() || (account.user.operator && update.touches_the_account());
    if is_for_operators && !caller.may(Scope::TenantsManage) {
        return Err(Error::OperatorOnly);
    }
    Ok(())
}

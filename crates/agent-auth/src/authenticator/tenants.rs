//! Looking after the server's tenants and who is a member of which. Whoever calls these has checked that the caller may
//! ([`Scope::TenantsManage`]).
//!
//! Operators may leave a tenant without an administrator: they can give it another one, and who makes a tenant or takes
//! one over has to begin somewhere. They cannot leave the server without an operator.
//!
//! [`Scope::TenantsManage`]: crate::Scope::TenantsManage

use super::Authenticator;
use crate::error::{Error, Result};
use crate::name::check_tenant_name;
use crate::ports::{ApiKey, RequestKey, Tenant, User};
use crate::principal::{Principal, Role};
use agent_core::ids::{Owner, TenantId, UserId};
use agent_core::plan::Idempotency;
use secrecy::SecretString;

impl Authenticator {
    /// Makes a tenant, which has no members yet. A repeated request of the same key finds the tenant of the first.
    ///
    /// # Errors
    /// `InvalidTenantName`, `TenantNameTaken`, `Store` (with `IdempotencyMismatch` when the key came with another
    /// request), `Cryptography`.
    pub async fn create_tenant(
        &self,
        caller: &Principal,
        name: &str,
        idempotency: Option<&Idempotency>,
    ) -> Result<Tenant> {
        check_tenant_name(name)?;
        let request_key = idempotency.map(|request| self.tenant_request(caller, request)).transpose()?;
        let now = self.clock.now();
        let tenant = self.stores.tenants.create_tenant(name, request_key.as_ref(), now).await?;
        tenant.ok_or(Error::TenantNameTaken)
    }

    /// All tenants by id.
    ///
    /// # Errors
    /// `Store`.
    pub async fn list_tenants(&self) -> Result<Vec<Tenant>> {
        Ok(self.stores.tenants.tenants().await?)
    }

    /// The tenants that the caller is a member of, by id; for everybody to ask.
    ///
    /// # Errors
    /// `Store`.
    pub async fn tenants_of(&self, caller: &Principal) -> Result<Vec<Tenant>> {
        Ok(self.stores.tenants.tenants_of(caller.user_id).await?)
    }

    /// All members of a tenant by id.
    ///
    /// # Errors
    /// `TenantNotFound`, `Store`.
    pub async fn list_members(&self, tenant: TenantId) -> Result<Vec<User>> {
        self.find_tenant(tenant).await?;
        Ok(self.stores.users.list(tenant).await?)
    }

    /// Makes an account whose home is that tenant, such as its first administrator.
    ///
    /// # Errors
    /// `TenantNotFound`; else as [`Authenticator::create_user_once`].
    pub async fn create_user_in(
        &self,
        caller: &Principal,
        tenant: TenantId,
        user: (&str, &SecretString, Role),
        idempotency: Option<&Idempotency>,
    ) -> Result<User> {
        self.find_tenant(tenant).await?;
        let request_key =
            idempotency.map(|request| self.user_request(caller, tenant, request)).transpose()?;
        self.make_user(tenant, user, request_key).await
    }

    /// Makes somebody a member of a tenant, or gives a member another role there, be it the last administrator.
    ///
    /// # Errors
    /// `TenantNotFound`, `UserNotFound`, `Store`.
    pub async fn set_member(&self, tenant: TenantId, user: UserId, role: Role) -> Result<User> {
        self.find_tenant(tenant).await?;
        let member = self.stores.tenants.set_member(Owner { tenant, user }, role, self.clock.now()).await;
        self.known.forget();
        member?.ok_or(Error::UserNotFound(user))
    }

    /// Ends a membership, be it that of the last administrator, with the API keys that work in the tenant. The account
    /// stays as it is for the other tenants that it is a member of; in none, nobody can log in with it.
    ///
    /// # Errors
    /// `TenantNotFound`, `UserNotFound`, `LastOperator`, `Store`.
    pub async fn remove_member(&self, tenant: TenantId, user: UserId) -> Result<()> {
        self.find_tenant(tenant).await?;
        let account = self.find_member(Owner { tenant, user }).await?;
        self.end_membership(&account.user).await
    }

    /// Ends a membership. Its keys are revoked before, so that they do not come back with a later membership, and what
    /// fails in between can be asked for again.
    pub(super) async fn end_membership(&self, user: &User) -> Result<()> {
        let member = user.member();
        // An operator who is a member of nothing cannot log in.
        if self.stores.tenants.tenants_of(user.id).await?.len() < 2 {
            self.refuse_last_operator(user).await?;
        }
        let is_live = |key: &ApiKey| key.revoked_at.is_none();
        for key in self.stores.keys.keys_of(member).await?.into_iter().filter(is_live) {
            self.stores.keys.revoke(member, key.id, self.clock.now()).await?;
        }
        let was_member = self.stores.tenants.remove_member(member).await;
        self.known.forget();
        if was_member? { Ok(()) } else { Err(Error::UserNotFound(user.id)) }
    }

    async fn find_tenant(&self, id: TenantId) -> Result<Tenant> {
        let tenants = self.stores.tenants.tenants().await?;
        tenants.into_iter().find(|tenant| tenant.id == id).ok_or(Error::TenantNotFound(id))
    }

    fn tenant_request(&self, caller: &Principal, idempotency: &Idempotency) -> Result<RequestKey> {
        let owner = caller.owner();
        let Idempotency { key, fingerprint } = idempotency;
        // What recognises a request for a tenant must not recognise one for something else.
        let fingerprint = self.signing_key.derive(&["tenant", &owner.to_string(), key, fingerprint])?;
        Ok(RequestKey { owner, idempotency: Idempotency { key: key.clone(), fingerprint } })
    }
}

//! Accounts, and the tenants that they are members of.

use super::{Store, read, transact_silently};
use crate::database::Scope;
use agent_auth::Role;
use agent_auth::ports::{Account, NewUser, RequestKey, Tenant, TenantStore, User, UserChange, UserStore};
use agent_core::Result;
use agent_core::ids::{Owner, TenantId, UserId};
use agent_core::time::Timestamp;
use async_trait::async_trait;

/// Keys of requests are kept with their tenant; nothing else about accounts and tenants is.
fn key_scope(key: Option<&RequestKey>) -> Scope {
    key.map_or(Scope::All, |key| key.owner.tenant.into())
}

#[async_trait]
impl UserStore for Store {
    async fn find_by_name(&self, username: &str, tenant: Option<&str>) -> Result<Option<Account>> {
        let (username, tenant) = (username.to_owned(), tenant.map(str::to_owned));
        read!(self, Scope::All, db, |conn| db::users::find_by_name(conn, &username, tenant.as_deref()))
    }

    async fn find(&self, member: Owner) -> Result<Option<Account>> {
        read!(self, Scope::All, db, |conn| db::users::find(conn, member))
    }

    async fn create(&self, user: &NewUser, at: Timestamp) -> Result<Option<User>> {
        let user = user.clone();
        transact_silently!(self, key_scope(user.request_key.as_ref()), db, |conn| db::users::create(
            conn, &user, at
        ))
    }

    async fn update(&self, member: Owner, change: &UserChange) -> Result<Option<User>> {
        let change = change.clone();
        transact_silently!(self, Scope::All, db, |conn| db::users::update(conn, member, &change))
    }

    async fn list(&self, tenant: TenantId) -> Result<Vec<User>> {
        read!(self, Scope::All, db, |conn| db::users::list(conn, tenant))
    }

    async fn is_empty(&self) -> Result<bool> {
        read!(self, Scope::All, db, |conn| db::users::is_empty(conn))
    }
}

#[async_trait]
impl TenantStore for Store {
    async fn create_tenant(
        &self,
        name: &str,
        request_key: Option<&RequestKey>,
        at: Timestamp,
    ) -> Result<Option<Tenant>> {
        let (name, key) = (name.to_owned(), request_key.cloned());
        transact_silently!(self, key_scope(key.as_ref()), db, |conn| db::tenants::create(
            conn,
            &name,
            key.as_ref(),
            at
        ))
    }

    async fn tenants(&self) -> Result<Vec<Tenant>> {
        read!(self, Scope::All, db, |conn| db::tenants::list(conn))
    }

    async fn tenants_of(&self, user: UserId) -> Result<Vec<Tenant>> {
        read!(self, Scope::All, db, |conn| db::tenants::of_user(conn, user))
    }

    async fn set_member(&self, member: Owner, role: Role, at: Timestamp) -> Result<Option<User>> {
        transact_silently!(self, Scope::All, db, |conn| db::tenants::set_member(conn, member, role, at))
    }

    async fn remove_member(&self, member: Owner) -> Result<bool> {
        transact_silently!(self, Scope::All, db, |conn| db::tenants::remove_member(conn, member))
    }
}

impl Store {
    /// The folders below which repositories must lie, for each tenant that has its own.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn repository_roots(&self) -> Result<Vec<(TenantId, Vec<String>)>> {
        read!(self, Scope::All, db, |conn| db::tenants::repository_roots(conn))
    }

    /// Gives a tenant folders of its own, below which its repositories must lie; false when there is no such tenant.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn set_repository_roots(&self, tenant: TenantId, roots: &[String]) -> Result<bool> {
        let roots = roots.to_vec();
        transact_silently!(self, Scope::All, db, |conn| db::tenants::set_repository_roots(
            conn, tenant, &roots
        ))
    }
}

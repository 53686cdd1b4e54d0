//! That somebody remains who can look after a tenant, and somebody who can look after the server.

use super::Authenticator;
use crate::error::{Error, Result};
use crate::ports::User;
use crate::principal::Role;
use agent_core::ids::TenantId;

impl Authenticator {
    /// Refuses to go on when this is the last enabled administrator of the tenant that the user is looked at in.
    pub(super) async fn refuse_last_admin(&self, user: &User) -> Result<()> {
        if !is_enabled_admin(user) {
            return Ok(());
        }
        let members = self.stores.users.list(user.tenant).await?;
        let is_another = |other: &User| other.id != user.id && is_enabled_admin(other);
        if members.iter().any(is_another) { Ok(()) } else { Err(Error::LastAdmin) }
    }

    /// Refuses to go on when this is the last enabled operator of the server.
    pub(super) async fn refuse_last_operator(&self, user: &User) -> Result<()> {
        if !is_enabled_operator(user) {
            return Ok(());
        }
        let is_another = |other: &User| other.id != user.id && is_enabled_operator(other);
        // The operators are members of the first tenant as a rule, so that this seldom looks any further.
        if self.stores.users.list(TenantId::DEFAULT).await?.iter().any(is_another) {
            return Ok(());
        }
        for tenant in self.stores.tenants.tenants().await? {
            if self.stores.users.list(tenant.id).await?.iter().any(is_another) {
                return Ok(());
            }
        }
        Err(Error::LastOperator)
    }
}

pub(super) fn is_enabled_admin(user: &User) -> bool {
    user.role == Role::Admin && !user.disabled
}

fn is_enabled_operator(user: &User) -> bool {
    user.operator && !user.disabled
}

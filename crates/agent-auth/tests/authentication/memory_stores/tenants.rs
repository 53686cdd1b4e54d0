//! Tenants and their members.

use super::MemoryStores;
use agent_auth::Role;
use agent_auth::ports::{RequestKey, Tenant, TenantStore, User};
use agent_core::Result;
use agent_core::ids::{Owner, TenantId, UserId};
use agent_core::time::Timestamp;
use async_trait::async_trait;

#[async_trait]
impl TenantStore for MemoryStores {
    async fn create_tenant(
        &self,
        name: &str,
        request_key: Option<&RequestKey>,
        at: Timestamp,
    ) -> Result<Option<Tenant>> {
        let mut kept = self.kept.lock().unwrap();
        if let Some(RequestKey { owner, idempotency }) = request_key
            && let Some(id) = kept.made_by(*owner, idempotency)?
        {
            return Ok(kept.tenants.get(&TenantId(id)).cloned());
        }
        if kept.tenants.values().any(|tenant| tenant.name.eq_ignore_ascii_case(name)) {
            return Ok(None);
        }
        let id = TenantId(kept.tenants.len() as i64 + 1);
        if let Some(request) = request_key {
            kept.remember(request, id.get());
        }
        let tenant = Tenant { id, name: name.to_owned(), created_at: at };
        kept.tenants.insert(id, tenant.clone());
        Ok(Some(tenant))
    }

    async fn tenants(&self) -> Result<Vec<Tenant>> {
        Ok(self.kept.lock().unwrap().tenants.values().cloned().collect())
    }

    async fn tenants_of(&self, user: UserId) -> Result<Vec<Tenant>> {
        let kept = self.kept.lock().unwrap();
        Ok(kept.tenants_of(user).filter_map(|(id, _)| kept.tenants.get(&id).cloned()).collect())
    }

    async fn set_member(&self, member: Owner, role: Role, _: Timestamp) -> Result<Option<User>> {
        let mut kept = self.kept.lock().unwrap();
        if kept.accounts.contains_key(&member.user) && kept.tenants.contains_key(&member.tenant) {
            kept.join(member, role);
        }
        Ok(kept.member(member).map(|account| account.user))
    }

    async fn remove_member(&self, member: Owner) -> Result<bool> {
        Ok(self.kept.lock().unwrap().members.remove(&member).is_some())
    }
}

//! Accounts.

use super::MemoryStores;
use agent_auth::ports::{Account, NewUser, RequestKey, User, UserChange, UserStore};
use agent_core::Result;
use agent_core::ids::{Owner, TenantId, UserId};
use agent_core::time::Timestamp;
use async_trait::async_trait;

#[async_trait]
impl UserStore for MemoryStores {
    async fn find_by_name(&self, username: &str, tenant: Option<&str>) -> Result<Option<Account>> {
        let kept = self.kept.lock().unwrap();
        let by_name = |account: &&Account| account.user.username.eq_ignore_ascii_case(username);
        let Some(account) = kept.accounts.values().find(by_name) else { return Ok(None) };
        let user = account.user.id;
        let tenant = match tenant {
            Some(name) => {
                kept.tenants.values().find(|t| t.name.eq_ignore_ascii_case(name)).map(|tenant| tenant.id)
            }
            None if kept.members.contains_key(&Owner { tenant: account.home, user }) => Some(account.home),
            None => kept.tenants_of(user).min_by_key(|(_, number)| *number).map(|(tenant, _)| tenant),
        };
        Ok(tenant.and_then(|tenant| kept.member(Owner { tenant, user })))
    }

    async fn find(&self, member: Owner) -> Result<Option<Account>> {
        Ok(self.kept.lock().unwrap().member(member))
    }

    async fn create(&self, new: &NewUser, at: Timestamp) -> Result<Option<User>> {
        let mut kept = self.kept.lock().unwrap();
        let id = UserId(kept.accounts.len() as i64 + 1);
        if let Some(RequestKey { owner, idempotency }) = &new.request_key
            && let Some(id) = kept.made_by(*owner, idempotency)?
        {
            return Ok(kept.accounts.get(&UserId(id)).map(|account| account.user.clone()));
        }
        if kept.accounts.values().any(|a| a.user.username.eq_ignore_ascii_case(&new.username)) {
            return Ok(None);
        }
        if let Some(request) = &new.request_key {
            kept.remember(request, id.get());
        }
        let user = User {
            id,
            username: new.username.clone(),
            tenant: new.tenant,
            role: new.role,
            operator: new.operator,
            disabled: false,
            created_at: at,
        };
        let account = Account {
            user: user.clone(),
            home: new.tenant,
            password_hash: new.password_hash.clone(),
            password_expires_at: new.password_expires_at,
            tokens_valid_after: at,
        };
        kept.accounts.insert(id, account);
        kept.join(user.member(), new.role);
        Ok(Some(user))
    }

    async fn update(&self, member: Owner, change: &UserChange) -> Result<Option<User>> {
        let mut kept = self.kept.lock().unwrap();
        if kept.member(member).is_none() {
            return Ok(None);
        }
        if let (Some(kept), Some(role)) = (kept.members.get_mut(&member), change.role) {
            kept.role = role;
        }
        if let Some(account) = kept.accounts.get_mut(&member.user) {
            if let Some(hash) = &change.password_hash {
                account.password_hash = hash.clone();
                account.password_expires_at = None;
            }
            account.password_expires_at = change.password_expires_at.or(account.password_expires_at);
            account.user.operator = change.operator.unwrap_or(account.user.operator);
            account.user.disabled = change.disabled.unwrap_or(account.user.disabled);
            account.tokens_valid_after = change.tokens_valid_after.unwrap_or(account.tokens_valid_after);
        }
        Ok(kept.member(member).map(|account| account.user))
    }

    async fn list(&self, tenant: TenantId) -> Result<Vec<User>> {
        let kept = self.kept.lock().unwrap();
        let members = kept.members.keys().filter(|member| member.tenant == tenant);
        Ok(members.filter_map(|member| kept.member(*member)).map(|account| account.user).collect())
    }

    async fn is_empty(&self) -> Result<bool> {
        Ok(self.kept.lock().unwrap().accounts.is_empty())
    }
}

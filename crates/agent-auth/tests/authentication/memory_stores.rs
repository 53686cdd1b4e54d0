//! The three stores in memory, with the semantics the ports promise.

use agent_auth::ports::{
    Account, ApiKey, ApiKeyStore, NewApiKey, NewRefreshToken, NewUser, Redeemed, RefreshTokenStore,
    RequestKey, User, UserChange, UserStore,
};
use agent_core::Result;
use agent_core::ids::UserId;
use agent_core::plan::Idempotency;
use agent_core::time::Timestamp;
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::Mutex;

#[derive(Default)]
pub(crate) struct MemoryStores {
    kept: Mutex<Kept>,
}

#[derive(Default, Debug)]
struct Kept {
    accounts: BTreeMap<i64, Account>,
    keys: BTreeMap<i64, (ApiKey, Vec<u8>)>,
    refresh: Vec<Refresh>,
    requests: BTreeMap<(i64, String), (String, i64)>,
    key_lookups: usize,
    key_touches: usize,
}

#[derive(Debug)]
struct Refresh {
    token: NewRefreshToken,
    used: bool,
    revoked: bool,
}

impl Kept {
    /// The id of what a request of this key made, if it is the same request.
    fn made_by(&self, owner: UserId, request: &Idempotency) -> Result<Option<i64>> {
        match self.requests.get(&(owner.get(), request.key.clone())) {
            Some((fingerprint, id)) if *fingerprint == request.fingerprint => Ok(Some(*id)),
            Some(_) => Err(agent_core::Error::IdempotencyMismatch(request.key.clone())),
            None => Ok(None),
        }
    }
}

impl MemoryStores {
    pub(crate) fn key_lookups(&self) -> usize {
        self.kept.lock().unwrap().key_lookups
    }

    pub(crate) fn key_touches(&self) -> usize {
        self.kept.lock().unwrap().key_touches
    }

    pub(crate) fn account(&self, id: UserId) -> Account {
        self.kept.lock().unwrap().accounts[&id.get()].clone()
    }

    pub(crate) fn set_password_hash(&self, id: UserId, hash: &str) {
        self.kept.lock().unwrap().accounts.get_mut(&id.get()).unwrap().password_hash = hash.to_owned();
    }

    pub(crate) fn delete_user(&self, id: UserId) {
        self.kept.lock().unwrap().accounts.remove(&id.get()).unwrap();
    }

    /// Everything that is kept, as an intruder with a copy of the database would read it.
    pub(crate) fn dump(&self) -> String {
        format!("{:?}", self.kept.lock().unwrap())
    }
}

#[async_trait]
impl UserStore for MemoryStores {
    async fn find_by_name(&self, username: &str) -> Result<Option<Account>> {
        let kept = self.kept.lock().unwrap();
        Ok(kept.accounts.values().find(|a| a.user.username.eq_ignore_ascii_case(username)).cloned())
    }

    async fn find(&self, id: UserId) -> Result<Option<Account>> {
        Ok(self.kept.lock().unwrap().accounts.get(&id.get()).cloned())
    }

    async fn create(&self, new: &NewUser, at: Timestamp) -> Result<Option<User>> {
        let mut kept = self.kept.lock().unwrap();
        if let Some(RequestKey { owner, idempotency }) = &new.request_key {
            if let Some(id) = kept.made_by(*owner, idempotency)? {
                return Ok(kept.accounts.get(&id).map(|account| account.user.clone()));
            }
            let id = kept.accounts.len() as i64 + 1;
            let made = (idempotency.fingerprint.clone(), id);
            kept.requests.insert((owner.get(), idempotency.key.clone()), made);
        }
        if kept.accounts.values().any(|a| a.user.username.eq_ignore_ascii_case(&new.username)) {
            return Ok(None);
        }
        let id = UserId(kept.accounts.len() as i64 + 1);
        let user =
            User { id, username: new.username.clone(), role: new.role, disabled: false, created_at: at };
        let account =
            Account { user: user.clone(), password_hash: new.password_hash.clone(), tokens_valid_after: at };
        kept.accounts.insert(id.get(), account);
        Ok(Some(user))
    }

    async fn update(&self, id: UserId, change: &UserChange) -> Result<Option<User>> {
        let mut kept = self.kept.lock().unwrap();
        let Some(account) = kept.accounts.get_mut(&id.get()) else { return Ok(None) };
        if let Some(hash) = &change.password_hash {
            account.password_hash = hash.clone();
        }
        account.user.role = change.role.unwrap_or(account.user.role);
        account.user.disabled = change.disabled.unwrap_or(account.user.disabled);
        account.tokens_valid_after = change.tokens_valid_after.unwrap_or(account.tokens_valid_after);
        Ok(Some(account.user.clone()))
    }

    async fn list(&self) -> Result<Vec<User>> {
        Ok(self.kept.lock().unwrap().accounts.values().map(|account| account.user.clone()).collect())
    }
}

#[async_trait]
impl ApiKeyStore for MemoryStores {
    async fn insert(&self, new: &NewApiKey, at: Timestamp) -> Result<ApiKey> {
        let mut kept = self.kept.lock().unwrap();
        let id = kept.keys.len() as i64 + 1;
        if let Some(request) = &new.idempotency {
            if let Some(id) = kept.made_by(new.owner, request)? {
                return Ok(kept.keys[&id].0.clone());
            }
            kept.requests.insert((new.owner.get(), request.key.clone()), (request.fingerprint.clone(), id));
        }
        let key = ApiKey {
            id,
            owner: new.owner,
            public_id: new.public_id.clone(),
            name: new.name.clone(),
            scopes: new.scopes.clone(),
            created_at: at,
            expires_at: new.expires_at,
            revoked_at: None,
            last_used_at: None,
        };
        kept.keys.insert(id, (key.clone(), new.secret_hash.clone()));
        Ok(key)
    }

    async fn find_key(&self, public_id: &str) -> Result<Option<(ApiKey, Vec<u8>)>> {
        let mut kept = self.kept.lock().unwrap();
        kept.key_lookups += 1;
        Ok(kept.keys.values().find(|(key, _)| key.public_id == public_id).cloned())
    }

    async fn keys_of(&self, owner: UserId) -> Result<Vec<ApiKey>> {
        let kept = self.kept.lock().unwrap();
        Ok(kept.keys.values().filter(|(key, _)| key.owner == owner).map(|(key, _)| key.clone()).collect())
    }

    async fn revoke(&self, owner: UserId, id: i64, at: Timestamp) -> Result<bool> {
        let mut kept = self.kept.lock().unwrap();
        match kept.keys.get_mut(&id) {
            Some((key, _)) if key.owner == owner => {
                key.revoked_at.get_or_insert(at);
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    async fn touch(&self, id: i64, at: Timestamp) -> Result<()> {
        let mut kept = self.kept.lock().unwrap();
        kept.key_touches += 1;
        if let Some((key, _)) = kept.keys.get_mut(&id) {
            key.last_used_at = Some(at);
        }
        Ok(())
    }
}

#[async_trait]
impl RefreshTokenStore for MemoryStores {
    async fn keep(&self, token: &NewRefreshToken) -> Result<()> {
        let kept = Refresh { token: token.clone(), used: false, revoked: false };
        self.kept.lock().unwrap().refresh.push(kept);
        Ok(())
    }

    async fn redeem(&self, token_hash: &[u8], at: Timestamp) -> Result<Redeemed> {
        let mut kept = self.kept.lock().unwrap();
        let Some(found) = kept.refresh.iter_mut().find(|r| r.token.token_hash == token_hash) else {
            return Ok(Redeemed::Refused);
        };
        let (user, family) = (found.token.user, found.token.family.clone());
        if found.used {
            kept.refresh.iter_mut().filter(|r| r.token.family == family).for_each(|r| r.revoked = true);
            return Ok(Redeemed::Reused { user });
        }
        if found.revoked || at >= found.token.expires_at {
            return Ok(Redeemed::Refused);
        }
        found.used = true;
        Ok(Redeemed::Accepted { user, family })
    }

    async fn revoke_all(&self, user: UserId) -> Result<()> {
        let mut kept = self.kept.lock().unwrap();
        kept.refresh.iter_mut().filter(|r| r.token.user == user).for_each(|r| r.revoked = true);
        Ok(())
    }
}

//! API keys.

use super::{Kept, MemoryStores};
use agent_auth::ports::{ApiKey, ApiKeyStore, NewApiKey, RequestKey};
use agent_core::Result;
use agent_core::ids::Owner;
use agent_core::time::Timestamp;
use async_trait::async_trait;

impl Kept {
    fn revoke_with_descendants(&mut self, id: i64, at: Timestamp) {
        let Some((key, _)) = self.keys.get_mut(&id) else { return };
        key.revoked_at.get_or_insert(at);
        let made = self.keys.values().filter(|(key, _)| key.made_by == Some(id)).map(|(key, _)| key.id);
        for descendant in made.collect::<Vec<_>>() {
            self.revoke_with_descendants(descendant, at);
        }
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
            kept.remember(&RequestKey { owner: new.owner, idempotency: request.clone() }, id);
        }
        let key = ApiKey {
            id,
            owner: new.owner,
            made_by: new.made_by,
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

    async fn keys_of(&self, owner: Owner) -> Result<Vec<ApiKey>> {
        let kept = self.kept.lock().unwrap();
        Ok(kept.keys.values().filter(|(key, _)| key.owner == owner).map(|(key, _)| key.clone()).collect())
    }

    async fn revoke(&self, owner: Owner, id: i64, at: Timestamp) -> Result<bool> {
        let mut kept = self.kept.lock().unwrap();
        let is_owned = kept.keys.get(&id).is_some_and(|(key, _)| key.owner == owner);
        if is_owned {
            kept.revoke_with_descendants(id, at);
        }
        Ok(is_owned)
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

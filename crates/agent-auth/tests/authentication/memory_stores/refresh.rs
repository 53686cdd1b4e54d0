//! Refresh tokens.

use super::{MemoryStores, Refresh};
use agent_auth::ports::{NewRefreshToken, Redeemed, RefreshTokenStore};
use agent_core::Result;
use agent_core::ids::UserId;
use agent_core::time::Timestamp;
use async_trait::async_trait;

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
        let (owner, family) = (found.token.owner, found.token.family.clone());
        if found.used {
            kept.refresh.iter_mut().filter(|r| r.token.family == family).for_each(|r| r.revoked = true);
            return Ok(Redeemed::Reused { owner });
        }
        if found.revoked || at >= found.token.expires_at {
            return Ok(Redeemed::Refused);
        }
        found.used = true;
        Ok(Redeemed::Accepted { owner, family })
    }

    async fn revoke_all(&self, user: UserId) -> Result<()> {
        let mut kept = self.kept.lock().unwrap();
        kept.refresh.iter_mut().filter(|r| r.token.owner.user == user).for_each(|r| r.revoked = true);
        Ok(())
    }
}

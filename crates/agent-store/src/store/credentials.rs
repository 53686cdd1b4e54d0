//! API keys and refresh tokens.

use super::Store;
use crate::rows::account::{NewApiKeyRow, NewRefreshTokenRow};
use crate::sqlite::{api_keys, refresh_tokens};
use agent_auth::ports::{ApiKey, ApiKeyStore, NewApiKey, NewRefreshToken, Redeemed, RefreshTokenStore};
use agent_core::Result;
use agent_core::ids::UserId;
use agent_core::time::Timestamp;
use async_trait::async_trait;

#[async_trait]
impl ApiKeyStore for Store {
    async fn insert(&self, key: &NewApiKey, at: Timestamp) -> Result<ApiKey> {
        let (owner, row, request) = (key.owner, NewApiKeyRow::new(key, at)?, key.idempotency.clone());
        self.write_silently(move |conn| api_keys::create(conn, owner, &row, request.as_ref(), at)).await
    }

    async fn find_key(&self, public_id: &str) -> Result<Option<(ApiKey, Vec<u8>)>> {
        let public_id = public_id.to_owned();
        self.read(move |conn| api_keys::find(conn, &public_id)).await
    }

    async fn keys_of(&self, owner: UserId) -> Result<Vec<ApiKey>> {
        self.read(move |conn| api_keys::of_owner(conn, owner)).await
    }

    async fn revoke(&self, owner: UserId, id: i64, at: Timestamp) -> Result<bool> {
        self.write_silently(move |conn| api_keys::revoke(conn, owner, id, at)).await
    }

    async fn touch(&self, id: i64, at: Timestamp) -> Result<()> {
        self.write_silently(move |conn| api_keys::touch(conn, id, at)).await
    }
}

#[async_trait]
impl RefreshTokenStore for Store {
    async fn keep(&self, token: &NewRefreshToken) -> Result<()> {
        let (user, row) = (token.user, NewRefreshTokenRow::from(token));
        self.write_silently(move |conn| refresh_tokens::insert(conn, user, &row)).await
    }

    async fn redeem(&self, token_hash: &[u8], at: Timestamp) -> Result<Redeemed> {
        let token_hash = token_hash.to_owned();
        self.write_silently(move |conn| refresh_tokens::redeem(conn, &token_hash, at)).await
    }

    async fn revoke_all(&self, user: UserId) -> Result<()> {
        self.write_silently(move |conn| refresh_tokens::revoke_all(conn, user)).await
    }
}

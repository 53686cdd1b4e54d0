//! API keys and refresh tokens.

use super::{Store, read, transact_silently};
use crate::database::Scope;
use crate::rows::account::{NewApiKeyRow, NewRefreshTokenRow};
use agent_auth::ports::{ApiKey, ApiKeyStore, NewApiKey, NewRefreshToken, Redeemed, RefreshTokenStore};
use agent_core::Result;
use agent_core::ids::{Owner, UserId};
use agent_core::time::Timestamp;
use async_trait::async_trait;

#[async_trait]
impl ApiKeyStore for Store {
    async fn insert(&self, key: &NewApiKey, at: Timestamp) -> Result<ApiKey> {
        let (owner, row, request) = (key.owner, NewApiKeyRow::new(key, at)?, key.idempotency.clone());
        transact_silently!(self, owner.tenant, db, |conn| db::api_keys::create(
            conn,
            owner,
            &row,
            request.as_ref(),
            at
        ))
    }

    async fn find_key(&self, public_id: &str) -> Result<Option<(ApiKey, Vec<u8>)>> {
        let public_id = public_id.to_owned();
        read!(self, Scope::All, db, |conn| db::api_keys::find(conn, &public_id))
    }

    async fn keys_of(&self, owner: Owner) -> Result<Vec<ApiKey>> {
        read!(self, owner.tenant, db, |conn| db::api_keys::of_owner(conn, owner))
    }

    async fn revoke(&self, owner: Owner, id: i64, at: Timestamp) -> Result<bool> {
        transact_silently!(self, owner.tenant, db, |conn| db::api_keys::revoke(conn, owner, id, at))
    }

    async fn touch(&self, id: i64, at: Timestamp) -> Result<()> {
        transact_silently!(self, Scope::All, db, |conn| db::api_keys::touch(conn, id, at))
    }
}

#[async_trait]
impl RefreshTokenStore for Store {
    async fn keep(&self, token: &NewRefreshToken) -> Result<()> {
        let (owner, row) = (token.owner, NewRefreshTokenRow::from(token));
        transact_silently!(self, owner.tenant, db, |conn| db::refresh_tokens::insert(conn, owner, &row))
    }

    async fn redeem(&self, token_hash: &[u8], at: Timestamp) -> Result<Redeemed> {
        let token_hash = token_hash.to_owned();
        transact_silently!(self, Scope::All, db, |conn| db::refresh_tokens::redeem(conn, &token_hash, at))
    }

    async fn revoke_all(&self, user: UserId) -> Result<()> {
        transact_silently!(self, Scope::All, db, |conn| db::refresh_tokens::revoke_all(conn, user))
    }
}

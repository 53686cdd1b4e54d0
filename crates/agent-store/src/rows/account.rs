//! Users, API keys and refresh tokens as rows.

use super::{document, instant, micros, named, parse, plain};
use crate::schema::{api_keys, refresh_tokens, users};
use agent_auth::ports::{Account, ApiKey, NewApiKey, NewRefreshToken, NewUser, User, UserChange};
use agent_core::Result;
use agent_core::ids::UserId;
use agent_core::time::Timestamp;
use diesel::prelude::*;

#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
pub(crate) struct UserRow {
    id: i64,
    username: String,
    role: String,
    disabled: bool,
    tokens_valid_after: i64,
    created_at: i64,
    password_hash: String,
}

impl UserRow {
    pub(crate) fn into_account(self) -> Result<Account> {
        Ok(Account {
            user: User {
                id: UserId(self.id),
                username: self.username,
                role: named("users.role", &self.role)?,
                disabled: self.disabled,
                created_at: Timestamp::from_micros(self.created_at),
            },
            password_hash: self.password_hash,
            tokens_valid_after: Timestamp::from_micros(self.tokens_valid_after),
        })
    }

    pub(crate) fn into_user(self) -> Result<User> {
        self.into_account().map(|account| account.user)
    }
}

/// A name as it is compared: without regard to ASCII case.
pub(crate) fn folded(username: &str) -> String {
    plain(username).to_ascii_lowercase()
}

#[derive(Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
pub(crate) struct NewUserRow {
    username: String,
    username_folded: String,
    role: &'static str,
    disabled: bool,
    tokens_valid_after: i64,
    created_at: i64,
    password_hash: String,
}

impl NewUserRow {
    pub(crate) fn new(user: &NewUser, at: Timestamp) -> Self {
        Self {
            username: plain(&user.username),
            username_folded: folded(&user.username),
            role: user.role.as_str(),
            disabled: false,
            // No token is older than the account, so none needs to be dead.
            tokens_valid_after: 0,
            created_at: at.as_micros(),
            password_hash: user.password_hash.clone(),
        }
    }
}

#[derive(AsChangeset)]
#[diesel(table_name = users)]
pub(crate) struct UserChangeRow {
    role: Option<&'static str>,
    disabled: Option<bool>,
    tokens_valid_after: Option<i64>,
    password_hash: Option<String>,
}

impl UserChangeRow {
    /// What the row becomes, or `None` when nothing changes.
    pub(crate) fn new(change: &UserChange) -> Option<Self> {
        let row = Self {
            role: change.role.map(agent_auth::Role::as_str),
            disabled: change.disabled,
            tokens_valid_after: micros(change.tokens_valid_after),
            password_hash: change.password_hash.clone(),
        };
        (*change != UserChange::default()).then_some(row)
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_keys)]
pub(crate) struct ApiKeyRow {
    id: i64,
    owner_id: i64,
    public_id: String,
    secret_hash: Vec<u8>,
    name: String,
    scopes: String,
    created_at: i64,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
    last_used_at: Option<i64>,
}

impl ApiKeyRow {
    /// The key, and the hash of its secret.
    pub(crate) fn into_key(self) -> Result<(ApiKey, Vec<u8>)> {
        let key = ApiKey {
            id: self.id,
            owner: UserId(self.owner_id),
            public_id: self.public_id,
            name: self.name,
            scopes: parse("api_keys.scopes", &self.scopes)?,
            created_at: Timestamp::from_micros(self.created_at),
            expires_at: instant(self.expires_at),
            revoked_at: instant(self.revoked_at),
            last_used_at: instant(self.last_used_at),
        };
        Ok((key, self.secret_hash))
    }
}

#[derive(Insertable)]
#[diesel(table_name = api_keys, treat_none_as_default_value = false)]
pub(crate) struct NewApiKeyRow {
    owner_id: i64,
    public_id: String,
    secret_hash: Vec<u8>,
    name: String,
    scopes: String,
    created_at: i64,
    expires_at: Option<i64>,
}

impl NewApiKeyRow {
    pub(crate) fn new(key: &NewApiKey, at: Timestamp) -> Result<Self> {
        Ok(Self {
            owner_id: key.owner.get(),
            public_id: plain(&key.public_id),
            secret_hash: key.secret_hash.clone(),
            name: plain(&key.name),
            scopes: document("api_keys.scopes", &key.scopes)?,
            created_at: at.as_micros(),
            expires_at: micros(key.expires_at),
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = refresh_tokens)]
pub(crate) struct RefreshTokenRow {
    pub(crate) user_id: i64,
    pub(crate) family: String,
    pub(crate) expires_at: i64,
    pub(crate) used_at: Option<i64>,
    pub(crate) revoked: bool,
}

#[derive(Insertable)]
#[diesel(table_name = refresh_tokens, treat_none_as_default_value = false)]
pub(crate) struct NewRefreshTokenRow {
    token_hash: Vec<u8>,
    user_id: i64,
    family: String,
    expires_at: i64,
    revoked: bool,
}

impl From<&NewRefreshToken> for NewRefreshTokenRow {
    fn from(token: &NewRefreshToken) -> Self {
        Self {
            token_hash: token.token_hash.clone(),
            user_id: token.user.get(),
            family: plain(&token.family),
            expires_at: token.expires_at.as_micros(),
            revoked: false,
        }
    }
}

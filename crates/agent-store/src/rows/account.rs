//! Users, API keys and refresh tokens as rows.

use super::{document, instant, micros, named, parse, plain};
use crate::schema::{api_keys, memberships, refresh_tokens, users};
use agent_auth::ports::{Account, ApiKey, NewApiKey, NewRefreshToken, NewUser, User, UserChange};
use agent_core::Result;
use agent_core::ids::{Owner, TenantId, UserId};
use agent_core::time::Timestamp;
use diesel::prelude::*;

#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
pub(crate) struct UserRow {
    pub(crate) id: i64,
    username: String,
    disabled: bool,
    tokens_valid_after: i64,
    created_at: i64,
    password_hash: String,
    home_tenant_id: i64,
    operator: bool,
    password_expires_at: Option<i64>,
}

/// A membership as it is joined to an account.
#[derive(Queryable, Selectable)]
#[diesel(table_name = memberships)]
pub(crate) struct MembershipRow {
    tenant_id: i64,
    role: String,
}

impl UserRow {
    /// The account, as a member of a tenant.
    pub(crate) fn into_account(self, of: MembershipRow) -> Result<Account> {
        Ok(Account {
            user: User {
                id: UserId(self.id),
                username: self.username,
                tenant: TenantId(of.tenant_id),
                role: named("memberships.role", &of.role)?,
                operator: self.operator,
                disabled: self.disabled,
                created_at: Timestamp::from_micros(self.created_at),
            },
            home: TenantId(self.home_tenant_id),
            password_hash: self.password_hash,
            password_expires_at: instant(self.password_expires_at),
            tokens_valid_after: Timestamp::from_micros(self.tokens_valid_after),
        })
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
    disabled: bool,
    tokens_valid_after: i64,
    created_at: i64,
    password_hash: String,
    pub(crate) home_tenant_id: i64,
    operator: bool,
    password_expires_at: Option<i64>,
}

impl NewUserRow {
    pub(crate) fn new(user: &NewUser, at: Timestamp) -> Self {
        Self {
            username: plain(&user.username),
            username_folded: folded(&user.username),
            disabled: false,
            // No token is older than the account, so none needs to be dead.
            tokens_valid_after: 0,
            created_at: at.as_micros(),
            password_hash: user.password_hash.clone(),
            home_tenant_id: user.tenant.get(),
            operator: user.operator,
            password_expires_at: micros(user.password_expires_at),
        }
    }
}

#[derive(AsChangeset)]
#[diesel(table_name = users)]
pub(crate) struct UserChangeRow {
    disabled: Option<bool>,
    tokens_valid_after: Option<i64>,
    password_hash: Option<String>,
    operator: Option<bool>,
    /// A new password has no end; an end by itself is set as it is.
    password_expires_at: Option<Option<i64>>,
}

impl UserChangeRow {
    /// What the row becomes, or `None` when nothing of the account itself changes.
    pub(crate) fn new(change: &UserChange) -> Option<Self> {
        let row = Self {
            disabled: change.disabled,
            tokens_valid_after: micros(change.tokens_valid_after),
            password_hash: change.password_hash.clone(),
            operator: change.operator,
            password_expires_at: match (change.password_expires_at, &change.password_hash) {
                (Some(end), _) => Some(Some(end.as_micros())),
                (None, Some(_)) => Some(None),
                (None, None) => None,
            },
        };
        let of_membership_only = UserChange { role: change.role, ..UserChange::default() };
        (*change != of_membership_only).then_some(row)
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
    tenant_id: i64,
    made_by: Option<i64>,
}

impl ApiKeyRow {
    /// The key, and the hash of its secret.
    pub(crate) fn into_key(self) -> Result<(ApiKey, Vec<u8>)> {
        let key = ApiKey {
            id: self.id,
            owner: Owner { tenant: TenantId(self.tenant_id), user: UserId(self.owner_id) },
            made_by: self.made_by,
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
    tenant_id: i64,
    owner_id: i64,
    made_by: Option<i64>,
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
            tenant_id: key.owner.tenant.get(),
            owner_id: key.owner.user.get(),
            made_by: key.made_by,
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
    pub(crate) tenant_id: i64,
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
    tenant_id: i64,
    user_id: i64,
    family: String,
    expires_at: i64,
    revoked: bool,
}

impl From<&NewRefreshToken> for NewRefreshTokenRow {
    fn from(token: &NewRefreshToken) -> Self {
        Self {
            token_hash: token.token_hash.clone(),
            tenant_id: token.owner.tenant.get(),
            user_id: token.owner.user.get(),
            family: plain(&token.family),
            expires_at: token.expires_at.as_micros(),
            revoked: false,
        }
    }
}

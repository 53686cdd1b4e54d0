//! What this crate needs from outside: users, API keys and refresh tokens kept, and bytes nobody can guess.

use crate::principal::{Role, Scope};
use agent_core::ids::{Owner, TenantId, UserId};
use agent_core::plan::Idempotency;
use agent_core::time::Timestamp;
use agent_core::{BoxError, Result};
use async_trait::async_trait;

/// Yields bytes that nobody can guess; every secret, salt and id is made of them.
pub trait RandomBytes: Send + Sync {
    /// Fills the whole buffer, each byte equally likely to be anything.
    ///
    /// # Errors
    /// When it cannot; then nothing is issued.
    fn fill(&self, bytes: &mut [u8]) -> std::result::Result<(), BoxError>;
}

/// An organisation on this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Identifier.
    pub id: TenantId,
    /// Its name, which nobody else has; compared without regard to ASCII case.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A person or program with an account, as a member of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Identifier; the same in all tenants.
    pub id: UserId,
    /// Name to log in with; compared without regard to ASCII case.
    pub username: String,
    /// The tenant that this is about.
    pub tenant: TenantId,
    /// What they may do there.
    pub role: Role,
    /// Whether they look after the server itself: its tenants, and what is common to all of them.
    pub operator: bool,
    /// Whether every login and token is refused.
    pub disabled: bool,
    /// When the account was made.
    pub created_at: Timestamp,
}

/// A user with what is needed to check a password or a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub user: User,
    /// The tenant that made the account: only its administrators may disable it or set its password.
    pub home: TenantId,
    /// PHC string of the password hash.
    pub password_hash: String,
    /// When the password stops being accepted; only that of the first administrator, made by the server, does.
    pub password_expires_at: Option<Timestamp>,
    /// Tokens issued before this instant are dead (logout everywhere, password change).
    pub tokens_valid_after: Timestamp,
}

/// A user to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// Name to log in with.
    pub username: String,
    /// PHC string of the password hash.
    pub password_hash: String,
    /// When the password stops being accepted.
    pub password_expires_at: Option<Timestamp>,
    /// The tenant that makes the account and is its home.
    pub tenant: TenantId,
    /// What they may do there.
    pub role: Role,
    /// Whether they look after the server itself.
    pub operator: bool,
    /// Makes a repeated request find the user of the first.
    pub request_key: Option<RequestKey>,
}

/// Under which key, and whose, a request is the same request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// Who asks.
    pub owner: Owner,
    /// The key as they chose it, with what the request says.
    pub idempotency: Idempotency,
}

/// What changes about a user; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserChange {
    /// A new password hash; the password is accepted without an end, unless the same change names one.
    pub password_hash: Option<String>,
    /// A new role, in the tenant that the change is made in.
    pub role: Option<Role>,
    /// Whether they look after the server itself.
    pub operator: Option<bool>,
    /// Ends a password that has an end, or moves its end.
    pub password_expires_at: Option<Timestamp>,
    /// Disable or enable.
    pub disabled: Option<bool>,
    /// Ends all tokens issued before.
    pub tokens_valid_after: Option<Timestamp>,
}

/// Keeps users.
#[async_trait]
pub trait UserStore: Send + Sync {
    /// By name, without regard to ASCII case: as a member of the tenant of that name, or where none is named of the
    /// account's home, or else of the oldest tenant that they are a member of. `None` for who is a member of none.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn find_by_name(&self, username: &str, tenant: Option<&str>) -> Result<Option<Account>>;

    /// By id, as a member of that tenant; `None` when they are none.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn find(&self, member: Owner) -> Result<Option<Account>>;

    /// Creates a user and makes them a member of their tenant, or finds the one that a request of the same key made;
    /// `None` when the name is taken.
    ///
    /// # Errors
    /// `IdempotencyMismatch` when the key came with another request, `Unavailable`.
    async fn create(&self, user: &NewUser, at: Timestamp) -> Result<Option<User>>;

    /// Changes a member; `None` when they are none.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn update(&self, member: Owner, change: &UserChange) -> Result<Option<User>>;

    /// All members of a tenant by id.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn list(&self, tenant: TenantId) -> Result<Vec<User>>;

    /// Whether anybody has an account at all.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn is_empty(&self) -> Result<bool>;
}

/// Keeps tenants and who is a member of which.
#[async_trait]
pub trait TenantStore: Send + Sync {
    /// Creates a tenant, or finds the one that a request of the same key made; `None` when the name is taken.
    ///
    /// # Errors
    /// `IdempotencyMismatch` when the key came with another request, `Unavailable`.
    async fn create_tenant(
        &self,
        name: &str,
        request_key: Option<&RequestKey>,
        at: Timestamp,
    ) -> Result<Option<Tenant>>;

    /// All tenants by id.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn tenants(&self) -> Result<Vec<Tenant>>;

    /// The tenants that somebody is a member of, by id.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn tenants_of(&self, user: UserId) -> Result<Vec<Tenant>>;

    /// Makes somebody a member, or gives a member another role; `None` when there is no such user or tenant.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn set_member(&self, member: Owner, role: Role, at: Timestamp) -> Result<Option<User>>;

    /// Ends a membership; false when there is none. What the member made stays with the tenant.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn remove_member(&self, member: Owner) -> Result<bool>;
}

/// An API key without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Identifier.
    pub id: i64,
    /// Whose key it is, and in which tenant it works.
    pub owner: Owner,
    /// The key that made it, if one did.
    pub made_by: Option<i64>,
    /// The part of the key that finds it.
    pub public_id: String,
    /// What the owner calls it.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// An API key to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApiKey {
    /// Whose key it is, and in which tenant it works.
    pub owner: Owner,
    /// The key that makes it, if one does: it ends when that one is revoked.
    pub made_by: Option<i64>,
    /// The part of the key that finds it.
    pub public_id: String,
    /// SHA-256 of the secret part.
    pub secret_hash: Vec<u8>,
    /// What the owner calls it.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// Makes a repeated request find the key of the first.
    pub idempotency: Option<Idempotency>,
}

/// Keeps API keys.
#[async_trait]
pub trait ApiKeyStore: Send + Sync {
    /// Keeps a key, or finds the one that the same request made before.
    ///
    /// # Errors
    /// `IdempotencyMismatch` when the request's key came with another request, `Unavailable`.
    async fn insert(&self, key: &NewApiKey, at: Timestamp) -> Result<ApiKey>;

    /// The key with that public part, and the hash of its secret.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn find_key(&self, public_id: &str) -> Result<Option<(ApiKey, Vec<u8>)>>;

    /// The keys of an owner, oldest first.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn keys_of(&self, owner: Owner) -> Result<Vec<ApiKey>>;

    /// Revokes a key of that owner, with all keys that were made by it, however indirectly; false when there is none.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn revoke(&self, owner: Owner, id: i64, at: Timestamp) -> Result<bool>;

    /// Notes that a key was used.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn touch(&self, id: i64, at: Timestamp) -> Result<()>;
}

/// A refresh token to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRefreshToken {
    /// SHA-256 of the token.
    pub token_hash: Vec<u8>,
    /// Whose it is, and in which tenant.
    pub owner: Owner,
    /// All tokens that descend from one login.
    pub family: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// What became of an attempt to use a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redeemed {
    /// It was good, and is used up now.
    Accepted {
        /// Whose it was, and in which tenant.
        owner: Owner,
        /// Its family.
        family: String,
    },
    /// It had been used before: the whole family is revoked now.
    Reused {
        /// Whose it was, and in which tenant.
        owner: Owner,
    },
    /// Unknown, expired or revoked.
    Refused,
}

/// Keeps refresh tokens.
#[async_trait]
pub trait RefreshTokenStore: Send + Sync {
    /// Keeps a token.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn keep(&self, token: &NewRefreshToken) -> Result<()>;

    /// Uses a token up, in one transaction; a second use revokes its family.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn redeem(&self, token_hash: &[u8], at: Timestamp) -> Result<Redeemed>;

    /// Revokes all tokens of a user, in all tenants.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn revoke_all(&self, user: UserId) -> Result<()>;
}

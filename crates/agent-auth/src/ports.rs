//! What this crate needs from outside: users, API keys and refresh tokens kept, and bytes nobody can guess.

use crate::principal::{Role, Scope};
use agent_core::ids::UserId;
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

/// A person or program with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Identifier.
    pub id: UserId,
    /// Name to log in with; compared without regard to ASCII case.
    pub username: String,
    /// What they may do.
    pub role: Role,
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
    /// PHC string of the password hash.
    pub password_hash: String,
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
    /// What they may do.
    pub role: Role,
    /// Makes a repeated request find the user of the first.
    pub request_key: Option<RequestKey>,
}

/// Under which key, and whose, a request is the same request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// Who asks.
    pub owner: UserId,
    /// The key as they chose it, with what the request says.
    pub idempotency: Idempotency,
}

/// What changes about a user; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserChange {
    /// A new password hash.
    pub password_hash: Option<String>,
    /// A new role.
    pub role: Option<Role>,
    /// Disable or enable.
    pub disabled: Option<bool>,
    /// Ends all tokens issued before.
    pub tokens_valid_after: Option<Timestamp>,
}

/// Keeps users.
#[async_trait]
pub trait UserStore: Send + Sync {
    /// By name, without regard to ASCII case.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn find_by_name(&self, username: &str) -> Result<Option<Account>>;

    /// By id.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn find(&self, id: UserId) -> Result<Option<Account>>;

    /// Creates a user, or finds the one that a request of the same key made; `None` when the name is taken.
    ///
    /// # Errors
    /// `IdempotencyMismatch` when the key came with another request, `Unavailable`.
    async fn create(&self, user: &NewUser, at: Timestamp) -> Result<Option<User>>;

    /// Changes a user; `None` when there is no such user.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn update(&self, id: UserId, change: &UserChange) -> Result<Option<User>>;

    /// All users by id.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn list(&self) -> Result<Vec<User>>;
}

/// An API key without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Identifier.
    pub id: i64,
    /// Whose key it is.
    pub owner: UserId,
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
    /// Whose key it is.
    pub owner: UserId,
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

    /// The keys of a user, oldest first.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn keys_of(&self, owner: UserId) -> Result<Vec<ApiKey>>;

    /// Revokes a key of that owner; false when there is none.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn revoke(&self, owner: UserId, id: i64, at: Timestamp) -> Result<bool>;

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
    /// Whose it is.
    pub user: UserId,
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
        /// Whose it was.
        user: UserId,
        /// Its family.
        family: String,
    },
    /// It had been used before: the whole family is revoked now.
    Reused {
        /// Whose it was.
        user: UserId,
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

    /// Revokes all tokens of a user.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn revoke_all(&self, user: UserId) -> Result<()>;
}

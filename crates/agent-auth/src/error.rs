//! Every way in which a caller is refused.

use crate::principal::Scope;
use agent_core::BoxError;
use agent_core::ids::{Owner, TenantId, UserId};
use std::time::Duration;

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a caller is not let in, or why an account or key cannot be made as asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Unknown user or wrong password; the two are never told apart.
    #[error("the user name or the password is wrong")]
    InvalidCredentials,
    /// A token or key that is not accepted. The reason is for the log, not for the caller.
    #[error("the token or API key is not accepted; log in again or create a new key")]
    InvalidToken(&'static str),
    /// A token or key past its end.
    #[error("the token or API key has expired; log in again, refresh the token or create a new key")]
    Expired,
    /// The account is switched off.
    #[error("the account is disabled; ask an administrator to enable it")]
    Disabled,
    /// A refresh token came a second time, so it was stolen or replayed; its whole family is revoked.
    #[error(
        "the refresh token was used before, so the login it came from can no longer be refreshed; log in again"
    )]
    RefreshTokenReused {
        /// Whose session it was, and in which tenant.
        owner: Owner,
    },
    /// The right password, but one that was made by the server to be used once, and was used or is over.
    #[error(
        "the one-time password was used or is over; start the server again, which makes a new one or takes one of yours"
    )]
    OneTimePasswordSpent,
    /// Too many failed logins for this account from this source.
    #[error("too many failed logins; try again in {} seconds", .retry_after.as_secs().max(1))]
    TooManyAttempts {
        /// How long until the next attempt is looked at.
        retry_after: Duration,
    },
    /// A new password that breaks the rules.
    #[error("the password is refused: {0}")]
    WeakPassword(&'static str),
    /// Somebody has that name already.
    #[error("that user name is taken; choose another one")]
    UsernameTaken,
    /// A name that cannot be a user name.
    #[error("the user name is refused: {0}")]
    InvalidUsername(&'static str),
    /// No such user, or no member of the tenant in question.
    #[error("user {0} does not exist")]
    UserNotFound(UserId),
    /// The account was made by another tenant, whose administrators alone may switch it off or set its password.
    #[error(
        "the account belongs to another tenant; only its administrators change its password or disable it"
    )]
    NotAtHome,
    /// What only those may do who look after the server itself, with a credential for `tenants:manage`.
    #[error("only an operator of the server may do that, with a token or key for tenants:manage; ask one")]
    OperatorOnly,
    /// The change would leave nobody who looks after the server.
    #[error("this is the last enabled operator of the server; make somebody else one first")]
    LastOperator,
    /// Callers do not remove themselves.
    #[error("this is your own account; ask another administrator to remove it")]
    OwnAccount,
    /// Some tenant has that name already.
    #[error("that tenant name is taken; choose another one")]
    TenantNameTaken,
    /// A name that cannot be the name of a tenant.
    #[error("the tenant name is refused: {0}")]
    InvalidTenantName(&'static str),
    /// No such tenant.
    #[error("tenant {0} does not exist")]
    TenantNotFound(TenantId),
    /// The change would leave nobody who can administer the tenant's users.
    #[error("this is the last enabled administrator; make somebody else one first")]
    LastAdmin,
    /// A word that names no scope.
    #[error("{:?} is not a scope; known are: {}", .0, known_scopes())]
    UnknownScope(String),
    /// A key may not do more than the one who makes it.
    #[error("scope {0} is more than you have yourself; leave it out")]
    ScopeAboveRole(Scope),
    /// An API key that cannot be made as asked.
    #[error("the API key cannot be made: {0}")]
    InvalidKeyRequest(&'static str),
    /// No such key, or it belongs to somebody else.
    #[error("API key {0} does not exist")]
    KeyNotFound(i64),
    /// A signing secret that could be guessed.
    #[error(
        "the signing secret {0}; set one of at least 32 random bytes, such as the output of `openssl rand -base64 48`"
    )]
    WeakSecret(&'static str),
    /// A signing secret that is given more than once.
    #[error(
        "a signing secret is given twice; give each earlier secret once, and the present one not among them"
    )]
    RepeatedSecret,
    /// As many passwords are being checked as the machine can bear.
    #[error("too many logins at this moment; try again in a second")]
    Busy,
    /// The operating system or the cryptographic library failed.
    #[error("a cryptographic operation failed; nothing was changed")]
    Cryptography(#[source] BoxError),
    /// Accounts, keys or tokens could not be read or written.
    #[error("accounts cannot be read or written; try again in a moment")]
    Store(#[from] agent_core::Error),
}

impl Error {
    /// What to write to the log beyond the text; never shown to the caller.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::InvalidToken(reason) => Some(reason),
            _ => None,
        }
    }
}

fn known_scopes() -> String {
    Scope::ALL.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", ")
}

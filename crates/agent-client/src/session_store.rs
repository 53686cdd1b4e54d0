//! Where a session is kept beyond the end of a program, shared by all programs that use it.

use crate::wire::account::Session;
use agent_core::BoxError;
use secrecy::SecretString;

/// Where a session is kept beyond the end of a program. A refresh token is good once, and a second use ends the session
/// everywhere: whoever renews a session that others use too must have it for itself meanwhile.
pub trait SessionStore: Send + Sync {
    /// Takes the session for itself: until what is answered is dropped, nobody else can take it. May block for as long as
    /// somebody else renews it; called on a thread where that is no harm.
    ///
    /// # Errors
    /// When the place cannot be reached.
    fn take(&self) -> Result<Box<dyn TakenSession>, BoxError>;
}

/// A kept session that nobody else can renew at this moment.
pub trait TakenSession: Send {
    /// The tokens as they are kept now; `None` when the session was given up.
    ///
    /// # Errors
    /// When they cannot be read.
    fn tokens(&self) -> Result<Option<KeptTokens>, BoxError>;

    /// Keeps the session that took the place of the one before. Must be durable when it returns.
    ///
    /// # Errors
    /// When it cannot be kept.
    fn replace(&mut self, session: &Session) -> Result<(), BoxError>;
}

/// The tokens of a session that is kept.
#[derive(Debug, Clone)]
pub struct KeptTokens {
    /// For `Authorization: Bearer`.
    pub access_token: SecretString,
    /// Buys the next session, once.
    pub refresh_token: SecretString,
}

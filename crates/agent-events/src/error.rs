//! Why somebody cannot listen.

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every way in which listening is refused or interrupted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The asked position lies in the future: the client has another log in mind.
    #[error(
        "position {after} is beyond the newest event, {head}; subscribe with `after` at most {head}, or without it"
    )]
    CursorBeyondHead {
        /// The position as asked.
        after: i64,
        /// The position of the newest event.
        head: i64,
    },
    /// No topic has this name.
    #[error("{0:?} is no topic; topics are `all` and `plan_<id>`, such as `plan_1`")]
    UnknownTopic(String),
    /// The address of NATS is none. What was given is not repeated, since it may hold a password.
    #[error(
        "{0}; write nats://HOST:PORT, with USER:PASSWORD@ or TOKEN@ before the host where NATS asks for it (percent-encoded), tls:// in place of nats:// to encrypt, and a comma between several"
    )]
    BusAddress(&'static str),
    /// The log could not be read just now. The stream goes on where it was when it is polled again.
    #[error("the event log cannot be read")]
    Log(#[source] agent_core::Error),
}

impl Error {
    /// The task that read the log is gone.
    pub(crate) fn stopped(error: tokio::task::JoinError) -> Self {
        Self::Log(agent_core::Error::Unavailable(Box::new(error)))
    }
}

//! Why the server did not do, or the client could not do, what was asked.

mod problem;

pub use problem::{FieldProblem, Problem};

use crate::events::Reset;
use agent_core::BoxError;
use std::fmt;

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every way in which a request or a subscription fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting of the client makes no sense; nothing was sent.
    #[error("{setting} {reason}")]
    InvalidSetting {
        /// Which setting.
        setting: &'static str,
        /// What it must be, as the rest of a sentence.
        reason: String,
    },
    /// The server refuses the request, or failed at it. Decide by [`Problem::code`]; it says in words what to do.
    #[error(transparent)]
    Problem(Box<Problem>),
    /// No answer, however often it was tried; a request that must not be done twice was not sent.
    #[error("{request}: no answer in {attempts} attempt(s); check the address, and that the server is up")]
    Unreachable {
        /// What was asked, such as `GET /plans`.
        request: String,
        /// How often it was tried.
        attempts: u32,
        /// Why the last attempt failed.
        #[source]
        source: BoxError,
    },
    /// A request that must not be done twice was sent, and no whole answer came: it was done, or it was not.
    #[error("{request}: sent, and not answered; look whether it was done before you send it again")]
    Unanswered {
        /// What was asked, such as `POST /plans/1/execute`.
        request: String,
        /// Why no answer came.
        #[source]
        source: BoxError,
    },
    /// The server ended the session, and there is nothing to renew it with.
    #[error(
        "the server no longer accepts the credential ({reason}); log in again, or use another token or key"
    )]
    Unauthenticated {
        /// The server's words.
        reason: String,
    },
    /// The session that is shared with other programs cannot be read or kept.
    #[error("the session that is kept cannot be renewed; log in again when that is mended")]
    SessionStore(#[source] BoxError),
    /// The server refuses the subscription.
    #[error("the subscription is refused: {detail} ({code})")]
    Refused {
        /// Stable word for programs, such as `plan_not_found`.
        code: String,
        /// What is wrong, and what would be right.
        detail: String,
    },
    /// Events cannot be resumed from that position: load a snapshot and follow from its position.
    #[error(transparent)]
    Reset(Box<Reset>),
    /// The server closed the WebSocket in a way that says that trying again is pointless.
    #[error("the server closed the WebSocket with {code} ({reason}); is this client of another version?")]
    Closed {
        /// The close code (RFC 6455, 7.4).
        code: u16,
        /// The server's words.
        reason: String,
    },
    /// What came is not what the server of this client would say: another program, version, or something in between.
    #[error("{request}: {detail}; check that the address is that of an agent server, and its version")]
    Protocol {
        /// What was asked.
        request: String,
        /// What is odd about what came.
        detail: String,
    },
}

impl Error {
    /// The problem that the server answered with, where it did.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            _ => None,
        }
    }

    /// The server's stable word for what is wrong, such as `plan_not_found`, where it said one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Problem(problem) => Some(&problem.code),
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }

    /// Whether the same may work later without anything being changed.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Problem(problem) => crate::retry::is_temporary(problem.status),
            _ => false,
        }
    }

    pub(crate) fn setting(setting: &'static str, reason: impl Into<String>) -> Self {
        Self::InvalidSetting { setting, reason: reason.into() }
    }

    pub(crate) fn protocol(request: &str, detail: impl fmt::Display) -> Self {
        Self::Protocol { request: request.to_owned(), detail: detail.to_string() }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<Box<Problem>> for Error {
    fn from(problem: Box<Problem>) -> Self {
        Self::Problem(problem)
    }
}

impl From<Reset> for Error {
    fn from(reset: Reset) -> Self {
        Self::Reset(Box::new(reset))
    }
}

//! Why there is no line any more.

use crate::error::Problem;
use std::fmt;
use std::time::Duration;

/// How a server that is about to stop says when it is worth while to come back.
const HINT: &str = "retry_after_ms=";

/// Why there is no line any more.
#[derive(Debug)]
pub(in crate::follow) enum Loss {
    /// It could not be opened.
    NotOpened(String),
    /// It was not opened: the server answered something else.
    Answered(Box<Problem>),
    /// It broke off.
    Cut(String),
    /// Nothing came for so long.
    Silent(Duration),
    /// The server closed it.
    Closed {
        /// The close code.
        code: u16,
        /// The server's words.
        reason: String,
    },
    /// The server cannot read events at the moment.
    Unavailable(String),
    /// Something came that no server of this protocol sends.
    Foreign(String),
}

impl Loss {
    /// How long the server wishes to be left alone.
    pub(super) fn wish(&self) -> Option<Duration> {
        match self {
            Self::Answered(problem) => problem.retry_after,
            Self::Closed { reason, .. } => {
                let rest = reason.split(HINT).nth(1)?;
                let digits = rest.split(|character: char| !character.is_ascii_digit()).next()?;
                digits.parse().ok().map(Duration::from_millis)
            }
            _ => None,
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOpened(why) => write!(f, "no connection: {why}"),
            Self::Answered(problem) => problem.fmt(f),
            Self::Cut(why) => write!(f, "the connection broke off: {why}"),
            Self::Silent(limit) => write!(f, "nothing was heard or taken for {} ms", limit.as_millis()),
            Self::Closed { code, reason } if reason.is_empty() => write!(f, "the server closed with {code}"),
            Self::Closed { code, reason } => write!(f, "the server closed with {code}: {reason}"),
            Self::Unavailable(detail) => f.write_str(detail),
            Self::Foreign(what) => write!(f, "not the protocol: {what}"),
        }
    }
}

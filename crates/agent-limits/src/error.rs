//! What can be wrong with a setting.

use std::time::Duration;

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A setting that cannot be followed. Each says what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is no quota.
    #[error(
        "{text:?} is no quota: {reason}; write 600/min, 10/s or 20/15min burst 5, or off where no limit is wanted"
    )]
    Quota {
        /// The text as given.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The period of a quota is too short or too long to be counted.
    #[error("a quota cannot be over {0:?}: its period is at least a microsecond and at most 2^64 of them")]
    Period(Duration),
    /// The entry of a list of trusted proxies is neither an address nor a network.
    #[error(
        "{entry:?} is no trusted proxy: {reason}; write an address or a network, such as ::1 or 10.0.0.0/8"
    )]
    Proxy {
        /// The entry as given.
        entry: String,
        /// What is wrong with it.
        reason: String,
    },
}

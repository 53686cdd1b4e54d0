//! Why there are no figures.

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every way in which figures cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The recorded attempts could not be read; asking again later may work.
    #[error("the recorded attempts cannot be read")]
    Unreadable(#[from] agent_core::Error),
}

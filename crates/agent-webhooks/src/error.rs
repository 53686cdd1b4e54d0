//! Why a webhook cannot be made, found or delivered.

use crate::destination::Refused;
use crate::webhook::WebhookId;
use agent_core::error::BoxError;

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every way in which keeping webhooks is refused or fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Its address must not be called.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// No event has this name.
    #[error("{0:?} is no event; events are {names}", names = crate::webhook::EVENT_NAMES.join(", "))]
    UnknownEvent(String),
    /// No such webhook, or it belongs to somebody else.
    #[error("webhook {0} does not exist")]
    NotFound(WebhookId),
    /// The owner has as many as one may have.
    #[error("there are {max} webhooks already, which is the most that one may have; delete one first")]
    TooMany {
        /// How many one may have.
        max: u32,
    },
    /// Somebody else delivers to this webhook now, or its owner has changed it; whoever held it must stop.
    #[error("webhook {0} was changed or taken over by another server")]
    ClaimLost(WebhookId),
    /// The events to deliver could not be read.
    #[error("the event log cannot be read")]
    Log(#[source] agent_core::Error),
    /// The store cannot be reached.
    #[error("the store cannot be reached")]
    Unavailable(#[source] BoxError),
}

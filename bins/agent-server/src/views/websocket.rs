//! How a WebSocket connection is opened.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What the address of a WebSocket connection may carry.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OpenWebSocket {
    /// A ticket of `POST /ws/ticket`, in place of other credentials.
    pub ticket: Option<String>,
    /// Refused, with words on why; so is the next.
    #[param(ignore)]
    pub token: Option<String>,
    /// Refused.
    #[param(ignore)]
    pub access_token: Option<String>,
}

/// A ticket for one WebSocket connection.
#[derive(Debug, Serialize, ToSchema)]
pub struct TicketView {
    /// The ticket.
    #[schema(example = "wst_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg")]
    pub ticket: String,
    /// How long it is good, in milliseconds.
    #[schema(example = 30_000)]
    pub expires_in_ms: u64,
}

//! What a client says.

use crate::Limits;
use crate::fault::{CloseFrame, Fault};
use actix_web::web::Bytes;
use actix_ws::{AggregatedMessage, AggregatedMessageStream, MessageStream};

/// A whole message of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Bytes),
    /// Wants the same back, see [`Outgoing::pong`](crate::Outgoing::pong).
    Ping(Bytes),
    /// The answer to a ping.
    Pong(Bytes),
    /// Wants to end.
    Close(CloseFrame),
}

/// The messages of a client, fragments put together.
pub struct Incoming {
    messages: AggregatedMessageStream,
}

impl Incoming {
    pub(crate) fn new(messages: MessageStream, limits: &Limits) -> Self {
        let messages = messages.max_frame_size(limits.max_message);
        Self { messages: messages.aggregate_continuations().max_continuation_size(limits.max_message) }
    }

    /// The next message. Safe to drop half-way. After a fault nothing sensible follows.
    ///
    /// # Errors
    /// What ends the connection.
    pub async fn next(&mut self) -> Result<Received, Fault> {
        Ok(match self.messages.recv().await.ok_or(Fault::Gone)?? {
            AggregatedMessage::Text(text) => Received::Text(text.into()),
            AggregatedMessage::Binary(bytes) => Received::Binary(bytes),
            AggregatedMessage::Ping(bytes) => Received::Ping(bytes),
            AggregatedMessage::Pong(bytes) => Received::Pong(bytes),
            AggregatedMessage::Close(reason) => Received::Close(CloseFrame {
                code: reason.as_ref().map(|reason| reason.code.into()),
                words: reason.and_then(|reason| reason.description).unwrap_or_default(),
            }),
        })
    }
}

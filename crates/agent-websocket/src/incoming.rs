//! What a client says.

use crate::Limits;
use crate::fault::{CloseFrame, Fault};
use actix_http::ws::{Codec, Frame, Item};
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt;
use tokio_util::codec::Decoder;

/// A buffer that has grown beyond this is not kept for an idle connection.
const KEPT: usize = 1_024;

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
    payload: Payload,
    codec: Codec,
    /// What came and is no whole frame yet. Copied out of the web server's buffer, which is free again at once.
    buffer: BytesMut,
    fragments: Option<Fragments>,
    max_message: usize,
}

struct Fragments {
    is_text: bool,
    bytes: BytesMut,
}

impl Incoming {
    pub(crate) fn new(payload: Payload, limits: &Limits) -> Self {
        let max_message = limits.max_message;
        let codec = Codec::new().max_size(max_message);
        Self { payload, codec, buffer: BytesMut::new(), fragments: None, max_message }
    }

    /// The next message. Safe to drop half-way. After a fault nothing sensible follows.
    ///
    /// # Errors
    /// What ends the connection.
    pub async fn next(&mut self) -> Result<Received, Fault> {
        loop {
            while let Some(frame) = self.codec.decode(&mut self.buffer)? {
                if let Some(message) = self.take(frame)? {
                    return Ok(message);
                }
            }
            if self.buffer.is_empty() && self.buffer.capacity() > KEPT {
                self.buffer = BytesMut::new();
            }
            let more = self.payload.next().await.ok_or(Fault::Gone)?;
            self.buffer.extend_from_slice(&more.map_err(|_lost| Fault::Gone)?);
        }
    }

    /// The message that is whole with this frame, if one is.
    fn take(&mut self, frame: Frame) -> Result<Option<Received>, Fault> {
        Ok(Some(match frame {
            Frame::Text(bytes) => text(bytes)?,
            Frame::Binary(bytes) => Received::Binary(bytes),
            Frame::Ping(bytes) => Received::Ping(bytes),
            Frame::Pong(bytes) => Received::Pong(bytes),
            Frame::Close(reason) => Received::Close(CloseFrame {
                code: reason.as_ref().map(|reason| reason.code.into()),
                words: reason.and_then(|reason| reason.description).unwrap_or_default(),
            }),
            Frame::Continuation(item) => return self.put_together(item),
        }))
    }

    fn put_together(&mut self, item: Item) -> Result<Option<Received>, Fault> {
        let (bytes, is_last) = match item {
            Item::FirstText(bytes) => {
                self.fragments = Some(Fragments { is_text: true, bytes: BytesMut::new() });
                (bytes, false)
            }
            Item::FirstBinary(bytes) => {
                self.fragments = Some(Fragments { is_text: false, bytes: BytesMut::new() });
                (bytes, false)
            }
            Item::Continue(bytes) => (bytes, false),
            Item::Last(bytes) => (bytes, true),
        };
        let fragments = self.fragments.as_mut().ok_or(Fault::Protocol)?;
        if fragments.bytes.len() + bytes.len() > self.max_message {
            return Err(Fault::TooLarge);
        }
        fragments.bytes.extend_from_slice(&bytes);
        let Some(Fragments { is_text, bytes }) = self.fragments.take_if(|_| is_last) else { return Ok(None) };
        let bytes = bytes.freeze();
        Ok(Some(if is_text { text(bytes)? } else { Received::Binary(bytes) }))
    }
}

fn text(bytes: Bytes) -> Result<Received, Fault> {
    String::from_utf8(bytes.into()).map(Received::Text).map_err(|_invalid| Fault::NotUtf8)
}

//! One WebSocket connection (RFC 6455) over actix-web: messages in, a bounded queue out, close codes that tell the truth.
//!
//! Knows frames, queues and what a fault of the client is called on the wire. Never knows who the client is or what
//! its messages mean.
//!
//! [`accept`] answers the opening request and gives both ends: [`Incoming`] yields whole messages, or the [`Fault`] that
//! ends the connection, with its close code. [`Outgoing`] takes messages without waiting, up to a bound in number and in
//! bytes; the socket takes them from there at its own pace, as many as it has room for in one write. A text is shared
//! by all connections that send it and copied only when it goes out, so that what waits for a slow client costs a
//! reference. Nothing here waits for ever: whoever sends looks at [`Outgoing::waiting_since`] and gives up a client that
//! takes nothing, and a close frame goes out in place of what is given up.
//!
//! Both ends belong to the thread of the connection. Messages are never compressed. Frames of clients are read by the
//! codec of `actix-http`; all else is done here, so that an idle connection holds no buffers of its own.

mod fault;
mod frame;
mod incoming;
mod outgoing;

pub use fault::{CloseFrame, Fault};
pub use incoming::{Incoming, Received};
pub use outgoing::{Full, Outgoing};

use actix_web::http::header::SEC_WEBSOCKET_PROTOCOL;
use actix_web::web::Payload;
use actix_web::{Error, HttpRequest, HttpResponse};

/// What one connection may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest message of the client, in bytes, whole or in fragments.
    pub max_message: usize,
    /// The most messages that wait for the client.
    pub max_queued: usize,
    /// The most bytes that wait for the client. One message alone may be larger.
    pub max_queued_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_message: 64 * 1024, max_queued: 256, max_queued_bytes: 1024 * 1024 }
    }
}

/// An opened connection.
pub struct Accepted<T> {
    /// The answer to the opening request (101); the connection lives in its body.
    pub response: HttpResponse,
    /// What the client says.
    pub incoming: Incoming,
    /// What the client is told; each message may carry a mark, which comes back if it is never sent.
    pub outgoing: Outgoing<T>,
}

/// Opens a connection. Of the subprotocols that the client offers, the first in `protocols` is chosen.
///
/// # Errors
/// The answer for a request that opens no WebSocket of version 13.
pub fn accept<T: 'static>(
    request: &HttpRequest,
    payload: Payload,
    protocols: &[&str],
    limits: &Limits,
) -> Result<Accepted<T>, Error> {
    let mut response = actix_http::ws::handshake(request.head())?;
    if let Some(protocol) = chosen(request, protocols) {
        response.insert_header((SEC_WEBSOCKET_PROTOCOL, protocol));
    }
    let outgoing = Outgoing::new(limits);
    let response = response.message_body(outgoing.body())?.map_into_boxed_body().into();
    Ok(Accepted { response, incoming: Incoming::new(payload, limits), outgoing })
}

/// The first subprotocol of the client that is one of these.
fn chosen<'p>(request: &HttpRequest, protocols: &[&'p str]) -> Option<&'p str> {
    let lists = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL).filter_map(|list| list.to_str().ok());
    let mut offered = lists.flat_map(|list| list.split(',')).map(str::trim);
    offered.find_map(|offer| protocols.iter().find(|protocol| **protocol == offer).copied())
}

//! One WebSocket connection.

use super::frames::{REQUEST, Subscribe};
use super::machine::Loss;
use crate::client::Inner;
use crate::credential::Shown;
use crate::error::{Error, Problem};
use crate::http::{USER_AGENT, retry_after};
use agent_core::error::with_causes;
use futures_util::{SinkExt, StreamExt};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::client::{Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::{SEC_WEBSOCKET_PROTOCOL, USER_AGENT as USER_AGENT_HEADER};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Error as SocketError, Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// The subprotocol of the server.
const PROTOCOL: &str = "agent.v1";
/// No frame of the server is larger; more is not read into memory.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// A message of the client is sent within this time, or the line is dead.
const WRITE_DEADLINE: Duration = Duration::from_secs(10);
/// What a connection without a close frame counts as closed with (RFC 6455, 7.1.5).
const NO_STATUS: u16 = 1005;

/// A connection to the server, encrypted or not.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<W: AsyncRead + AsyncWrite + Send + Unpin> Wire for W {}

/// One WebSocket connection.
pub(super) struct Line {
    socket: WebSocketStream<Box<dyn Wire>>,
    silence_limit: Duration,
}

/// What comes from a line.
pub(super) enum Heard {
    /// A message.
    Text(Utf8Bytes),
    /// Nothing more.
    Lost(Loss),
}

impl Line {
    /// Opens a connection, showing this credential.
    ///
    /// # Errors
    /// The outer one is one that no other connection mends, the inner one says why there is none now.
    pub(super) async fn open(inner: &Arc<Inner>, shown: &Shown) -> Result<Result<Self, Loss>, Error> {
        let request = request(inner, shown)?;
        let limit = inner.socket.connect_timeout;
        let opening = async {
            let wire = connect(inner).await.map_err(|error| Opening::Io(with_causes(&error)))?;
            client_async_with_config(request, wire, Some(config())).await.map_err(Opening::Socket)
        };
        match timeout(limit, opening).await {
            Ok(Ok((socket, _response))) => Ok(Ok(Self { socket, silence_limit: inner.socket.silence_limit })),
            Ok(Err(Opening::Io(why))) => Ok(Err(Loss::NotOpened(why))),
            Ok(Err(Opening::Socket(error))) => not_opened(error),
            Err(_elapsed) => {
                Ok(Err(Loss::NotOpened(format!("no connection within {} ms", limit.as_millis()))))
            }
        }
    }

    /// Says what is wanted.
    pub(super) async fn say(&mut self, message: &Subscribe) -> Result<(), Loss> {
        let text = serde_json::to_string(message).map_err(|error| Loss::Cut(error.to_string()))?;
        self.send(Message::text(text)).await
    }

    /// Shows the server that somebody is there. What becomes of it is heard later.
    pub(super) async fn sign_of_life(&mut self) {
        let _ = self.send(Message::Ping(Bytes::new())).await;
    }

    async fn send(&mut self, message: Message) -> Result<(), Loss> {
        match timeout(WRITE_DEADLINE, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Loss::Cut(with_causes(&error))),
            Err(_elapsed) => Err(Loss::Silent(WRITE_DEADLINE)),
        }
    }

    /// The next message. Pings are answered on the way.
    pub(super) async fn hear(&mut self) -> Heard {
        loop {
            let Ok(frame) = timeout(self.silence_limit, self.socket.next()).await else {
                return Heard::Lost(Loss::Silent(self.silence_limit));
            };
            match frame {
                Some(Ok(Message::Text(text))) => return Heard::Text(text),
                Some(Ok(Message::Close(Some(close)))) => {
                    let (code, reason) = (close.code.into(), close.reason.to_string());
                    return Heard::Lost(Loss::Closed { code, reason });
                }
                Some(Ok(Message::Close(None))) => {
                    return Heard::Lost(Loss::Closed { code: NO_STATUS, reason: String::new() });
                }
                Some(Ok(_ping_or_binary)) => {}
                Some(Err(error @ SocketError::Capacity(_))) => {
                    return Heard::Lost(Loss::Foreign(with_causes(&error)));
                }
                Some(Err(error)) => return Heard::Lost(Loss::Cut(with_causes(&error))),
                None => return Heard::Lost(Loss::Cut("the connection ended".to_owned())),
            }
        }
    }
}

enum Opening {
    Io(String),
    Socket(SocketError),
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default().max_message_size(Some(MAX_BYTES)).max_frame_size(Some(MAX_BYTES))
}

fn request(inner: &Inner, shown: &Shown) -> Result<Request, Error> {
    let odd = |error: &dyn fmt::Display| Error::protocol(REQUEST, error);
    let address = inner.address.socket_below(&["ws", &inner.socket.client_id]);
    let mut request = address.into_client_request().map_err(|error| odd(&error))?;
    let headers = request.headers_mut();
    headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
    headers.insert(USER_AGENT_HEADER, HeaderValue::from_static(USER_AGENT));
    headers.extend(shown.headers()?);
    Ok(request)
}

async fn connect(inner: &Inner) -> std::io::Result<Box<dyn Wire>> {
    let stream = TcpStream::connect((inner.address.host(), inner.address.port())).await?;
    stream.set_nodelay(true)?;
    let Some(config) = &inner.socket.encryption else { return Ok(Box::new(stream)) };
    let name = ServerName::try_from(inner.address.host()).map_err(std::io::Error::other)?;
    Ok(Box::new(TlsConnector::from(Arc::clone(config)).connect(name, stream).await?))
}

/// Whether another connection may mend that this one was not opened.
fn not_opened(error: SocketError) -> Result<Result<Line, Loss>, Error> {
    match error {
        SocketError::Http(response) => Ok(Err(Loss::Answered(Box::new(problem(&response))))),
        SocketError::Protocol(ProtocolError::HandshakeIncomplete)
        | SocketError::Io(_)
        | SocketError::ConnectionClosed => Ok(Err(Loss::NotOpened(with_causes(&error)))),
        error => Err(Error::protocol(REQUEST, with_causes(&error))),
    }
}

fn problem(response: &Response) -> Problem {
    let body = response.body().as_deref().unwrap_or_default();
    Problem::read(response.status().as_u16(), body, retry_after(response.headers()))
}

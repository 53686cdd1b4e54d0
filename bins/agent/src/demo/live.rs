//! A plan's events over the WebSocket, as any other program would follow them.

use crate::exit::{Failure, chain};
use agent_core::event::Event;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// A subscription to one plan.
pub(super) struct Live {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    received: usize,
}

impl Live {
    /// Connects, and subscribes to a plan from its first event.
    pub(super) async fn follow(base: &str, token: &str, plan: i64) -> Result<Self, Failure> {
        let address = format!("{}/ws/agent-demo", base.trim_end_matches('/').replacen("http", "ws", 1));
        let mut request = address.as_str().into_client_request().map_err(|error| broken(&error))?;
        let bearer = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|error| Failure::work(format!("the access token is no header value: {error}")))?;
        request.headers_mut().insert(AUTHORIZATION, bearer);
        let (socket, _) = connect_async(request).await.map_err(|error| broken(&error))?;
        let mut live = Self { socket, received: 0 };
        let subscribe = json!({"action": "subscribe", "topic": format!("plan_{plan}"), "after": 0});
        live.socket.send(Message::text(subscribe.to_string())).await.map_err(|error| broken(&error))?;
        Ok(live)
    }

    /// How many events came.
    pub(super) fn received(&self) -> usize {
        self.received
    }

    /// The next event.
    pub(super) async fn next(&mut self) -> Result<Event, Failure> {
        loop {
            let message = match self.socket.next().await {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(frame))) => {
                    let why =
                        frame.map(|frame| format!(" ({} {})", frame.code, frame.reason)).unwrap_or_default();
                    return Err(Failure::work(format!("the server closed the WebSocket{why}")));
                }
                Some(Ok(_)) => continue,
                Some(Err(error)) => return Err(broken(&error)),
                None => return Err(Failure::work("the WebSocket ended")),
            };
            let value: Value = serde_json::from_str(&message).map_err(|error| {
                Failure::work(format!("the WebSocket sent something that is not JSON: {error}"))
            })?;
            if value["type"] == "error" {
                return Err(Failure::work(format!("the WebSocket says: {}", value["detail"])));
            }
            if value.get("event").is_none() {
                continue;
            }
            self.received += 1;
            match serde_json::from_value(value) {
                Ok(event) => return Ok(event),
                Err(error) => tracing::debug!(%error, "an event of a kind that is not known here"),
            }
        }
    }
}

fn broken(error: &Error) -> Failure {
    Failure::unreachable(format!("the WebSocket cannot be used: {}", chain(error)))
}

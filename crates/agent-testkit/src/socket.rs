//! A WebSocket client, as a program would be one.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// How long a test waits for a frame before it gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a server sends.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// A JSON text.
    Json(Value),
    /// The end, with its code and words.
    Closed(u16, String),
    /// The end, without a word.
    Lost,
}

/// An open WebSocket.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// The subprotocol that the server chose.
    pub protocol: Option<String>,
}

impl Socket {
    /// Opens one, with these headers.
    ///
    /// # Errors
    /// The status of the answer where the server refuses, 0 where there is no answer.
    pub async fn open(url: &str, client_id: &str, headers: &[(&str, &str)]) -> Result<Self, u16> {
        Self::open_at(&format!("{url}/ws/{client_id}"), headers).await
    }

    /// Opens one at this address, with these headers.
    ///
    /// # Errors
    /// The status of the answer where the server refuses, 0 where there is no answer.
    pub async fn open_at(address: &str, headers: &[(&str, &str)]) -> Result<Self, u16> {
        let address = address.replacen("http", "ws", 1);
        let mut request = address.into_client_request().expect("a WebSocket address");
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a header name");
            request.headers_mut().append(name, HeaderValue::from_str(value).expect("a header value"));
        }
        match connect_async(request).await {
            Ok((stream, response)) => {
                let protocol = response.headers().get("sec-websocket-protocol");
                let protocol = protocol.and_then(|value| value.to_str().ok()).map(str::to_owned);
                Ok(Self { stream, protocol })
            }
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(_) => Err(0),
        }
    }

    /// Sends a JSON text.
    pub async fn say(&mut self, message: Value) {
        self.say_text(&message.to_string()).await;
    }

    /// Sends a text that may be anything.
    pub async fn say_text(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.expect("the message is sent");
    }

    /// Sends a text, unless the other side has left.
    pub async fn say_text_if_open(&mut self, text: &str) {
        let _ = self.stream.send(Message::text(text)).await;
    }

    /// Sends bytes.
    pub async fn say_binary(&mut self, bytes: Vec<u8>) {
        self.stream.send(Message::binary(bytes)).await.expect("the message is sent");
    }

    /// The next frame that is no ping.
    pub async fn next(&mut self) -> Frame {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.stream.next()).await.expect("a frame in time");
            match frame {
                Some(Ok(Message::Text(text))) => {
                    return Frame::Json(serde_json::from_str(&text).expect("JSON"));
                }
                Some(Ok(Message::Close(Some(close)))) => {
                    return Frame::Closed(close.code.into(), close.reason.to_string());
                }
                Some(Ok(Message::Close(None))) | Some(Err(_)) | None => return Frame::Lost,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next JSON text.
    pub async fn next_json(&mut self) -> Value {
        match self.next().await {
            Frame::Json(value) => value,
            end => panic!("the connection ended: {end:?}"),
        }
    }

    /// The next event.
    pub async fn next_event(&mut self) -> Value {
        let value = self.next_json().await;
        assert!(value["event"].is_string(), "no event: {value}");
        value
    }

    /// Subscribes to a topic and returns the position behind which events come.
    pub async fn subscribe(&mut self, topic: &str, after: Option<i64>) -> i64 {
        self.say(json!({"action": "subscribe", "topic": topic, "after": after})).await;
        let answer = self.next_json().await;
        assert_eq!((&answer["type"], &answer["topic"]), (&json!("subscribed"), &json!(topic)), "{answer}");
        answer["seq"].as_i64().expect("a position")
    }

    /// Events up to and with the one that says where a plan ended.
    pub async fn events_to_the_end(&mut self) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            let event = self.next_event().await;
            let status = event["status"].as_str().unwrap_or_default().to_owned();
            let ends = event["event"] == "plan_updated"
                && ["completed", "failed", "cancelled"].contains(&status.as_str());
            events.push(event);
            if ends {
                return events;
            }
        }
    }
}

//! Servers that say what a test tells them to: what the real one says only on bad days.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

/// Takes connections, one after the other.
pub(crate) struct Played {
    listener: TcpListener,
}

impl Played {
    pub(crate) async fn start() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.listener.local_addr().unwrap())
    }

    /// Answers the next request with this head and body; returns what was asked.
    pub(crate) async fn answer(&self, head: &str, body: &str) -> String {
        let (mut stream, _) = self.listener.accept().await.unwrap();
        let asked = read_request(&mut stream).await;
        let text =
            format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
        stream.write_all(text.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        asked
    }

    /// Opens a WebSocket for the next who asks.
    pub(crate) async fn open(&self) -> PlayedSocket {
        let (stream, _) = self.listener.accept().await.unwrap();
        let mut credential = None;
        #[expect(clippy::result_large_err, reason = "the shape of the callback is the library's")]
        let callback = |request: &Request, mut response: Response| {
            credential = request.headers().get("authorization").cloned();
            response.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("agent.v1"));
            Ok(response)
        };
        let socket = accept_hdr_async(stream, callback).await.unwrap();
        let credential = credential.map(|value| value.to_str().unwrap().to_owned());
        PlayedSocket { socket, credential }
    }
}

async fn read_request(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let n = stream.read(&mut buffer).await.unwrap();
        read.extend_from_slice(&buffer[..n]);
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let lengths = head.lines().filter_map(|line| {
                line.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok()
            });
            if body.len() >= lengths.sum::<usize>() {
                return text;
            }
        }
        assert!(n > 0, "the request broke off: {text}");
    }
}

/// The server's end of a WebSocket.
pub(crate) struct PlayedSocket {
    socket: WebSocketStream<TcpStream>,
    /// What the client showed as `Authorization`.
    pub(crate) credential: Option<String>,
}

impl PlayedSocket {
    /// The next message of the client.
    pub(crate) async fn hear(&mut self) -> Value {
        loop {
            match self.socket.next().await.unwrap().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Waits until the client is gone.
    pub(crate) async fn gone(mut self) {
        while let Some(Ok(_)) = self.socket.next().await {}
    }

    pub(crate) async fn say(&mut self, message: Value) {
        self.socket.send(Message::text(message.to_string())).await.unwrap();
    }

    /// Takes the client's subscription to plan 1 and confirms it; returns it.
    pub(crate) async fn subscribed(&mut self, seq: i64) -> Value {
        let heard = self.hear().await;
        assert_eq!((&heard["action"], &heard["topic"]), (&json!("subscribe"), &json!("plan_1")), "{heard}");
        self.say(json!({"type": "subscribed", "topic": "plan_1", "seq": seq, "epoch": "e1"})).await;
        heard
    }

    /// Tells an event of plan 1.
    pub(crate) async fn tell(&mut self, seq: i64) {
        self.say(event(seq, "task_skipped")).await;
    }

    pub(crate) async fn close(mut self, code: u16, reason: &str) {
        let frame = CloseFrame { code: code.into(), reason: reason.to_owned().into() };
        self.socket.close(Some(frame)).await.unwrap();
        self.gone().await;
    }
}

/// An event of plan 1.
pub(crate) fn event(seq: i64, name: &str) -> Value {
    json!({"seq": seq, "cursor": seq + 100, "event": name, "plan_id": 1, "task_id": 3, "topic": "plan_1",
           "timestamp": "2026-01-01T12:00:00.000Z", "reason": "a test"})
}

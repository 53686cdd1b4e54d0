//! The two protocols, as little of them as a subscriber that counts needs.

use crate::now;
use crate::subscribers::{Kind, Spec};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const MAX_FRAME: usize = 64 * 1024;

/// A subscribed connection.
pub(crate) struct Line {
    stream: TcpStream,
    is_nats: bool,
    buffer: Vec<u8>,
    filled: usize,
}

/// Opens a connection and subscribes.
pub(crate) async fn open(spec: Spec) -> Line {
    let stream = TcpStream::connect(&spec.address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let is_nats = matches!(spec.kind, Kind::Nats);
    let mut line = Line { stream, is_nats, buffer: vec![0; 1_024], filled: 0 };
    match spec.kind {
        Kind::WebSocket { token, topic } => line.subscribe(&spec.address, &token, &topic).await,
        Kind::Nats => line.subscribe_to_nats().await,
    }
    line
}

impl Line {
    async fn subscribe(&mut self, address: &str, token: &str, topic: &str) {
        let request = format!(
            "GET /ws/bench HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Authorization: Bearer {token}\r\n\r\n"
        );
        self.stream.write_all(request.as_bytes()).await.unwrap();
        self.read_until(b"\r\n\r\n").await;
        let wish = format!(r#"{{"action":"subscribe","topic":"{topic}"}}"#);
        // Masked with zeros, which masks nothing and is as good as any other mask here.
        let mut frame = vec![0x81, 0x80 | u8::try_from(wish.len()).unwrap(), 0, 0, 0, 0];
        frame.extend_from_slice(wish.as_bytes());
        self.stream.write_all(&frame).await.unwrap();
        self.read_until(b"subscribed").await;
        self.filled = 0;
    }

    async fn subscribe_to_nats(&mut self) {
        let wish = b"CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB bench 1\r\nPING\r\n";
        self.stream.write_all(wish).await.unwrap();
        self.read_until(b"PONG\r\n").await;
        self.filled = 0;
    }

    async fn read_until(&mut self, end: &[u8]) {
        while !self.buffer[..self.filled].windows(end.len()).any(|window| window == end) {
            assert!(self.fill().await, "{}", String::from_utf8_lossy(&self.buffer[..self.filled]));
        }
    }

    async fn fill(&mut self) -> bool {
        if self.filled == self.buffer.len() {
            self.buffer.resize((self.filled * 2).min(MAX_FRAME), 0);
        }
        let read = self.stream.read(&mut self.buffer[self.filled..]).await.unwrap_or(0);
        self.filled += read;
        read > 0
    }

    /// Reads once, and tells when each event came. False at the end.
    pub(crate) async fn read(&mut self, mut told: impl FnMut(u64)) -> bool {
        if !self.fill().await {
            return false;
        }
        let (mut start, at) = (0, now());
        while let Some((payload, end)) = self.frame(start) {
            // Pings and the like carry nothing.
            if end > payload {
                told(at);
            }
            start = end;
        }
        self.buffer.copy_within(start..self.filled, 0);
        self.filled -= start;
        true
    }

    /// The next whole frame behind `start`: where its payload begins, and where it ends.
    fn frame(&self, start: usize) -> Option<(usize, usize)> {
        let bytes = &self.buffer[start..self.filled];
        let (head, length) = if self.is_nats {
            let head = bytes.windows(2).position(|pair| pair == b"\r\n")? + 2;
            let words = std::str::from_utf8(&bytes[..head - 2]).ok()?;
            if !words.starts_with("MSG") {
                return Some((start + head, start + head));
            }
            (head, words.rsplit(' ').next()?.parse::<usize>().ok()? + 2)
        } else {
            match *bytes.get(1)? {
                126 => (4, usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]))),
                127 => panic!("no event here is so large"),
                short => (2, usize::from(short)),
            }
        };
        let end = head + length;
        (bytes.len() >= end).then_some((start + head, start + end))
    }
}

//! A connection on which a test says, byte by byte, what no client library would.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a test waits for the server before it gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// An open TCP connection to a server.
#[derive(Debug)]
pub struct RawConnection {
    stream: TcpStream,
}

impl RawConnection {
    /// Opens one to the server at this address, such as `http://127.0.0.1:8000`.
    pub async fn open(url: &str) -> Self {
        let address = url.strip_prefix("http://").expect("an address of HTTP");
        Self { stream: TcpStream::connect(address).await.expect("a connection") }
    }

    /// Sends bytes.
    pub async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.expect("the bytes are taken");
    }

    /// Reads to the end of a head, and what came with it; empty where the server closed before.
    pub async fn head(&mut self) -> String {
        let mut read = Vec::new();
        while !read.windows(4).any(|end| end == b"\r\n\r\n") && self.read_some(&mut read).await {}
        String::from_utf8_lossy(&read).into_owned()
    }

    /// Reads until the server closes the connection.
    pub async fn rest(&mut self) -> String {
        let mut read = Vec::new();
        while self.read_some(&mut read).await {}
        String::from_utf8_lossy(&read).into_owned()
    }

    /// Sends these bytes again and again, with a pause after each, until the server closes the connection; answers what
    /// it said before.
    pub async fn trickle(self, bytes: &[u8], pause: Duration) -> String {
        let (mut reading, mut writing) = self.stream.into_split();
        let speaking = async {
            let mut pace = tokio::time::interval(pause);
            while writing.write_all(bytes).await.is_ok() {
                pace.tick().await;
            }
            // What was said before the end is still to be read.
            std::future::pending::<()>().await;
        };
        let listening = async {
            let mut read = Vec::new();
            let mut buffer = [0; 4096];
            // A reset is the end, too.
            while let Ok(n @ 1..) = reading.read(&mut buffer).await {
                read.extend_from_slice(buffer.get(..n).unwrap_or_default());
            }
            read
        };
        let both = async {
            tokio::select! {
                read = listening => read,
                () = speaking => Vec::new(),
            }
        };
        let read = tokio::time::timeout(PATIENCE, both).await.expect("the server closes the connection");
        String::from_utf8_lossy(&read).into_owned()
    }

    /// Whether there was something to read.
    async fn read_some(&mut self, read: &mut Vec<u8>) -> bool {
        let mut buffer = [0; 4096];
        let came = tokio::time::timeout(PATIENCE, self.stream.read(&mut buffer)).await;
        let n = came.expect("the server says something or closes").unwrap_or_default();
        read.extend_from_slice(buffer.get(..n).unwrap_or_default());
        n > 0
    }
}

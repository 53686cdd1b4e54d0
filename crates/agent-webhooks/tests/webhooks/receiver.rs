//! A receiver of webhooks: a real HTTP server on this machine that answers as told and writes down what it got.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

/// How to answer one call.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// With a status and further lines of the head.
    Status(u16, &'static str),
    /// With a redirect to there.
    Redirect(String),
    /// With 200, once the test says so.
    Held(Arc<Semaphore>),
    /// With this body.
    Body(Vec<u8>),
    /// With a body that never ends.
    Endless,
    /// With a head, and then nothing.
    HeadOnly,
    /// Not at all.
    Silent,
}

/// What arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    /// The first line.
    pub(crate) line: String,
    /// The headers, their names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

#[derive(Debug, Default)]
struct Books {
    replies: Mutex<VecDeque<Reply>>,
    requests: Mutex<Vec<Request>>,
    connections: Mutex<u32>,
}

pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    books: Arc<Books>,
    arrivals: tokio::sync::Mutex<mpsc::UnboundedReceiver<Request>>,
    hangups: tokio::sync::Mutex<mpsc::UnboundedReceiver<()>>,
}

impl Receiver {
    /// A receiver that answers 200 unless told otherwise.
    pub(crate) async fn start() -> Self {
        Self::at(Ipv4Addr::LOCALHOST, 0).await.expect("a free port")
    }

    pub(crate) async fn encrypted(config: ServerConfig) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Self::listen(Ipv4Addr::LOCALHOST, 0, Some(acceptor)).await.expect("a free port")
    }

    pub(crate) async fn at(ip: Ipv4Addr, port: u16) -> std::io::Result<Self> {
        Self::listen(ip, port, None).await
    }

    async fn listen(ip: Ipv4Addr, port: u16, acceptor: Option<TlsAcceptor>) -> std::io::Result<Self> {
        let listener = TcpListener::bind((IpAddr::V4(ip), port)).await?;
        let address = listener.local_addr()?;
        let books = Arc::new(Books::default());
        let (arrived, arrivals) = mpsc::unbounded_channel();
        let (hung_up, hangups) = mpsc::unbounded_channel();
        let serving = books.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *serving.connections.lock().unwrap() += 1;
                let (books, arrived, hung_up) = (serving.clone(), arrived.clone(), hung_up.clone());
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let _ = match acceptor {
                        None => serve(stream, &books, &arrived).await,
                        Some(acceptor) => match acceptor.accept(stream).await {
                            Ok(stream) => serve(stream, &books, &arrived).await,
                            Err(error) => Err(error),
                        },
                    };
                    let _ = hung_up.send(());
                });
            }
        });
        Ok(Self { address, books, arrivals: arrivals.into(), hangups: hangups.into() })
    }

    /// Answers the next calls so, one after the other, and after those with 200.
    pub(crate) fn reply(&self, replies: impl IntoIterator<Item = Reply>) {
        self.books.replies.lock().unwrap().extend(replies);
    }

    /// What arrived so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.books.requests.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> u32 {
        *self.books.connections.lock().unwrap()
    }

    /// Waits for the next call to arrive.
    pub(crate) async fn arrival(&self) -> Request {
        self.arrivals.lock().await.recv().await.expect("the receiver runs")
    }

    /// Waits until a connection is over.
    pub(crate) async fn hangup(&self) {
        self.hangups.lock().await.recv().await.expect("the receiver runs");
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    books: &Books,
    arrived: &mpsc::UnboundedSender<Request>,
) -> std::io::Result<()> {
    let request = read(&mut stream).await?;
    let reply = books.replies.lock().unwrap().pop_front().unwrap_or(Reply::Status(200, ""));
    books.requests.lock().unwrap().push(request.clone());
    let _ = arrived.send(request);
    let head = |status: u16, lines: &str, length: usize| {
        format!("HTTP/1.1 {status} x\r\n{lines}connection: close\r\ncontent-length: {length}\r\n\r\n")
    };
    match reply {
        Reply::Status(status, lines) => stream.write_all(head(status, lines, 0).as_bytes()).await,
        Reply::Redirect(to) => {
            stream.write_all(head(302, &format!("location: {to}\r\n"), 0).as_bytes()).await
        }
        Reply::Held(until) => {
            until.acquire().await.expect("the test holds it open").forget();
            stream.write_all(head(200, "", 0).as_bytes()).await
        }
        Reply::Body(body) => {
            stream.write_all(head(200, "", body.len()).as_bytes()).await?;
            stream.write_all(&body).await
        }
        Reply::Endless => {
            stream.write_all(b"HTTP/1.1 200 x\r\nconnection: close\r\n\r\n").await?;
            loop {
                stream.write_all(&[b'x'; 4_096]).await?;
            }
        }
        Reply::HeadOnly => {
            stream.write_all(head(200, "", 10).as_bytes()).await?;
            wait_for_end(&mut stream).await
        }
        Reply::Silent => wait_for_end(&mut stream).await,
    }
}

async fn wait_for_end<S: AsyncRead + Unpin>(stream: &mut S) -> std::io::Result<()> {
    let mut rest = [0; 64];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> std::io::Result<Request> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let mut lines = head.lines().map(str::to_owned);
    let line = lines.next().unwrap_or_default();
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(':').map(|(n, v)| (n.to_lowercase(), v.trim().to_owned())))
        .collect();
    let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = bytes.split_off(head_end + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(Request { line, headers, body })
}

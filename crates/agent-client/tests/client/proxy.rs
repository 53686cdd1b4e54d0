//! A line to a server that can be cut: after so many bytes, at once, or whenever an answer comes.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// Numbers that look random and are the same in each run (SplitMix64).
#[derive(Debug, Clone)]
pub(crate) struct Seeded(u64);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// How lines are treated.
struct Treatment {
    target: Mutex<SocketAddr>,
    /// Each new line carries so many bytes of answers, drawn below a limit, and breaks off then.
    budget: Mutex<Option<(Seeded, u64)>>,
    /// The next answer is not delivered: its line breaks off.
    swallows: AtomicBool,
    lines: AtomicUsize,
    cuts: AtomicUsize,
    alive: watch::Sender<u64>,
}

/// Stands between a client and a server.
pub(crate) struct Proxy {
    address: SocketAddr,
    treatment: Arc<Treatment>,
}

fn address_of(url: &str) -> SocketAddr {
    url.rsplit('/').next().unwrap().parse().unwrap()
}

impl Proxy {
    /// Before the server at this address.
    pub(crate) async fn before(url: &str) -> Self {
        Self::start(url, None).await
    }

    /// Before the server at this address, encrypted towards the client.
    pub(crate) async fn encrypted(url: &str, acceptor: TlsAcceptor) -> Self {
        Self::start(url, Some(acceptor)).await
    }

    async fn start(url: &str, acceptor: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let treatment = Arc::new(Treatment {
            target: Mutex::new(address_of(url)),
            budget: Mutex::new(None),
            swallows: AtomicBool::new(false),
            lines: AtomicUsize::new(0),
            cuts: AtomicUsize::new(0),
            alive: watch::channel(0).0,
        });
        let treated = Arc::clone(&treatment);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (treated, acceptor) = (Arc::clone(&treated), acceptor.clone());
                tokio::spawn(async move {
                    match acceptor {
                        None => treated.carry(client).await,
                        Some(acceptor) => {
                            if let Ok(client) = acceptor.accept(client).await {
                                treated.carry(client).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, treatment }
    }

    /// Where clients reach it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The same over TLS.
    pub(crate) fn encrypted_url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Leads to another server from now on.
    pub(crate) fn lead_to(&self, url: &str) {
        *self.treatment.target.lock().unwrap() = address_of(url);
    }

    /// New lines break off after a number of bytes of answers, drawn below the limit.
    pub(crate) fn break_off_below(&self, limit: u64, seed: u64) {
        *self.treatment.budget.lock().unwrap() = Some((Seeded::new(seed), limit));
    }

    /// The next answer is lost, with its line.
    pub(crate) fn swallow_one_answer(&self) {
        self.treatment.swallows.store(true, Ordering::SeqCst);
    }

    /// Cuts every line there is.
    pub(crate) fn cut_all(&self) {
        self.treatment.alive.send_modify(|number| *number += 1);
    }

    /// How many lines there were.
    pub(crate) fn lines(&self) -> usize {
        self.treatment.lines.load(Ordering::SeqCst)
    }

    /// How many broke off.
    pub(crate) fn cuts(&self) -> usize {
        self.treatment.cuts.load(Ordering::SeqCst)
    }
}

impl Treatment {
    async fn carry<C: tokio::io::AsyncRead + tokio::io::AsyncWrite>(&self, client: C) {
        self.lines.fetch_add(1, Ordering::SeqCst);
        let mut alive = self.alive.subscribe();
        let budget = self.budget.lock().unwrap().as_mut().map(|(seeded, limit)| seeded.below(*limit));
        let target = *self.target.lock().unwrap();
        let Ok(server) = TcpStream::connect(target).await else { return };
        let (mut from_client, mut to_client) = tokio::io::split(client);
        let (mut from_server, mut to_server) = server.into_split();
        let asking = async {
            let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
            let _ = to_server.shutdown().await;
            std::future::pending::<()>().await;
        };
        let answering = async {
            let mut left = budget.map_or(usize::MAX, |bytes| usize::try_from(bytes).unwrap());
            let mut buffer = [0; 1024];
            while let Ok(n @ 1..) = from_server.read(&mut buffer).await {
                let told = n.min(left);
                if self.swallows.swap(false, Ordering::SeqCst) {
                    return true;
                }
                if to_client.write_all(&buffer[..told]).await.is_err() {
                    return false;
                }
                let _ = to_client.flush().await;
                left -= told;
                if left == 0 {
                    return true;
                }
            }
            let _ = to_client.shutdown().await;
            false
        };
        let was_cut = tokio::select! {
            was_cut = answering => was_cut,
            () = asking => false,
            _ = alive.changed() => true,
        };
        self.cuts.fetch_add(usize::from(was_cut), Ordering::SeqCst);
    }
}

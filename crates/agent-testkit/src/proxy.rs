//! A line to a server that can be cut: after so many bytes, at once, or when an answer comes.

use std::collections::VecDeque;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Numbers that look random and are the same in each run (SplitMix64).
#[derive(Debug, Clone)]
pub struct Seeded(u64);

impl Seeded {
    /// The numbers that belong to a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number, below the limit.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// What both sides of a line can do.
pub trait Talk: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Talk for T {}

/// A client that was greeted; `None` where that failed.
pub type Greeted = Pin<Box<dyn Future<Output = Option<Box<dyn Talk>>> + Send>>;

/// How many bytes of answers new lines carry before they break off.
enum Budget {
    /// As many as come.
    Whole,
    /// So many, drawn below a limit.
    Drawn(Seeded, u64),
    /// These, line after line; later ones are whole.
    Listed(VecDeque<u64>),
}

impl Budget {
    fn of_next_line(&mut self) -> Option<u64> {
        match self {
            Self::Whole => None,
            Self::Drawn(seeded, limit) => Some(seeded.below(*limit)),
            Self::Listed(bytes) => bytes.pop_front(),
        }
    }
}

/// How lines are treated.
struct Treatment {
    target: Mutex<SocketAddr>,
    budget: Mutex<Budget>,
    /// The next answer is not delivered: its line breaks off.
    swallows: AtomicBool,
    lines: AtomicUsize,
    cuts: AtomicUsize,
    alive: watch::Sender<u64>,
}

/// Stands between a client and a server.
pub struct Proxy {
    address: SocketAddr,
    treatment: Arc<Treatment>,
}

fn address_of(url: &str) -> SocketAddr {
    url.rsplit('/').next().unwrap_or_default().parse().expect("an address")
}

impl Proxy {
    /// Before the server at this address.
    pub async fn before(url: &str) -> Self {
        Self::speaking(url, |client| Box::pin(async { Some(Box::new(client) as Box<dyn Talk>) })).await
    }

    /// Before the server at this address, speaking to clients in some other way, such as encrypted.
    pub async fn speaking(url: &str, greet: impl Fn(TcpStream) -> Greeted + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let treatment = Arc::new(Treatment {
            target: Mutex::new(address_of(url)),
            budget: Mutex::new(Budget::Whole),
            swallows: AtomicBool::new(false),
            lines: AtomicUsize::new(0),
            cuts: AtomicUsize::new(0),
            alive: watch::channel(0).0,
        });
        let (treated, greet) = (Arc::clone(&treatment), Arc::new(greet));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (treated, greeted) = (Arc::clone(&treated), greet(client));
                tokio::spawn(async move {
                    if let Some(client) = greeted.await {
                        treated.carry(client).await;
                    }
                });
            }
        });
        Self { address, treatment }
    }

    /// Where clients reach it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Leads to another server from now on.
    pub fn lead_to(&self, url: &str) {
        *self.treatment.target.lock().expect("no panic") = address_of(url);
    }

    /// New lines break off after a number of bytes of answers, drawn below the limit.
    pub fn break_off_below(&self, limit: u64, seed: u64) {
        self.set_budget(Budget::Drawn(Seeded::new(seed), limit));
    }

    /// The next lines break off after so many bytes of answers each; those after them stay whole.
    pub fn break_off_after(&self, bytes: &[u64]) {
        self.set_budget(Budget::Listed(bytes.iter().copied().collect()));
    }

    fn set_budget(&self, budget: Budget) {
        *self.treatment.budget.lock().expect("no panic") = budget;
    }

    /// The next answer is lost, with its line.
    pub fn swallow_one_answer(&self) {
        self.treatment.swallows.store(true, Ordering::SeqCst);
    }

    /// Cuts every line there is.
    pub fn cut_all(&self) {
        self.treatment.alive.send_modify(|number| *number += 1);
    }

    /// How many lines there were.
    pub fn lines(&self) -> usize {
        self.treatment.lines.load(Ordering::SeqCst)
    }

    /// How many broke off.
    pub fn cuts(&self) -> usize {
        self.treatment.cuts.load(Ordering::SeqCst)
    }
}

impl Treatment {
    async fn carry(&self, client: Box<dyn Talk>) {
        self.lines.fetch_add(1, Ordering::SeqCst);
        let mut alive = self.alive.subscribe();
        let budget = self.budget.lock().expect("no panic").of_next_line();
        let target = *self.target.lock().expect("no panic");
        let Ok(server) = TcpStream::connect(target).await else { return };
        let (mut from_client, mut to_client) = tokio::io::split(client);
        let (mut from_server, mut to_server) = server.into_split();
        let asking = async {
            let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
            let _ = to_server.shutdown().await;
            std::future::pending::<()>().await;
        };
        let answering = async {
            let mut left = budget.map_or(usize::MAX, |bytes| usize::try_from(bytes).expect("a small number"));
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

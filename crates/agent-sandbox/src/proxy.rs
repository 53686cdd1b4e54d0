//! Lets a command through to the hosts it may reach, and to no other.
//!
//! The command is in a network namespace with nothing in it but a socket that listens for us. Whoever connects to
//! it speaks HTTP as to a proxy; names are checked against a list, then resolved here, and the address that was
//! checked is the one that is connected to. What is inside of TLS is not looked at.

mod address;
mod exchange;
mod rules;

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) use crate::environment::PROXY_PORT as PORT;
pub(crate) use rules::Rules;

/// Connections that are served at one time; more wait.
const CONNECTIONS: usize = 128;
/// How many refused hosts are remembered.
const REMEMBERED: usize = 32;

/// The proxy of one command. Dropping it ends all connections.
#[derive(Debug)]
pub(crate) struct Proxy {
    desk: Arc<Desk>,
    _end: DropGuard,
}

/// What all connections of a command share.
#[derive(Debug)]
struct Desk {
    rules: Rules,
    refused: Mutex<Vec<String>>,
}

impl Proxy {
    /// Serves at a socket that listens already. Must be called within a runtime.
    pub(crate) fn serve(listener: OwnedFd, rules: Rules) -> io::Result<Self> {
        let listener = std::net::TcpListener::from(listener);
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let desk = Arc::new(Desk { rules, refused: Mutex::default() });
        let end = CancellationToken::new();
        tokio::spawn(end.clone().run_until_cancelled_owned(accept(listener, Arc::clone(&desk), end.clone())));
        Ok(Self { desk, _end: end.drop_guard() })
    }

    /// The first hosts that were refused.
    pub(crate) fn refused_hosts(&self) -> Vec<String> {
        self.desk.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Desk {
    fn refuse(&self, target: &str) {
        const LONGEST: usize = 260;
        let shown: String = target.chars().filter(|letter| !letter.is_control()).take(LONGEST).collect();
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() < REMEMBERED && !refused.contains(&shown) {
            refused.push(shown);
        }
    }
}

async fn accept(listener: TcpListener, desk: Arc<Desk>, end: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        match listener.accept().await {
            Ok((client, _address)) => {
                let desk = Arc::clone(&desk);
                let exchange = async move {
                    exchange::serve(client, &desk).await;
                    drop(place);
                };
                tokio::spawn(end.clone().run_until_cancelled_owned(exchange));
            }
            // Out of descriptors, most likely; the next connection may find some again.
            Err(error) => {
                tracing::warn!(%error, "a connection of a command could not be taken");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}

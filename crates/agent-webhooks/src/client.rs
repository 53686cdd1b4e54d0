//! The only way out: a call to an address that a user chose.

mod pinned;
mod resolver;
mod trust;

pub use resolver::{Resolver, SystemResolver};

use crate::destination::{Destination, Host, Refused};
use agent_core::error::with_causes;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use trust::Trust;

/// How long a call may take and how much of the answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until the connection stands.
    pub connect: Duration,
    /// For everything: looking up the name, connecting, sending, and reading the answer.
    pub total: Duration,
    /// Bytes of the answer's body; what comes after them is not read.
    pub body_bytes: usize,
}

impl Default for Limits {
    /// 5 s to connect, 15 s in all, 64 KiB.
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), total: Duration::from_secs(15), body_bytes: 64 * 1024 }
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status. A redirect is an answer like any other: nothing follows it.
    pub status: u16,
    /// The `Retry-After` header as sent.
    pub retry_after: Option<String>,
    /// The beginning of the body, at most [`Limits::body_bytes`].
    pub body: Vec<u8>,
    /// Whether there was more, which was not read.
    pub is_cut: bool,
}

/// Why there is no answer. No text of it holds more of the address than its host.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The host has an address that must not be called.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The name has no address, or nobody could tell which.
    #[error("the address of {host} cannot be found: {reason}; check its spelling and that it is public")]
    NotFound {
        /// The name.
        host: String,
        /// Why.
        reason: String,
    },
    /// It took too long.
    #[error("no complete answer within {} ms; answer at once and do the work afterwards", .0.as_millis())]
    Deadline(Duration),
    /// The connection failed or broke off.
    #[error("the call failed: {0}; check that the receiver is up and that its certificate is valid")]
    Broken(String),
    /// This machine cannot make the call at all.
    #[error("this machine cannot make the call (are its CA certificates installed?): {0}")]
    Unprepared(String),
}

/// Calls addresses that users chose, and nothing within the house.
///
/// For each call it looks the host up itself, once; refuses when any of the addresses is refused; and connects to
/// exactly the addresses it has checked, so that a name which changes its mind in between gains nothing. It follows
/// no redirect and asks no proxy, keeps no connection, and reads no more of the answer than its [`Limits`] say.
#[derive(Clone)]
pub struct GuardedClient {
    resolver: Arc<dyn Resolver>,
    limits: Limits,
    trust: Trust,
}

impl GuardedClient {
    /// A client that asks this resolver.
    pub fn new(resolver: Arc<dyn Resolver>, limits: Limits) -> Self {
        Self { resolver, limits, trust: Trust::default() }
    }

    /// Believes these certificate authorities too, for receivers that the operator vouches for: certificates as PEM,
    /// one after the other.
    ///
    /// # Errors
    /// `Unprepared` when they cannot be read.
    pub fn trusting(self, authorities: &str) -> Result<Self, CallError> {
        Ok(Self { trust: Trust::with(authorities)?, ..self })
    }

    /// Its limits.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Sends a body to a destination with `POST`.
    ///
    /// # Errors
    /// [`CallError`] when there is no complete answer. An answer of any status is none.
    pub async fn post(
        &self,
        destination: &Destination,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Answer, CallError> {
        let call = self.call(destination, headers, body);
        let deadline = |_elapsed| CallError::Deadline(self.limits.total);
        tokio::time::timeout(self.limits.total, call).await.map_err(deadline)?
    }

    async fn call(
        &self,
        destination: &Destination,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Answer, CallError> {
        let addresses = self.checked(destination).await?;
        let encryption = match destination.url().scheme() {
            "http" => None,
            _ => Some(self.trust.config().await?),
        };
        let client = pinned::client(destination, &addresses, self.limits.connect, encryption)
            .map_err(|error| CallError::Unprepared(with_causes(&error)))?;
        let request = client.post(destination.url().clone()).headers(headers).body(body);
        let response = request.send().await.map_err(|error| self.broken(error))?;
        self.read(response).await
    }

    /// The addresses of a destination, of which none is refused.
    async fn checked(&self, destination: &Destination) -> Result<Vec<IpAddr>, CallError> {
        let addresses = match destination.named_host() {
            Host::Address(address) => vec![*address],
            Host::Name(name) => self.look_up(name).await?,
        };
        for address in &addresses {
            destination.check(*address)?;
        }
        Ok(addresses)
    }

    async fn look_up(&self, name: &str) -> Result<Vec<IpAddr>, CallError> {
        let not_found = |reason: String| CallError::NotFound { host: name.to_owned(), reason };
        let found = self.resolver.resolve(name).await.map_err(|error| not_found(error.to_string()))?;
        if found.is_empty() { Err(not_found("it has none".to_owned())) } else { Ok(found) }
    }

    async fn read(&self, mut response: reqwest::Response) -> Result<Answer, CallError> {
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (mut body, mut is_cut) = (Vec::new(), false);
        while !is_cut && let Some(chunk) = response.chunk().await.map_err(|error| self.broken(error))? {
            let room = self.limits.body_bytes.saturating_sub(body.len());
            is_cut = chunk.len() > room;
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        }
        Ok(Answer { status, retry_after, body, is_cut })
    }

    fn broken(&self, error: reqwest::Error) -> CallError {
        if error.is_timeout() {
            return CallError::Deadline(self.limits.connect);
        }
        CallError::Broken(with_causes(&error.without_url()))
    }
}

impl fmt::Debug for GuardedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardedClient").field("limits", &self.limits).finish_non_exhaustive()
    }
}

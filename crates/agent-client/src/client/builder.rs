//! How a client is made.

use super::{Client, Inner, SocketSettings};
use crate::address::Address;
use crate::credential::{Credentials, Shown};
use crate::error::{Error, Result};
use crate::http::Http;
use crate::randomness::SystemRandomness;
use crate::retry::Retries;
use crate::session_store::SessionStore;
use crate::trust;
use agent_core::ports::Randomness;
use secrecy::SecretString;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What is to be different about a client.
#[must_use = "a builder does nothing until `build`"]
pub struct ClientBuilder {
    url: String,
    token: Option<SecretString>,
    refresh_token: Option<SecretString>,
    api_key: Option<SecretString>,
    session_store: Option<Arc<dyn SessionStore>>,
    connect_timeout: Duration,
    timeout: Duration,
    silence_limit: Duration,
    renew_before: Duration,
    retries: Retries,
    randomness: Arc<dyn Randomness>,
    client_id: String,
    authorities: Option<String>,
}

impl ClientBuilder {
    pub(super) fn new(url: String) -> Self {
        Self {
            url,
            token: None,
            refresh_token: None,
            api_key: None,
            session_store: None,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            silence_limit: Duration::from_secs(45),
            renew_before: Duration::from_secs(60),
            retries: Retries::default(),
            randomness: Arc::new(SystemRandomness),
            client_id: "agent-client".to_owned(),
            authorities: None,
        }
    }

    /// Shows this as `Authorization: Bearer`: an access token, or an API key.
    pub fn token(mut self, token: impl Into<SecretString>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Renews the token with this one when it is refused.
    pub fn refresh_token(mut self, token: impl Into<SecretString>) -> Self {
        self.refresh_token = Some(token.into());
        self
    }

    /// Shares the session of [`ClientBuilder::token`] with other programs: it is renewed by one of them at a time, and what
    /// another one got is taken over.
    pub fn session_store(mut self, store: Arc<dyn SessionStore>) -> Self {
        self.session_store = Some(store);
        self
    }

    /// Shows this as `X-API-Key`.
    pub fn api_key(mut self, key: impl Into<SecretString>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// How long it may take until a connection stands; 5 s unless said otherwise.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long one attempt at a request may take, from its begin to the end of its answer; 30 s unless said otherwise.
    /// Waiting for events comes on top.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// A WebSocket on which nothing came for so long counts as dead; 45 s unless said otherwise. The server says something
    /// every 20 s.
    pub fn silence_limit(mut self, limit: Duration) -> Self {
        self.silence_limit = limit;
        self
    }

    /// A session is renewed so long before its end; 60 s unless said otherwise.
    pub fn renew_before(mut self, margin: Duration) -> Self {
        self.renew_before = margin;
        self
    }

    /// How often requests are sent, and what lies between.
    pub fn retries(mut self, retries: Retries) -> Self {
        self.retries = retries;
        self
    }

    /// Where the part of pauses comes from that is left to chance; the operating system unless said otherwise.
    pub fn randomness(mut self, randomness: Arc<dyn Randomness>) -> Self {
        self.randomness = randomness;
        self
    }

    /// What the client calls itself on WebSockets, a label in the server's log; `agent-client` unless said otherwise.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = id.into();
        self
    }

    /// Believes these certificate authorities too, beside those of the machine: certificates as PEM, one after the other.
    pub fn trusting(mut self, authorities: impl Into<String>) -> Self {
        self.authorities = Some(authorities.into());
        self
    }

    /// Makes the client; nothing is sent yet. For an `https` address the machine's certificate authorities are read.
    ///
    /// # Errors
    /// `InvalidSetting` says which setting makes no sense, and what it must be.
    pub fn build(self) -> Result<Client> {
        let address = Address::parse(&self.url)?;
        self.retries.check()?;
        if self.client_id.is_empty() || self.client_id.len() > 200 {
            return Err(Error::setting("client_id", "must have 1 to 200 bytes"));
        }
        if [self.connect_timeout, self.timeout, self.silence_limit].contains(&Duration::ZERO) {
            return Err(Error::setting(
                "connect_timeout, timeout and silence_limit",
                "must be longer than nothing",
            ));
        }
        let encryption =
            if address.is_encrypted() { Some(trust::config(self.authorities.as_deref())?) } else { None };
        let times = (self.connect_timeout, self.timeout);
        let http = Http::new(encryption.clone(), times, self.retries, self.randomness)?;
        let shown = shown(self.token, self.api_key)?;
        if self.refresh_token.is_some() && !matches!(shown, Shown::Bearer(_)) {
            return Err(Error::setting("refresh_token", "belongs to a token, which is missing"));
        }
        if self.session_store.is_some() && self.refresh_token.is_none() {
            return Err(Error::setting(
                "session_store",
                "keeps a token and its refresh token, which are missing",
            ));
        }
        let credentials = Credentials::new(shown, self.refresh_token, self.renew_before);
        let socket = SocketSettings {
            client_id: self.client_id,
            encryption: encryption.map(Arc::new),
            connect_timeout: self.connect_timeout,
            silence_limit: self.silence_limit,
        };
        Ok(Client {
            inner: Arc::new(Inner { address, http, credentials, session_store: self.session_store, socket }),
        })
    }
}

fn shown(token: Option<SecretString>, api_key: Option<SecretString>) -> Result<Shown> {
    let shown = match (token, api_key) {
        (Some(_), Some(_)) => {
            return Err(Error::setting("token and api_key", "exclude each other; give one of them"));
        }
        (Some(token), None) => Shown::Bearer(token),
        (None, Some(key)) => Shown::ApiKey(key),
        (None, None) => Shown::Nothing,
    };
    shown.headers()?;
    Ok(shown)
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may hold a password until it is judged.
        f.debug_struct("ClientBuilder").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

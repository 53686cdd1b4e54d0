//! The front door: a server, and who asks it.

mod builder;

pub use builder::ClientBuilder;

use crate::address::Address;
use crate::approvals::Approvals;
use crate::credential::{Credentials, Held, Shown};
use crate::error::{Error, Result};
use crate::events::{Events, ListEvents, Topic};
use crate::http::{Answer, Call, Http};
use crate::plans::Plans;
use crate::wire::account::{LogIn, Refresh, Session, Ticket, Validation};
use crate::wire::system::Health;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_rustls::rustls::ClientConfig;
use url::Url;

/// A client of one server. Clones share connections and credential; a login by one is a login of all.
///
/// Must be used within a Tokio runtime.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

/// What the clones of a client share.
pub(crate) struct Inner {
    pub(crate) address: Address,
    pub(crate) http: Http,
    pub(crate) credentials: Credentials,
    pub(crate) socket: SocketSettings,
}

/// How WebSockets are opened and watched.
pub(crate) struct SocketSettings {
    /// What the client calls itself.
    pub(crate) client_id: String,
    /// How to encrypt, where the server is reached over TLS.
    pub(crate) encryption: Option<Arc<ClientConfig>>,
    /// How long it may take until the connection stands.
    pub(crate) connect_timeout: Duration,
    /// A line on which nothing came for so long is dead.
    pub(crate) silence_limit: Duration,
}

impl Client {
    /// A client of the server at an address such as `https://agent.example.org` or `http://127.0.0.1:8000`; a path in it is
    /// kept.
    pub fn builder(url: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(url.into())
    }

    /// Logs in, where the account is at home, and shows the session's token from now on. The session is renewed near its
    /// end, and when a token is refused.
    ///
    /// # Errors
    /// `Problem` with `invalid_credentials`, `account_disabled` or `too_many_attempts`, and what any request may end with.
    pub async fn log_in(&self, username: &str, password: &str) -> Result<Session> {
        self.open_session(None, username, password).await
    }

    /// Logs in to work in the tenant of that name, else as [`Client::log_in`].
    ///
    /// # Errors
    /// As [`Client::log_in`]; a tenant that does not exist is `invalid_credentials` too.
    pub async fn log_in_to(&self, tenant: &str, username: &str, password: &str) -> Result<Session> {
        self.open_session(Some(tenant), username, password).await
    }

    async fn open_session(&self, tenant: Option<&str>, username: &str, password: &str) -> Result<Session> {
        let call = Call::post(self.url(&["auth", "login"])).json(&LogIn { tenant, username, password })?;
        let call = call.harmless();
        let now = Instant::now();
        let session: Session = self.inner.http.exchange(&call, &Shown::Nothing).await?.json(&call)?;
        self.inner.credentials.keep(&session, now);
        Ok(session)
    }

    /// Ends every session of the caller, everywhere, and shows nothing from now on. API keys stay.
    ///
    /// # Errors
    /// What any request may end with; the credential is kept then.
    pub async fn log_out(&self) -> Result<()> {
        self.answer(&Call::post(self.url(&["auth", "logout"])).harmless()).await?.nothing()?;
        self.inner.credentials.forget();
        Ok(())
    }

    /// The session that is open at this moment, with the tokens that were renewed last.
    pub fn session(&self) -> Option<Session> {
        self.inner.credentials.session()
    }

    /// Says that the server lives. Needs no credential.
    ///
    /// # Errors
    /// What any request may end with.
    pub async fn health(&self) -> Result<Health> {
        self.send(Call::get(self.url(&["health"]))).await
    }

    /// Says who the caller is.
    ///
    /// # Errors
    /// `Problem` with `unauthenticated` or `invalid_token`, and what any request may end with.
    pub async fn validate(&self) -> Result<Validation> {
        self.send(Call::get(self.url(&["auth", "validate"]))).await
    }

    /// Makes a ticket, with which one WebSocket can be opened without any other credential. This client needs none.
    ///
    /// # Errors
    /// What any request may end with.
    pub async fn ticket(&self) -> Result<Ticket> {
        self.send(Call::post(self.url(&["ws", "ticket"])).harmless()).await
    }

    /// Plans.
    pub fn plans(&self) -> Plans {
        Plans::new(self.clone())
    }

    /// Questions to people.
    pub fn approvals(&self) -> Approvals {
        Approvals::new(self.clone())
    }

    /// Events as they are committed; of all plans that the caller may see, unless told otherwise.
    pub fn events(&self) -> Events {
        Events::new(Arc::clone(&self.inner))
    }

    /// The events of all plans that the caller may see, as a list; [`Client::events`] follows them.
    pub fn list_events(&self) -> ListEvents {
        ListEvents::new(self.clone(), Topic::All)
    }

    /// The address of a path, given by its parts.
    pub(crate) fn url(&self, parts: &[&str]) -> Url {
        self.inner.address.below(parts)
    }

    /// Sends a request of the caller and reads its answer.
    ///
    /// # Errors
    /// Every variant of [`Error`] that is not about WebSockets.
    pub(crate) async fn send<T: DeserializeOwned>(&self, call: Call) -> Result<T> {
        self.answer(&call).await?.json(&call)
    }

    /// Sends a request; once more with a new token where the old one is refused, since what is refused was not done.
    async fn answer(&self, call: &Call) -> Result<Answer> {
        let held = self.inner.credential().await;
        let answer = self.inner.http.exchange(call, &held.shown).await?;
        if answer.status != 401 || !self.inner.renew(held.number).await? {
            return Ok(answer);
        }
        self.inner.http.exchange(call, &self.inner.credentials.held().shown).await
    }
}

impl Inner {
    /// What to show now: renewed before, when it is near its end.
    pub(crate) async fn credential(self: &Arc<Self>) -> Held {
        let held = self.credentials.held();
        if held.is_due(Instant::now())
            && let Err(error) = self.renew(held.number).await
        {
            // The token is still good for a while; when it is not, its refusal says more than this.
            tracing::debug!(%error, "the session could not be renewed in advance");
        }
        self.credentials.held()
    }

    /// Renews what is held, unless it is another one already than that of this number. False when there is nothing to renew
    /// it with.
    ///
    /// # Errors
    /// `Problem` when the refresh token is not accepted, and what any request may end with.
    pub(crate) async fn renew(self: &Arc<Self>, number: u64) -> Result<bool> {
        let inner = Arc::clone(self);
        // In a task of its own: a caller that is dropped meanwhile must not take the new tokens with it.
        let renewing = tokio::spawn(async move {
            let _alone = inner.credentials.renewing.lock().await;
            let held = inner.credentials.held();
            match held.refresh {
                _ if held.number != number => Ok(true),
                None => Ok(false),
                Some(token) => inner.refresh(&token, number).await.map(|()| true),
            }
        });
        let broken = |error: tokio::task::JoinError| Error::Unanswered {
            request: REFRESH.to_owned(),
            source: error.into(),
        };
        renewing.await.map_err(broken)?
    }

    async fn refresh(&self, token: &SecretString, number: u64) -> Result<()> {
        let body = Refresh { refresh_token: token.expose_secret() };
        let call = Call::post(self.address.below(&["auth", "refresh"])).json(&body)?;
        let now = Instant::now();
        let answer = self.http.exchange(&call, &Shown::Nothing).await?;
        if answer.status == 401 {
            self.credentials.spent(number);
        }
        let session: Session = answer.json(&call)?;
        self.credentials.keep(&session, now);
        Ok(())
    }
}

const REFRESH: &str = "POST /auth/refresh";

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("address", &self.inner.address.to_string()).finish_non_exhaustive()
    }
}

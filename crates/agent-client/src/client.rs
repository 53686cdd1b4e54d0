//! The front door: a server, and who asks it.

mod builder;
mod renewal;

pub use builder::ClientBuilder;

use crate::accounts::{Keys, Users};
use crate::address::Address;
use crate::analytics::Analytics;
use crate::approvals::Approvals;
use crate::conversation::Conversation;
use crate::credential::{Credentials, Shown};
use crate::error::Result;
use crate::events::{Events, ListEvents, Topic};
use crate::http::{Answer, Call, Http};
use crate::plans::Plans;
use crate::session_store::SessionStore;
use crate::templates::Templates;
use crate::wire::account::{LogIn, Session, Ticket, Validation};
use crate::wire::scan::{Scan, ScanRepository};
use crate::wire::system::{Health, Stats};
pub(crate) use renewal::Renewal;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
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
    /// Where the session is kept that is shared with other programs.
    pub(crate) session_store: Option<Arc<dyn SessionStore>>,
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

    /// The address of the server as it is asked, without a slash at its end.
    pub fn address(&self) -> String {
        self.inner.address.to_string()
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

    /// Says a few figures about the server, of what the caller may see.
    ///
    /// # Errors
    /// What any request may end with.
    pub async fn stats(&self) -> Result<Stats> {
        self.send(Call::get(self.url(&["stats"]))).await
    }

    /// Describes a repository at the server: languages, sizes, tree, what builds and tests it.
    ///
    /// # Errors
    /// `Problem` with `repository_refused`, and what any request may end with.
    pub async fn scan(&self, repository: &ScanRepository) -> Result<Scan> {
        self.send(Call::post(self.url(&["scan"])).json(repository)?.harmless()).await
    }

    /// The answer to any `GET` of the server's API, as it came: for programs that hand it on, and for what this version has no
    /// method for. `path` are its parts, such as `["plans", "7"]`; `query` is a flat structure, or `()`.
    ///
    /// # Errors
    /// What any request may end with.
    pub async fn document(&self, path: &[&str], query: &impl Serialize) -> Result<Value> {
        self.send(Call::get(self.url(path)).query(query)?).await
    }

    /// The caller's API keys.
    pub fn keys(&self) -> Keys {
        Keys::new(self.clone())
    }

    /// The accounts of the caller's tenant, for administrators.
    pub fn users(&self) -> Users {
        Users::new(self.clone())
    }

    /// Templates.
    pub fn templates(&self) -> Templates {
        Templates::new(self.clone())
    }

    /// Figures about executions.
    pub fn analytics(&self) -> Analytics {
        Analytics::new(self.clone())
    }

    /// What people, models and tools said.
    pub fn conversation(&self) -> Conversation {
        Conversation::new(self.clone())
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

    /// Sends a request; again with a new token where the old one is refused, since what is refused was not done.
    pub(crate) async fn answer(&self, call: &Call) -> Result<Answer> {
        let mut held = self.inner.credential().await;
        loop {
            let answer = self.inner.http.exchange(call, &held.shown).await?;
            if answer.status != 401 {
                return Ok(answer);
            }
            let renewal = self.inner.renew(held.number).await?;
            if renewal == Renewal::None {
                return Ok(answer);
            }
            held = self.inner.credentials.held();
            if renewal == Renewal::New {
                return self.inner.http.exchange(call, &held.shown).await;
            }
            // What another program got may be over, too; then it is renewed here.
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("address", &self.inner.address.to_string()).finish_non_exhaustive()
    }
}

//! Requests over HTTP, sent again where that is harmless.

mod answer;
mod call;

pub(crate) use answer::{Answer, retry_after};
pub(crate) use call::Call;

use crate::credential::Shown;
use crate::error::{Error, Result};
use crate::retry::{self, Outcome, Repeat, Retries};
use agent_core::BoxError;
use agent_core::ports::Randomness;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::rustls::ClientConfig;

/// The server closes a connection that waits for 5 s; one that is used at that very moment would be lost.
const IDLE: Duration = Duration::from_secs(4);

/// Sends requests.
pub(crate) struct Http {
    client: reqwest::Client,
    retries: Retries,
    randomness: Arc<dyn Randomness>,
    timeout: Duration,
}

/// How an attempt ended without an answer.
struct Unheard {
    was_sent: bool,
    source: BoxError,
}

impl Http {
    /// Sends with these settings; `encryption` only where the server is reached over TLS.
    ///
    /// # Errors
    /// `InvalidSetting` when this machine cannot make requests so.
    pub(crate) fn new(
        encryption: Option<ClientConfig>,
        (connect, timeout): (Duration, Duration),
        retries: Retries,
        randomness: Arc<dyn Randomness>,
    ) -> Result<Self> {
        // A redirect would carry the credential elsewhere; proxies cannot be used for the WebSocket, so for nothing.
        let builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .pool_idle_timeout(IDLE)
            .connect_timeout(connect);
        let builder = match encryption {
            Some(config) => builder.tls_backend_preconfigured(config),
            None => builder.tls_certs_only(std::iter::empty()),
        };
        let client =
            builder.build().map_err(|error| Error::setting("the HTTP client", format!("fails: {error}")))?;
        Ok(Self { client, retries, randomness, timeout })
    }

    /// How often requests are sent.
    pub(crate) fn retries(&self) -> &Retries {
        &self.retries
    }

    /// A number between 0 and 1.
    pub(crate) fn chance(&self) -> f64 {
        self.randomness.fraction()
    }

    /// Sends a request, as often as that is harmless and hopeful, and answers whatever came in the end.
    ///
    /// # Errors
    /// `Unreachable` and `Unanswered` where nothing came, `Protocol` for an answer too large to be one.
    pub(crate) async fn exchange(&self, call: &Call, shown: &Shown) -> Result<Answer> {
        let mut attempt = 1;
        loop {
            let attempted = self.attempt(call, shown).await?;
            let outcome = match &attempted {
                Ok(answer) => Outcome::Answered { status: answer.status, retry_after: answer.retry_after },
                Err(Unheard { was_sent: false, .. }) => Outcome::NotSent,
                Err(Unheard { was_sent: true, .. }) => Outcome::Lost,
            };
            match retry::pause(&self.retries, attempt, call.repeat, outcome, self.chance()) {
                Some(pause) => {
                    tracing::debug!(
                        request = call.name,
                        attempt,
                        ?outcome,
                        ?pause,
                        "a request is sent again"
                    );
                    tokio::time::sleep(pause).await;
                    attempt += 1;
                }
                None => return attempted.map_err(|unheard| unheard.into_error(call, attempt)),
            }
        }
    }

    /// Sends a request once. The outer error is one that no repetition mends.
    async fn attempt(&self, call: &Call, shown: &Shown) -> Result<Result<Answer, Unheard>> {
        let mut request = self.client.request(call.method.clone(), call.url.clone());
        request = request.headers(shown.headers()?).timeout(self.timeout.saturating_add(call.patience));
        if let Some(key) = &call.key {
            let refuse = |_invalid| Error::setting("the idempotency key", "must be visible ASCII characters");
            request = request.header("Idempotency-Key", HeaderValue::from_str(key).map_err(refuse)?);
        }
        if let Some(body) = &call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        match request.send().await {
            Ok(response) => Answer::read(call, response).await,
            Err(error) if error.is_builder() => Err(Error::protocol(&call.name, error.without_url())),
            Err(error) => Ok(Err(Unheard::new(error))),
        }
    }
}

impl Unheard {
    fn new(error: reqwest::Error) -> Self {
        Self { was_sent: !error.is_connect(), source: error.without_url().into() }
    }

    fn into_error(self, call: &Call, attempts: u32) -> Error {
        let (request, source) = (call.name.clone(), self.source);
        if self.was_sent && call.repeat == Repeat::Harmful {
            return Error::Unanswered { request, source };
        }
        Error::Unreachable { request, attempts, source }
    }
}

/// How the client names itself.
pub(crate) const USER_AGENT: &str = concat!("agent-client/", env!("CARGO_PKG_VERSION"));

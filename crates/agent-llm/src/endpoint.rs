//! A provider's address and key, and the HTTP client that reaches it.

use agent_core::model::ModelError;
use reqwest::{Client, Url};
use secrecy::{ExposeSecret, SecretString};
use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a provider is reached. Its client is made by the first request: loading the certificates
/// of the machine takes longer than the rest of a start.
pub(crate) struct Endpoint {
    base: Url,
    key: Option<SecretString>,
    client: OnceLock<Client>,
}

impl Endpoint {
    /// Reads a base URL; one without a path gets `default_path`.
    pub(crate) fn parse(
        text: &str,
        default_path: &str,
        key: Option<SecretString>,
    ) -> Result<Self, ModelError> {
        // The text itself may hold a password, so no message repeats it.
        let faulty = |why: String| ModelError::Misconfigured(format!("AGENT_LLM_BASE_URL {why}"));
        let mut base = Url::parse(text.trim()).map_err(|error| {
            faulty(format!("is no URL ({error}); it looks like http://127.0.0.1:8080/v1"))
        })?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(faulty("must begin with http:// or https:// and name a host".into()));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(faulty(
                "must not hold a user or password: put the key into AGENT_LLM_API_KEY".into(),
            ));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(faulty("must end with its path, without ? or #".into()));
        }
        let path = base.path().trim_end_matches('/').trim_end_matches("/chat/completions").to_owned();
        base.set_path(&if path.is_empty() { default_path.to_owned() } else { format!("{path}/") });
        Ok(Self { base, key, client: OnceLock::new() })
    }

    /// The base URL; ends in `/`.
    pub(crate) fn base(&self) -> &str {
        self.base.as_str()
    }

    /// The host, for messages and for what differs between hosts.
    pub(crate) fn host(&self) -> &str {
        self.base.host_str().unwrap_or_default()
    }

    /// The key, to be put into a header and nowhere else.
    pub(crate) fn key(&self) -> Option<&str> {
        self.key.as_ref().map(ExposeSecret::expose_secret)
    }

    /// The client, made once.
    pub(crate) fn client(&self) -> Result<&Client, ModelError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = self.build_client()?;
        Ok(self.client.get_or_init(|| client))
    }

    fn build_client(&self) -> Result<Client, ModelError> {
        let mut builder = Client::builder()
            .user_agent(concat!("agent/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            // A redirect would carry the key to a host that nobody configured.
            .redirect(reqwest::redirect::Policy::none());
        if self.is_loopback() {
            builder = builder.no_proxy();
        }
        if self.base.scheme() == "http" {
            builder = builder.tls_certs_only(std::iter::empty());
        }
        builder.build().map_err(|error| {
            ModelError::Misconfigured(format!(
                "HTTPS cannot be set up on this machine (are its CA certificates installed?): {}",
                crate::failure::chain(&error)
            ))
        })
    }

    fn is_loopback(&self) -> bool {
        let host = self.host().trim_matches(['[', ']']);
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Takes the key out of a text that a provider may have put it into.
    pub(crate) fn without_key(&self, error: ModelError) -> ModelError {
        let Some(key) = self.key() else { return error };
        let clean = |text: String| text.replace(key, "[key]");
        match error {
            ModelError::Unauthorized(text) => ModelError::Unauthorized(clean(text)),
            ModelError::RateLimited { detail, retry_after } => {
                ModelError::RateLimited { detail: clean(detail), retry_after }
            }
            ModelError::QuotaExhausted(text) => ModelError::QuotaExhausted(clean(text)),
            ModelError::Unavailable(text) => ModelError::Unavailable(clean(text)),
            ModelError::ContextOverflow(text) => ModelError::ContextOverflow(clean(text)),
            ModelError::Refused(text) => ModelError::Refused(clean(text)),
            ModelError::Malformed(text) => ModelError::Malformed(clean(text)),
            ModelError::Misconfigured(text) => ModelError::Misconfigured(clean(text)),
            other => other,
        }
    }
}

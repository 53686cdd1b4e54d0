//! Finds out which provider a machine is already set up for.

use crate::settings::Provider;
use std::collections::BTreeMap;
use std::time::Duration;

/// Where an Ollama listens unless told otherwise.
pub const OLLAMA_BASE_URL: &str = "http://127.0.0.1:11434";

/// The provider whose key stands in the environment: OpenAI before Anthropic before Gemini.
/// An empty variable counts as absent.
///
/// ```
/// use agent_llm::{Provider, detect};
/// use std::collections::BTreeMap;
///
/// let environment = BTreeMap::from([("ANTHROPIC_API_KEY".to_owned(), "key".to_owned())]);
/// assert_eq!(detect(&environment), Some(Provider::Anthropic));
/// assert_eq!(detect(&BTreeMap::new()), None);
/// ```
pub fn detect(environment: &BTreeMap<String, String>) -> Option<Provider> {
    Provider::ALL.into_iter().find(|provider| {
        provider
            .key_variable()
            .and_then(|variable| environment.get(variable))
            .is_some_and(|key| !key.trim().is_empty())
    })
}

/// Whether an Ollama answers at `base_url` (with or without `/v1`), found out within a second and,
/// where nothing listens, within 200 ms. Ask only when nothing else is configured.
pub async fn ollama_is_listening(base_url: &str) -> bool {
    let Ok(mut url) = reqwest::Url::parse(base_url) else { return false };
    url.set_path("/api/version");
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only(std::iter::empty())
        .connect_timeout(Duration::from_millis(200))
        .timeout(Duration::from_secs(1))
        .build();
    let Ok(client) = client else { return false };
    client.get(url).send().await.is_ok_and(|response| response.status().is_success())
}

//! How the server can be watched from outside: metrics and traces.

use super::raw::Raw;
use super::wrong;
use crate::error::{Error, Result};
use secrecy::SecretString;
use std::net::SocketAddr;

/// The fewest characters of a token for scrapes: enough that nobody guesses it.
const SHORTEST_TOKEN: usize = 16;

/// How the server can be watched from outside. Without any of it nothing is shown and nothing is sent.
#[derive(Debug, Clone, Default)]
pub struct ObservingSettings {
    /// An address of its own on which `GET /metrics` is answered to whoever reaches it.
    pub metrics_bind: Option<SocketAddr>,
    /// Whoever shows this token gets `GET /metrics` on the server's own address.
    pub metrics_token: Option<SecretString>,
    /// Where traces go, as OTLP over HTTP; the whole address, such as `http://127.0.0.1:4318/v1/traces`.
    pub otlp_endpoint: Option<String>,
}

impl ObservingSettings {
    /// As the settings say.
    pub(super) fn resolve(raw: &Raw) -> Result<Self> {
        let address = |text: &str| {
            text.parse()
                .map_err(|_ignored| wrong("metrics_bind", text, "an address and port such as 127.0.0.1:9464"))
        };
        Ok(Self {
            metrics_bind: raw.metrics_bind.as_deref().map(address).transpose()?,
            metrics_token: raw.metrics_token.as_deref().map(token).transpose()?,
            otlp_endpoint: raw.otlp_endpoint.as_deref().map(endpoint).transpose()?,
        })
    }

    /// Each setting with its effective value in words.
    pub(super) fn in_words(&self) -> Vec<(&'static str, Option<String>)> {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        vec![
            ("metrics_bind", self.metrics_bind.map(|address| quoted(&address.to_string()))),
            ("metrics_token", self.metrics_token.as_ref().map(|_| quoted("***"))),
            ("otlp_endpoint", self.otlp_endpoint.as_deref().map(quoted)),
        ]
    }
}

fn token(text: &str) -> Result<SecretString> {
    let sound = text.len() >= SHORTEST_TOKEN && text.bytes().all(|byte| byte.is_ascii_graphic());
    if sound {
        return Ok(SecretString::from(text.to_owned()));
    }
    // What was given is not repeated: it may be most of a secret.
    let text =
        format!("metrics_token: is not {SHORTEST_TOKEN} or more printable ASCII characters without spaces");
    Err(Error::Settings(text))
}

/// The address that traces are sent to; where it names none, the path that collectors listen on is added.
fn endpoint(text: &str) -> Result<String> {
    const RIGHT: &str = "the address of a collector, such as http://127.0.0.1:4318: http or https, a host, no \
        password, and a path unless it is /v1/traces";
    let refused = || Error::Settings(format!("otlp_endpoint: this is not {RIGHT}"));
    let (scheme, rest) = text.split_once("://").ok_or_else(refused)?;
    let (authority, path) = rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
    let sound = matches!(scheme, "http" | "https")
        && !authority.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"@?#".contains(&byte));
    match path {
        _ if !sound => Err(refused()),
        "" => Ok(format!("{scheme}://{authority}/v1/traces")),
        path => Ok(format!("{scheme}://{authority}/{path}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_is_named_with_or_without_its_path() {
        let given = |text: &str| endpoint(text).unwrap();
        assert_eq!(given("http://127.0.0.1:4318"), "http://127.0.0.1:4318/v1/traces");
        assert_eq!(given("https://collector.example/"), "https://collector.example/v1/traces");
        assert_eq!(
            given("https://collector.example/otlp/v1/traces"),
            "https://collector.example/otlp/v1/traces"
        );
        for wrong in
            ["collector:4318", "grpc://collector", "http://", "http://ada:canary@collector", "http://a b"]
        {
            let error = endpoint(wrong).unwrap_err().to_string();
            assert!(error.starts_with("otlp_endpoint: ") && !error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn a_token_that_could_be_guessed_is_refused_and_none_is_shown() {
        let with = |token: &str| {
            ObservingSettings::resolve(&Raw { metrics_token: Some(token.into()), ..Raw::default() })
        };
        for weak in ["canary", "canary canary canary"] {
            let error = with(weak).unwrap_err().to_string();
            assert!(error.starts_with("metrics_token: ") && !error.contains("canary"), "{error}");
        }
        let settings = with("canary-canary-canary").unwrap();
        assert!(!format!("{settings:?} {:?}", settings.in_words()).contains("canary"));
    }

    #[test]
    fn an_address_for_metrics_has_a_port() {
        let raw = Raw { metrics_bind: Some("localhost".into()), ..Raw::default() };
        assert!(ObservingSettings::resolve(&raw).unwrap_err().to_string().contains("metrics_bind"));
    }
}

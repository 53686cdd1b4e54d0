//! Settings as the user typed them, in layers.

use crate::error::{Error, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What was given on the command line.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// The file to read instead of `agent.toml`.
    pub config: Option<PathBuf>,
    pub(super) raw: Raw,
}

impl Overrides {
    /// The address to listen on.
    #[must_use]
    pub fn bind(mut self, bind: Option<String>) -> Self {
        self.raw.bind = bind;
        self
    }

    /// Where the data is.
    #[must_use]
    pub fn database_url(mut self, url: Option<String>) -> Self {
        self.raw.database_url = url;
        self
    }

    /// Demo accounts.
    #[must_use]
    pub fn dev(mut self, dev: bool) -> Self {
        self.raw.dev = dev.then_some(true);
        self
    }

    /// Folders below which repositories must lie.
    #[must_use]
    pub fn repository_roots(mut self, roots: Option<Vec<PathBuf>>) -> Self {
        self.raw.repository_roots = roots;
        self
    }

    /// The language model: provider, and the script of the scripted one.
    #[must_use]
    pub fn llm(mut self, provider: Option<String>, script: Option<PathBuf>) -> Self {
        self.raw.llm_provider = provider;
        self.raw.llm_script = script;
        self
    }

    /// The log filter.
    #[must_use]
    pub fn log(mut self, filter: Option<String>) -> Self {
        self.raw.log = filter;
        self
    }
}

macro_rules! raw_settings {
    ($($key:ident : $type:ty),+ $(,)?) => {
        /// One layer of settings; `None` leaves a key to the layer below.
        #[derive(Debug, Clone, Default, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct Raw { $(pub(super) $key: Option<$type>),+ }

        impl Raw {
            /// This layer on top of another.
            pub(super) fn over(self, below: Self) -> Self {
                Self { $($key: self.$key.or(below.$key)),+ }
            }
        }

        /// The layer of `AGENT_…` variables.
        pub(super) fn from_environment(environment: &BTreeMap<String, String>) -> Result<Raw> {
            let value = |key: &str| {
                let name = format!("AGENT_{}", key.to_uppercase());
                environment.get(&name).filter(|text| !text.is_empty()).map(|text| (name, text.as_str()))
            };
            Ok(Raw { $($key: value(stringify!($key)).map(<$type as FromText>::from_text).transpose()?),+ })
        }
    };
}

raw_settings! {
    bind: String,
    database_url: String,
    nats_url: String,
    jwt_secret: String,
    dev: bool,
    retired_jwt_secrets: String,
    admin_password: String,
    llm_provider: String,
    llm_base_url: String,
    llm_model: String,
    llm_api_key: String,
    llm_script: PathBuf,
    llm_prices: String,
    llm_context_window: usize,
    llm_tool_calling: String,
    llm_fallbacks: String,
    user_tokens_per_day: usize,
    user_cost_per_day: String,
    repository_roots: Vec<PathBuf>,
    user_active_plans: usize,
    tenant_active_plans: usize,
    cors_origins: Vec<String>,
    max_parallel_tasks: usize,
    task_timeout: String,
    max_recoveries: usize,
    lease: String,
    trusted_proxies: String,
    forwarding_header: String,
    rate_limit_address: String,
    rate_limit_login: String,
    rate_limit_user: String,
    rate_limit_key: String,
    rate_limit_tenant: String,
    audit_retention_days: usize,
    policy_file: PathBuf,
    webhook_allowed_hosts: String,
    webhook_plain_http: bool,
    sandbox_backend: String,
    log: String,
    log_format: String,
    metrics_bind: String,
    metrics_token: String,
    otlp_endpoint: String,
}

trait FromText: Sized {
    fn from_text(variable: (String, &str)) -> Result<Self>;
}

impl FromText for String {
    fn from_text((_, text): (String, &str)) -> Result<Self> {
        Ok(text.to_owned())
    }
}

impl FromText for PathBuf {
    fn from_text((_, text): (String, &str)) -> Result<Self> {
        Ok(Self::from(text))
    }
}

impl FromText for Vec<PathBuf> {
    fn from_text((_, text): (String, &str)) -> Result<Self> {
        Ok(std::env::split_paths(text).collect())
    }
}

/// Texts that hold no comma, separated by commas.
impl FromText for Vec<String> {
    fn from_text((_, text): (String, &str)) -> Result<Self> {
        Ok(text.split(',').map(|part| part.trim().to_owned()).collect())
    }
}

impl FromText for bool {
    fn from_text((name, text): (String, &str)) -> Result<Self> {
        match text.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => Ok(true),
            "0" | "false" | "no" | "off" => Ok(false),
            _ => Err(Error::Settings(format!("{name}: {text:?} is neither true nor false"))),
        }
    }
}

impl FromText for usize {
    fn from_text((name, text): (String, &str)) -> Result<Self> {
        text.parse().map_err(|_ignored| Error::Settings(format!("{name}: {text:?} is not a whole number")))
    }
}

/// The entries of a list with commas; blank ones are none.
pub(super) fn listed(text: Option<&str>) -> impl Iterator<Item = &str> {
    text.unwrap_or_default().split(',').map(str::trim).filter(|entry| !entry.is_empty())
}

/// The layer of the file: the one asked for (by flag, then by `AGENT_CONFIG`), or `agent.toml` if there is one.
pub(super) fn from_file(asked: Option<&Path>, environment: &BTreeMap<String, String>) -> Result<Raw> {
    let asked = asked.map(Path::to_path_buf).or_else(|| environment.get("AGENT_CONFIG").map(PathBuf::from));
    let path = asked.clone().unwrap_or_else(|| PathBuf::from("agent.toml"));
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && asked.is_none() => {
            return Ok(Raw::default());
        }
        Err(error) => {
            return Err(Error::Settings(format!("{} cannot be read: {error}", path.display())));
        }
    };
    toml::from_str(&text).map_err(|error| Error::Settings(format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_in_the_file_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.toml");
        std::fs::write(&path, "bnid = \"127.0.0.1:1\"").unwrap();
        let error = from_file(Some(&path), &BTreeMap::new()).unwrap_err().to_string();
        assert!(error.contains("bnid"), "{error}");
    }

    #[test]
    fn a_file_that_was_asked_for_must_exist() {
        assert!(from_file(Some(Path::new("/nonexistent/agent.toml")), &BTreeMap::new()).is_err());
    }
}

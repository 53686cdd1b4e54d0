//! Settings: what the user typed ([`raw`]) and what it means ([`Settings`]).

mod access;
mod database;
mod language_models;
mod observing;
mod origins;
mod raw;
mod webhooks;

pub use access::AccessSettings;
pub(crate) use database::{file_of, passwords_in, without_login};
pub use language_models::Fallback;
pub use observing::ObservingSettings;
pub use raw::Overrides;
pub use webhooks::WebhookSettings;

use crate::error::{Error, Result};
use agent_core::ports::DailyLimits;
use agent_core::pricing::PriceList;
use agent_events::BusAddress;
use agent_llm::{Provider, ToolCalling};
use agent_sandbox::Backend;
use raw::Raw;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The effective settings. Shown with `{:?}` they are [`Settings::to_masked_toml`].
#[derive(Clone)]
pub struct Settings {
    /// Address to listen on; port 0 picks a free one.
    pub bind: SocketAddr,
    /// `sqlite://PATH`, or `postgres://USER:PASSWORD@HOST/DATABASE`.
    pub database_url: String,
    /// The NATS through which the servers of a database wake each other; none where there is one server.
    pub nats_url: Option<BusAddress>,
    /// Where the signing secret, the lock and the name of this server are kept while the database is on another
    /// one. With SQLite they lie beside the file.
    pub data_folder: PathBuf,
    /// HS256 key; generated and kept in the data folder when absent.
    pub jwt_secret: Option<SecretString>,
    /// Demo accounts; loopback only.
    pub dev: bool,
    /// Password of the first administrator.
    pub admin_password: Option<SecretString>,
    /// Which provider answers; detected when absent.
    pub llm_provider: Option<Provider>,
    /// Where it listens.
    pub llm_base_url: Option<String>,
    /// Which of its models.
    pub llm_model: Option<String>,
    /// Its key.
    pub llm_api_key: Option<SecretString>,
    /// The scripted model's file.
    pub llm_script: Option<PathBuf>,
    /// How many tokens it can read and write in one call; known for well-known models.
    pub llm_context_window: Option<u64>,
    /// How it is asked for tool calls.
    pub llm_tool_calling: ToolCalling,
    /// Who is asked when it cannot answer, in this order.
    pub llm_fallbacks: Vec<Fallback>,
    /// What models cost: the list prices of well-known ones, and what the user says of others.
    pub llm_prices: PriceList,
    /// What one person's calls to language models may use in a day (UTC).
    pub daily_limits: DailyLimits,
    /// Folders below which repositories must lie.
    pub repository_roots: Vec<PathBuf>,
    /// Origins of browser pages that may use the server beside its own, as browsers send them.
    pub cors_origins: Vec<String>,
    /// Attempts at once, over all plans.
    pub max_parallel_tasks: usize,
    /// Ceiling of an attempt.
    pub task_timeout: Duration,
    /// Crashes in a row that may catch the same attempt in flight before its task fails.
    pub max_recoveries: u32,
    /// How long a plan stays with a server that is no longer heard of.
    pub lease: Duration,
    /// Rules about calls of tools, in TOML; none beside the built-in ones when absent.
    pub policy_file: Option<PathBuf>,
    /// What webhooks may call beyond the public internet.
    pub webhooks: WebhookSettings,
    /// What confines commands; whatever works best here unless said otherwise.
    pub sandbox_backend: Backend,
    /// Who may ask how often, from where, and how long it is remembered.
    pub access: AccessSettings,
    /// How the server can be watched from outside.
    pub observing: ObservingSettings,
    /// Log filter.
    pub log: String,
    /// Log format.
    pub log_format: LogFormat,
    /// The environment commands and detection see; never read by any other crate itself.
    pub environment: BTreeMap<String, String>,
    /// Whether plans that a vanished process left behind are taken over at start.
    pub recover: bool,
}

impl Settings {
    /// Settings for a program that embeds the agent and keeps its data in a folder: defaults, no
    /// environment consulted except for what commands need to run.
    pub fn embedded(data_folder: &Path) -> Self {
        let environment = process_environment();
        let database_url = format!("sqlite://{}", data_folder.join("agent.db").display());
        let raw = Raw { database_url: Some(database_url), ..Raw::default() };
        Self {
            recover: false,
            data_folder: data_folder.to_path_buf(),
            ..Self::resolve(raw, environment)
                .unwrap_or_else(|error| unreachable!("defaults are valid settings: {error}"))
        }
    }

    /// Reads flags, then `AGENT_…` variables, then the file, then defaults.
    ///
    /// # Errors
    /// [`Error::Settings`] naming the setting and what it may be.
    pub fn load(overrides: Overrides) -> Result<Self> {
        let environment = process_environment();
        let file = raw::from_file(overrides.config.as_deref(), &environment)?;
        let from_environment = raw::from_environment(&environment)?;
        Self::resolve(overrides.raw.over(from_environment).over(file), environment)
    }

    fn resolve(raw: Raw, environment: BTreeMap<String, String>) -> Result<Self> {
        let dev = raw.dev.unwrap_or(false);
        let bind = address(raw.bind.as_deref(), dev)?;
        let seconds = |key, text: Option<&str>, otherwise| match text {
            Some(text) => duration(key, text),
            None => Ok(Duration::from_secs(otherwise)),
        };
        let task_timeout = seconds("task_timeout", raw.task_timeout.as_deref(), 300)?;
        let lease = seconds("lease", raw.lease.as_deref(), 15)?;
        let nats_url = raw.nats_url.as_deref().map(BusAddress::parse).transpose();
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (access, observing) = (AccessSettings::resolve(&raw, bind)?, ObservingSettings::resolve(&raw)?);
        Ok(Self {
            bind,
            database_url: raw.database_url.unwrap_or_else(|| "sqlite://agent.db".to_owned()),
            nats_url: nats_url.map_err(|error| Error::Settings(format!("nats_url: {error}")))?,
            data_folder: PathBuf::from("."),
            jwt_secret: raw.jwt_secret.map(SecretString::from),
            dev,
            admin_password: raw.admin_password.map(SecretString::from),
            llm_provider: language_models::provider(raw.llm_provider.as_deref())?,
            llm_base_url: raw.llm_base_url,
            llm_model: raw.llm_model,
            llm_api_key: raw.llm_api_key.map(SecretString::from),
            llm_script: raw.llm_script,
            llm_context_window: raw.llm_context_window.map(|tokens| tokens as u64),
            llm_tool_calling: language_models::tool_calling(raw.llm_tool_calling.as_deref())?,
            llm_fallbacks: language_models::fallbacks(raw.llm_fallbacks.as_deref())?,
            daily_limits: language_models::daily_limits(
                raw.user_tokens_per_day,
                raw.user_cost_per_day.as_deref(),
            )?,
            llm_prices: language_models::prices(raw.llm_prices.as_deref())?,
            repository_roots: raw.repository_roots.unwrap_or_else(|| vec![PathBuf::from(".")]),
            cors_origins: origins::origins(raw.cors_origins)?,
            max_parallel_tasks: at_least_one("max_parallel_tasks", raw.max_parallel_tasks.unwrap_or(cores))?,
            task_timeout,
            max_recoveries: at_least_one("max_recoveries", raw.max_recoveries.unwrap_or(3))?
                .try_into()
                .unwrap_or(u32::MAX),
            lease,
            policy_file: raw.policy_file,
            webhooks: WebhookSettings::read(raw.webhook_allowed_hosts.as_deref(), raw.webhook_plain_http)?,
            sandbox_backend: backend(raw.sandbox_backend.as_deref())?,
            access,
            observing,
            log: raw.log.unwrap_or_else(|| "info".to_owned()),
            log_format: log_format(raw.log_format.as_deref())?,
            environment,
            recover: true,
        })
    }

    /// Where the changes that were made to workspaces are recorded, so that they can be taken back: beside the
    /// database.
    pub fn history_folder(&self) -> PathBuf {
        self.beside_database(".agent-history")
    }

    /// Where the folders of isolated plans lie: beside the database.
    pub(crate) fn workspaces_folder(&self) -> PathBuf {
        self.beside_database(".agent-workspaces")
    }

    fn beside_database(&self, name: &str) -> PathBuf {
        let file = database::file_of(&self.database_url);
        let folder = file.as_ref().map_or(Some(self.data_folder.as_path()), |file| file.parent());
        folder.unwrap_or(Path::new(".")).join(name)
    }

    /// The address of the database as it may be shown: without its password.
    pub fn shown_database_url(&self) -> String {
        database::without_password(&self.database_url)
    }

    /// The effective settings as TOML, secrets masked: what `--print-config` shows.
    pub fn to_masked_toml(&self) -> String {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let mask = |secret: &Option<SecretString>| secret.as_ref().map(|_| quoted("***"));
        let path = |path: &PathBuf| quoted(&path.display().to_string());
        let roots: Vec<String> = self.repository_roots.iter().map(path).collect();
        let origins: Vec<String> = self.cors_origins.iter().map(|origin| quoted(origin)).collect();
        let lines = [
            ("bind", Some(quoted(&self.bind.to_string()))),
            ("database_url", Some(quoted(&self.shown_database_url()))),
            ("nats_url", self.nats_url.as_ref().map(|address| quoted(&address.to_string()))),
            ("jwt_secret", mask(&self.jwt_secret)),
            ("dev", Some(self.dev.to_string())),
            ("admin_password", mask(&self.admin_password)),
            ("llm_provider", self.llm_provider.map(|provider| quoted(provider.as_str()))),
            ("llm_base_url", self.llm_base_url.as_deref().map(quoted)),
            ("llm_model", self.llm_model.as_deref().map(quoted)),
            ("llm_api_key", mask(&self.llm_api_key)),
            ("llm_script", self.llm_script.as_ref().map(path)),
            ("llm_context_window", self.llm_context_window.map(|tokens| tokens.to_string())),
            ("llm_tool_calling", Some(quoted(self.llm_tool_calling.as_str()))),
            ("llm_fallbacks", language_models::in_words(&self.llm_fallbacks).map(|text| quoted(&text))),
            (
                "llm_prices",
                Some(self.llm_prices.in_words()).filter(|text| !text.is_empty()).map(|text| quoted(&text)),
            ),
            ("user_tokens_per_day", self.daily_limits.max_tokens.map(|tokens| tokens.to_string())),
            ("user_cost_per_day", self.daily_limits.max_cost.map(|cost| quoted(&cost.to_string()))),
            ("repository_roots", Some(format!("[{}]", roots.join(", ")))),
            ("cors_origins", Some(format!("[{}]", origins.join(", ")))),
            ("max_parallel_tasks", Some(self.max_parallel_tasks.to_string())),
            ("task_timeout", Some(quoted(&format!("{}ms", self.task_timeout.as_millis())))),
            ("max_recoveries", Some(self.max_recoveries.to_string())),
            ("lease", Some(quoted(&format!("{}ms", self.lease.as_millis())))),
            ("policy_file", self.policy_file.as_ref().map(path)),
            (
                "webhook_allowed_hosts",
                webhooks::in_words(&self.webhooks.allowed_hosts).map(|text| quoted(&text)),
            ),
            ("webhook_plain_http", Some(self.webhooks.plain_http.to_string())),
            ("sandbox_backend", Some(quoted(self.sandbox_backend.as_str()))),
            ("log", Some(quoted(&self.log))),
            ("log_format", Some(quoted(if self.log_format == LogFormat::Json { "json" } else { "text" }))),
        ];
        let further = self.access.in_words().into_iter().chain(self.observing.in_words());
        let shown = lines.into_iter().chain(further).map(|(key, value)| match value {
            Some(value) => format!("{key} = {value}\n"),
            None => format!("# {key} is not set\n"),
        });
        shown.collect()
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_masked_toml())
    }
}

/// The environment of this process, as far as it is text.
#[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
fn process_environment() -> BTreeMap<String, String> {
    std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect()
}

/// Where the server listens; demo accounts are for this machine only.
fn address(bind: Option<&str>, dev: bool) -> Result<SocketAddr> {
    let bind = bind.unwrap_or("127.0.0.1:8000");
    let bind: SocketAddr =
        bind.parse().map_err(|_ignored| wrong("bind", bind, "an address and port such as 127.0.0.1:8000"))?;
    if dev && !bind.ip().is_loopback() {
        let text = "dev: demo accounts are only for a loopback address; bind to 127.0.0.1 or leave --dev out";
        return Err(Error::Settings(text.to_owned()));
    }
    Ok(bind)
}

fn log_format(word: Option<&str>) -> Result<LogFormat> {
    match word.unwrap_or("text") {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        other => Err(wrong("log_format", other, "text or json")),
    }
}

fn backend(word: Option<&str>) -> Result<Backend> {
    let Some(word) = word else { return Ok(Backend::default()) };
    let known = [Backend::Auto, Backend::Own, Backend::Bubblewrap];
    let found = known.into_iter().find(|backend| backend.as_str() == word);
    found.ok_or_else(|| wrong("sandbox_backend", word, "auto, own or bubblewrap"))
}

fn wrong(key: &str, value: &str, right: &str) -> Error {
    Error::Settings(format!("{key}: {value:?} is not {right}"))
}

fn at_least_one(key: &str, value: usize) -> Result<usize> {
    if value == 0 { Err(wrong(key, "0", "a number of at least 1")) } else { Ok(value) }
}

fn duration(key: &str, text: &str) -> Result<Duration> {
    let parsed: Option<jiff::SignedDuration> = text.parse().ok();
    let positive = parsed.and_then(|duration| Duration::try_from(duration).ok()).filter(|d| !d.is_zero());
    positive.ok_or_else(|| wrong(key, text, "a duration such as 300s, 5m or 500ms"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn a_flag_beats_the_environment_which_beats_the_file() {
        let file = Raw { log: Some("warn".into()), bind: Some("127.0.0.1:1".into()), ..Raw::default() };
        let environment = [("AGENT_BIND".to_owned(), "127.0.0.1:2".to_owned())].into();
        let flags = Raw { dev: Some(true), ..Raw::default() };
        let raw = flags.over(raw::from_environment(&environment).unwrap()).over(file);
        let settings = Settings::resolve(raw, BTreeMap::new()).unwrap();
        assert_eq!((settings.bind.port(), settings.log.as_str(), settings.dev), (2, "warn", true));
    }

    #[test]
    fn demo_accounts_are_refused_on_an_address_that_others_reach() {
        let raw = Raw { dev: Some(true), bind: Some("0.0.0.0:8000".into()), ..Raw::default() };
        let error = Settings::resolve(raw, BTreeMap::new()).unwrap_err().to_string();
        assert!(error.contains("loopback"), "{error}");
    }

    #[test]
    fn origins_are_told_apart_by_commas_and_shown() {
        let pages = "https://app.example, http://localhost:3000".to_owned();
        let environment = [("AGENT_CORS_ORIGINS".to_owned(), pages)].into();
        let settings =
            Settings::resolve(raw::from_environment(&environment).unwrap(), BTreeMap::new()).unwrap();
        assert_eq!(settings.cors_origins, ["https://app.example", "http://localhost:3000"]);
        let shown = "cors_origins = [\"https://app.example\", \"http://localhost:3000\"]\n";
        assert!(settings.to_masked_toml().contains(shown));
    }

    #[test]
    fn a_wrong_address_of_nats_is_named_and_not_repeated() {
        let raw = Raw { nats_url: Some("http://ada:canary@nats".into()), ..Raw::default() };
        let error = Settings::resolve(raw, BTreeMap::new()).unwrap_err().to_string();
        assert!(error.starts_with("nats_url: ") && !error.contains("canary"), "{error}");
    }

    #[test]
    fn secrets_are_masked_when_settings_are_printed() {
        let database_url = Some("postgres://ada:canary@db/agent?password=canary".into());
        let nats_url = Some("nats://ada:canary@nats".into());
        let raw = Raw { llm_api_key: Some("sk-canary".into()), database_url, nats_url, ..Raw::default() };
        let settings = Settings::resolve(raw, BTreeMap::new()).unwrap();
        assert_eq!(settings.llm_api_key.as_ref().unwrap().expose_secret(), "sk-canary");
        assert!(!settings.to_masked_toml().contains("canary") && !format!("{settings:?}").contains("canary"));
    }
}

//! Talks to language models, the scripted one included.
//!
//! Knows the wire protocols of the providers, their errors, and how often to ask again.
//! Never knows plans, tools, the database or the process environment: settings are passed in.
//!
//! [`connect`] turns [`LlmSettings`] into an [`agent_core::ports::LanguageModel`] without touching
//! the network; misconfiguration is reported there and then.
//!
//! ```
//! use agent_llm::{LlmSettings, Provider, connect};
//!
//! let settings = LlmSettings {
//!     provider: Some(Provider::OpenAi),
//!     base_url: Some("http://127.0.0.1:8080".into()),
//!     model: Some("qwen2.5-coder".into()),
//!     ..LlmSettings::default()
//! };
//! let model = connect(settings)?;
//! assert_eq!(model.describe().provider, "openai");
//! # Ok::<(), agent_core::model::ModelError>(())
//! ```

mod detect;
mod endpoint;
mod failover;
mod failure;
mod http_date;
mod limits;
mod openai;
mod patience;
mod remote;
mod retry;
mod scripted;
mod settings;
mod shown;
mod tool_calling;
mod tool_calls;
mod windows;
mod written_calls;

pub use detect::{OLLAMA_BASE_URL, detect, ollama_is_listening};
pub use failover::{FailingOver, FailoverPolicy, Profile};
pub use retry::{RetryPolicy, Retrying};
pub use scripted::{Fault, Match, Script, ScriptedModel, Turn, TurnToolCall};
pub use settings::{LlmSettings, Provider, UnknownProvider};
pub use tool_calling::{ToolCalling, UnknownToolCalling};

use agent_core::model::ModelError;
use agent_core::ports::{LanguageModel, Randomness};
use std::sync::Arc;
use std::time::Duration;

/// Longest pause that a provider may ask for before the next profile is asked instead.
const PROFILE_WAIT: Duration = Duration::from_secs(10);

/// Makes the configured language model. Cheap: reads the script of a scripted model, but opens no
/// connection; the HTTP client itself is made by the first request.
///
/// Transient errors are retried as [`LlmSettings::max_retries`] says.
///
/// # Errors
/// [`ModelError::Misconfigured`] naming the setting to set: no provider, no key for a hosted
/// provider, a faulty URL, a script that cannot be read.
pub fn connect(settings: LlmSettings) -> Result<Arc<dyn LanguageModel>, ModelError> {
    connect_with(settings, Arc::new(retry::HasherRandomness))
}

/// Makes one language model of several, the preferred one first: a call that one of them cannot
/// answer goes to the next. A single profile is the same as [`connect`].
///
/// Each profile keeps its own retries: with few of them the next profile is reached sooner. A pause
/// of more than 10 seconds is not waited for while another profile may answer. The
/// log names a profile by its place and model: `profile 2 (anthropic/claude-sonnet-4-5)`.
///
/// # Errors
/// [`ModelError::Misconfigured`] without any profile, or with the place of the profile whose
/// settings are faulty, as in [`connect`].
pub fn connect_profiles(profiles: Vec<LlmSettings>) -> Result<Arc<dyn LanguageModel>, ModelError> {
    if profiles.len() == 1
        && let Some(only) = profiles.first()
    {
        return connect(only.clone());
    }
    let mut connected = Vec::with_capacity(profiles.len());
    for (place, settings) in profiles.into_iter().enumerate() {
        let randomness = Arc::new(retry::HasherRandomness);
        let model = connect_patiently(settings, randomness, PROFILE_WAIT).map_err(|error| match error {
            ModelError::Misconfigured(why) => {
                ModelError::Misconfigured(format!("profile {}: {why}", place + 1))
            }
            other => other,
        })?;
        let described = model.describe();
        let name = format!("profile {} ({}/{})", place + 1, described.provider, described.model);
        connected.push(Profile { name, model });
    }
    Ok(Arc::new(FailingOver::new(connected, FailoverPolicy::default())?))
}

/// Like [`connect`], with the source of the jitter between retries passed in.
///
/// # Errors
/// As [`connect`].
pub fn connect_with(
    settings: LlmSettings,
    randomness: Arc<dyn Randomness>,
) -> Result<Arc<dyn LanguageModel>, ModelError> {
    connect_patiently(settings, randomness, RetryPolicy::default().longest_wait)
}

/// Keeps no pause that is longer than `longest_wait`.
fn connect_patiently(
    settings: LlmSettings,
    randomness: Arc<dyn Randomness>,
    longest_wait: Duration,
) -> Result<Arc<dyn LanguageModel>, ModelError> {
    let policy = RetryPolicy { max_retries: settings.max_retries, longest_wait, ..RetryPolicy::default() };
    let model = settings::build(settings)?;
    if policy.max_retries == 0 {
        return Ok(model);
    }
    Ok(Arc::new(Retrying::new(model, policy, randomness)))
}

//! What a user may set about the language model, and the model made from it.

use crate::endpoint::Endpoint;
use crate::openai::OpenAiCompatible;
use crate::patience::Patience;
use crate::remote::Remote;
use crate::scripted::ScriptedModel;
use crate::tool_calling::{CallingTools, ToolCalling};
use crate::windows;
use agent_core::model::ModelError;
use agent_core::ports::LanguageModel;
use secrecy::{ExposeSecret, SecretString};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Provider {
    /// OpenAI, or any server that speaks its chat completions protocol.
    OpenAi,
    /// Anthropic.
    Anthropic,
    /// Google Gemini.
    Gemini,
    /// A local Ollama.
    Ollama,
    /// A script: see [`Script`](crate::Script).
    Scripted,
}

impl Provider {
    /// Every provider, in the order in which they are documented.
    pub const ALL: [Self; 5] = [Self::OpenAi, Self::Anthropic, Self::Gemini, Self::Ollama, Self::Scripted];

    /// The word used in settings, in `/health` and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Ollama => "ollama",
            Self::Scripted => "scripted",
        }
    }

    /// The environment variable in which this provider's own tools keep the key.
    pub fn key_variable(self) -> Option<&'static str> {
        match self {
            Self::OpenAi => Some("OPENAI_API_KEY"),
            Self::Anthropic => Some("ANTHROPIC_API_KEY"),
            Self::Gemini => Some("GEMINI_API_KEY"),
            Self::Ollama | Self::Scripted => None,
        }
    }

    /// Where it is reached when no base URL is set; `None` where nothing is reached.
    pub fn default_base_url(self) -> Option<&'static str> {
        match self {
            Self::OpenAi => Some("https://api.openai.com/v1/"),
            Self::Anthropic => Some("https://api.anthropic.com/v1/"),
            Self::Gemini => Some("https://generativelanguage.googleapis.com/v1beta/"),
            Self::Ollama => Some("http://127.0.0.1:11434/v1/"),
            Self::Scripted => None,
        }
    }

    /// The model that is asked when none is set.
    pub fn default_model(self) -> &'static str {
        match self {
            Self::OpenAi => "gpt-5-mini",
            Self::Anthropic => "claude-sonnet-4-5",
            Self::Gemini => "gemini-2.5-flash",
            Self::Ollama => "qwen2.5-coder",
            Self::Scripted => "script",
        }
    }

    /// The path that a base URL without one stands for.
    fn default_path(self) -> &'static str {
        if self == Self::Gemini { "/v1beta/" } else { "/v1/" }
    }
}

impl std::fmt::Display for Provider {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A word that names no provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no language model provider; use openai, anthropic, gemini, ollama or scripted")]
pub struct UnknownProvider(pub String);

impl std::str::FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let wanted = word.trim().to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|provider| provider.as_str() == wanted)
            .ok_or_else(|| UnknownProvider(word.to_owned()))
    }
}

/// The settings of the language model. The key never appears in `Debug`.
#[derive(Debug, Clone)]
pub struct LlmSettings {
    /// Who answers (`AGENT_LLM_PROVIDER`); `None` is an error in [`connect`](crate::connect).
    pub provider: Option<Provider>,
    /// Where (`AGENT_LLM_BASE_URL`); a URL without a path gets the provider's usual one (`/v1/`).
    pub base_url: Option<String>,
    /// Which model (`AGENT_LLM_MODEL`); needed when an OpenAI-compatible base URL is set.
    pub model: Option<String>,
    /// The key (`AGENT_LLM_API_KEY`); needed for hosted providers.
    pub api_key: Option<SecretString>,
    /// The script of the scripted model (`AGENT_LLM_SCRIPT`).
    pub script: Option<PathBuf>,
    /// Longest time for one whole answer, each retry counted anew. Default 10 minutes.
    pub request_timeout: Duration,
    /// Longest silence: before the first piece of an answer, and between two pieces. Default 2 minutes.
    pub first_byte_timeout: Duration,
    /// How many tokens the model can read and write in one call (`AGENT_LLM_CONTEXT_WINDOW`); known for well-known models.
    /// A local server may be started with less than its model can do.
    pub context_window: Option<u64>,
    /// How tool calls are asked for. Default [`ToolCalling::Auto`]; the scripted model has no need of it.
    pub tool_calling: ToolCalling,
    /// How often a transient error is answered by asking again. Default 4; 0 never asks again.
    pub max_retries: u32,
}

impl Default for LlmSettings {
    fn default() -> Self {
        Self {
            provider: None,
            base_url: None,
            model: None,
            api_key: None,
            script: None,
            request_timeout: Duration::from_secs(600),
            first_byte_timeout: Duration::from_secs(120),
            context_window: None,
            tool_calling: ToolCalling::default(),
            max_retries: 4,
        }
    }
}

/// Makes the model without the retries around it.
pub(crate) fn build(settings: LlmSettings) -> Result<Arc<dyn LanguageModel>, ModelError> {
    let Some(provider) = settings.provider else {
        return Err(ModelError::Misconfigured(
            "set AGENT_LLM_PROVIDER to openai, anthropic, gemini, ollama or scripted, \
             or set OPENAI_API_KEY, ANTHROPIC_API_KEY or GEMINI_API_KEY"
                .into(),
        ));
    };
    if provider == Provider::Scripted {
        let Some(path) = settings.script else {
            return Err(ModelError::Misconfigured(
                "the scripted model needs a script: set AGENT_LLM_SCRIPT to its file".into(),
            ));
        };
        return Ok(Arc::new(ScriptedModel::from_file(&path)?));
    }
    let model = model_name(provider, &settings)?;
    let key = key(provider, &settings)?;
    let base = settings.base_url.as_deref().or(provider.default_base_url()).unwrap_or_default();
    let endpoint = Endpoint::parse(base, provider.default_path(), key)?;
    let patience = Patience { silence: settings.first_byte_timeout, whole: settings.request_timeout };
    let spoken: Arc<dyn LanguageModel> = match provider {
        Provider::Anthropic | Provider::Gemini => Arc::new(Remote::new(provider, endpoint, model, patience)),
        _ => Arc::new(OpenAiCompatible::new(provider, endpoint, model, patience)),
    };
    let window = settings.context_window.or_else(|| windows::known(&spoken.describe().model));
    Ok(Arc::new(CallingTools::new(spoken, settings.tool_calling, window)))
}

fn model_name(provider: Provider, settings: &LlmSettings) -> Result<String, ModelError> {
    match settings.model.as_deref().map(str::trim) {
        Some(name) if !name.is_empty() => Ok(name.to_owned()),
        _ if provider == Provider::OpenAi && settings.base_url.is_some() => Err(ModelError::Misconfigured(
            "set AGENT_LLM_MODEL to the name of a model that the server at AGENT_LLM_BASE_URL offers".into(),
        )),
        _ => Ok(provider.default_model().to_owned()),
    }
}

/// The key, made sure of where one is needed. Servers at an own base URL may do without.
fn key(provider: Provider, settings: &LlmSettings) -> Result<Option<SecretString>, ModelError> {
    let key = settings.api_key.as_ref().map(|key| key.expose_secret().trim()).filter(|key| !key.is_empty());
    match (key, provider.key_variable()) {
        (Some(key), _) if !key.bytes().all(|byte| byte.is_ascii_graphic()) => Err(ModelError::Misconfigured(
            "AGENT_LLM_API_KEY holds blanks or characters that no key has: copy it again".into(),
        )),
        (Some(key), _) => Ok(Some(SecretString::from(key))),
        (None, Some(variable)) if settings.base_url.is_none() => Err(ModelError::Misconfigured(format!(
            "{provider} needs a key: set AGENT_LLM_API_KEY or {variable}"
        ))),
        (None, _) => Ok(None),
    }
}

//! How a model is asked for tool calls: in the protocol's own way, or as JSON that follows a schema.

mod by_schema;

use crate::tool_calls::{identify, numbered};
use crate::written_calls;
use agent_core::model::{Completion, ModelDescription, ModelError, Prompt, Silent, StopReason, TokenSink};
use agent_core::ports::LanguageModel;
use async_trait::async_trait;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The way in which tool calls are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ToolCalling {
    /// The protocol's own way, until the server is found not to know it: then by schema.
    #[default]
    Auto,
    /// The protocol's own way, whatever the server makes of it.
    Native,
    /// As JSON that follows a schema, one call at a time. Small models choose better in this way,
    /// and any server that keeps to an answer schema can do it.
    Schema,
}

impl ToolCalling {
    /// Every way, in the order in which they are documented.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Native, Self::Schema];

    /// The word used in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Native => "native",
            Self::Schema => "schema",
        }
    }
}

impl std::fmt::Display for ToolCalling {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A word that names no way of calling tools.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no way of calling tools; use auto, native or schema")]
pub struct UnknownToolCalling(pub String);

impl FromStr for ToolCalling {
    type Err = UnknownToolCalling;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let wanted = word.trim().to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|way| way.as_str() == wanted)
            .ok_or_else(|| UnknownToolCalling(word.to_owned()))
    }
}

/// A model whose tool calls are asked for in the way that its server understands. What was found
/// out about the server is remembered for as long as the connection is kept.
pub(crate) struct CallingTools {
    inner: Arc<dyn LanguageModel>,
    way: ToolCalling,
    /// How many tokens it can read and write in one call, where that is known.
    window: Option<u64>,
    /// The server does not know tools.
    by_schema: AtomicBool,
    /// The server has made a call of its own: one written into the text is then the model's slip.
    native_seen: AtomicBool,
}

impl CallingTools {
    /// Asks `inner`, whose window is this, in this way.
    pub(crate) fn new(inner: Arc<dyn LanguageModel>, way: ToolCalling, window: Option<u64>) -> Self {
        Self {
            inner,
            way,
            window,
            by_schema: AtomicBool::new(way == ToolCalling::Schema),
            native_seen: AtomicBool::new(false),
        }
    }

    /// From now on by schema.
    fn found_unable(&self, why: &str) {
        if !self.by_schema.swap(true, Ordering::Relaxed) {
            tracing::info!(
                model = self.inner.describe().model,
                why,
                "the server knows no tools: asking for calls by schema from now on"
            );
        }
    }

    /// What is shown is JSON until the answer is whole, so nothing is shown before.
    async fn ask_by_schema(
        &self,
        prompt: &Prompt,
        sink: &mut dyn TokenSink,
    ) -> Result<Completion, ModelError> {
        let completion = self.inner.complete(&by_schema::asking(prompt), &mut Silent).await?;
        let completion = by_schema::read(prompt, completion);
        if !completion.content.is_empty() {
            sink.token(&completion.content);
        }
        Ok(completion)
    }

    /// Takes calls that a server wrote into the text for calls.
    fn read_written(&self, prompt: &Prompt, mut completion: Completion) -> Completion {
        if !completion.tool_calls.is_empty() {
            self.native_seen.store(true, Ordering::Relaxed);
            return completion;
        }
        if prompt.output.is_some() {
            return completion;
        }
        let Some(written) = written_calls::find(&completion.content, &prompt.tools) else {
            return completion;
        };
        if self.way == ToolCalling::Auto && !self.native_seen.load(Ordering::Relaxed) {
            self.found_unable("it wrote a call into the text");
        }
        completion.tool_calls = identify(prompt, written, numbered);
        completion.content.clear();
        if completion.stop == StopReason::EndTurn {
            completion.stop = StopReason::ToolCalls;
        }
        completion
    }
}

/// Whether a refusal is about tools as such, and not about one of them.
fn refuses_tools(text: &str) -> bool {
    const NAMES: [&str; 6] = ["tools", "tool use", "tool choice", "tool_choice", "tool call", "functions"];
    const REFUSALS: [&str; 8] = [
        "support",
        "not permitted",
        "not allowed",
        "not enabled",
        "unavailable",
        "unknown",
        "unrecognized",
        "requires",
    ];
    let text = text.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    has(&NAMES) && has(&REFUSALS) && !text.contains("schema")
}

#[async_trait]
impl LanguageModel for CallingTools {
    fn describe(&self) -> ModelDescription {
        self.inner.describe()
    }

    fn context_window(&self) -> Option<u64> {
        self.window
    }

    async fn complete(&self, prompt: &Prompt, sink: &mut dyn TokenSink) -> Result<Completion, ModelError> {
        if prompt.tools.is_empty() {
            return self.inner.complete(prompt, sink).await;
        }
        if self.by_schema.load(Ordering::Relaxed) {
            return self.ask_by_schema(prompt, sink).await;
        }
        match self.inner.complete(prompt, sink).await {
            Ok(completion) => Ok(self.read_written(prompt, completion)),
            Err(ModelError::Refused(text)) if self.way == ToolCalling::Auto && refuses_tools(&text) => {
                let answer = self.ask_by_schema(prompt, sink).await;
                if !matches!(answer, Err(ModelError::Refused(_))) {
                    self.found_unable(&text);
                }
                answer
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::refuses_tools;

    #[test]
    fn refusals_of_tools_are_told_from_refusals_of_one_tool() {
        for text in [
            "status 400: registry.ollama.ai/library/gemma:2b does not support tools",
            "status 400: \"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set",
            "status 404: No endpoints found that support tool use.",
            "status 400: Unrecognized request argument supplied: functions",
            "status 501: tools param requires --jinja flag",
        ] {
            assert!(refuses_tools(text), "{text}");
        }
        for text in [
            "status 400: Invalid schema for function 'read_file': 'oneOf' is not permitted in tools",
            "status 400: Invalid 'tools[0].function.name': string does not match pattern",
            "status 404: The model `x` is unknown",
        ] {
            assert!(!refuses_tools(text), "{text}");
        }
    }
}

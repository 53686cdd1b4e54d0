//! Tools: what a task, or the model that works on it, may do to the world.

use crate::error::BoxError;
use crate::model::ToolDescription;
use crate::policy::{Demand, SandboxLevel};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Names of the tools that task kinds rest on.
pub mod name {
    /// Lists files.
    pub const LIST_FILES: &str = "list_files";
    /// Reads a file or a part of it.
    pub const READ_FILE: &str = "read_file";
    /// Lists what files define.
    pub const OUTLINE: &str = "outline";
    /// Searches text.
    pub const SEARCH: &str = "search";
    /// Applies a patch; the `patch` task kind.
    pub const APPLY_PATCH: &str = "apply_patch";
    /// Writes a whole file.
    pub const WRITE_FILE: &str = "write_file";
    /// Runs a command; the `command` task kind, and the verification of `agent` tasks.
    pub const RUN_COMMAND: &str = "run_command";
    /// Describes the repository; the `scan` task kind.
    pub const SCAN_REPOSITORY: &str = "scan_repository";
    /// Keeps a note for the rest of the work on a task; answered by the executor itself.
    pub const TAKE_NOTE: &str = "take_note";
    /// Asks the person whose plan it is, as an approval; answered by the executor itself.
    pub const ASK_PERSON: &str = "ask_person";
    /// Ends the work on a task; answered by the executor itself.
    pub const FINISH: &str = "finish";
}

/// What recovery may do with a step whose intent is recorded and whose result is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectClass {
    /// Changes nothing; runs again.
    Pure,
    /// May run again with the same key.
    Idempotent,
    /// Compared with what it would have done, then redone or accepted.
    Compensatable,
    /// Nobody can tell; never runs again by itself.
    Opaque,
}

/// Where and how a tool works.
#[derive(Clone)]
pub struct ToolContext {
    /// Root of the workspace; nothing outside is touched.
    pub workspace: PathBuf,
    /// What commands may touch.
    pub sandbox: SandboxLevel,
    /// Whether commands may reach the network.
    pub network: bool,
    /// Hosts that commands may reach although the network is closed.
    pub domains: Arc<[String]>,
    /// Files of the workspace that commands shall not read, absolute.
    pub hidden: Arc<[PathBuf]>,
    /// Ceiling for this call.
    pub timeout: Duration,
    /// Fires when the attempt is cancelled; the tool stops and cleans up.
    pub cancel: CancellationToken,
    /// The same for every delivery of the same step.
    pub idempotency_key: String,
    /// Receives lines worth showing while the tool works.
    pub progress: Arc<dyn ProgressSink>,
}

/// Receives lines worth showing; transient, never part of the record.
pub trait ProgressSink: Send + Sync {
    /// One line, without its line end.
    fn line(&self, line: &str);
}

impl ProgressSink for crate::model::Silent {
    fn line(&self, _line: &str) {}
}

/// How a tool fails.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// The model can read this and do better.
    #[error("{0}")]
    Report(String),
    /// The attempt cannot go on.
    #[error("{message}")]
    Fatal {
        /// What happened and what to do.
        message: String,
        /// Whether a later attempt may succeed.
        retryable: bool,
        /// The cause, for the log.
        #[source]
        source: Option<BoxError>,
    },
    /// The attempt was cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl ToolError {
    /// A failure that no retry mends.
    pub fn fatal(message: impl Into<String>) -> Self {
        Self::Fatal { message: message.into(), retryable: false, source: None }
    }
}

/// What a crashed call left behind.
#[derive(Debug, Clone, PartialEq)]
pub enum Recovery {
    /// Nothing of it happened, or repeating is harmless: run it.
    Redo,
    /// All of it happened; this is the result.
    Done(Value),
    /// Nobody can tell.
    Unknown(String),
}

/// What the author of a tool writes.
///
/// Registered through [`Toolbox::with`]; the erased twin [`AnyTool`] is derived.
pub trait Tool: Send + Sync + 'static {
    /// Typed input; its schema is shown to the model.
    type Input: DeserializeOwned + JsonSchema + Send;
    /// Typed output; text or JSON.
    type Output: Serialize + Send;
    /// Name, `[a-z_]+`, unique in a toolbox.
    const NAME: &'static str;
    /// What it is for, told to the model.
    const DESCRIPTION: &'static str;
    /// What recovery may do with it.
    const EFFECT: EffectClass;

    /// One line that says what a call is about, for events and logs.
    fn summary(input: &Self::Input) -> String;

    /// What a call would do, for the rules that allow or forbid it. `prepared` is what [`Tool::prepare`] found out.
    fn demand(input: &Self::Input, prepared: &Value) -> Demand;

    /// Does the work.
    fn call(
        &self,
        input: Self::Input,
        context: &ToolContext,
    ) -> impl Future<Output = Result<Self::Output, ToolError>> + Send;

    /// Computes, before the call, what [`Tool::recover`] will compare with. Recorded with the intent.
    fn prepare(
        &self,
        _input: &Self::Input,
        _context: &ToolContext,
    ) -> impl Future<Output = Result<Value, ToolError>> + Send {
        async { Ok(Value::Null) }
    }

    /// Judges, after a crash, what a call without a recorded result has done.
    fn recover(
        &self,
        _input: Self::Input,
        _prepared: Value,
        _context: &ToolContext,
    ) -> impl Future<Output = Recovery> + Send {
        async {
            match Self::EFFECT {
                EffectClass::Pure | EffectClass::Idempotent => Recovery::Redo,
                EffectClass::Compensatable | EffectClass::Opaque => {
                    Recovery::Unknown("the server stopped while it ran".to_owned())
                }
            }
        }
    }
}

/// A tool without its types: what the registry holds.
#[async_trait]
pub trait AnyTool: Send + Sync {
    /// What the model is told.
    fn description(&self) -> ToolDescription;
    /// What recovery may do with it.
    fn effect(&self) -> EffectClass;
    /// One line about a call; falls back to the raw input when that does not fit the schema.
    fn summary_json(&self, input: &Value) -> String;
    /// See [`Tool::demand`]; an input that does not fit the schema demands everything.
    fn demand_json(&self, input: &Value, prepared: &Value) -> Demand;
    /// See [`Tool::prepare`].
    async fn prepare_json(&self, input: &Value, context: &ToolContext) -> Result<Value, ToolError>;
    /// See [`Tool::call`].
    async fn call_json(&self, input: Value, context: &ToolContext) -> Result<Value, ToolError>;
    /// See [`Tool::recover`].
    async fn recover_json(&self, input: Value, prepared: Value, context: &ToolContext) -> Recovery;
}

fn parse<I: DeserializeOwned>(tool: &str, input: &Value) -> Result<I, ToolError> {
    serde_json::from_value(input.clone())
        .map_err(|error| ToolError::Report(format!("the input of {tool} does not fit its schema: {error}")))
}

#[async_trait]
impl<T: Tool> AnyTool for T {
    fn description(&self) -> ToolDescription {
        let schema = schemars::SchemaGenerator::default().into_root_schema_for::<T::Input>();
        ToolDescription {
            name: T::NAME.to_owned(),
            description: T::DESCRIPTION.to_owned(),
            input_schema: schema.to_value(),
        }
    }

    fn effect(&self) -> EffectClass {
        T::EFFECT
    }

    fn summary_json(&self, input: &Value) -> String {
        parse::<T::Input>(T::NAME, input).map_or_else(|_| input.to_string(), |typed| T::summary(&typed))
    }

    fn demand_json(&self, input: &Value, prepared: &Value) -> Demand {
        parse::<T::Input>(T::NAME, input).map_or(Demand::Other, |typed| T::demand(&typed, prepared))
    }

    async fn prepare_json(&self, input: &Value, context: &ToolContext) -> Result<Value, ToolError> {
        let typed = parse::<T::Input>(T::NAME, input)?;
        self.prepare(&typed, context).await
    }

    async fn call_json(&self, input: Value, context: &ToolContext) -> Result<Value, ToolError> {
        let typed = parse::<T::Input>(T::NAME, &input)?;
        let output = self.call(typed, context).await?;
        serde_json::to_value(output).map_err(|error| ToolError::Fatal {
            message: format!("the output of {} is not JSON", T::NAME),
            retryable: false,
            source: Some(Box::new(error)),
        })
    }

    async fn recover_json(&self, input: Value, prepared: Value, context: &ToolContext) -> Recovery {
        match parse::<T::Input>(T::NAME, &input) {
            Ok(typed) => self.recover(typed, prepared, context).await,
            Err(error) => Recovery::Unknown(error.to_string()),
        }
    }
}

/// The tools an executor offers, by name.
#[derive(Clone, Default)]
pub struct Toolbox {
    tools: Vec<(String, Arc<dyn AnyTool>)>,
}

impl Toolbox {
    /// Adds a tool; a later one of the same name takes the place of the earlier.
    #[must_use]
    pub fn with<T: Tool>(self, tool: T) -> Self {
        self.with_any(T::NAME, Arc::new(tool))
    }

    /// Adds an erased tool.
    #[must_use]
    pub fn with_any(mut self, name: &str, tool: Arc<dyn AnyTool>) -> Self {
        self.tools.retain(|(known, _)| known != name);
        self.tools.push((name.to_owned(), tool));
        self
    }

    /// All tools of another box, added to this one.
    #[must_use]
    pub fn with_all(self, other: Self) -> Self {
        other.tools.into_iter().fold(self, |toolbox, (name, tool)| toolbox.with_any(&name, tool))
    }

    /// The tool of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn AnyTool>> {
        self.tools.iter().find(|(known, _)| known == name).map(|(_, tool)| tool)
    }

    /// Names, in the order of registration.
    pub fn names(&self) -> Vec<&str> {
        self.tools.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// What the model is told of each.
    pub fn descriptions(&self) -> Vec<ToolDescription> {
        self.tools.iter().map(|(_, tool)| tool.description()).collect()
    }
}

/// Input of [`name::RUN_COMMAND`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandInput {
    /// Program and arguments; no shell is involved.
    pub command: Vec<String>,
    /// Folder relative to the workspace; its root when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<String>,
    /// Additional environment.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub env: std::collections::BTreeMap<String, String>,
}

/// Output of [`name::RUN_COMMAND`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CommandReport {
    /// Exit code; null when a signal or the time limit ended it.
    pub exit_code: Option<i32>,
    /// What ended it when there is no exit code, such as `signal 9` or `timed out after 300 s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
    /// Standard output, bounded: head and tail with a marker between.
    pub stdout: String,
    /// Standard error, bounded likewise.
    pub stderr: String,
    /// Whether something was cut.
    pub truncated: bool,
    /// How long it ran, in milliseconds.
    pub duration_ms: u64,
    /// What was enforced while it ran.
    pub sandbox: String,
    /// Hosts that it wanted to reach and may not, the first few of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused_hosts: Vec<String>,
}

impl CommandReport {
    /// Whether it exited with 0.
    pub fn succeeded(&self) -> bool {
        self.exit_code == Some(0)
    }

    /// Why it failed, with the end of what it printed.
    pub fn failure(&self) -> String {
        let how = match (self.exit_code, &self.ended_by) {
            (Some(code), _) => format!("exit code {code}"),
            (None, Some(cause)) => cause.clone(),
            (None, None) => "ended without an exit code".to_owned(),
        };
        let tail = |text: &str| {
            let lines: Vec<&str> = text.lines().collect();
            lines[lines.len().saturating_sub(40)..].join("\n")
        };
        let mut description = format!("the command failed: {how}");
        for (stream, text) in [("standard error", &self.stderr), ("standard output", &self.stdout)] {
            if !text.trim().is_empty() {
                description.push_str(&format!("\n--- {stream}, last lines ---\n{}", tail(text)));
            }
        }
        description
    }
}

//! What a task is, as the plan's author wrote it.

use crate::tool::EffectClass;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Which of several ready tasks starts first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Before others.
    High,
    /// As usual.
    #[default]
    Medium,
    /// After others.
    Low,
}

/// A command: argv, or a line for `sh -c`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum CommandLine {
    /// Program and arguments.
    Argv(Vec<String>),
    /// A line for the shell.
    Shell(String),
}

impl CommandLine {
    /// What is executed.
    pub fn argv(&self) -> Vec<String> {
        match self {
            Self::Argv(argv) => argv.clone(),
            Self::Shell(line) => vec!["sh".to_owned(), "-c".to_owned(), line.clone()],
        }
    }
}

impl std::fmt::Display for CommandLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Argv(argv) => f.write_str(&argv.join(" ")),
            Self::Shell(line) => f.write_str(line),
        }
    }
}

/// What kind of work a task is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TaskKind {
    /// A language model works with tools until it calls finish and the verification passes.
    Agent {
        /// Must exit 0 before the task counts as done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        verify: Option<CommandLine>,
    },
    /// A command is run and must exit 0.
    Command {
        /// What to run.
        command: CommandLine,
        /// Additional environment.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        env: BTreeMap<String, String>,
        /// Folder relative to the repository.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        working_directory: Option<String>,
    },
    /// A patch is applied, whole or not at all.
    Patch {
        /// Unified diff, envelope or search/replace blocks.
        patch: String,
    },
    /// The repository is described.
    Scan,
    /// A person decides.
    Approval,
    /// A tool of the toolbox is called once, such as one that an embedding program registered.
    Tool {
        /// The tool's name.
        tool: String,
        /// What it is called with; must fit its schema.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        input: Value,
    },
}

impl TaskKind {
    /// A command given as a line for the shell.
    pub fn shell(line: impl Into<String>) -> Self {
        Self::Command {
            command: CommandLine::Shell(line.into()),
            env: BTreeMap::new(),
            working_directory: None,
        }
    }

    /// A command given as program and arguments.
    pub fn argv<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Self {
        Self::Command {
            command: CommandLine::Argv(argv.into_iter().map(Into::into).collect()),
            env: BTreeMap::new(),
            working_directory: None,
        }
    }

    /// A call of a tool with this input.
    pub fn tool(tool: impl Into<String>, input: Value) -> Self {
        Self::Tool { tool: tool.into(), input }
    }

    /// The value of the `kind` field.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Agent { .. } => "agent",
            Self::Command { .. } => "command",
            Self::Patch { .. } => "patch",
            Self::Scan => "scan",
            Self::Approval => "approval",
            Self::Tool { .. } => "tool",
        }
    }
}

/// How often a failed task is tried again, and after what pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetryPolicy {
    /// Attempts in all; 1 means no retry.
    pub max_attempts: u32,
    /// Upper end of the first pause, in milliseconds; doubles with each attempt.
    pub backoff_ms: u64,
    /// Ceiling of the pause, in milliseconds.
    pub max_backoff_ms: u64,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { max_attempts: 1, backoff_ms: 1_000, max_backoff_ms: 60_000 }
    }
}

/// What becomes of a task whose opaque step was caught in flight by a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUnknown {
    /// Another attempt.
    Retry,
    /// The task fails and says why.
    Fail,
    /// A person decides.
    Ask,
}

/// A task as it is handed in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskSpec {
    /// What is to be done, for a person and for the model.
    pub description: String,
    /// The kind of work.
    #[serde(flatten)]
    pub kind: TaskKind,
    /// Which of several ready tasks starts first.
    #[serde(default)]
    pub priority: Priority,
    /// Positions (1 to n) of the tasks that must be completed before.
    #[serde(default)]
    pub depends_on: Vec<u32>,
    /// Files and folders that it is expected to look at, relative to the repository.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<String>,
    /// Files and folders that it is expected to change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writes: Vec<String>,
    /// Retries.
    #[serde(default)]
    pub retry: RetryPolicy,
    /// Ceiling of one attempt in milliseconds; the server's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Whether a person must approve before it starts.
    #[serde(default)]
    pub requires_approval: bool,
    /// Whether it may run again when a crash caught it in flight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<EffectClass>,
    /// What happens when it may not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_unknown: Option<OnUnknown>,
}

impl TaskSpec {
    /// A task with every option at its default.
    pub fn new(description: impl Into<String>, kind: TaskKind) -> Self {
        Self {
            description: description.into(),
            kind,
            priority: Priority::default(),
            depends_on: Vec::new(),
            reads: Vec::new(),
            writes: Vec::new(),
            retry: RetryPolicy::default(),
            timeout_ms: None,
            requires_approval: false,
            effect: None,
            on_unknown: None,
        }
    }

    /// The same task, to run after those at the given positions.
    #[must_use]
    pub fn after(mut self, positions: &[u32]) -> Self {
        self.depends_on = positions.to_vec();
        self
    }

    /// Whether both describe the same work: what is done, with what, after what. Priority, retries, limits
    /// and approval say how it is done, and change nothing about a result that is there.
    pub fn same_work(&self, other: &Self) -> bool {
        self.description == other.description
            && self.kind == other.kind
            && self.depends_on == other.depends_on
    }

    /// The effect class that recovery follows.
    pub fn effect_class(&self) -> EffectClass {
        self.effect.unwrap_or(match self.kind {
            TaskKind::Scan | TaskKind::Approval => EffectClass::Pure,
            TaskKind::Patch { .. } => EffectClass::Compensatable,
            TaskKind::Command { .. } | TaskKind::Agent { .. } | TaskKind::Tool { .. } => EffectClass::Opaque,
        })
    }
}

//! Tasks as they are answered.

use super::kind_fields;
use super::words::{EffectView, KindView, OnUnknownView, PriorityView, TaskStatusView};
use agent_core::plan::{CommandLine, PlanState, RetryPolicy, Task};
use agent_core::time::Timestamp;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use utoipa::ToSchema;

/// A command: program and arguments, or a line for `sh -c`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(example = json!(["cargo", "test"]))]
pub enum CommandView {
    /// Program and arguments.
    Argv(Vec<String>),
    /// A line for the shell.
    Shell(String),
}

impl<'de> Deserialize<'de> for CommandView {
    /// By hand, since the derived form for untagged enums forgets where the fault is.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = CommandView;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of program and arguments, or a string for the shell")
            }

            fn visit_str<E: de::Error>(self, line: &str) -> Result<CommandView, E> {
                Ok(CommandView::Shell(line.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<CommandView, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(items)).map(CommandView::Argv)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl From<CommandView> for CommandLine {
    fn from(view: CommandView) -> Self {
        match view {
            CommandView::Argv(argv) => Self::Argv(argv),
            CommandView::Shell(line) => Self::Shell(line),
        }
    }
}

impl From<CommandLine> for CommandView {
    fn from(command: CommandLine) -> Self {
        match command {
            CommandLine::Argv(argv) => Self::Argv(argv),
            CommandLine::Shell(line) => Self::Shell(line),
        }
    }
}

/// How often a failed task is tried again, and after what pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"max_attempts": 3, "backoff_ms": 1000, "max_backoff_ms": 60000}))]
pub struct RetryView {
    /// Attempts in all; 1 means no retry.
    #[schema(minimum = 1, maximum = 100)]
    pub max_attempts: u32,
    /// Upper end of the first pause, in milliseconds; doubles with each attempt.
    #[schema(maximum = 86_400_000)]
    pub backoff_ms: u64,
    /// Ceiling of the pause, in milliseconds.
    #[schema(maximum = 86_400_000)]
    pub max_backoff_ms: u64,
}

impl Default for RetryView {
    fn default() -> Self {
        RetryPolicy::default().into()
    }
}

impl From<RetryPolicy> for RetryView {
    fn from(retry: RetryPolicy) -> Self {
        let RetryPolicy { max_attempts, backoff_ms, max_backoff_ms } = retry;
        Self { max_attempts, backoff_ms, max_backoff_ms }
    }
}

impl From<RetryView> for RetryPolicy {
    fn from(view: RetryView) -> Self {
        let RetryView { max_attempts, backoff_ms, max_backoff_ms } = view;
        Self { max_attempts, backoff_ms, max_backoff_ms }
    }
}

/// A task and where it stands.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "id": 3, "plan_id": 1, "position": 2, "description": "Run the tests", "kind": "command",
    "command": ["cargo", "test"], "priority": "medium", "depends_on": [1], "depends_on_ids": [2],
    "status": "completed", "attempts": 1, "completed": true,
    "result": {"exit_code": 0, "stdout": "ok", "stderr": ""}, "error": null,
    "retry": {"max_attempts": 1, "backoff_ms": 1000, "max_backoff_ms": 60000}, "requires_approval": false,
    "effect": "opaque", "started_at": "2026-01-01T12:00:00.000Z", "finished_at": "2026-01-01T12:00:04.120Z"
}))]
pub struct TaskView {
    /// Identifier; unique over all plans.
    pub id: i64,
    /// Its plan.
    pub plan_id: i64,
    /// 1 to n within the plan.
    pub position: u32,
    /// What is to be done.
    pub description: String,
    /// The kind of work.
    pub kind: KindView,
    /// Which of several ready tasks starts first.
    pub priority: PriorityView,
    /// Positions of the tasks that must be completed before.
    pub depends_on: Vec<u32>,
    /// Ids of the same tasks.
    pub depends_on_ids: Vec<i64>,
    /// Where it stands.
    pub status: TaskStatusView,
    /// How many attempts were started.
    pub attempts: u32,
    /// Whether it is done.
    pub completed: bool,
    /// What it yielded; null before.
    #[schema(value_type = Option<Object>)]
    pub result: Option<Value>,
    /// Why it failed; null unless it did.
    pub error: Option<String>,
    /// When its latest attempt started.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
    /// Files and folders that it is expected to look at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<String>,
    /// Files and folders that it is expected to change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub writes: Vec<String>,
    /// Retries.
    pub retry: RetryView,
    /// Ceiling of one attempt in milliseconds; the server's when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Whether a person must approve before it starts.
    pub requires_approval: bool,
    /// Whether it may run again when a crash caught it in flight.
    pub effect: EffectView,
    /// What happens when it may not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_unknown: Option<OnUnknownView>,
    /// What a `command` task runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandView>,
    /// Additional environment of a `command` task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<BTreeMap<String, String>>,
    /// Folder of a `command` task, relative to the repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<String>,
    /// What a `patch` task applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch: Option<String>,
    /// The tool that a `tool` task calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// What it is called with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub input: Option<Value>,
    /// What must exit 0 before an `agent` task counts as done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify: Option<CommandView>,
}

impl TaskView {
    /// A task among the others of its plan.
    pub fn of(task: &Task, state: &PlanState) -> Self {
        let (kind, fields) = kind_fields::of(&task.spec.kind);
        let ids = task.spec.depends_on.iter().filter_map(|position| Some(state.at(*position)?.id.get()));
        Self {
            id: task.id.get(),
            plan_id: task.plan_id.get(),
            position: task.position,
            description: task.spec.description.clone(),
            kind,
            priority: task.spec.priority.into(),
            depends_on: task.spec.depends_on.clone(),
            depends_on_ids: ids.collect(),
            status: task.status.into(),
            attempts: task.attempts,
            completed: task.status == agent_core::plan::TaskStatus::Completed,
            result: task.result.as_deref().cloned(),
            error: task.error.clone(),
            started_at: task.started_at,
            finished_at: task.finished_at,
            reads: task.spec.reads.clone(),
            writes: task.spec.writes.clone(),
            retry: task.spec.retry.clone().into(),
            timeout_ms: task.spec.timeout_ms,
            requires_approval: task.spec.requires_approval,
            effect: task.spec.effect_class().into(),
            on_unknown: task.spec.on_unknown.map(Into::into),
            command: fields.command,
            env: fields.env,
            working_directory: fields.working_directory,
            patch: fields.patch,
            tool: fields.tool,
            input: fields.input,
            verify: fields.verify,
        }
    }

    /// All tasks of a plan, by position.
    pub fn all(state: &PlanState) -> Vec<Self> {
        state.tasks.iter().map(|task| Self::of(task, state)).collect()
    }
}

//! Versions of plans as they are answered, and what an edit came to.

use super::kind_fields;
use super::plan::{PlanDetailsView, PlanView, StatisticsView};
use super::policy::PolicyView;
use super::task::{CommandView, RetryView, TaskView};
use super::words::{DefinitionFateView, EffectView, KindView, OnUnknownView, PriorityView, WorkFateView};
use agent_core::ids::TaskId;
use agent_core::plan::{DefinedTask, DefinitionChange, DefinitionFate, PlanVersion, WorkFate};
use agent_core::time::Timestamp;
use agent_runtime::Edited;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// The version in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct PlanVersionPath {
    /// The plan.
    #[param(minimum = 1, example = 1)]
    pub plan_id: i64,
    /// The version.
    #[param(minimum = 1, example = 1)]
    pub version: u32,
}

/// What an edit meant for one task.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({"task_id": 3, "position": 2, "definition": "changed", "work": "invalidated"}))]
pub struct DefinitionChangeView {
    /// The task.
    pub task_id: Option<i64>,
    /// Its position after the edit, or before it for one that was removed.
    pub position: u32,
    /// What became of its definition.
    pub definition: DefinitionFateView,
    /// What became of the work on it.
    pub work: WorkFateView,
}

impl From<DefinitionChange> for DefinitionChangeView {
    fn from(change: DefinitionChange) -> Self {
        Self {
            task_id: change.task_id.map(TaskId::get),
            position: change.position,
            definition: change.definition.into(),
            work: change.work.into(),
        }
    }
}

/// An edited plan, and what the edit came to.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct EditedPlanView {
    /// The version that the edit made; the present one where it changed nothing.
    pub version: u32,
    /// What it meant for each task; empty where it changed nothing.
    pub changes: Vec<DefinitionChangeView>,
    /// The plan.
    pub plan: PlanView,
    /// Its tasks, by position.
    pub tasks: Vec<TaskView>,
    /// Its figures.
    pub statistics: StatisticsView,
}

impl From<Edited> for EditedPlanView {
    fn from(edited: Edited) -> Self {
        let PlanDetailsView { plan, tasks, statistics } = edited.details.into();
        let changes = edited.changes.into_iter().map(Into::into).collect();
        Self { version: edited.version, changes, plan, tasks, statistics }
    }
}

/// The versions of a plan, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PlanVersionsView {
    /// The plan.
    pub plan_id: i64,
    /// Its versions; only the first while nobody has edited it.
    pub versions: Vec<VersionSummaryView>,
    /// How many there are.
    pub total: usize,
}

impl PlanVersionsView {
    /// The versions of that plan.
    pub fn of(plan_id: i64, versions: Vec<PlanVersion>) -> Self {
        let versions: Vec<VersionSummaryView> = versions.into_iter().map(Into::into).collect();
        Self { plan_id, total: versions.len(), versions }
    }
}

/// A version of a plan in a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "version": 2, "created_at": "2026-01-01T12:00:00.000Z", "by": "ada",
    "changes": [{"task_id": 3, "position": 2, "definition": "changed", "work": "invalidated"}],
    "summary": {"tasks": 2, "added": 0, "changed": 1, "removed": 0, "kept": 0, "invalidated": 1, "cancelled": 0}
}))]
pub struct VersionSummaryView {
    /// 1 for the plan as it was made.
    pub version: u32,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Who made it; null for the first.
    pub by: Option<String>,
    /// What differs from the version before; empty for the first.
    pub changes: Vec<DefinitionChangeView>,
    /// The same in numbers.
    pub summary: ChangeCountsView,
}

impl From<PlanVersion> for VersionSummaryView {
    fn from(version: PlanVersion) -> Self {
        let summary = ChangeCountsView::of(&version);
        Self {
            version: version.definition.version,
            created_at: version.created_at,
            by: version.by,
            changes: version.changes.into_iter().map(Into::into).collect(),
            summary,
        }
    }
}

/// A version in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({"tasks": 3, "added": 1, "changed": 1, "removed": 0, "kept": 1, "invalidated": 1, "cancelled": 0}))]
pub struct ChangeCountsView {
    /// How many tasks it has.
    pub tasks: usize,
    /// How many are new in it.
    pub added: usize,
    /// How many are defined otherwise.
    pub changed: usize,
    /// How many are gone.
    pub removed: usize,
    /// How many stood with the work on them.
    pub kept: usize,
    /// How many were to be done again.
    pub invalidated: usize,
    /// How many were stopped.
    pub cancelled: usize,
}

impl ChangeCountsView {
    fn of(version: &PlanVersion) -> Self {
        let changes = &version.changes;
        let definitions = |fate| changes.iter().filter(|change| change.definition == fate).count();
        let works = |fate| changes.iter().filter(|change| change.work == fate).count();
        Self {
            tasks: version.definition.tasks.len(),
            added: definitions(DefinitionFate::Added),
            changed: definitions(DefinitionFate::Changed),
            removed: definitions(DefinitionFate::Removed),
            kept: works(WorkFate::Kept),
            invalidated: works(WorkFate::Invalidated),
            cancelled: works(WorkFate::Cancelled),
        }
    }
}

/// A version of a plan: what it was to do then.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PlanVersionView {
    /// The plan.
    pub plan_id: i64,
    /// 1 for the plan as it was made.
    pub version: u32,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Who made it; null for the first.
    pub by: Option<String>,
    /// What was to be reached.
    pub goal: String,
    /// The rules.
    pub policy: PolicyView,
    /// The tasks, by position.
    pub tasks: Vec<DefinedTaskView>,
    /// What differs from the version before; empty for the first.
    pub changes: Vec<DefinitionChangeView>,
    /// The same in numbers.
    pub summary: ChangeCountsView,
}

impl From<PlanVersion> for PlanVersionView {
    fn from(version: PlanVersion) -> Self {
        let summary = ChangeCountsView::of(&version);
        let tasks = (1..).zip(version.definition.tasks);
        Self {
            plan_id: version.plan_id.get(),
            version: version.definition.version,
            created_at: version.created_at,
            by: version.by,
            goal: version.definition.goal,
            policy: version.definition.policy.into(),
            tasks: tasks.map(|(position, task)| DefinedTaskView::of(position, task)).collect(),
            changes: version.changes.into_iter().map(Into::into).collect(),
            summary,
        }
    }
}

/// A task as a version defines it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "task_id": 3, "position": 2, "description": "Run the tests", "kind": "command", "command": ["cargo", "test"],
    "priority": "medium", "depends_on": [1], "requires_approval": false,
    "retry": {"max_attempts": 1, "backoff_ms": 1000, "max_backoff_ms": 60000}
}))]
pub struct DefinedTaskView {
    /// The task.
    pub task_id: Option<i64>,
    /// 1 to n within the version.
    pub position: u32,
    /// What is to be done.
    pub description: String,
    /// The kind of work.
    pub kind: KindView,
    /// Which of several ready tasks starts first.
    pub priority: PriorityView,
    /// Positions of the tasks that must be completed before.
    pub depends_on: Vec<u32>,
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
    /// Whether it may run again when a crash caught it in flight; by kind when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<EffectView>,
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

impl DefinedTaskView {
    fn of(position: u32, task: DefinedTask) -> Self {
        let DefinedTask { id, spec } = task;
        let (kind, fields) = kind_fields::of(&spec.kind);
        Self {
            task_id: id.map(TaskId::get),
            position,
            description: spec.description,
            kind,
            priority: spec.priority.into(),
            depends_on: spec.depends_on,
            reads: spec.reads,
            writes: spec.writes,
            retry: spec.retry.into(),
            timeout_ms: spec.timeout_ms,
            requires_approval: spec.requires_approval,
            effect: spec.effect.map(Into::into),
            on_unknown: spec.on_unknown.map(Into::into),
            command: fields.command,
            env: fields.env,
            working_directory: fields.working_directory,
            patch: fields.patch,
            tool: fields.tool,
            input: fields.input,
            verify: fields.verify,
        }
    }
}

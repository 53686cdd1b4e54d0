//! Edits of a plan's definition, and the versions they leave behind.

use super::spec::{OnUnknown, Priority, RetryPolicy, TaskKind, TaskSpec};
use crate::ids::{PlanId, TaskId};
use crate::policy::Policy;
use crate::time::Timestamp;
use crate::tool::EffectClass;
use serde::{Deserialize, Serialize};

/// A change of a plan's goal, rules and tasks, taken whole or not at all.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlanEdit {
    /// The version that the author has seen; `None` edits whatever is there.
    pub seen: Option<u32>,
    /// The new goal.
    pub goal: Option<String>,
    /// The new rules.
    pub policy: Option<Policy>,
    /// What happens to tasks, in this order.
    pub operations: Vec<EditOperation>,
}

/// One change of the list of tasks.
///
/// Positions in an edit are those of the plan before it; added tasks follow in their order. Only when the whole
/// edit is made do tasks move up to fill the places of removed ones.
#[derive(Debug, Clone, PartialEq)]
pub enum EditOperation {
    /// A further task after those that are there.
    Add(Box<TaskSpec>),
    /// Another definition for a task.
    Update(TaskId, Box<TaskPatch>),
    /// The task and every edge to it are gone.
    Remove(TaskId),
}

/// The fields of a task that an edit gives anew.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TaskPatch {
    /// What is to be done.
    pub description: Option<String>,
    /// The kind with everything that belongs to it.
    pub kind: Option<TaskKind>,
    /// Which of several ready tasks starts first.
    pub priority: Option<Priority>,
    /// Positions of the tasks that must be completed before.
    pub depends_on: Option<Vec<u32>>,
    /// Files and folders that it is expected to look at.
    pub reads: Option<Vec<String>>,
    /// Files and folders that it is expected to change.
    pub writes: Option<Vec<String>>,
    /// Retries.
    pub retry: Option<RetryPolicy>,
    /// Ceiling of one attempt in milliseconds; `Some(None)` takes it away.
    pub timeout_ms: Option<Option<u64>>,
    /// Whether a person must approve before it starts.
    pub requires_approval: Option<bool>,
    /// Whether it may run again when a crash caught it; `Some(None)` leaves it to the kind.
    pub effect: Option<Option<EffectClass>>,
    /// What happens when it may not; `Some(None)` leaves it to the policy.
    pub on_unknown: Option<Option<OnUnknown>>,
}

impl TaskPatch {
    /// Writes the given fields into a definition.
    pub(crate) fn write_into(&self, spec: &mut TaskSpec) {
        fn set<T: Clone>(field: &mut T, given: Option<&T>) {
            if let Some(given) = given {
                field.clone_from(given);
            }
        }
        let called_a_tool = matches!(spec.kind, TaskKind::Tool { .. });
        set(&mut spec.description, self.description.as_ref());
        set(&mut spec.kind, self.kind.as_ref());
        set(&mut spec.priority, self.priority.as_ref());
        set(&mut spec.depends_on, self.depends_on.as_ref());
        set(&mut spec.reads, self.reads.as_ref());
        set(&mut spec.writes, self.writes.as_ref());
        set(&mut spec.retry, self.retry.as_ref());
        set(&mut spec.timeout_ms, self.timeout_ms.as_ref());
        set(&mut spec.requires_approval, self.requires_approval.as_ref());
        // What a tool says of its effect says nothing about work without it.
        if called_a_tool && !matches!(spec.kind, TaskKind::Tool { .. }) {
            spec.effect = None;
        }
        set(&mut spec.effect, self.effect.as_ref());
        set(&mut spec.on_unknown, self.on_unknown.as_ref());
    }
}

/// What a plan was to do, in one of its versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanDefinition {
    /// 1 for the plan as it was made.
    pub version: u32,
    /// What is to be reached.
    pub goal: String,
    /// The rules.
    pub policy: Policy,
    /// The tasks, by position.
    pub tasks: Vec<DefinedTask>,
}

/// A task in a version of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DefinedTask {
    /// Identifier; `None` for a task that this very version adds.
    pub id: Option<TaskId>,
    /// What it is.
    #[serde(flatten)]
    pub spec: TaskSpec,
}

/// What an edit meant for one task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DefinitionChange {
    /// The task; `None` for one that was added.
    pub task_id: Option<TaskId>,
    /// Its position after the edit, or before it for one that was removed.
    pub position: u32,
    /// What became of its definition.
    pub definition: DefinitionFate,
    /// What became of the work on it.
    pub work: WorkFate,
}

/// What became of a task's definition in an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DefinitionFate {
    /// It is as it was.
    Unchanged,
    /// It is new.
    Added,
    /// It differs.
    Changed,
    /// It is gone.
    Removed,
}

/// What became of the work on a task in an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkFate {
    /// There was none yet.
    None,
    /// What is done or under way stands.
    Kept,
    /// What was done is to be done again; where its inputs come out the same, its result is taken again.
    Invalidated,
    /// What was under way was stopped.
    Cancelled,
}

/// A kept version of a plan's definition.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanVersion {
    /// The plan.
    pub plan_id: PlanId,
    /// The definition.
    pub definition: PlanDefinition,
    /// What differs from the version before; empty for the first.
    pub changes: Vec<DefinitionChange>,
    /// Who made it; `None` for the first.
    pub by: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

//! What a store is handed when a plan changes, and what it hands back.

use super::{ApprovalDecision, NewApproval};
use crate::event::{Event, NewEvent};
use crate::ids::{ExecutionId, Generation, Revision, TaskId, TenantId, WorkerId};
use crate::plan::{DefinitionChange, Plan, PlanDefinition, PlanState, Task, TaskSpec, TaskStatus};
use crate::time::Timestamp;
use std::time::Duration;

/// The right to write for a plan: in which tenant, who holds it, and since which change of hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    /// The tenant whose plan it is.
    pub tenant: TenantId,
    /// The holder.
    pub worker: WorkerId,
    /// The generation it was given.
    pub generation: Generation,
}

/// A state change with its events, to be committed whole or not at all.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The plan after the change; its `revision` is the one after `seen`.
    pub plan: Plan,
    /// The revision before; the commit fails with `Conflict` when the stored one differs.
    pub seen: Revision,
    /// The tasks whose standing differs.
    pub tasks: Vec<Task>,
    /// Those of `tasks` whose definition or position differs too; empty except for edits.
    pub redefined: Vec<TaskId>,
    /// Tasks that are no longer part of the plan; what is recorded of them stays.
    pub removed: Vec<TaskId>,
    /// The definition before and after, when it was edited.
    pub version: Option<NewVersion>,
    /// Tasks to add (when planning ends, or by an edit), in order of position.
    pub new_tasks: Vec<TaskSpec>,
    /// Whether the tasks to add belong to the present execution.
    pub select_new: bool,
    /// Attempts that began or ended.
    pub attempts: Vec<AttemptChange>,
    /// Questions to ask.
    pub approvals: Vec<NewApproval>,
    /// Answers given.
    pub decisions: Vec<ApprovalDecision>,
    /// An accepted request to execute, to be given an id.
    pub execution: Option<NewExecution>,
    /// What is told, in order.
    pub events: Vec<NewEvent>,
    /// The time of the change.
    pub at: Timestamp,
}

/// An attempt that began or ended.
#[derive(Debug, Clone, PartialEq)]
pub struct AttemptChange {
    /// The task.
    pub task_id: TaskId,
    /// 1 for the first.
    pub attempt: u32,
    /// `Running` when it began, otherwise how it ended.
    pub status: TaskStatus,
    /// When it began.
    pub started_at: Timestamp,
    /// Why it failed.
    pub error: Option<String>,
    /// Length of the result as JSON text, in bytes.
    pub result_length: u64,
    /// Whether steps may be recorded for it, from which its tokens are added up.
    pub journaled: bool,
}

/// A new version of a plan's definition, to be kept beside those before it.
#[derive(Debug, Clone, PartialEq)]
pub struct NewVersion {
    /// The definition before the edit; kept where no earlier edit has kept it.
    pub before: PlanDefinition,
    /// The definition after it.
    pub after: PlanDefinition,
    /// What differs, task by task.
    pub changes: Vec<DefinitionChange>,
    /// Who edited.
    pub by: String,
}

/// An accepted request to execute a plan or one of its tasks.
#[derive(Debug, Clone, PartialEq)]
pub struct NewExecution {
    /// The task, when only one was asked for.
    pub task_id: Option<TaskId>,
}

/// How a new plan begins: everything that is stored of it at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Opening {
    /// The plan with all its tasks. Ids are stand-ins until the store gives them: 0 for the plan, its position
    /// for a task.
    pub state: PlanState,
    /// What is told, begun and asked, with the same stand-ins.
    pub change: Change,
    /// Who drives it from its first moment on, and for how long that holds.
    pub hold: Option<(WorkerId, Duration)>,
}

/// What a creation yielded.
#[derive(Debug, Clone, PartialEq)]
pub struct Created {
    /// The plan as stored.
    pub state: PlanState,
    /// The right to write, when the plan is new and was to be held.
    pub fence: Option<Fence>,
    /// Whether it is new; otherwise an earlier request under the same idempotency key made it.
    pub is_new: bool,
}

/// What a commit yielded.
#[derive(Debug, Clone, PartialEq)]
pub struct Committed {
    /// The events with their positions.
    pub events: Vec<Event>,
    /// The id of the execution, where the change asked for one.
    pub execution_id: Option<ExecutionId>,
}

/// A plan taken over for execution.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The plan as stored.
    pub state: PlanState,
    /// The right to write.
    pub fence: Fence,
    /// Whether another worker held it before and vanished.
    pub recovered: bool,
}

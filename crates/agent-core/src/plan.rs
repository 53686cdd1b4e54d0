//! Plans: a goal, the tasks that reach it, and where the work stands.

mod edit;
pub mod graph;
mod spec;
mod status;

pub use edit::{
    DefinedTask, DefinitionChange, DefinitionFate, EditOperation, PlanDefinition, PlanEdit, PlanVersion,
    TaskPatch, WorkFate,
};
pub use spec::{CommandLine, OnUnknown, Priority, RetryPolicy, TaskKind, TaskSpec};
pub use status::{PlanStatus, TaskStatus};

use crate::ids::{Owner, PlanId, Revision, TaskId};
use crate::policy::Policy;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// A plan as it is handed in.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPlan {
    /// Whose plan it is.
    pub owner: Owner,
    /// What is to be reached, in plain words.
    pub goal: String,
    /// The repository to work on, already resolved and allowed.
    pub repo_path: String,
    /// The tasks; empty when a language model is to find them.
    pub tasks: Vec<TaskSpec>,
    /// The rules.
    pub policy: Policy,
    /// Whether it starts as soon as it has tasks.
    pub auto_execute: bool,
    /// The template it was made from, if any.
    pub template_id: Option<String>,
    /// Makes a repeated request find the plan of the first.
    pub idempotency: Option<Idempotency>,
}

impl NewPlan {
    /// A plan without tasks and with the usual rules, for the present folder.
    pub fn new(owner: Owner, goal: impl Into<String>) -> Self {
        Self {
            owner,
            goal: goal.into(),
            repo_path: ".".to_owned(),
            tasks: Vec::new(),
            policy: Policy::default(),
            auto_execute: false,
            template_id: None,
            idempotency: None,
        }
    }

    /// The same plan with these tasks.
    #[must_use]
    pub fn with_tasks(mut self, tasks: impl IntoIterator<Item = TaskSpec>) -> Self {
        self.tasks = tasks.into_iter().collect();
        self
    }

    /// The same plan, to be started as soon as it has tasks.
    #[must_use]
    pub fn execute(mut self) -> Self {
        self.auto_execute = true;
        self
    }
}

/// An idempotency key with a fingerprint of the request it came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// The key as the client chose it; unique per owner.
    pub key: String,
    /// Hash of the request, so that another request under the same key is noticed.
    pub fingerprint: String,
}

/// A plan without its tasks.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Identifier.
    pub id: PlanId,
    /// Whose plan it is.
    pub owner: Owner,
    /// What is to be reached.
    pub goal: String,
    /// The repository it works on.
    pub repo_path: String,
    /// Where it stands.
    pub status: PlanStatus,
    /// One sentence on how it ended, once it has.
    pub summary: Option<String>,
    /// The rules.
    pub policy: Policy,
    /// Whether it starts as soon as it has tasks.
    pub auto_execute: bool,
    /// Somebody asked to cancel it; it ends once nothing of it runs.
    pub cancel_requested: bool,
    /// The template it was made from.
    pub template_id: Option<String>,
    /// Which edition of its definition (goal, policy, tasks) it follows: 1 as it was made, one more per edit.
    pub version: u32,
    /// How often it was changed.
    pub revision: Revision,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When its first task started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// A task and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Identifier.
    pub id: TaskId,
    /// Its plan.
    pub plan_id: PlanId,
    /// 1 to n within the plan.
    pub position: u32,
    /// What it is. Shared: the executor copies tasks at every step, and definitions rarely change.
    pub spec: Arc<TaskSpec>,
    /// Where it stands.
    pub status: TaskStatus,
    /// Whether the present execution includes it.
    pub selected: bool,
    /// How many attempts were started.
    pub attempts: u32,
    /// How many attempts it may have; grows when a person asks for a retry.
    pub attempt_limit: u32,
    /// How many crashes in a row caught its present attempt in flight.
    pub recoveries: u32,
    /// Whether a person has approved it.
    pub approved: bool,
    /// How many questions were asked about it.
    pub questions: u32,
    /// When it may go on (after a failed attempt) or lapses (while it waits for a person).
    pub wake_at: Option<Timestamp>,
    /// What it yielded.
    pub result: Option<Arc<Value>>,
    /// Why it failed.
    pub error: Option<String>,
    /// What it yielded before something it depends on was edited; taken again when that comes out the same.
    pub kept: Option<KeptResult>,
    /// When its present or last attempt started; `None` while it waits for another one.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

impl Task {
    /// Whether an attempt has begun and waits, for the answer to its question or for room to go on.
    pub fn is_amid_attempt(&self) -> bool {
        let waits = matches!(self.status, TaskStatus::AwaitingApproval | TaskStatus::Ready);
        waits && self.started_at.is_some() && self.finished_at.is_none()
    }

    /// A task that waits for its first attempt.
    pub fn new(id: TaskId, plan_id: PlanId, position: u32, spec: TaskSpec) -> Self {
        Self {
            id,
            plan_id,
            position,
            status: TaskStatus::Pending,
            selected: false,
            attempts: 0,
            attempt_limit: spec.retry.max_attempts,
            recoveries: 0,
            approved: false,
            questions: 0,
            wake_at: None,
            result: None,
            error: None,
            kept: None,
            started_at: None,
            finished_at: None,
            spec: Arc::new(spec),
        }
    }
}

/// The result of a task whose definition stands while an edit made its dependencies run again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptResult {
    /// Fingerprint of the dependencies' results it was computed from.
    pub inputs: String,
    /// The result.
    pub result: Arc<Value>,
}

/// A plan with all its tasks: what the executor reasons about.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanState {
    /// The plan.
    pub plan: Plan,
    /// Its tasks, by position: `tasks[i].position == i + 1`.
    pub tasks: Vec<Task>,
}

impl PlanState {
    /// The task of that id.
    pub fn task(&self, id: TaskId) -> Option<&Task> {
        self.tasks.iter().find(|task| task.id == id)
    }

    /// The task at a position (1 to n).
    pub fn at(&self, position: u32) -> Option<&Task> {
        usize::try_from(position).ok().and_then(|p| p.checked_sub(1)).and_then(|index| self.tasks.get(index))
    }

    /// What the plan is to do, as it stands now.
    pub fn definition(&self) -> PlanDefinition {
        let tasks = self.tasks.iter();
        PlanDefinition {
            version: self.plan.version,
            goal: self.plan.goal.clone(),
            policy: self.plan.policy.clone(),
            tasks: tasks
                .map(|task| DefinedTask { id: Some(task.id), spec: TaskSpec::clone(&task.spec) })
                .collect(),
        }
    }

    /// Share of finished tasks, 0 to 100.
    pub fn progress(&self) -> f64 {
        if self.tasks.is_empty() {
            return 0.0;
        }
        let done = self.tasks.iter().filter(|task| task.status == TaskStatus::Completed).count();
        (done as f64) * 100.0 / (self.tasks.len() as f64)
    }
}

/// One try at a task, as recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its plan.
    pub plan_id: PlanId,
    /// Its task.
    pub task_id: TaskId,
    /// 1 for the first.
    pub attempt: u32,
    /// `running`, `completed`, `failed` or `cancelled`.
    pub status: TaskStatus,
    /// Why it failed.
    pub error: Option<String>,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Length of the result as JSON text, in bytes.
    pub result_length: u64,
    /// Model tokens used.
    pub tokens: u64,
}

//! What happened to a plan, as listeners are told: one dense, durable sequence per plan.

use crate::approval::ApprovalKind;
use crate::ids::{ApprovalId, MessageId, Owner, PlanId, TaskId, TenantId};
use crate::model::Completion;
use crate::plan::PlanStatus;
use crate::policy::{OnExpiry, Risk, Rule};
use crate::pricing::PriceList;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// A committed event. Serialised, it is the one envelope of WebSocket, lists and subscribers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Position within the plan: 1, 2, 3 … without gaps.
    pub seq: i64,
    /// Position among the events of all plans; grows, with gaps. The cursor of the topic `all`.
    pub cursor: i64,
    /// The plan.
    pub plan_id: PlanId,
    /// The task, where it concerns one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_id: Option<TaskId>,
    /// When it was committed.
    pub timestamp: Timestamp,
    /// Whose plan it is; decides who may see it, and is not sent.
    #[serde(skip)]
    pub owner: Owner,
    /// What happened.
    #[serde(flatten)]
    pub body: EventBody,
}

/// An event about to be committed.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// The task, where it concerns one.
    pub task_id: Option<TaskId>,
    /// What happened.
    pub body: EventBody,
}

/// Everything that can be told about a plan. The `event` field carries the name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventBody {
    /// The plan's status changed.
    PlanUpdated {
        /// The new status.
        status: PlanStatus,
        /// One sentence for a person.
        summary: String,
    },
    /// An attempt at a task began.
    TaskStarted {
        /// The task's description.
        description: String,
        /// 1 for the first attempt.
        attempt: u32,
    },
    /// Something worth showing while a task runs.
    TaskProgress {
        /// 0 to 100, or null where nobody can tell.
        progress: Option<f64>,
        /// One line for a person.
        message: String,
    },
    /// The task is done.
    TaskCompleted {
        /// What it yielded.
        result: Arc<Value>,
    },
    /// An attempt failed.
    TaskFailed {
        /// Why.
        error: String,
        /// Whether another attempt follows.
        will_retry: bool,
    },
    /// Another attempt is scheduled.
    TaskRetrying {
        /// The attempt to come.
        attempt: u32,
        /// The pause before it, in milliseconds.
        delay_ms: u64,
    },
    /// The task was cancelled and nothing of it runs any more.
    TaskCancelled {
        /// Why.
        reason: String,
    },
    /// The task will not run.
    TaskSkipped {
        /// Why.
        reason: String,
    },
    /// A person is asked.
    ApprovalRequested(Box<ApprovalRequest>),
    /// A question was answered, or lapsed.
    ApprovalDecided {
        /// Which question; the store assigns it at commit.
        #[serde(default)]
        approval_id: ApprovalId,
        /// `approve`, `approve_for_plan`, `approve_with_rule`, `reject`, `cancel`, `expired` or `withdrawn`.
        decision: String,
        /// Who decided: a user name, or `expiry`, `plan`, `edit`.
        by: String,
        /// What they said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        /// The rule that a person accepted along with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule: Option<Box<Rule>>,
    },
    /// A call was not made: the rules forbid it, or a person said no.
    ToolDenied {
        /// The tool.
        tool: String,
        /// One line that says with what.
        summary: String,
        /// Why.
        reason: String,
        /// Who said no: `builtin`, `server` or `plan` for rules, a user name, or `expiry`.
        by: String,
    },
    /// A tool is about to run.
    ToolCalled {
        /// The tool.
        tool: String,
        /// One line that says with what.
        summary: String,
    },
    /// A tool has answered.
    ToolFinished {
        /// The tool.
        tool: String,
        /// `ok`, `error` or `outcome_unknown`.
        status: String,
        /// One line that says what came of it.
        summary: String,
    },
    /// A language model has answered.
    ModelCalled {
        /// The model.
        model: String,
        /// Tokens read.
        input_tokens: u64,
        /// Tokens written.
        output_tokens: u64,
        /// What that cost in US dollars; absent where the price of the model is unknown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cost: Option<f64>,
    },
    /// The conversation grew.
    MessageAdded {
        /// The message.
        message_id: MessageId,
        /// Who speaks.
        role: String,
    },
    /// A new worker took the plan over after its predecessor vanished.
    RunRecovered {
        /// How often the plan changed hands.
        generation: i64,
        /// Tasks that were in flight.
        tasks_in_flight: u32,
        /// What becomes of each of them.
        #[serde(default)]
        actions: Vec<RecoveryAction>,
    },
    /// The definition of the plan was changed.
    PlanEdited {
        /// The new version.
        version: u32,
        /// Who changed it.
        by: String,
        /// One sentence for a person.
        summary: String,
    },
}

/// A question to a person, as told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApprovalRequest {
    /// What to answer; the store assigns it at commit.
    pub approval_id: ApprovalId,
    /// What the answer is about.
    pub subject: String,
    /// When the question lapses.
    pub expires_at: Timestamp,
    /// What kind of question it is.
    #[serde(default)]
    pub kind: ApprovalKind,
    /// How much harm a yes could do; absent in events of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Risk>,
    /// Why it is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Hash of the exact bytes that a yes covers.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub args_hash: String,
    /// The answers that may be given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub available_decisions: Vec<String>,
    /// What becomes of it when nobody answers.
    #[serde(default)]
    pub on_expiry: OnExpiry,
}

/// What recovery does with an attempt that a crash caught in flight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryAction {
    /// The task.
    pub task_id: TaskId,
    /// The attempt.
    pub attempt: u32,
    /// What happens.
    pub how: RecoveryKind,
}

/// The ways to go on after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecoveryKind {
    /// It changes nothing, or repeating it is harmless: it runs again under the same key.
    Repeat,
    /// Its record is continued; only steps without a result are looked at.
    Continue,
    /// What is on the disk is compared with what it would have done.
    Compare,
    /// Nobody can tell what it did; the task's `on_unknown` decides.
    OutcomeUnknown,
    /// Crash after crash caught it; it fails.
    CrashLoop,
}

/// The names of all events.
pub const EVENT_NAMES: &[&str] = &[
    "plan_updated",
    "task_started",
    "task_progress",
    "task_completed",
    "task_failed",
    "task_retrying",
    "task_cancelled",
    "task_skipped",
    "approval_requested",
    "approval_decided",
    "tool_denied",
    "tool_called",
    "tool_finished",
    "model_called",
    "message_added",
    "run_recovered",
    "plan_edited",
];

impl EventBody {
    /// That a model has answered, and what that cost.
    pub(crate) fn model_called(completion: &Completion, prices: &PriceList) -> Self {
        Self::ModelCalled {
            model: completion.model.clone(),
            input_tokens: completion.usage.input_tokens,
            output_tokens: completion.usage.output_tokens,
            cost: prices.cost(&completion.model, completion.usage),
        }
    }

    /// The value of the `event` field.
    pub fn name(&self) -> &'static str {
        match self {
            Self::PlanUpdated { .. } => "plan_updated",
            Self::TaskStarted { .. } => "task_started",
            Self::TaskProgress { .. } => "task_progress",
            Self::TaskCompleted { .. } => "task_completed",
            Self::TaskFailed { .. } => "task_failed",
            Self::TaskRetrying { .. } => "task_retrying",
            Self::TaskCancelled { .. } => "task_cancelled",
            Self::TaskSkipped { .. } => "task_skipped",
            Self::ApprovalRequested(_) => "approval_requested",
            Self::ApprovalDecided { .. } => "approval_decided",
            Self::ToolDenied { .. } => "tool_denied",
            Self::ToolCalled { .. } => "tool_called",
            Self::ToolFinished { .. } => "tool_finished",
            Self::ModelCalled { .. } => "model_called",
            Self::MessageAdded { .. } => "message_added",
            Self::RunRecovered { .. } => "run_recovered",
            Self::PlanEdited { .. } => "plan_edited",
        }
    }
}

/// A plan that something happened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Touched {
    /// The plan.
    pub plan_id: PlanId,
    /// Whose it is.
    pub owner: Owner,
    /// The cursor of its newest event.
    pub cursor: i64,
}

/// What a listener listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// One plan of a tenant; positions are `seq`.
    Plan(TenantId, PlanId),
    /// All plans of one owner; positions are `cursor`.
    Owner(Owner),
    /// All plans of one tenant; positions are `cursor`.
    Tenant(TenantId),
    /// All plans of everybody; positions are `cursor`.
    Everything,
}

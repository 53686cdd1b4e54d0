//! Every port of the domain on one page: what the outside must offer, in domain types.
//!
//! A port is owned by the crate that needs it and has at least two real implementations.

use crate::error::Result;
use crate::event::{Event, NewEvent, Topic};
use crate::ids::{
    ApprovalId, ExecutionId, Generation, MessageId, PlanId, Revision, TaskId, UserId, WorkerId,
};
use crate::model::{Completion, ModelDescription, ModelError, Prompt, TokenSink, Usage};
use crate::plan::{Attempt, NewPlan, Plan, PlanState, PlanStatus, Task, TaskSpec, TaskStatus};
use crate::time::Timestamp;
use crate::tool::EffectClass;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;

/// Tells the time. Leases use the database's clock instead.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Yields randomness where behaviour must differ between runs (jitter).
pub trait Randomness: Send + Sync {
    /// A number in `0.0..1.0`.
    fn fraction(&self) -> f64;
}

/// Answers prompts.
#[async_trait]
pub trait LanguageModel: Send + Sync {
    /// Which model this is.
    fn describe(&self) -> ModelDescription;

    /// One answer. Dropping the future cancels the call at the provider.
    ///
    /// # Errors
    /// [`ModelError`]; [`ModelError::is_transient`] says whether a retry makes sense.
    async fn complete(&self, prompt: &Prompt, sink: &mut dyn TokenSink) -> Result<Completion, ModelError>;
}

/// The right to write for a plan: who holds it, and since which change of hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
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
    /// The tasks that differ.
    pub tasks: Vec<Task>,
    /// Tasks to add (when planning ends), in order of position.
    pub new_tasks: Vec<TaskSpec>,
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
    /// Why it failed.
    pub error: Option<String>,
    /// Length of the result as JSON text, in bytes.
    pub result_length: u64,
}

/// A question to a person about a task.
#[derive(Debug, Clone, PartialEq)]
pub struct NewApproval {
    /// The task that waits.
    pub task_id: TaskId,
    /// What is asked.
    pub subject: String,
    /// When the question lapses.
    pub expires_at: Timestamp,
}

/// The answer to the open question of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovalDecision {
    /// The task that waited.
    pub task_id: TaskId,
    /// `approve`, `reject` or `expired`.
    pub decision: String,
    /// Who decided.
    pub by: String,
    /// What they said.
    pub note: Option<String>,
}

/// A question as stored.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Approval {
    /// Identifier.
    pub id: ApprovalId,
    /// The plan.
    pub plan_id: PlanId,
    /// The task that waits.
    pub task_id: TaskId,
    /// What is asked.
    pub subject: String,
    /// When it was asked.
    pub requested_at: Timestamp,
    /// When it lapses.
    pub expires_at: Timestamp,
    /// The answer, once there is one.
    pub decision: Option<String>,
    /// Who gave it.
    pub decided_by: Option<String>,
    /// What they said.
    pub note: Option<String>,
}

/// An accepted request to execute a plan or one of its tasks.
#[derive(Debug, Clone, PartialEq)]
pub struct NewExecution {
    /// The task, when only one was asked for.
    pub task_id: Option<TaskId>,
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

/// Keeps plans; each method is one transaction.
#[async_trait]
pub trait PlanStore: Send + Sync {
    /// Stores a new plan with its tasks and its first event; a repeated idempotency key finds the first one.
    ///
    /// # Errors
    /// `IdempotencyMismatch`, `Unavailable`.
    async fn create(&self, plan: &NewPlan, status: PlanStatus, at: Timestamp) -> Result<PlanState>;

    /// Loads a plan with its tasks.
    ///
    /// # Errors
    /// `PlanNotFound`, `Unavailable`.
    async fn load(&self, id: PlanId) -> Result<PlanState>;

    /// Commits a change. With a fence, only while the lease is held; without, from any server.
    ///
    /// # Errors
    /// `Conflict` when the revision moved on, `LeaseLost` when another worker holds the plan, `Unavailable`.
    async fn commit(&self, change: &Change, fence: Option<&Fence>) -> Result<Committed>;

    /// Takes a live plan that nobody holds: the one asked for, or any. Database time decides.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn claim(&self, worker: &WorkerId, lease: Duration, id: Option<PlanId>) -> Result<Option<Claim>>;

    /// Extends the leases that the worker still holds and names them.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn renew(&self, worker: &WorkerId, lease: Duration) -> Result<Vec<PlanId>>;

    /// Gives a plan back, so that others need not wait for the lease to run out.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn release(&self, id: PlanId, fence: &Fence) -> Result<()>;
}

/// Whose plans a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Only those of this owner.
    Owner(UserId),
    /// Everybody's.
    Everything,
}

/// Which plans to list.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanFilter {
    /// Whose.
    pub visibility: Visibility,
    /// Only these.
    pub status: Option<PlanStatus>,
    /// Only those whose goal contains this text.
    pub text: Option<String>,
    /// Only those older than this plan (the cursor).
    pub before: Option<PlanId>,
    /// At most so many.
    pub limit: u32,
}

/// A plan in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanSummary {
    /// The plan.
    pub plan: Plan,
    /// How many tasks it has.
    pub tasks: u32,
    /// How many of them are completed.
    pub completed: u32,
}

/// A page of plans, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanPage {
    /// The plans.
    pub plans: Vec<PlanSummary>,
    /// How many match in all.
    pub total: u64,
    /// Pass as `before` to get the next page.
    pub next: Option<PlanId>,
}

/// Counts over all visible plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlanCounts {
    /// All.
    pub total: u64,
    /// Completed ones.
    pub completed: u64,
}

/// Answers questions about plans without changing them.
#[async_trait]
pub trait PlanReader: Send + Sync {
    /// A page of plans.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn list(&self, filter: &PlanFilter) -> Result<PlanPage>;

    /// Counts.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn counts(&self, visibility: Visibility) -> Result<PlanCounts>;

    /// All attempts of a plan, oldest first.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn attempts(&self, plan: PlanId) -> Result<Vec<Attempt>>;

    /// All recorded steps of a plan, by task, attempt and position.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn steps(&self, plan: PlanId) -> Result<Vec<Step>>;

    /// Open questions (and answered ones when asked for), oldest first.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn approvals(&self, visibility: Visibility, include_decided: bool) -> Result<Vec<Approval>>;
}

/// Names a step: the n-th of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StepKey {
    /// The plan.
    pub plan_id: PlanId,
    /// The task.
    pub task_id: TaskId,
    /// The attempt.
    pub attempt: u32,
    /// 1 for the first step.
    pub position: u32,
}

impl StepKey {
    /// The key under which outside effects of this step are the same effect.
    pub fn idempotency_key(&self) -> String {
        format!("plan-{}/task-{}/attempt-{}/step-{}", self.plan_id, self.task_id, self.attempt, self.position)
    }
}

/// What a step is about to do; recorded before it is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepIntent {
    /// `model` or `tool`.
    pub kind: StepKind,
    /// The tool, or the model.
    pub name: String,
    /// What recovery may do with it.
    pub effect: EffectClass,
    /// The input, or what identifies it.
    pub input: Value,
    /// What the tool computed beforehand for recovery to compare with.
    pub prepared: Value,
}

/// Who performs a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// A language model.
    Model,
    /// A tool.
    Tool,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepResult {
    /// `ok`, `error` or `outcome_unknown`.
    pub status: StepStatus,
    /// The output, or the error text.
    pub output: Value,
    /// Model tokens.
    pub usage: Usage,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// It yielded its output.
    Ok,
    /// It failed in a way that is part of the record.
    Error,
    /// A crash caught it in flight and nobody can tell.
    OutcomeUnknown,
}

impl StepStatus {
    /// The word used in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::OutcomeUnknown => "outcome_unknown",
        }
    }
}

/// A step as recorded.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// Which one.
    pub key: StepKey,
    /// What it was about to do.
    pub intent: StepIntent,
    /// What became of it; `None` while in flight.
    pub result: Option<StepResult>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// Records every step before and after it is done, together with the events that tell of it.
#[async_trait]
pub trait Journal: Send + Sync {
    /// The steps recorded for an attempt, by position.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn recorded(&self, plan: PlanId, task: TaskId, attempt: u32) -> Result<Vec<Step>>;

    /// Records an intent.
    ///
    /// # Errors
    /// `LeaseLost`, `Unavailable`.
    async fn begin(
        &self,
        key: StepKey,
        intent: &StepIntent,
        events: Vec<NewEvent>,
        at: Timestamp,
        fence: &Fence,
    ) -> Result<()>;

    /// Records a result; a result that is already there stays.
    ///
    /// # Errors
    /// `LeaseLost`, `Unavailable`.
    async fn finish(
        &self,
        key: StepKey,
        result: &StepResult,
        events: Vec<NewEvent>,
        at: Timestamp,
        fence: &Fence,
    ) -> Result<()>;
}

/// Reads committed events.
#[async_trait]
pub trait EventLog: Send + Sync {
    /// Events of a topic with positions above `after`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn read(&self, topic: Topic, after: i64, limit: u32) -> Result<Vec<Event>>;

    /// The position of the newest event of a topic; 0 when there is none.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn head(&self, topic: Topic) -> Result<i64>;
}

/// Is told after events were committed. Purely a wake-up: a lost call costs delay, never data.
pub trait CommitListener: Send + Sync {
    /// These events are committed, all of one plan, in order.
    fn committed(&self, events: &[Event]);
}

/// A message of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConversationMessage {
    /// Identifier.
    pub id: MessageId,
    /// `system`, `user`, `assistant` or `tool`.
    pub role: String,
    /// Text.
    pub content: String,
    /// The plan it belongs to.
    pub plan_id: Option<PlanId>,
    /// When it was said.
    pub created_at: Timestamp,
}

/// A message to be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct NewMessage {
    /// Whose conversation.
    pub owner: UserId,
    /// `system`, `user`, `assistant` or `tool`.
    pub role: String,
    /// Text.
    pub content: String,
    /// The plan it belongs to.
    pub plan_id: Option<PlanId>,
}

/// Which messages to list.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageFilter {
    /// Whose.
    pub visibility: Visibility,
    /// Only of this plan.
    pub plan_id: Option<PlanId>,
    /// Only those newer than this one (the cursor).
    pub after: Option<MessageId>,
    /// At most so many.
    pub limit: u32,
}

/// Keeps conversations.
#[async_trait]
pub trait Conversations: Send + Sync {
    /// Adds a message; with a plan, tells its listeners.
    ///
    /// # Errors
    /// `PlanNotFound` when the plan is not the owner's, `Unavailable`.
    async fn add(&self, message: &NewMessage, at: Timestamp) -> Result<MessageId>;

    /// Messages, oldest first, and how many match in all.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn messages(&self, filter: &MessageFilter) -> Result<(Vec<ConversationMessage>, u64)>;
}

/// What the planner must know of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Survey {
    /// A few lines for the model: languages, sizes, the tree.
    pub description: String,
    /// Commands that build or test it, as its manifests say.
    pub commands: Vec<Vec<String>>,
}

/// Looks at repositories.
#[async_trait]
pub trait Surveyor: Send + Sync {
    /// Describes the repository for the planner.
    ///
    /// # Errors
    /// `RepositoryRefused` when it cannot be read.
    async fn survey(&self, repo_path: &str) -> Result<Survey>;
}

/// Gives each plan the folder it works in.
#[async_trait]
pub trait Workspaces: Send + Sync {
    /// The root of the plan's workspace; the same for every call with the same plan.
    ///
    /// # Errors
    /// `RepositoryRefused` when it is gone or no longer allowed.
    async fn open(&self, plan: &Plan) -> Result<PathBuf>;
}

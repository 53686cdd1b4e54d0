//! Every port of the domain on one page: what the outside must offer, in domain types.
//!
//! A port is owned by the crate that needs it and has at least two real implementations.

mod allowance;
mod approval;
mod change;
mod found;
mod secrets;
mod step;
mod visibility;

pub(crate) use allowance::RESERVED;
pub use allowance::{Allowance, DailyLimits, reserved_in};
pub use approval::{Approval, ApprovalDecision, ApprovalFilter, NewApproval};
pub use change::{
    AttemptChange, Change, Claim, Committed, Created, Fence, NewExecution, NewVersion, Opening,
};
pub use found::{ModelUsage, PlanCounts, PlanFilter, PlanMark, PlanPage, PlanSummary};
pub use secrets::{NothingSecret, Redactor, Secrets, WorkspaceSecrets};
pub use step::{Step, StepIntent, StepKey, StepKind, StepResult, StepStatus, Told};
pub use visibility::Visibility;

use crate::error::Result;
use crate::event::{Event, NewEvent, Topic, Touched};
use crate::ids::{MessageId, Owner, PlanId, TaskId, TenantId, WorkerId};
use crate::model::{Completion, ModelDescription, ModelError, Prompt, TokenSink};
use crate::plan::{Attempt, Idempotency, Plan, PlanState, PlanVersion, Task};
use crate::time::Timestamp;
use async_trait::async_trait;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Tells the time. Leases use the database's clock instead.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

impl<F: Fn() -> Timestamp + Send + Sync> Clock for F {
    fn now(&self) -> Timestamp {
        self()
    }
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

    /// How many tokens it can read and write in one call; `None` where nobody can tell.
    fn context_window(&self) -> Option<u64> {
        None
    }

    /// One answer. Dropping the future cancels the call at the provider.
    ///
    /// # Errors
    /// [`ModelError`]; [`ModelError::is_transient`] says whether a retry makes sense.
    async fn complete(&self, prompt: &Prompt, sink: &mut dyn TokenSink) -> Result<Completion, ModelError>;
}

/// Keeps plans; each method is one transaction.
#[async_trait]
pub trait PlanStore: Send + Sync {
    /// Stores a new plan as its opening says; a repeated idempotency key finds the first one instead.
    ///
    /// # Errors
    /// `IdempotencyMismatch`, `Unavailable`.
    async fn create(&self, opening: &Opening, idempotency: Option<&Idempotency>) -> Result<Created>;

    /// Loads a plan with its tasks. Without visibility any plan: for the executor, never for a caller.
    ///
    /// # Errors
    /// `PlanNotFound`, also where it is not visible; `Unavailable`.
    async fn load(&self, visibility: Option<Visibility>, id: PlanId) -> Result<PlanState>;

    /// Commits a change. With a fence, only while the lease is held; without, from any server. A plan that is
    /// no longer live afterwards is held by nobody.
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

    /// By what a visible plan's present state is told from any other.
    ///
    /// # Errors
    /// `PlanNotFound`, `Unavailable`.
    async fn mark(&self, visibility: Visibility, plan: PlanId) -> Result<PlanMark>;

    /// All attempts of a tenant's plan, oldest first.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn attempts(&self, tenant: TenantId, plan: PlanId) -> Result<Vec<Attempt>>;

    /// All recorded steps of a tenant's plan, by task, attempt and position.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn steps(&self, tenant: TenantId, plan: PlanId) -> Result<Vec<Step>>;

    /// Tokens of the answered model calls of a tenant's plan, added up by model.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn model_usage(&self, tenant: TenantId, plan: PlanId) -> Result<Vec<ModelUsage>>;

    /// The versions of the definition of a tenant's plan, oldest first; empty while nobody has edited it.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn versions(&self, tenant: TenantId, plan: PlanId) -> Result<Vec<PlanVersion>>;

    /// Questions to people, oldest first, and how many match in all.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn approvals(&self, filter: &ApprovalFilter) -> Result<(Vec<Approval>, u64)>;
}

/// Records every step before and after it is done, together with the events that tell of it.
#[async_trait]
pub trait Journal: Send + Sync {
    /// The steps recorded for an attempt, by position.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn recorded(&self, plan: &Plan, task: TaskId, attempt: u32) -> Result<Vec<Step>>;

    /// Records an intent; one to ask a model only within the allowance of the plan's owner.
    ///
    /// # Errors
    /// `AllowanceExceeded`, `LeaseLost`, `Unavailable`.
    async fn begin(
        &self,
        key: StepKey,
        intent: &StepIntent,
        events: Vec<NewEvent>,
        at: Timestamp,
        fence: &Fence,
        allowance: Option<&Allowance>,
    ) -> Result<()>;

    /// Records a result with what is told of it; a result that is already there stays, and nothing is told again.
    ///
    /// # Errors
    /// `LeaseLost`, `Unavailable`.
    async fn finish(
        &self,
        key: StepKey,
        result: &StepResult,
        told: Told,
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

    /// The plans that have events behind a position of [`Topic::Everything`], in no order; fails as [`EventLog::read`].
    async fn touched(&self, after: i64) -> Result<Vec<Touched>>;
}

/// Is told after events were committed. Purely a wake-up: a lost call costs delay, never data.
pub trait CommitListener: Send + Sync {
    /// These events are committed, all of one plan, in order.
    fn committed(&self, events: &[Event]);
}

/// Executors that share a store, told where to look. An executor is one, and tells those elsewhere through another.
/// Purely hints: a lost call costs delay, never work, and one too many costs a look.
pub trait Neighbours: Send + Sync {
    /// Somebody's request changed the plan: whoever drives it looks at it.
    fn changed(&self, plan: PlanId);

    /// The plan is live and may be held by nobody: whoever takes over plans tries to.
    fn free(&self, plan: PlanId);

    /// Any number of calls may have been lost: everything is looked at.
    fn missed(&self);
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
    pub owner: Owner,
    /// `system`, `user`, `assistant` or `tool`.
    pub role: String,
    /// Text.
    pub content: String,
    /// The plan it belongs to.
    pub plan_id: Option<PlanId>,
    /// Makes a repeated request find the message of the first.
    pub idempotency: Option<Idempotency>,
}

/// Which messages to list.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageFilter {
    /// Whose.
    pub visibility: Visibility,
    /// Only of this plan.
    pub plan_id: Option<PlanId>,
    /// Only what this role said.
    pub role: Option<String>,
    /// Only those in which these words are found ([`crate::search`]).
    pub text: Option<String>,
    /// Only those newer than this one (the cursor).
    pub after: Option<MessageId>,
    /// At most so many.
    pub limit: u32,
}

/// Keeps conversations.
#[async_trait]
pub trait Conversations: Send + Sync {
    /// Adds a message, or finds the one that the same request added before; with a plan, tells its listeners.
    ///
    /// # Errors
    /// `PlanNotFound` when the plan is not the owner's, `IdempotencyMismatch`, `Unavailable`.
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
    /// The definitions that matter most for the goal; empty where there are none.
    pub map: String,
    /// What the repository itself tells those who work on it.
    pub guidance: Vec<Guidance>,
    /// Commands that build or test it, as its manifests say.
    pub commands: Vec<Vec<String>>,
}

/// A file in which a repository tells those who work on it how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guidance {
    /// The file, relative to the root of the repository.
    pub path: String,
    /// Its text, cut to a length that a prompt can bear.
    pub text: String,
}

/// Looks at repositories.
#[async_trait]
pub trait Surveyor: Send + Sync {
    /// Describes the repository in this folder to a model that is to work on `goal`, with a map of about
    /// `map_tokens` tokens.
    ///
    /// # Errors
    /// `RepositoryRefused` when it cannot be read.
    async fn survey(&self, folder: &Path, goal: &str, map_tokens: usize) -> Result<Survey>;
}

/// Gives each plan the folder it works in.
#[async_trait]
pub trait Workspaces: Send + Sync {
    /// The root of the plan's workspace; the same for every call with the same plan.
    ///
    /// # Errors
    /// `RepositoryRefused` when it is gone or no longer allowed.
    async fn open(&self, plan: &Plan) -> Result<PathBuf>;

    /// Keeps what a finished task changed, before it is recorded as completed, so that it may come twice.
    ///
    /// # Errors
    /// `Workspace` when it cannot be kept.
    async fn keep(&self, plan: &Plan, task: &Task) -> Result<()>;
}

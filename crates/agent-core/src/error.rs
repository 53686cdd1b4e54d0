//! What can go wrong in the domain, named by situation.

use crate::ids::{ApprovalId, PlanId, Revision, TaskId};
use crate::plan::{PlanStatus, TaskStatus};

/// An error of the outside world, kept as the source of ours.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One defect of a plan as it was handed in, with a JSON pointer to the field.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Defect {
    /// JSON pointer (RFC 6901) into the request body, such as `/tasks/0/depends_on`.
    pub pointer: String,
    /// What is wrong and what would be right.
    pub detail: String,
}

impl Defect {
    /// Names a defect at a place.
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }
}

/// Every way in which the domain refuses or fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No such plan, or it belongs to somebody else.
    #[error("plan {0} does not exist")]
    PlanNotFound(PlanId),
    /// No such task in this plan.
    #[error("task {task} does not exist in plan {plan}")]
    TaskNotFound {
        /// The plan that was asked.
        plan: PlanId,
        /// The task that is not part of it.
        task: TaskId,
    },
    /// No such approval, or it belongs to somebody else.
    #[error("approval {0} does not exist")]
    ApprovalNotFound(ApprovalId),
    /// The question is no longer open: somebody was faster, nobody answered in time, or the plan ended.
    #[error("approval {approval} is closed: {decision} by {by}")]
    ApprovalClosed {
        /// The question.
        approval: ApprovalId,
        /// How it ended.
        decision: &'static str,
        /// Who decided: a user name, or `expiry`, `plan`, `edit`.
        by: String,
    },
    /// The answer is to another question than the one that is open: what it is about has changed.
    #[error("approval {0} covers other bytes than those that were looked at; look at it again")]
    ApprovalMismatch(ApprovalId),
    /// The plan as handed in breaks rules; all defects found are listed.
    #[error("the plan has {} defect(s): {}", .0.len(), summarise(.0))]
    InvalidPlan(Vec<Defect>),
    /// A move that the plan's present status does not allow.
    #[error("plan {plan} is {status}; it cannot {action}")]
    IllegalPlanMove {
        /// The plan.
        plan: PlanId,
        /// Its present status.
        status: PlanStatus,
        /// The refused move, as a verb phrase.
        action: &'static str,
    },
    /// A move that the task's present status does not allow.
    #[error("task {task} is {status}; it cannot {action}")]
    IllegalTaskMove {
        /// The task.
        task: TaskId,
        /// Its present status.
        status: TaskStatus,
        /// The refused move, as a verb phrase.
        action: &'static str,
    },
    /// The plan changed since the caller looked.
    #[error("plan {plan} changed since revision {seen}; load it again")]
    Conflict {
        /// The plan.
        plan: PlanId,
        /// The revision the caller had seen.
        seen: Revision,
    },
    /// The plan was edited since the caller looked.
    #[error("plan {plan} is at version {present}, not {seen}; look at it again before editing it")]
    VersionMismatch {
        /// The plan.
        plan: PlanId,
        /// The version the caller had seen.
        seen: u32,
        /// Its present version.
        present: u32,
    },
    /// Another worker holds the plan now; the caller must stop working on it.
    #[error("the lease on plan {0} was lost to another worker")]
    LeaseLost(PlanId),
    /// The owner's calls to language models could pass what they may use in a day.
    #[error("budget_exceeded: {0}")]
    AllowanceExceeded(String),
    /// The idempotency key was used before with another request.
    #[error("idempotency key {0:?} was used before with another request")]
    IdempotencyMismatch(String),
    /// The repository path is not one that plans may work on.
    #[error("repository path {path:?} is refused: {reason}")]
    RepositoryRefused {
        /// The path as given.
        path: String,
        /// Why, and what would be accepted.
        reason: String,
    },
    /// The folder of a plan of its own cannot be made or kept.
    #[error("the workspace of the plan cannot be kept")]
    Workspace(#[source] BoxError),
    /// The goal could not be turned into a plan.
    #[error("no plan could be made: {0}")]
    Planning(String),
    /// No language model is configured, and the request needs one.
    #[error(
        "no language model is configured: give `tasks` in the request, or set AGENT_LLM_PROVIDER (openai, anthropic, gemini, ollama, scripted)"
    )]
    NoLanguageModel,
    /// The request asks for something this version cannot do.
    #[error("{0}")]
    Unsupported(String),
    /// The server is stopping and takes no new work.
    #[error("the server is stopping; send the request again in a moment")]
    Stopping,
    /// The store cannot be reached or refused to write.
    #[error("the store cannot be reached")]
    Unavailable(#[source] BoxError),
    /// The disk of the store is full; nothing of what was asked is kept.
    #[error("the storage is full")]
    StorageFull(#[source] BoxError),
    /// What is stored does not make sense; a defect of the program or of the disk.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
}

/// An error with everything behind it, in one line.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn summarise(defects: &[Defect]) -> String {
    let shown: Vec<String> = defects.iter().take(5).map(|d| format!("{}: {}", d.pointer, d.detail)).collect();
    let more = if defects.len() > 5 { format!("; and {} more", defects.len() - 5) } else { String::new() };
    format!("{}{more}", shown.join("; "))
}

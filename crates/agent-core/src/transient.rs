//! What passes while work goes on and is not kept: words of a model as they come, output of a command.
//!
//! It has no position, so that losing it loses nothing: the event that ends the step says the same for good.

use crate::ids::{Owner, PlanId, TaskId};
use serde::Serialize;

/// Something that is shown while it happens.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Transient {
    /// The plan in which it happens.
    pub plan_id: PlanId,
    /// Whose plan that is.
    #[serde(skip)]
    pub owner: Owner,
    /// The task in which it happens.
    pub task_id: TaskId,
    /// The attempt at the task; what an earlier attempt showed is void.
    pub attempt: u32,
    /// What it is.
    #[serde(flatten)]
    pub body: TransientBody,
}

/// The kinds of what passes. Secrets are masked in all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum TransientBody {
    /// More of a model's answer: whole lines, but for the last.
    ModelText {
        /// The words.
        text: String,
    },
    /// The model begins its answer anew: what was shown of it is void.
    ModelRestarted,
    /// A line of what a tool has to say while it works.
    ToolOutput {
        /// The line, without its end.
        line: String,
    },
}

/// Whoever watches while work goes on.
pub trait Audience: Send + Sync {
    /// Whether anybody watches this plan: what nobody sees need not be made.
    fn watches(&self, plan: PlanId, owner: Owner) -> bool;

    /// Shows them something; never waits for them.
    fn show(&self, transient: Transient);
}

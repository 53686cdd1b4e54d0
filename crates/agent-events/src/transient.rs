//! What passes while work goes on and is not kept: words of a model as they come, output of a command.

use agent_core::ids::{Owner, PlanId, TaskId};
use serde::Serialize;

/// Something that is shown while it happens. It has no position, so that losing it loses nothing: the event that
/// ends the step says the same for good.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Transient {
    /// The plan in which it happens.
    pub plan_id: PlanId,
    /// Whose plan that is.
    #[serde(skip)]
    pub owner: Owner,
    /// The task in which it happens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_id: Option<TaskId>,
    /// What it is.
    #[serde(flatten)]
    pub body: TransientBody,
}

/// The kinds of what passes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum TransientBody {
    /// More words of a model's answer.
    ModelText {
        /// The attempt whose model call it is: words of an earlier one are void.
        attempt: u32,
        /// The words.
        text: String,
    },
}

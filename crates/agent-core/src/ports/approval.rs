//! Questions to people, as stores keep and list them.

use super::Visibility;
use crate::approval::{Question, Resolution};
use crate::ids::{ApprovalId, PlanId, TaskId, TenantId};
use crate::time::Timestamp;

/// A question to a person about a task.
#[derive(Debug, Clone, PartialEq)]
pub struct NewApproval {
    /// The task that waits.
    pub task_id: TaskId,
    /// How many questions were asked about the task, this one included: an answer names it, so that it never counts
    /// for a later one.
    pub sequence: u32,
    /// The attempt that waits; `None` before there is one.
    pub attempt: Option<u32>,
    /// What is asked.
    pub question: Question,
    /// When the question lapses.
    pub expires_at: Timestamp,
}

/// The answer to the open question of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovalDecision {
    /// The task that waited.
    pub task_id: TaskId,
    /// How it ended.
    pub decision: Resolution,
    /// Who decided.
    pub by: String,
    /// What they said.
    pub note: Option<String>,
}

/// A question as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Approval {
    /// Identifier.
    pub id: ApprovalId,
    /// The plan.
    pub plan_id: PlanId,
    /// The task that waits.
    pub task_id: TaskId,
    /// Which of the questions about the task, counted from 1.
    pub sequence: u32,
    /// The attempt that waits; `None` before there is one.
    pub attempt: Option<u32>,
    /// What is asked.
    pub question: Question,
    /// When it was asked.
    pub requested_at: Timestamp,
    /// When it lapses.
    pub expires_at: Timestamp,
    /// How it ended, once it has.
    pub decision: Option<Resolution>,
    /// Who gave the answer.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// What they said.
    pub note: Option<String>,
}

/// Which questions to people to list.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovalFilter {
    /// Of whose plans.
    pub visibility: Visibility,
    /// Only of this plan.
    pub plan_id: Option<PlanId>,
    /// Only this one.
    pub id: Option<ApprovalId>,
    /// Also those that are no longer open.
    pub include_decided: bool,
    /// Only those newer than this one (the cursor).
    pub after: Option<ApprovalId>,
    /// At most so many.
    pub limit: u32,
}

impl ApprovalFilter {
    /// Every question about a plan.
    pub fn of_plan(tenant: TenantId, plan: PlanId) -> Self {
        let limit = u32::MAX;
        Self {
            visibility: Visibility::Tenant(tenant),
            plan_id: Some(plan),
            id: None,
            include_decided: true,
            after: None,
            limit,
        }
    }
}

//! Questions to people.

use super::words::PlanStatusView;
use agent_core::ports::Approval;
use agent_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The question in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ApprovalPath {
    /// The question.
    #[param(minimum = 1, example = 1)]
    pub id: i64,
}

/// Which questions to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListApprovals {
    /// Also those that are answered; false when absent.
    #[serde(default)]
    pub include_decided: bool,
}

/// Questions, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ApprovalsView {
    /// The questions.
    pub approvals: Vec<ApprovalView>,
    /// How many there are.
    pub total: usize,
}

/// A question about a task.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "id": 1, "plan_id": 1, "task_id": 3, "subject": "run cargo publish",
    "requested_at": "2026-01-01T12:00:00.000Z", "expires_at": "2026-01-02T12:00:00.000Z",
    "decision": null, "decided_by": null, "note": null
}))]
pub struct ApprovalView {
    /// Identifier.
    pub id: i64,
    /// The plan.
    pub plan_id: i64,
    /// The task that waits.
    pub task_id: i64,
    /// What is asked.
    pub subject: String,
    /// When it was asked.
    #[schema(value_type = String, format = DateTime)]
    pub requested_at: Timestamp,
    /// When it lapses.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// `approve`, `reject` or `expired`; null while it waits.
    pub decision: Option<String>,
    /// Who decided.
    pub decided_by: Option<String>,
    /// What they said.
    pub note: Option<String>,
}

impl From<Approval> for ApprovalView {
    fn from(asked: Approval) -> Self {
        Self {
            id: asked.id.get(),
            plan_id: asked.plan_id.get(),
            task_id: asked.task_id.get(),
            subject: asked.subject,
            requested_at: asked.requested_at,
            expires_at: asked.expires_at,
            decision: asked.decision,
            decided_by: asked.decided_by,
            note: asked.note,
        }
    }
}

/// The two answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Go on.
    Approve,
    /// Do not.
    Reject,
}

/// An answer to a question.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"decision": "approve", "note": "looks right"}))]
pub struct DecideApproval {
    /// The answer.
    pub decision: Decision,
    /// What is said with it.
    #[serde(default)]
    #[schema(max_length = 2_000)]
    pub note: Option<String>,
}

/// What became of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({"approval_id": 1, "decision": "approve", "plan_id": 1, "status": "running"}))]
pub struct DecidedView {
    /// The question.
    pub approval_id: i64,
    /// The answer.
    pub decision: Decision,
    /// The plan.
    pub plan_id: i64,
    /// Where it stands now.
    pub status: PlanStatusView,
}

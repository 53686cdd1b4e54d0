//! Questions to people.

use super::rule::RuleView;
use super::words::{ApprovalKindView, OnExpiryView, PlanStatusView, RiskView};
use crate::error::ApiError;
use agent_core::approval::Resolution;
use agent_core::policy::Rule;
use agent_core::ports::Approval;
use agent_core::time::Timestamp;
use agent_runtime::{ApprovalPage, Decided, PersonsAnswer};
use serde::{Deserialize, Serialize};
use serde_json::Value;
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
    /// Only questions about this plan.
    #[param(value_type = Option<i64>, minimum = 1)]
    pub plan_id: Option<String>,
    /// Also those that are no longer open; false when absent.
    #[serde(default)]
    pub include_decided: bool,
    /// At most so many; 50 when absent.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    pub limit: Option<String>,
    /// The `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// Questions, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ApprovalsView {
    /// The questions.
    pub approvals: Vec<ApprovalView>,
    /// How many match in all.
    pub total: u64,
    /// Pass as `cursor` to get the next page; null on the last.
    #[schema(example = json!(null))]
    pub next_cursor: Option<String>,
}

impl From<ApprovalPage> for ApprovalsView {
    fn from(page: ApprovalPage) -> Self {
        Self {
            approvals: page.approvals.into_iter().map(Into::into).collect(),
            total: page.total,
            next_cursor: page.next.map(|id| id.to_string()),
        }
    }
}

/// A question about a task or one of its calls.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "id": 1, "plan_id": 1, "task_id": 3, "kind": "command", "subject": "run_command: git push origin main",
    "reason": "leaves this machine", "risk": "high", "attempt": 1, "call": 4,
    "args_hash": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "covers": {"tool": "run_command", "input": {"command": ["git", "push", "origin", "main"]}},
    "available_decisions": ["approve", "approve_for_plan", "approve_with_rule", "reject", "cancel"],
    "on_expiry": "deny", "requested_at": "2026-01-01T12:00:00.000Z", "expires_at": "2026-01-02T12:00:00.000Z",
    "decision": null, "decided_by": null, "decided_at": null, "note": null, "rule": null
}))]
pub struct ApprovalView {
    /// Identifier.
    pub id: i64,
    /// The plan.
    pub plan_id: i64,
    /// The task that waits.
    pub task_id: i64,
    /// What it is about.
    pub kind: ApprovalKindView,
    /// What is asked, in one line.
    pub subject: String,
    /// Why it is asked.
    pub reason: Option<String>,
    /// How much harm a yes could do if nothing held the call.
    pub risk: RiskView,
    /// The attempt that waits; null before there is one.
    pub attempt: Option<u32>,
    /// Position of the call in the attempt; null where it is not about a call.
    pub call: Option<u32>,
    /// Hash of the exact bytes that a yes covers. Send it back with the answer to be sure that it is about what you saw.
    pub args_hash: String,
    /// What a yes covers; secrets are masked.
    #[schema(value_type = Object)]
    pub covers: Value,
    /// The answers that this question takes.
    pub available_decisions: Vec<&'static str>,
    /// What becomes of it when nobody answers.
    pub on_expiry: OnExpiryView,
    /// When it was asked.
    #[schema(value_type = String, format = DateTime)]
    pub requested_at: Timestamp,
    /// When it lapses.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// How it ended: an answer, `expired` or `withdrawn`; null while it waits.
    pub decision: Option<&'static str>,
    /// Who decided: a user name, or `expiry`, `plan`, `edit`.
    pub decided_by: Option<String>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub decided_at: Option<Timestamp>,
    /// What was said with the answer.
    pub note: Option<String>,
    /// The rule that was accepted with it.
    pub rule: Option<RuleView>,
}

impl From<Approval> for ApprovalView {
    fn from(asked: Approval) -> Self {
        let question = asked.question;
        Self {
            id: asked.id.get(),
            plan_id: asked.plan_id.get(),
            task_id: asked.task_id.get(),
            kind: question.kind.into(),
            subject: question.subject,
            reason: question.reason,
            risk: question.risk.into(),
            attempt: asked.attempt,
            call: question.call,
            args_hash: question.args_hash,
            covers: question.covers,
            available_decisions: question.kind.decisions().to_vec(),
            on_expiry: question.on_expiry.into(),
            requested_at: asked.requested_at,
            expires_at: asked.expires_at,
            decision: asked.decision.as_ref().map(Resolution::as_str),
            decided_by: asked.decided_by,
            decided_at: asked.decided_at,
            note: asked.note,
            rule: asked.decision.as_ref().and_then(Resolution::rule).cloned().map(Into::into),
        }
    }
}

/// The answers a person can give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Yes, this once.
    Approve,
    /// Yes, and likewise whenever the same is asked in this plan.
    ApproveForPlan,
    /// Yes, and likewise for whatever `rule` covers in this plan.
    ApproveWithRule,
    /// No; the note is told to a model that asked.
    Reject,
    /// No, and the whole plan ends.
    Cancel,
}

/// An answer to a question.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"decision": "approve", "note": "looks right"}))]
pub struct DecideApproval {
    /// The answer; `available_decisions` of the question says which it takes.
    pub decision: Decision,
    /// What is said with it.
    #[serde(default)]
    #[schema(max_length = 2_000)]
    pub note: Option<String>,
    /// The `args_hash` of the question as it was looked at; the answer is refused when it is about other bytes.
    #[serde(default)]
    pub args_hash: Option<String>,
    /// With `approve_with_rule`: what is allowed in this plan from now on. Must cover the call that is asked about.
    #[serde(default)]
    pub rule: Option<RuleView>,
}

impl DecideApproval {
    /// The answer in words of the domain.
    ///
    /// # Errors
    /// 422 where a rule is missing or has no place.
    pub(crate) fn into_answer(self) -> Result<PersonsAnswer, ApiError> {
        let Self { decision, note, args_hash, rule } = self;
        let decision = resolution(decision, rule.map(Into::into)).ok_or_else(|| {
            let detail = "belongs to approve_with_rule, which needs one, and to no other answer";
            ApiError::invalid_field("/rule", detail)
        })?;
        Ok(PersonsAnswer { decision, note, args_hash })
    }
}

fn resolution(decision: Decision, rule: Option<Rule>) -> Option<Resolution> {
    match (decision, rule) {
        (Decision::ApproveWithRule, Some(rule)) => Some(Resolution::ApproveWithRule(Box::new(rule))),
        (Decision::Approve, None) => Some(Resolution::Approve),
        (Decision::ApproveForPlan, None) => Some(Resolution::ApproveForPlan),
        (Decision::Reject, None) => Some(Resolution::Reject),
        (Decision::Cancel, None) => Some(Resolution::Cancel),
        _ => None,
    }
}

/// What became of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({"approval_id": 1, "decision": "approve", "plan_id": 1, "status": "running"}))]
pub struct DecidedView {
    /// The question.
    pub approval_id: i64,
    /// The answer.
    #[schema(value_type = Decision)]
    pub decision: &'static str,
    /// The plan.
    pub plan_id: i64,
    /// Where it stands now.
    pub status: PlanStatusView,
}

impl From<Decided> for DecidedView {
    fn from(decided: Decided) -> Self {
        let Decided { approval, state } = decided;
        Self {
            approval_id: approval.id.get(),
            decision: approval.decision.as_ref().map_or("withdrawn", Resolution::as_str),
            plan_id: state.plan.id.get(),
            status: state.plan.status.into(),
        }
    }
}

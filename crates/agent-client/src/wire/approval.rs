//! Questions to people, and their answers.

use agent_core::approval::ApprovalKind;
use agent_core::ids::{ApprovalId, PlanId, TaskId};
use agent_core::plan::PlanStatus;
use agent_core::policy::{OnExpiry, Risk, Rule};
use agent_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A question about a task or one of its calls.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Approval {
    /// Identifier.
    pub id: ApprovalId,
    /// The plan.
    pub plan_id: PlanId,
    /// The task that waits.
    pub task_id: TaskId,
    /// What it is about.
    pub kind: ApprovalKind,
    /// What is asked, in one line.
    pub subject: String,
    /// Why it is asked.
    #[serde(default)]
    pub reason: Option<String>,
    /// How much harm a yes could do if nothing held the call.
    pub risk: Risk,
    /// The attempt that waits; `None` before there is one.
    #[serde(default)]
    pub attempt: Option<u32>,
    /// Position of the call in the attempt; `None` where it is not about a call.
    #[serde(default)]
    pub call: Option<u32>,
    /// Hash of the exact bytes that a yes covers; [`Answer::covering`] sends it back.
    pub args_hash: String,
    /// What a yes covers; secrets are masked.
    #[serde(default)]
    pub covers: Value,
    /// The answers that this question takes.
    #[serde(default)]
    pub available_decisions: Vec<String>,
    /// What becomes of it when nobody answers.
    pub on_expiry: OnExpiry,
    /// When it was asked.
    pub requested_at: Timestamp,
    /// When it lapses.
    pub expires_at: Timestamp,
    /// How it ended: an answer, `expired` or `withdrawn`; `None` while it waits.
    #[serde(default)]
    pub decision: Option<String>,
    /// Who decided: a user name, or `expiry`, `plan`, `edit`.
    #[serde(default)]
    pub decided_by: Option<String>,
    /// When.
    #[serde(default)]
    pub decided_at: Option<Timestamp>,
    /// What was said with the answer.
    #[serde(default)]
    pub note: Option<String>,
    /// The rule that was accepted with it.
    #[serde(default)]
    pub rule: Option<Rule>,
}

/// A page of questions, oldest first.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct ApprovalPage {
    /// The questions.
    pub approvals: Vec<Approval>,
    /// How many match in all.
    pub total: u64,
    /// The `cursor` of the next page; `None` on the last.
    #[serde(default)]
    pub next_cursor: Option<String>,
}

/// Which questions to list; the default is all open ones that the caller may see.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ApprovalFilter {
    /// Only questions about this plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_id: Option<PlanId>,
    /// Also those that are no longer open.
    pub include_decided: bool,
    /// At most so many in a page, 1 to 200; the server's 50 when `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// The answers a person can give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "decision", content = "rule", rename_all = "snake_case")]
pub enum Decision {
    /// Yes, this once.
    Approve,
    /// Yes, and likewise whenever the same is asked in this plan.
    ApproveForPlan,
    /// Yes, and likewise for whatever this rule covers in this plan; it must cover the call that is asked about.
    ApproveWithRule(Box<Rule>),
    /// No; the note is told to a model that asked.
    Reject,
    /// No, and the whole plan ends.
    Cancel,
}

/// An answer to a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    #[serde(flatten)]
    decision: Decision,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    args_hash: Option<String>,
}

impl Answer {
    /// This decision, without further words.
    pub fn new(decision: Decision) -> Self {
        Self { decision, note: None, args_hash: None }
    }

    /// With something said; 2,000 characters at most.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// Only if the question still covers what it did when it was looked at: else the answer is refused with
    /// `approval_mismatch`.
    #[must_use]
    pub fn covering(self, asked: &Approval) -> Self {
        self.covering_hash(asked.args_hash.clone())
    }

    /// The same with the [`Approval::args_hash`] of the question as it was looked at.
    #[must_use]
    pub fn covering_hash(mut self, hash: impl Into<String>) -> Self {
        self.args_hash = Some(hash.into());
        self
    }
}

/// What became of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Decided {
    /// The question.
    pub approval_id: ApprovalId,
    /// The answer.
    pub decision: String,
    /// The plan.
    pub plan_id: PlanId,
    /// Where it stands now.
    pub status: PlanStatus,
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_core::policy::Permission;
    use serde_json::json;

    #[test]
    fn answers_are_written_as_the_server_reads_them() {
        let written = |answer: Answer| serde_json::to_value(answer).unwrap();
        assert_eq!(written(Answer::new(Decision::Approve)), json!({"decision": "approve"}));
        let rule = Rule::command(Permission::Allow, ["cargo", "test"]);
        let answer = Answer::new(Decision::ApproveWithRule(Box::new(rule))).note("fine");
        assert_eq!(
            written(answer),
            json!({"decision": "approve_with_rule", "note": "fine",
                   "rule": {"command": ["cargo", "test"], "permission": "allow"}})
        );
    }
}

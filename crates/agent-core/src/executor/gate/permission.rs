//! Whether a call may be made: the rules, and the people they name, are asked before anything happens.

use super::{Stop, first_line};
use crate::approval::{ApprovalKind, Question, Resolution, hash_of};
use crate::executor::assignment::Assignment;
use crate::executor::wiring::ExecutorPorts;
use crate::policy::{Demand, Judged, OnExpiry, Permission, Verdict};
use crate::ports::{Approval, ApprovalFilter};
use crate::tool::AnyTool;
use serde_json::{Value, json};

/// A call about to be made.
pub(in crate::executor) struct Wanted<'a> {
    pub(in crate::executor) tool: &'a dyn AnyTool,
    pub(in crate::executor) name: &'a str,
    pub(in crate::executor) input: &'a Value,
    pub(in crate::executor) prepared: &'a Value,
    /// Its place in the attempt; 0 where the call is the whole attempt.
    pub(in crate::executor) position: u32,
}

/// Why a call is not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::executor) struct Refusal {
    /// What the model, or whoever made the plan, is told.
    pub(in crate::executor) reason: String,
    /// Who said no.
    pub(in crate::executor) by: String,
    /// Whether the attempt ends with it.
    pub(in crate::executor) is_final: bool,
}

/// What was decided about a call.
enum Standing {
    Granted,
    Refused(Refusal),
    Unasked,
}

impl Wanted<'_> {
    /// `None` when the call may be made. Where a person is to be asked, the attempt stops with the question, and comes
    /// here again when there is an answer.
    pub(in crate::executor) async fn refusal(
        &self,
        ports: &ExecutorPorts,
        assignment: &Assignment,
    ) -> Result<Option<Refusal>, Stop> {
        let demand = self.tool.demand_json(self.input, self.prepared);
        let policy = &assignment.state.plan.policy;
        let judged = Judged { tool: self.name, demand: &demand, policy };
        let mut verdict = ports.judge.judge(judged);
        verdict.reason = assignment.redactor.redact(&verdict.reason).into_owned();
        match verdict.permission {
            Permission::Allow => Ok(None),
            Permission::Deny => Ok(Some(Refusal {
                reason: format!("policy_denied: {}", verdict.reason),
                by: verdict.layer.as_str().to_owned(),
                is_final: false,
            })),
            Permission::Ask => {
                let question = self.question(assignment, &demand, &verdict);
                match self.standing(ports, assignment, judged, &question).await? {
                    Standing::Granted => Ok(None),
                    Standing::Refused(refusal) => Ok(Some(refusal)),
                    Standing::Unasked => Err(Stop::Ask(Box::new(question))),
                }
            }
        }
    }

    fn question(&self, assignment: &Assignment, demand: &Demand, verdict: &Verdict) -> Question {
        let (context, plan) = (&assignment.context, &assignment.state.plan);
        let covered = json!({
            "plan": plan.id, "task": assignment.task, "attempt": assignment.attempt, "call": self.position,
            "tool": self.name, "input": self.input, "prepared": self.prepared,
            "workspace": context.workspace, "sandbox": context.sandbox, "network": context.network,
            "domains": context.domains,
        });
        let scope = match demand {
            Demand::Write(paths) => json!({"tool": self.name, "paths": paths}),
            _ => json!({"tool": self.name, "input": self.input, "sandbox": context.sandbox}),
        };
        let kind = match demand {
            Demand::Command(_) => ApprovalKind::Command,
            Demand::Write(_) => ApprovalKind::FileChange,
            Demand::Read | Demand::Domain(_) | Demand::Other => ApprovalKind::Tool,
        };
        let summary = first_line(&self.tool.summary_json(self.input));
        let shown = json!({
            "tool": self.name, "input": self.input, "demand": demand, "workspace": context.workspace,
        });
        Question {
            kind,
            subject: assignment.redactor.redact(&format!("{}: {summary}", self.name)).into_owned(),
            reason: Some(verdict.reason.clone()),
            risk: verdict.risk,
            call: Some(self.position),
            args_hash: hash_of(&covered),
            scope_hash: hash_of(&scope),
            covers: assignment.redactor.redact_json(shown),
            on_expiry: plan.policy.on_expiry,
        }
    }

    /// What people have said of this call, or of all like it.
    async fn standing(
        &self,
        ports: &ExecutorPorts,
        assignment: &Assignment,
        judged: Judged<'_>,
        question: &Question,
    ) -> Result<Standing, Stop> {
        let by_task =
            self.position == 0 && assignment.state.task(assignment.task).is_some_and(|t| t.approved);
        if by_task {
            return Ok(Standing::Granted);
        }
        let plan = &assignment.state.plan;
        let filter = ApprovalFilter::of_plan(plan.owner.tenant, plan.id);
        let (approvals, _total) = ports.reader.approvals(&filter).await?;
        let of_this = |approval: &&Approval| {
            approval.task_id == assignment.task
                && approval.attempt == Some(assignment.attempt)
                && approval.question.call == Some(self.position)
                && approval.question.args_hash == question.args_hash
        };
        if let Some(asked) = approvals.iter().rev().find(of_this) {
            return Ok(answered(asked));
        }
        let granted = approvals.iter().any(|approval| match &approval.decision {
            Some(Resolution::ApproveForPlan) => approval.question.scope_hash == question.scope_hash,
            Some(Resolution::ApproveWithRule(rule)) => ports.judge.covers(rule, judged),
            _ => false,
        });
        Ok(if granted { Standing::Granted } else { Standing::Unasked })
    }
}

/// What an answer means for the call that it is about.
fn answered(asked: &Approval) -> Standing {
    let by = asked.decided_by.clone().unwrap_or_default();
    let Some(decision) = &asked.decision else { return Standing::Unasked };
    if decision.approves() {
        return Standing::Granted;
    }
    let is_final = *decision == Resolution::Expired && asked.question.on_expiry == OnExpiry::Stop;
    let reason = match (decision, asked.note.as_deref().filter(|note| !note.is_empty())) {
        (Resolution::Expired, _) if is_final => {
            format!("approval_expired: nobody approved {} in time", asked.question.subject)
        }
        (Resolution::Expired, _) => {
            "approval_expired: nobody approved it in time; go on without it, or call finish and say what is missing"
                .to_owned()
        }
        (_, Some(note)) => format!("approval_rejected: {by} said no: {note}"),
        (_, None) => format!("approval_rejected: {by} said no"),
    };
    Standing::Refused(Refusal { reason, by, is_final })
}

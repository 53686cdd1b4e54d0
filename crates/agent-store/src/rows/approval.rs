//! Questions to people as rows.

use super::{PlanKey, damaged, document, instant, parse, plain, plain_option, small, variant};
use crate::schema::approvals;
use agent_core::Result;
use agent_core::approval::{Question, Resolution};
use agent_core::ids::{ApprovalId, PlanId, TaskId};
use agent_core::policy::Rule;
use agent_core::ports::{Approval, ApprovalDecision, NewApproval};
use agent_core::time::Timestamp;
use diesel::prelude::*;

#[derive(Queryable, Selectable)]
#[diesel(table_name = approvals)]
pub(crate) struct ApprovalRow {
    id: i64,
    plan_id: i64,
    task_id: i64,
    sequence: i64,
    attempt: Option<i64>,
    call: Option<i64>,
    requested_at: i64,
    expires_at: i64,
    decided_at: Option<i64>,
    kind: String,
    risk: String,
    on_expiry: String,
    decision: Option<String>,
    decided_by: Option<String>,
    args_hash: String,
    scope_hash: String,
    subject: String,
    reason: Option<String>,
    note: Option<String>,
    rule: Option<String>,
    covers: String,
}

impl ApprovalRow {
    pub(crate) fn into_approval(self) -> Result<Approval> {
        let number = |column, value: Option<i64>| value.map(|value| small(column, value)).transpose();
        let rule: Option<Rule> = self.rule.map(|text| parse("approvals.rule", &text)).transpose()?;
        let resolution = |word: String| {
            let unknown = || damaged("approvals.decision", format!("{word:?} is no decision"));
            Resolution::parse(&word, rule).ok_or_else(unknown)
        };
        Ok(Approval {
            id: ApprovalId(self.id),
            plan_id: PlanId(self.plan_id),
            task_id: TaskId(self.task_id),
            sequence: small("approvals.sequence", self.sequence)?,
            attempt: number("approvals.attempt", self.attempt)?,
            question: Question {
                kind: variant("approvals.kind", self.kind)?,
                subject: self.subject,
                reason: self.reason,
                risk: variant("approvals.risk", self.risk)?,
                call: number("approvals.call", self.call)?,
                args_hash: self.args_hash,
                scope_hash: self.scope_hash,
                covers: parse("approvals.covers", &self.covers)?,
                on_expiry: variant("approvals.on_expiry", self.on_expiry)?,
            },
            requested_at: Timestamp::from_micros(self.requested_at),
            expires_at: Timestamp::from_micros(self.expires_at),
            decision: self.decision.map(resolution).transpose()?,
            decided_by: self.decided_by,
            decided_at: instant(self.decided_at),
            note: self.note,
        })
    }
}

/// A question about to be asked.
#[derive(Insertable)]
#[diesel(table_name = approvals, treat_none_as_default_value = false)]
pub(crate) struct NewApprovalRow {
    tenant_id: i64,
    pub(crate) plan_id: i64,
    pub(crate) task_id: i64,
    sequence: i64,
    attempt: Option<i64>,
    call: Option<i64>,
    requested_at: i64,
    expires_at: i64,
    kind: &'static str,
    risk: &'static str,
    on_expiry: &'static str,
    args_hash: String,
    scope_hash: String,
    subject: String,
    reason: Option<String>,
    covers: String,
}

impl NewApprovalRow {
    pub(crate) fn new(plan: PlanKey, asked: &NewApproval, at: Timestamp) -> Result<Self> {
        let question = &asked.question;
        Ok(Self {
            tenant_id: plan.tenant.get(),
            plan_id: plan.id.get(),
            task_id: asked.task_id.get(),
            sequence: i64::from(asked.sequence),
            attempt: asked.attempt.map(i64::from),
            call: question.call.map(i64::from),
            requested_at: at.as_micros(),
            expires_at: asked.expires_at.as_micros(),
            kind: question.kind.as_str(),
            risk: question.risk.as_str(),
            on_expiry: question.on_expiry.as_str(),
            args_hash: question.args_hash.clone(),
            scope_hash: question.scope_hash.clone(),
            subject: plain(&question.subject),
            reason: plain_option(question.reason.as_deref()),
            covers: document("approvals.covers", &question.covers)?,
        })
    }
}

/// What an answer changes of a question.
#[derive(AsChangeset)]
#[diesel(table_name = approvals, treat_none_as_null = true)]
pub(crate) struct DecisionRow {
    decision: &'static str,
    decided_by: String,
    decided_at: i64,
    note: Option<String>,
    rule: Option<String>,
}

impl DecisionRow {
    pub(crate) fn new(answer: &ApprovalDecision, at: Timestamp) -> Result<Self> {
        Ok(Self {
            decision: answer.decision.as_str(),
            decided_by: plain(&answer.by),
            decided_at: at.as_micros(),
            note: plain_option(answer.note.as_deref()),
            rule: answer.decision.rule().map(|rule| document("approvals.rule", rule)).transpose()?,
        })
    }
}

//! Questions to people.

use super::Conn;
use crate::error::Answer;
use crate::rows::attempt::ApprovalRow;
use crate::rows::{plain, plain_option};
use crate::schema::{approvals, plans, tasks};
use agent_core::ids::{ApprovalId, PlanId};
use agent_core::plan::TaskStatus;
use agent_core::ports::{Approval, ApprovalDecision, NewApproval, Visibility};
use agent_core::time::Timestamp;
use diesel::prelude::*;

/// Asks a question.
pub(crate) fn insert(
    conn: &mut Conn,
    plan: PlanId,
    question: &NewApproval,
    at: Timestamp,
) -> Answer<ApprovalId> {
    let id = diesel::insert_into(approvals::table)
        .values((
            approvals::plan_id.eq(plan.get()),
            approvals::task_id.eq(question.task_id.get()),
            approvals::subject.eq(plain(&question.subject)),
            approvals::requested_at.eq(at.as_micros()),
            approvals::expires_at.eq(question.expires_at.as_micros()),
        ))
        .returning(approvals::id)
        .get_result(conn)?;
    Ok(ApprovalId(id))
}

/// Answers the open question of a task.
pub(crate) fn decide(
    conn: &mut Conn,
    plan: PlanId,
    decision: &ApprovalDecision,
    at: Timestamp,
) -> Answer<()> {
    let open = approvals::table
        .filter(approvals::task_id.eq(decision.task_id.get()))
        .filter(approvals::plan_id.eq(plan.get()))
        .filter(approvals::decision.is_null());
    diesel::update(open)
        .set((
            approvals::decision.eq(&decision.decision),
            approvals::decided_by.eq(plain(&decision.by)),
            approvals::decided_at.eq(at.as_micros()),
            approvals::note.eq(plain_option(decision.note.as_deref())),
        ))
        .execute(conn)?;
    Ok(())
}

/// Questions, oldest first. One whose task has ended meanwhile waits for nobody and does not count as open.
pub(crate) fn visible(
    conn: &mut Conn,
    visibility: Visibility,
    include_decided: bool,
) -> Answer<Vec<Approval>> {
    let mut wanted = approvals::table
        .inner_join(plans::table)
        .inner_join(tasks::table)
        .select(ApprovalRow::as_select())
        .order(approvals::id)
        .into_boxed();
    if let Visibility::Owner(owner) = visibility {
        wanted = wanted.filter(plans::owner_id.eq(owner.get()));
    }
    if !include_decided {
        let ended =
            TaskStatus::ALL.iter().filter(|status| status.is_terminal()).map(|status| status.as_str());
        wanted = wanted.filter(approvals::decision.is_null()).filter(tasks::status.ne_all(ended));
    }
    Ok(wanted.load(conn)?.into_iter().map(Approval::from).collect())
}

//! Questions to people.

use super::{Backend, Conn};
use crate::error::Answer;
use crate::rows::PlanKey;
use crate::rows::approval::{ApprovalRow, DecisionRow, NewApprovalRow};
use crate::rows::large;
use crate::schema::{approvals, plans, tasks};
use agent_core::ids::ApprovalId;
use agent_core::plan::TaskStatus;
use agent_core::ports::{Approval, ApprovalDecision, ApprovalFilter, NewApproval, Visibility};
use agent_core::time::Timestamp;
use diesel::dsl::InnerJoin;
use diesel::helper_types::IntoBoxed;
use diesel::prelude::*;

/// Asks a question.
pub(crate) fn insert(
    conn: &mut Conn,
    plan: PlanKey,
    question: &NewApproval,
    at: Timestamp,
) -> Answer<ApprovalId> {
    let id = diesel::insert_into(approvals::table)
        .values(NewApprovalRow::new(plan, question, at)?)
        .returning(approvals::id)
        .get_result(conn)?;
    Ok(ApprovalId(id))
}

/// Answers the open question of a task, and names it; `None` where there is none.
pub(crate) fn decide(
    conn: &mut Conn,
    plan: PlanKey,
    answer: &ApprovalDecision,
    at: Timestamp,
) -> Answer<Option<ApprovalId>> {
    let open = approvals::table
        .filter(approvals::task_id.eq(answer.task_id.get()))
        .filter(approvals::plan_id.eq(plan.id.get()))
        .filter(approvals::tenant_id.eq(plan.tenant.get()))
        .filter(approvals::decision.is_null());
    let answered = diesel::update(open)
        .set(DecisionRow::new(answer, at)?)
        .returning(approvals::id)
        .get_result(conn)
        .optional()?;
    Ok(answered.map(ApprovalId))
}

type Joined = InnerJoin<InnerJoin<approvals::table, plans::table>, tasks::table>;

/// What matches, whatever the page. One whose task has ended meanwhile waits for nobody and does not count as open.
fn matching(filter: &ApprovalFilter) -> IntoBoxed<'static, Joined, Backend> {
    let mut wanted = approvals::table.inner_join(plans::table).inner_join(tasks::table).into_boxed();
    wanted = wanted.filter(approvals::tenant_id.eq(filter.visibility.tenant().get()));
    if let Visibility::Owner(owner) = filter.visibility {
        wanted = wanted.filter(plans::owner_id.eq(owner.user.get()));
    }
    if let Some(plan) = filter.plan_id {
        wanted = wanted.filter(approvals::plan_id.eq(plan.get()));
    }
    if let Some(id) = filter.id {
        wanted = wanted.filter(approvals::id.eq(id.get()));
    }
    if !filter.include_decided {
        let ended =
            TaskStatus::ALL.iter().filter(|status| status.is_terminal()).map(|status| status.as_str());
        wanted = wanted.filter(approvals::decision.is_null()).filter(tasks::status.ne_all(ended));
    }
    wanted
}

/// Questions, oldest first, and how many match in all.
pub(crate) fn list(conn: &mut Conn, filter: &ApprovalFilter) -> Answer<(Vec<Approval>, u64)> {
    let total: i64 = matching(filter).count().get_result(conn)?;
    let rows = matching(filter)
        .select(ApprovalRow::as_select())
        .filter(approvals::id.gt(filter.after.map_or(0, ApprovalId::get)))
        .order(approvals::id)
        .limit(i64::from(filter.limit))
        .load(conn)?;
    let approvals = rows.into_iter().map(ApprovalRow::into_approval).collect::<Result<_, _>>()?;
    Ok((approvals, large("approvals", total)?))
}

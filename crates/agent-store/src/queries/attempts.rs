//! Attempts at tasks, and accepted requests to execute.

use super::{Conn, dialect, steps};
use crate::error::Answer;
use crate::rows::attempt::AttemptRow;
use crate::rows::{PlanKey, plain_option, stored};
use crate::schema::{attempts, executions, tasks};
use agent_core::ids::{ExecutionId, TaskId};
use agent_core::plan::{Attempt, TaskStatus};
use agent_core::ports::{AttemptChange, NewExecution};
use agent_core::time::Timestamp;
use diesel::prelude::*;

/// All attempts of a plan, oldest first: those that ended as they were kept, those that run as their tasks tell.
pub(crate) fn of_plan(conn: &mut Conn, plan: PlanKey) -> Answer<Vec<Attempt>> {
    let ended = attempts::table
        .filter(attempts::plan_id.eq(plan.id.get()))
        .filter(attempts::tenant_id.eq(plan.tenant.get()))
        .select(AttemptRow::as_select());
    let mut rows: Vec<AttemptRow> = ended.load(conn)?;
    // An attempt that waits for an answer, or for room to go on, has begun and not ended.
    let under_way =
        [TaskStatus::Running, TaskStatus::AwaitingApproval, TaskStatus::Ready].map(TaskStatus::as_str);
    let running: Vec<(i64, i64, Option<i64>)> = tasks::table
        .filter(tasks::plan_id.eq(plan.id.get()))
        .filter(tasks::tenant_id.eq(plan.tenant.get()))
        .filter(tasks::position.is_not_null())
        .filter(tasks::status.eq_any(under_way))
        .filter(tasks::started_at.is_not_null())
        .filter(tasks::finished_at.is_null())
        .select((tasks::id, tasks::attempts, tasks::started_at))
        .load(conn)?;
    rows.extend(running.into_iter().map(|running| AttemptRow::running(plan, running)));
    rows.sort_by_key(|row| (row.started_at, row.task_id, row.attempt));
    Ok(rows.into_iter().map(AttemptRow::into_attempt).collect::<Result<_, _>>()?)
}

/// Keeps an attempt that ended; that it began is told by its task. Ending twice changes nothing.
pub(crate) fn record(conn: &mut Conn, plan: PlanKey, change: &AttemptChange, at: Timestamp) -> Answer<()> {
    if change.status == TaskStatus::Running {
        return Ok(());
    }
    let tokens =
        if change.journaled { steps::tokens(conn, plan, change.task_id, change.attempt)? } else { 0 };
    let row = AttemptRow {
        task_id: change.task_id.get(),
        attempt: i64::from(change.attempt),
        plan_id: plan.id.get(),
        status: change.status.to_string(),
        started_at: change.started_at.as_micros(),
        finished_at: Some(at.as_micros()),
        result_length: stored(change.result_length),
        tokens,
        error: plain_option(change.error.as_deref()),
        tenant_id: plan.tenant.get(),
    };
    Ok(dialect::insert_attempt(conn, &row)?)
}

/// Notes an accepted request to execute and gives it an id.
pub(crate) fn accept(
    conn: &mut Conn,
    plan: PlanKey,
    execution: &NewExecution,
    at: Timestamp,
) -> Answer<ExecutionId> {
    let id = diesel::insert_into(executions::table)
        .values((
            executions::tenant_id.eq(plan.tenant.get()),
            executions::plan_id.eq(plan.id.get()),
            executions::task_id.eq(execution.task_id.map(TaskId::get)),
            executions::requested_at.eq(at.as_micros()),
        ))
        .returning(executions::id)
        .get_result(conn)?;
    Ok(ExecutionId(id))
}

//! Attempts at tasks, and accepted requests to execute.

use super::{Conn, steps};
use crate::error::Answer;
use crate::rows::attempt::AttemptRow;
use crate::rows::{plain_option, stored};
use crate::schema::{attempts, executions};
use agent_core::ids::{ExecutionId, PlanId, TaskId};
use agent_core::plan::{Attempt, TaskStatus};
use agent_core::ports::{AttemptChange, NewExecution};
use agent_core::time::Timestamp;
use diesel::prelude::*;

/// All attempts of a plan, oldest first.
pub(crate) fn of_plan(conn: &mut Conn, plan: PlanId) -> Answer<Vec<Attempt>> {
    let rows = attempts::table
        .filter(attempts::plan_id.eq(plan.get()))
        .order((attempts::started_at, attempts::task_id, attempts::attempt))
        .select(AttemptRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(AttemptRow::into_attempt).collect::<Result<_, _>>()?)
}

/// Records that an attempt began or ended.
pub(crate) fn record(conn: &mut Conn, plan: PlanId, change: &AttemptChange, at: Timestamp) -> Answer<()> {
    let running = change.status == TaskStatus::Running;
    let row = AttemptRow {
        task_id: change.task_id.get(),
        attempt: i64::from(change.attempt),
        plan_id: plan.get(),
        status: change.status.to_string(),
        started_at: at.as_micros(),
        finished_at: (!running).then(|| at.as_micros()),
        result_length: stored(change.result_length),
        tokens: if running { 0 } else { steps::tokens(conn, plan, change.task_id, change.attempt)? },
        error: plain_option(change.error.as_deref()),
    };
    if running || !end(conn, &row)? {
        // A repeated beginning keeps the first; an end without a beginning is both at once.
        let attempt = diesel::insert_into(attempts::table).values(&row);
        attempt.on_conflict((attempts::task_id, attempts::attempt)).do_nothing().execute(conn)?;
    }
    Ok(())
}

fn end(conn: &mut Conn, row: &AttemptRow) -> Answer<bool> {
    let changed = diesel::update(attempts::table.find((row.task_id, row.attempt)))
        .set((
            attempts::status.eq(&row.status),
            attempts::finished_at.eq(row.finished_at),
            attempts::result_length.eq(row.result_length),
            attempts::tokens.eq(row.tokens),
            attempts::error.eq(&row.error),
        ))
        .execute(conn)?;
    Ok(changed > 0)
}

/// Notes an accepted request to execute and gives it an id.
pub(crate) fn accept(
    conn: &mut Conn,
    plan: PlanId,
    execution: &NewExecution,
    at: Timestamp,
) -> Answer<ExecutionId> {
    let id = diesel::insert_into(executions::table)
        .values((
            executions::plan_id.eq(plan.get()),
            executions::task_id.eq(execution.task_id.map(TaskId::get)),
            executions::requested_at.eq(at.as_micros()),
        ))
        .returning(executions::id)
        .get_result(conn)?;
    Ok(ExecutionId(id))
}

//! Finished attempts, as figures need them.

use super::Conn;
use crate::error::Answer;
use crate::rows::large;
use crate::schema::{attempts, tasks};
use agent_analytics::ports::{AttemptFilter, AttemptRecord};
use agent_core::ids::{PlanId, TaskId};
use agent_core::plan::TaskStatus;
use agent_core::time::Timestamp;
use diesel::prelude::*;

type Row = (i64, i64, String, String, Option<String>, i64, i64, i64, i64);

/// Attempts that completed or failed, oldest first.
pub(crate) fn finished(conn: &mut Conn, filter: &AttemptFilter) -> Answer<Vec<AttemptRecord>> {
    let counted = [TaskStatus::Completed.as_str(), TaskStatus::Failed.as_str()];
    let mut wanted = attempts::table
        .inner_join(tasks::table)
        .filter(attempts::tenant_id.eq(filter.tenant.get()))
        .filter(attempts::status.eq_any(counted))
        .filter(attempts::finished_at.is_not_null())
        .order((attempts::finished_at, attempts::task_id, attempts::attempt))
        .select((
            attempts::plan_id,
            attempts::task_id,
            tasks::description,
            attempts::status,
            attempts::error,
            attempts::started_at,
            attempts::finished_at.assume_not_null(),
            attempts::result_length,
            attempts::tokens,
        ))
        .into_boxed();
    if let Some(task) = filter.task_id {
        wanted = wanted.filter(attempts::task_id.eq(task.get()));
    }
    if let Some(plan) = filter.plan_id {
        wanted = wanted.filter(attempts::plan_id.eq(plan.get()));
    }
    if let Some(since) = filter.since {
        wanted = wanted.filter(attempts::finished_at.ge(since.as_micros()));
    }
    let rows: Vec<Row> = wanted.load(conn)?;
    rows.into_iter().map(record).collect()
}

fn record(row: Row) -> Answer<AttemptRecord> {
    let (plan, task, description, status, error, started_at, finished_at, result_length, tokens) = row;
    Ok(AttemptRecord {
        plan_id: PlanId(plan),
        task_id: TaskId(task),
        description,
        succeeded: status == TaskStatus::Completed.as_str(),
        error,
        started_at: Timestamp::from_micros(started_at),
        finished_at: Timestamp::from_micros(finished_at),
        result_length: large("attempts.result_length", result_length)?,
        tokens: large("attempts.tokens", tokens)?,
    })
}

//! What happens lately: tasks that are busy now, and figures by hour and day.

use crate::ports::AttemptRecord;
use crate::report::Measured;
use crate::statistics::Tally;
use agent_core::ids::{PlanId, TaskId};
use agent_core::time::Timestamp;
use serde::Serialize;
use std::time::Duration;

/// The time after which an execution counts half as much for the trend.
pub const HALF_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// How many trending tasks are named.
const NAMED: usize = 10;

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A task that is executed a lot lately.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrendingTask {
    /// The task.
    pub task_id: TaskId,
    /// Its plan.
    pub plan_id: PlanId,
    /// What it is to do.
    pub description: String,
    /// Sum over its executions of ½ to the power of (age / [`HALF_LIFE`]): an execution that ends now
    /// adds 1, one of yesterday ½, one of last week next to nothing.
    pub score: f64,
    /// Finished attempts.
    pub execution_count: u64,
    /// Share of those that completed, 0 to 100.
    pub success_rate: f64,
    /// When the latest one ended.
    pub last_executed_at: Timestamp,
}

/// Figures of one hour or day in UTC.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PeriodSummary {
    /// When it begins; it lasts until the next one begins.
    pub period_start: Timestamp,
    /// Attempts that ended in it.
    pub execution_count: u64,
    /// Those that completed.
    pub success_count: u64,
    /// Those that failed.
    pub failure_count: u64,
    /// Share of those that completed, 0 to 100; null when there were none.
    pub success_rate: Option<f64>,
    /// Mean duration in seconds; null when there were none.
    pub avg_duration: Option<f64>,
    /// Model tokens used.
    pub tokens: u64,
}

/// The tasks with the highest scores, highest first.
pub(crate) fn trending(tasks: &[Measured<'_>], now: Timestamp) -> Vec<TrendingTask> {
    let mut trend: Vec<TrendingTask> = tasks.iter().map(|task| trend_of(task, now)).collect();
    trend.sort_by(|a, b| b.score.total_cmp(&a.score));
    trend.truncate(NAMED);
    trend
}

fn trend_of(task: &Measured<'_>, now: Timestamp) -> TrendingTask {
    let weights = task.records.iter().map(|record| weight(now.since(record.finished_at)));
    TrendingTask {
        task_id: task.latest.task_id,
        plan_id: task.latest.plan_id,
        description: task.latest.description.clone(),
        score: weights.sum(),
        execution_count: task.tally.executions,
        success_rate: task.tally.success_rate(),
        last_executed_at: task.latest.finished_at,
    }
}

fn weight(age: Duration) -> f64 {
    (-age.as_secs_f64() / HALF_LIFE.as_secs_f64()).exp2()
}

/// The last 24 hours, oldest first; the last one is the present hour.
pub(crate) fn hourly(records: &[AttemptRecord], now: Timestamp) -> Vec<PeriodSummary> {
    periods(records, now, HOUR, 24)
}

/// The last 30 days, oldest first; the last one is today.
pub(crate) fn daily(records: &[AttemptRecord], now: Timestamp) -> Vec<PeriodSummary> {
    periods(records, now, DAY, 30)
}

fn periods(records: &[AttemptRecord], now: Timestamp, length: Duration, count: u32) -> Vec<PeriodSummary> {
    let length = i64::try_from(length.as_micros()).unwrap_or(i64::MAX);
    let present = now.as_micros().div_euclid(length);
    let first = present - i64::from(count) + 1;
    let mut buckets: Vec<Vec<&AttemptRecord>> = (0..count).map(|_| Vec::new()).collect();
    for record in records {
        let offset = record.finished_at.as_micros().div_euclid(length) - first;
        if let Some(bucket) = usize::try_from(offset).ok().and_then(|offset| buckets.get_mut(offset)) {
            bucket.push(record);
        }
    }
    (first..)
        .zip(buckets)
        .map(|(period, records)| {
            PeriodSummary::of(Timestamp::from_micros(period * length), &Tally::of(records))
        })
        .collect()
}

impl PeriodSummary {
    fn of(period_start: Timestamp, tally: &Tally) -> Self {
        let known = tally.executions > 0;
        Self {
            period_start,
            execution_count: tally.executions,
            success_count: tally.successes,
            failure_count: tally.failures(),
            success_rate: known.then(|| tally.success_rate()),
            avg_duration: known.then(|| tally.durations.mean()),
            tokens: tally.tokens,
        }
    }
}

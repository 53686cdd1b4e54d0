//! What happens lately: tasks that are busy now, and figures by hour and day.

use crate::figures::Figures;
use crate::overview::{Dimension, RollupKey, Rollups};
use crate::ranking::RankedTask;
use agent_core::ids::{PlanId, TaskId};
use agent_core::time::Timestamp;
use serde::Serialize;
use std::time::Duration;

/// The time after which an execution counts half as much for the trend.
pub const HALF_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const HOURS: u32 = 24;
const DAYS: u32 = 30;

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
    /// Duration in seconds that 95 percent did not exceed; null when there were none.
    pub p95: Option<f64>,
    /// Model tokens used.
    pub tokens: u64,
    /// What they cost in US dollars, as far as prices are known.
    pub cost: f64,
}

/// Half-lives since 1970.
fn half_lives(at: Timestamp) -> f64 {
    at.as_micros() as f64 / HALF_LIFE.as_micros() as f64
}

/// The binary logarithm of the sum of 2 to the power of each instant in half-lives: the score of a task at any later moment,
/// but for what all tasks lose alike, so that it need never be computed anew while time passes. Minus infinity of nothing.
pub(crate) fn weight_of(instants: impl Iterator<Item = Timestamp>) -> f64 {
    let mut weight = f64::NEG_INFINITY;
    for exponent in instants.map(half_lives) {
        let (high, low) = if weight > exponent { (weight, exponent) } else { (exponent, weight) };
        weight = high + (low - high).exp2().ln_1p() / std::f64::consts::LN_2;
    }
    weight
}

impl TrendingTask {
    pub(crate) fn of(task: &RankedTask, now: Timestamp) -> Self {
        Self {
            task_id: task.task_id,
            plan_id: task.plan_id,
            description: task.description.clone(),
            score: (task.weight - half_lives(now)).exp2(),
            execution_count: task.executions,
            success_rate: task.success_rate(),
            last_executed_at: task.last_finished_at,
        }
    }
}

/// Where the summaries of this moment begin, to read the sums from there on.
pub(crate) fn beginnings(now: Timestamp) -> Vec<(Dimension, String)> {
    let first = |dimension, length, count| (dimension, starts(now, length, count).next());
    let known = |(dimension, start): (Dimension, Option<Timestamp>)| Some((dimension, start?.to_string()));
    let beginnings = [first(Dimension::Hour, HOUR, HOURS), first(Dimension::Day, DAY, DAYS)];
    beginnings.into_iter().filter_map(known).collect()
}

/// The last 24 hours, oldest first; the last one is the present hour.
pub(crate) fn hourly(rollups: &Rollups, now: Timestamp) -> Vec<PeriodSummary> {
    periods(rollups, Dimension::Hour, starts(now, HOUR, HOURS))
}

/// The last 30 days, oldest first; the last one is today.
pub(crate) fn daily(rollups: &Rollups, now: Timestamp) -> Vec<PeriodSummary> {
    periods(rollups, Dimension::Day, starts(now, DAY, DAYS))
}

fn starts(now: Timestamp, length: Duration, count: u32) -> impl Iterator<Item = Timestamp> {
    let length = i64::try_from(length.as_micros()).unwrap_or(i64::MAX);
    let present = now.as_micros().div_euclid(length);
    (0..i64::from(count)).rev().map(move |back| Timestamp::from_micros((present - back) * length))
}

fn periods(
    rollups: &Rollups,
    dimension: Dimension,
    starts: impl Iterator<Item = Timestamp>,
) -> Vec<PeriodSummary> {
    let summary = |start: Timestamp| {
        PeriodSummary::of(start, rollups.get(&RollupKey::new(dimension, start.to_string())))
    };
    starts.map(summary).collect()
}

impl PeriodSummary {
    fn of(period_start: Timestamp, figures: Option<&Figures>) -> Self {
        let known = figures.filter(|figures| figures.executions > 0);
        Self {
            period_start,
            execution_count: known.map_or(0, |figures| figures.executions),
            success_count: known.map_or(0, |figures| figures.successes),
            failure_count: known.map_or(0, Figures::failures),
            success_rate: known.map(Figures::success_rate),
            avg_duration: known.map(|figures| figures.durations.mean()),
            p95: known.map(|figures| figures.durations.percentile(95)),
            tokens: known.map_or(0, |figures| figures.tokens),
            cost: known.map_or(0.0, |figures| figures.cost),
        }
    }
}

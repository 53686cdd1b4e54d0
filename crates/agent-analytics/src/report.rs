//! The report: how everything goes, what is slow, what fails.

use crate::ports::AttemptRecord;
use crate::statistics::{Tally, by_task};
use agent_core::ids::{PlanId, TaskId};
use agent_core::time::Timestamp;
use serde::Serialize;
use std::cmp::Reverse;

/// How many tasks the report names in each list.
const NAMED: usize = 5;

/// How all executions together have gone, and the tasks worth a look.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PerformanceReport {
    /// When it was made.
    pub generated_at: Timestamp,
    /// Everything together.
    pub totals: Totals,
    /// The five tasks with the longest mean duration, longest first.
    pub slowest_tasks: Vec<SlowTask>,
    /// The five tasks with the most failed attempts, most first; those without any are not named.
    pub most_failing_tasks: Vec<FailingTask>,
}

/// Figures over all finished attempts. Durations are seconds, the rate is percent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Totals {
    /// Finished attempts.
    pub executions: u64,
    /// Those that completed.
    pub successes: u64,
    /// Those that failed.
    pub failures: u64,
    /// Share of those that completed, 0 to 100.
    pub success_rate: f64,
    /// Tasks that have finished attempts.
    pub tasks: u64,
    /// All durations together.
    pub total_duration: f64,
    /// Mean duration.
    pub avg_duration: f64,
    /// Median duration, by nearest rank.
    pub p50: f64,
    /// Duration that 95 percent do not exceed.
    pub p95: f64,
    /// Duration that 99 percent do not exceed.
    pub p99: f64,
    /// Model tokens used.
    pub tokens: u64,
}

/// A task that takes long.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlowTask {
    /// The task.
    pub task_id: TaskId,
    /// Its plan.
    pub plan_id: PlanId,
    /// What it is to do.
    pub description: String,
    /// Finished attempts.
    pub execution_count: u64,
    /// Mean duration in seconds.
    pub avg_duration: f64,
    /// Longest duration in seconds.
    pub max_duration: f64,
}

/// A task that fails.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FailingTask {
    /// The task.
    pub task_id: TaskId,
    /// Its plan.
    pub plan_id: PlanId,
    /// What it is to do.
    pub description: String,
    /// Finished attempts.
    pub execution_count: u64,
    /// Those that failed.
    pub failure_count: u64,
    /// Share of those that completed, 0 to 100.
    pub success_rate: f64,
    /// Why the latest of them failed.
    pub last_error: Option<String>,
}

/// A task with its figures and its attempts, oldest first.
pub(crate) struct Measured<'a> {
    pub(crate) latest: &'a AttemptRecord,
    pub(crate) records: Vec<&'a AttemptRecord>,
    pub(crate) tally: Tally,
}

/// All tasks that have attempts, by id.
pub(crate) fn measured(records: &[AttemptRecord]) -> Vec<Measured<'_>> {
    let tasks = by_task(records).into_values();
    let measured = tasks.filter_map(|records| {
        let latest = records.iter().copied().max_by_key(|record| record.finished_at)?;
        Some(Measured { latest, tally: Tally::of(records.iter().copied()), records })
    });
    measured.collect()
}

impl PerformanceReport {
    pub(crate) fn of(records: &[AttemptRecord], tasks: &[Measured<'_>], generated_at: Timestamp) -> Self {
        Self {
            generated_at,
            totals: Totals::of(&Tally::of(records), tasks.len()),
            slowest_tasks: slowest(tasks),
            most_failing_tasks: most_failing(tasks),
        }
    }
}

impl Totals {
    fn of(tally: &Tally, tasks: usize) -> Self {
        let durations = &tally.durations;
        Self {
            executions: tally.executions,
            successes: tally.successes,
            failures: tally.failures(),
            success_rate: tally.success_rate(),
            tasks: tasks as u64,
            total_duration: durations.total(),
            avg_duration: durations.mean(),
            p50: durations.percentile(50),
            p95: durations.percentile(95),
            p99: durations.percentile(99),
            tokens: tally.tokens,
        }
    }
}

fn slowest(tasks: &[Measured<'_>]) -> Vec<SlowTask> {
    let mut order: Vec<&Measured<'_>> = tasks.iter().collect();
    order.sort_by(|a, b| b.tally.durations.mean().total_cmp(&a.tally.durations.mean()));
    let slow = order.into_iter().take(NAMED).map(|task| SlowTask {
        task_id: task.latest.task_id,
        plan_id: task.latest.plan_id,
        description: task.latest.description.clone(),
        execution_count: task.tally.executions,
        avg_duration: task.tally.durations.mean(),
        max_duration: task.tally.durations.max(),
    });
    slow.collect()
}

fn most_failing(tasks: &[Measured<'_>]) -> Vec<FailingTask> {
    let mut order: Vec<&Measured<'_>> = tasks.iter().filter(|task| task.tally.failures() > 0).collect();
    order.sort_by_key(|task| Reverse(task.tally.failures()));
    let failing = order.into_iter().take(NAMED).map(|task| {
        let failed = task.records.iter().filter(|record| !record.succeeded);
        FailingTask {
            task_id: task.latest.task_id,
            plan_id: task.latest.plan_id,
            description: task.latest.description.clone(),
            execution_count: task.tally.executions,
            failure_count: task.tally.failures(),
            success_rate: task.tally.success_rate(),
            last_error: failed
                .max_by_key(|record| record.finished_at)
                .and_then(|record| record.error.clone()),
        }
    });
    failing.collect()
}

//! The report: how everything goes, what is slow, what fails and why.

use crate::failures::FailureReason;
use crate::overview::Overview;
use crate::ranking::RankedTask;
use crate::statistics::ExecutionStatistics;
use agent_core::ids::{PlanId, TaskId};
use agent_core::time::Timestamp;
use serde::Serialize;

/// How all executions together have gone, and the tasks worth a look.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PerformanceReport {
    /// When it was made.
    pub generated_at: Timestamp,
    /// Everything together.
    pub totals: Totals,
    /// The five tasks with the longest single execution, longest first.
    pub slowest_tasks: Vec<SlowTask>,
    /// The five tasks with the most failed attempts, most first; those without any are not named.
    pub most_failing_tasks: Vec<FailingTask>,
    /// Why executions failed: the ten most frequent reasons, most frequent first, and all others together.
    pub failure_reasons: Vec<FailureReason>,
    /// Whether executions were recorded that these figures do not count yet: after an upgrade, or under heavy load, for
    /// a while.
    pub is_behind: bool,
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
    /// Tasks that have finished attempts.
    pub tasks: u64,
    /// Share of those that completed, 0 to 100.
    pub success_rate: f64,
    /// All durations together.
    pub total_duration: f64,
    /// Mean duration.
    pub avg_duration: f64,
    /// Shortest duration.
    pub min_duration: f64,
    /// Longest duration.
    pub max_duration: f64,
    /// Standard deviation of the durations as a sample.
    pub std_dev: f64,
    /// Median duration, by nearest rank, as [`Sketch`](crate::Sketch) tells it.
    pub p50: f64,
    /// Duration that 95 percent do not exceed.
    pub p95: f64,
    /// Duration that 99 percent do not exceed.
    pub p99: f64,
    /// Length of all results as JSON text, in bytes.
    pub total_results_length: u64,
    /// Model tokens used.
    pub tokens: u64,
    /// What they cost in US dollars, as far as prices are known.
    pub cost: f64,
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

impl PerformanceReport {
    pub(crate) fn of(overview: &Overview, is_behind: bool, generated_at: Timestamp) -> Self {
        Self {
            generated_at,
            totals: Totals::of(overview),
            slowest_tasks: overview.ranking.slowest.iter().map(SlowTask::of).collect(),
            most_failing_tasks: overview.ranking.failing.iter().map(FailingTask::of).collect(),
            failure_reasons: overview.failures.most_frequent(),
            is_behind,
        }
    }
}

impl Totals {
    fn of(overview: &Overview) -> Self {
        let all = ExecutionStatistics::from(&overview.figures);
        Self {
            executions: all.execution_count,
            successes: all.success_count,
            failures: all.failure_count,
            tasks: overview.tasks,
            success_rate: all.success_rate,
            total_duration: all.total_duration,
            avg_duration: all.avg_duration,
            min_duration: all.min_duration,
            max_duration: all.max_duration,
            std_dev: all.std_dev,
            p50: all.p50,
            p95: all.p95,
            p99: all.p99,
            total_results_length: all.total_results_length,
            tokens: all.tokens,
            cost: all.cost,
        }
    }
}

impl SlowTask {
    fn of(task: &RankedTask) -> Self {
        Self {
            task_id: task.task_id,
            plan_id: task.plan_id,
            description: task.description.clone(),
            execution_count: task.executions,
            avg_duration: task.avg_duration,
            max_duration: task.max_duration,
        }
    }
}

impl FailingTask {
    fn of(task: &RankedTask) -> Self {
        Self {
            task_id: task.task_id,
            plan_id: task.plan_id,
            description: task.description.clone(),
            execution_count: task.executions,
            failure_count: task.failures(),
            success_rate: task.success_rate(),
            last_error: task.last_error.clone(),
        }
    }
}

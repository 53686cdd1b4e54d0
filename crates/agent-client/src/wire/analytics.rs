//! Figures about executions. Durations are seconds, rates percent; periods are in UTC.

use agent_core::ids::{PlanId, TaskId};
use agent_core::time::Timestamp;
use serde::Deserialize;

/// Everything in short.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// Finished attempts.
    pub total_executions: u64,
    /// Mean of the tasks' success rates.
    pub average_success_rate: f64,
    /// Tasks that have finished attempts.
    pub tasks_analyzed: u64,
    /// The details.
    pub performance_report: PerformanceReport,
}

/// How things go, and how they have gone lately.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Performance {
    /// The details.
    pub performance_report: PerformanceReport,
    /// The tasks that are executed most lately.
    pub trending_tasks: Vec<TrendingTask>,
    /// The last 24 hours, oldest first.
    pub hourly_summary: Vec<Period>,
    /// The last 30 days, oldest first.
    pub daily_summary: Vec<Period>,
}

/// All executions together, and the tasks worth a look.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct PerformanceReport {
    /// When it was made.
    pub generated_at: Timestamp,
    /// Everything together.
    pub totals: Totals,
    /// The tasks with the longest mean duration.
    pub slowest_tasks: Vec<SlowTask>,
    /// The tasks with the most failed attempts.
    pub most_failing_tasks: Vec<FailingTask>,
}

/// Figures over all finished attempts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Totals {
    /// Finished attempts.
    pub executions: u64,
    /// Those that completed.
    pub successes: u64,
    /// Those that failed.
    pub failures: u64,
    /// Share of those that completed.
    pub success_rate: f64,
    /// Tasks that have finished attempts.
    pub tasks: u64,
    /// All durations together.
    pub total_duration: f64,
    /// Mean duration.
    pub avg_duration: f64,
    /// Half of the attempts took no longer.
    pub p50: f64,
    /// 95 percent took no longer.
    pub p95: f64,
    /// 99 percent took no longer.
    pub p99: f64,
    /// Model tokens used.
    pub tokens: u64,
}

/// A task that takes long.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct SlowTask {
    /// The task.
    pub task_id: TaskId,
    /// Its plan.
    pub plan_id: PlanId,
    /// What it does.
    pub description: String,
    /// Finished attempts.
    pub execution_count: u64,
    /// Their mean duration.
    pub avg_duration: f64,
    /// The longest.
    pub max_duration: f64,
}

/// A task that fails.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct FailingTask {
    /// The task.
    pub task_id: TaskId,
    /// Its plan.
    pub plan_id: PlanId,
    /// What it does.
    pub description: String,
    /// Finished attempts.
    pub execution_count: u64,
    /// Those that failed.
    pub failure_count: u64,
    /// Share of those that completed.
    pub success_rate: f64,
    /// Why the last one failed.
    #[serde(default)]
    pub last_error: Option<String>,
}

/// A task that is executed often lately.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct TrendingTask {
    /// The task.
    pub task_id: TaskId,
    /// Its plan.
    pub plan_id: PlanId,
    /// What it does.
    pub description: String,
    /// Grows with each execution and fades with time.
    pub score: f64,
    /// Finished attempts.
    pub execution_count: u64,
    /// Share of those that completed.
    pub success_rate: f64,
}

/// Figures of one hour or day.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Period {
    /// Its beginning.
    pub period_start: Timestamp,
    /// Attempts that finished in it.
    pub execution_count: u64,
    /// Those that completed.
    pub success_count: u64,
    /// Those that failed.
    pub failure_count: u64,
    /// Share of those that completed; `None` where nothing finished.
    #[serde(default)]
    pub success_rate: Option<f64>,
    /// Mean duration; `None` where nothing finished.
    #[serde(default)]
    pub avg_duration: Option<f64>,
    /// Model tokens used.
    pub tokens: u64,
}

/// How a task has gone so far.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct TaskFigures {
    /// The task.
    pub task_id: TaskId,
    /// Finished attempts.
    pub execution_count: u64,
    /// Those that completed.
    pub success_count: u64,
    /// Those that failed.
    pub failure_count: u64,
    /// Share of those that completed.
    pub success_rate: f64,
    /// Mean duration.
    pub avg_duration: f64,
    /// The shortest.
    pub min_duration: f64,
    /// The longest.
    pub max_duration: f64,
    /// Standard deviation of the durations as a sample.
    pub std_dev: f64,
    /// Half of the attempts took no longer.
    pub p50: f64,
    /// 95 percent took no longer.
    pub p95: f64,
    /// 99 percent took no longer.
    pub p99: f64,
    /// Length of all results as JSON text, in bytes.
    pub total_results_length: u64,
}

/// How a plan has gone so far.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct PlanFigures {
    /// The plan.
    pub plan_id: PlanId,
    /// Finished attempts.
    pub execution_count: u64,
    /// Those that completed.
    pub success_count: u64,
    /// Those that failed.
    pub failure_count: u64,
    /// Share of those that completed.
    pub success_rate: f64,
    /// All durations together.
    pub total_duration: f64,
    /// Mean duration of an attempt.
    pub avg_duration: f64,
    /// Model tokens used.
    pub tokens: u64,
    /// The same for each task that has finished attempts.
    pub tasks: Vec<TaskFigures>,
}

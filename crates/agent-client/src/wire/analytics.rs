//! Figures about executions. Durations are seconds, rates percent; periods are in UTC.

use agent_core::ids::{PlanId, TaskId};
use agent_core::time::Timestamp;
use serde::{Deserialize, Serialize};

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
    /// The tasks with the longest single execution.
    pub slowest_tasks: Vec<SlowTask>,
    /// The tasks with the most failed attempts.
    pub most_failing_tasks: Vec<FailingTask>,
    /// Why executions failed, most frequent first.
    #[serde(default)]
    pub failure_reasons: Vec<FailureReason>,
    /// Whether executions were recorded that these figures do not count yet.
    #[serde(default)]
    pub is_behind: bool,
}

/// Why executions failed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct FailureReason {
    /// The first line of the message, each number in it as `N`; `None` for the many rare ones together.
    pub reason: Option<String>,
    /// Executions that failed for it.
    pub count: u64,
    /// When the latest of them ended.
    #[serde(default)]
    pub last_at: Option<Timestamp>,
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
    /// What they cost in US dollars, as far as prices are known.
    #[serde(default)]
    pub cost: f64,
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

/// By what figures are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FiguresBy {
    /// The templates that plans were made from.
    Templates,
    /// The people whose plans they are.
    Users,
    /// The language models that answered.
    Models,
}

impl FiguresBy {
    /// The word for it, as in the address.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Templates => "templates",
            Self::Users => "users",
            Self::Models => "models",
        }
    }
}

/// Which part of the figures of each template, user or model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FiguresFilter {
    /// At most so many, 1 to 200.
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// The figures of some templates, users or models.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct FiguresPage {
    /// The figures, ordered by subject as text.
    pub figures: Vec<SubjectFigures>,
    /// How many there are in all.
    pub total: u64,
    /// Where the next page begins; `None` on the last one.
    pub next_cursor: Option<String>,
}

/// How the executions of a template, user or model have gone.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct SubjectFigures {
    /// The id of the template or user, or the name of the model.
    pub subject: String,
    /// Finished attempts.
    pub execution_count: u64,
    /// Those that failed.
    pub failure_count: u64,
    /// Share of those that completed.
    pub success_rate: f64,
    /// Mean duration.
    pub avg_duration: f64,
    /// 95 percent took no longer.
    pub p95: f64,
    /// Model tokens used.
    pub tokens: u64,
    /// What they cost in US dollars, as far as prices are known.
    pub cost: f64,
}

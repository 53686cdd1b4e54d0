//! Figures about executions.
//!
//! The figures are sent as `agent-analytics` computes them; the types named `…View` without values of
//! their own describe them to readers.

mod by;

pub use by::{FiguresBy, FiguresByPath, FiguresByView, ListFiguresBy};

use agent_analytics::{ExecutionStatistics, Performance, PlanStatistics, Summary, TaskStatistics};
use agent_core::ids::PlanId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The task in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct AnalysedTaskPath {
    /// The task.
    #[param(minimum = 1, example = 3)]
    pub id: i64,
}

/// The plan in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct AnalysedPlanPath {
    /// The plan.
    #[param(minimum = 1, example = 1)]
    pub id: i64,
}

macro_rules! sent_as_computed {
    ($($(#[$doc:meta])* $name:ident($domain:ty) = $described:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub $domain);

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                $described::schema()
            }
        }

        impl ToSchema for $name {
            fn schemas(
                schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>,
            ) {
                $described::schemas(schemas);
            }
        }
    )+};
}

sent_as_computed! {
    /// Everything in short.
    SummaryView(Summary) = SummaryFields;
    /// How things go, and how they have gone lately.
    PerformanceView(Performance) = PerformanceFields;
    /// The figures of a task.
    TaskFiguresView(TaskStatistics) = TaskFigures;
    /// The figures of a plan.
    PlanFiguresView(PlanStatistics) = PlanFigures;
}

/// Everything in short.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the fields of Summary to readers of the API")]
struct SummaryFields {
    /// Finished attempts.
    total_executions: u64,
    /// Mean of the tasks' success rates in percent.
    average_success_rate: f64,
    /// Tasks that have finished attempts.
    tasks_analyzed: u64,
    /// The details.
    performance_report: PerformanceReportView,
}

/// How things go, and how they have gone lately.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the fields of Performance to readers of the API")]
struct PerformanceFields {
    /// The details.
    performance_report: PerformanceReportView,
    /// The ten tasks that are executed most lately.
    trending_tasks: Vec<TrendingTaskView>,
    /// The last 24 hours in UTC, oldest first.
    hourly_summary: Vec<PeriodView>,
    /// The last 30 days in UTC, oldest first.
    daily_summary: Vec<PeriodView>,
}

/// All executions together, and the tasks worth a look.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the fields of PerformanceReport to readers of the API")]
struct PerformanceReportView {
    /// When it was made.
    #[schema(format = DateTime)]
    generated_at: String,
    /// Everything together.
    totals: TotalsView,
    /// The five tasks with the longest single execution.
    slowest_tasks: Vec<SlowTaskView>,
    /// The five tasks with the most failed attempts.
    most_failing_tasks: Vec<FailingTaskView>,
    /// The ten most frequent reasons for which executions failed, and all others together.
    failure_reasons: Vec<FailureReasonView>,
    /// Whether executions were recorded that these figures do not count yet: after an upgrade, or under heavy load, for a while.
    is_behind: bool,
}

/// Why executions failed.
#[derive(ToSchema)]
#[schema(example = json!({"reason": "exit code N", "count": 3, "last_at": "2026-01-01T12:00:00.000Z"}))]
#[expect(dead_code, reason = "describes the fields of FailureReason to readers of the API")]
struct FailureReasonView {
    /// The first line of the message, each number in it as `N`; null for the many rare ones together.
    reason: Option<String>,
    /// Executions that failed for it.
    count: u64,
    /// When the latest of them ended; null for the rare ones.
    #[schema(format = DateTime)]
    last_at: Option<String>,
}

/// Figures over all finished attempts. Durations are seconds, the rate is percent.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the fields of Totals to readers of the API")]
struct TotalsView {
    executions: u64,
    successes: u64,
    failures: u64,
    /// Tasks that have finished attempts.
    tasks: u64,
    success_rate: f64,
    total_duration: f64,
    avg_duration: f64,
    min_duration: f64,
    max_duration: f64,
    /// Standard deviation of the durations as a sample.
    std_dev: f64,
    /// Percentiles are by nearest rank; exact for up to 64 executions, within 1 percent beyond.
    p50: f64,
    p95: f64,
    p99: f64,
    /// Length of all results as JSON text, in bytes.
    total_results_length: u64,
    /// Model tokens used.
    tokens: u64,
    /// What they cost in US dollars, as far as prices are known.
    cost: f64,
}

/// A task that takes long.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the fields of SlowTask to readers of the API")]
struct SlowTaskView {
    task_id: i64,
    plan_id: i64,
    description: String,
    execution_count: u64,
    avg_duration: f64,
    max_duration: f64,
}

/// A task that fails.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the fields of FailingTask to readers of the API")]
struct FailingTaskView {
    task_id: i64,
    plan_id: i64,
    description: String,
    execution_count: u64,
    failure_count: u64,
    success_rate: f64,
    last_error: Option<String>,
}

/// A task that is executed often lately.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the fields of TrendingTask to readers of the API")]
struct TrendingTaskView {
    task_id: i64,
    plan_id: i64,
    description: String,
    /// Halves with each day of age.
    score: f64,
    execution_count: u64,
    success_rate: f64,
    #[schema(format = DateTime)]
    last_executed_at: String,
}

/// Figures of one hour or day in UTC.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the fields of PeriodSummary to readers of the API")]
struct PeriodView {
    #[schema(format = DateTime)]
    period_start: String,
    execution_count: u64,
    success_count: u64,
    failure_count: u64,
    success_rate: Option<f64>,
    avg_duration: Option<f64>,
    p95: Option<f64>,
    tokens: u64,
    cost: f64,
}

/// How some executions have gone. Durations are seconds, the rate is percent, percentiles are by nearest rank: exact for up to
/// 64 executions, within 1 percent beyond.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the fields of ExecutionStatistics to readers of the API")]
struct ExecutionFigures {
    /// Finished attempts.
    execution_count: u64,
    success_count: u64,
    failure_count: u64,
    success_rate: f64,
    total_duration: f64,
    avg_duration: f64,
    min_duration: f64,
    max_duration: f64,
    /// Standard deviation of the durations as a sample.
    std_dev: f64,
    p50: f64,
    p95: f64,
    p99: f64,
    /// Length of all results as JSON text, in bytes.
    total_results_length: u64,
    /// Model tokens used.
    tokens: u64,
    /// What they cost in US dollars, as far as prices are known.
    cost: f64,
    /// When the latest one ended; null when there are none.
    #[schema(format = DateTime)]
    last_executed_at: Option<String>,
}

/// How a task has gone so far.
#[derive(ToSchema)]
#[schema(example = json!({
    "task_id": 3, "execution_count": 4, "success_count": 3, "failure_count": 1, "success_rate": 75.0,
    "total_duration": 6.0, "avg_duration": 1.5, "min_duration": 0.9, "max_duration": 2.4, "std_dev": 0.62, "p50": 1.2,
    "p95": 2.4, "p99": 2.4, "total_results_length": 2048, "tokens": 1200, "cost": 0.004,
    "last_executed_at": "2026-01-01T12:00:00.000Z"
}))]
#[expect(dead_code, reason = "describes the fields of TaskStatistics to readers of the API")]
struct TaskFigures {
    task_id: i64,
    #[serde(flatten)]
    figures: ExecutionFigures,
}

/// How a plan has gone so far.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the fields of PlanStatistics to readers of the API")]
struct PlanFigures {
    plan_id: i64,
    #[serde(flatten)]
    figures: ExecutionFigures,
    /// Why executions failed, most frequent first.
    failure_reasons: Vec<FailureReasonView>,
    /// The same for each task that has finished attempts.
    tasks: Vec<TaskFigures>,
}

impl PlanFiguresView {
    /// The figures of a plan; all zero while nothing of it has finished.
    pub fn new(plan_id: PlanId, figures: Option<PlanStatistics>) -> Self {
        Self(figures.unwrap_or_else(|| PlanStatistics {
            plan_id,
            figures: ExecutionStatistics::default(),
            failure_reasons: Vec::new(),
            tasks: Vec::new(),
        }))
    }
}

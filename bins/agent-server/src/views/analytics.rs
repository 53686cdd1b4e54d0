//! Figures about executions.
//!
//! The figures are sent as `agent-analytics` computes them; the types named `…View` without values of
//! their own describe them to readers.

use agent_analytics::{Performance, PlanStatistics, Summary, TaskStatistics};
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
    /// The five tasks with the longest mean duration.
    slowest_tasks: Vec<SlowTaskView>,
    /// The five tasks with the most failed attempts.
    most_failing_tasks: Vec<FailingTaskView>,
}

/// Figures over all finished attempts. Durations are seconds, the rate is percent.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the fields of Totals to readers of the API")]
struct TotalsView {
    executions: u64,
    successes: u64,
    failures: u64,
    success_rate: f64,
    tasks: u64,
    total_duration: f64,
    avg_duration: f64,
    p50: f64,
    p95: f64,
    p99: f64,
    tokens: u64,
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
    tokens: u64,
}

/// How a task has gone so far. Durations are seconds, the rate is percent.
#[derive(ToSchema)]
#[schema(example = json!({
    "task_id": 3, "execution_count": 4, "success_count": 3, "failure_count": 1, "success_rate": 75.0,
    "avg_duration": 1.5, "min_duration": 0.9, "max_duration": 2.4, "std_dev": 0.62, "p50": 1.2, "p95": 2.4,
    "p99": 2.4, "total_results_length": 2048
}))]
#[expect(dead_code, reason = "describes the fields of TaskStatistics to readers of the API")]
struct TaskFigures {
    task_id: i64,
    /// Finished attempts.
    execution_count: u64,
    success_count: u64,
    failure_count: u64,
    success_rate: f64,
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
}

/// How a plan has gone so far. Durations are seconds, the rate is percent.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PlanFiguresView {
    /// The plan.
    pub plan_id: i64,
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
    /// Length of all results as JSON text, in bytes.
    pub total_results_length: u64,
    /// The same for each task that has finished attempts.
    pub tasks: Vec<TaskFiguresView>,
}

impl PlanFiguresView {
    /// The figures of a plan; all zero while nothing of it has finished.
    pub fn new(plan: PlanId, figures: Option<PlanStatistics>) -> Self {
        let Some(figures) = figures else {
            return Self {
                plan_id: plan.get(),
                execution_count: 0,
                success_count: 0,
                failure_count: 0,
                success_rate: 0.0,
                total_duration: 0.0,
                avg_duration: 0.0,
                tokens: 0,
                total_results_length: 0,
                tasks: Vec::new(),
            };
        };
        Self {
            plan_id: figures.plan_id.get(),
            execution_count: figures.execution_count,
            success_count: figures.success_count,
            failure_count: figures.failure_count,
            success_rate: figures.success_rate,
            total_duration: figures.total_duration,
            avg_duration: figures.avg_duration,
            tokens: figures.tokens,
            total_results_length: figures.total_results_length,
            tasks: figures.tasks.into_iter().map(TaskFiguresView).collect(),
        }
    }
}

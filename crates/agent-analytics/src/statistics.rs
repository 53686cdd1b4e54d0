//! Figures about one task, one plan, or one template, user or model.

use crate::failures::{FailureReason, FailureReasons};
use crate::figures::Figures;
use crate::ports::AttemptRecord;
use agent_core::ids::{PlanId, TaskId};
use agent_core::pricing::PriceList;
use agent_core::time::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// How a task has gone so far. Durations are seconds, the rate is percent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskStatistics {
    /// The task.
    pub task_id: TaskId,
    /// How it has gone.
    #[serde(flatten)]
    pub figures: ExecutionStatistics,
}

/// How a plan has gone so far, over all its tasks and for each. Durations are seconds, the rate is percent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanStatistics {
    /// The plan.
    pub plan_id: PlanId,
    /// How it has gone.
    #[serde(flatten)]
    pub figures: ExecutionStatistics,
    /// Why executions failed, most frequent first.
    pub failure_reasons: Vec<FailureReason>,
    /// The same for each task that has finished attempts, by id.
    pub tasks: Vec<TaskStatistics>,
}

/// How some executions have gone. Durations are seconds, the rate is percent.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ExecutionStatistics {
    /// Finished attempts.
    pub execution_count: u64,
    /// Those that completed.
    pub success_count: u64,
    /// Those that failed.
    pub failure_count: u64,
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
    /// Standard deviation of the durations as a sample; 0 for one attempt.
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
    /// When the latest one ended; null when there are none.
    pub last_executed_at: Option<Timestamp>,
}

impl From<&Figures> for ExecutionStatistics {
    fn from(figures: &Figures) -> Self {
        let durations = &figures.durations;
        Self {
            execution_count: figures.executions,
            success_count: figures.successes,
            failure_count: figures.failures(),
            success_rate: figures.success_rate(),
            total_duration: durations.total(),
            avg_duration: durations.mean(),
            min_duration: durations.min(),
            max_duration: durations.max(),
            std_dev: durations.sample_deviation(),
            p50: durations.percentile(50),
            p95: durations.percentile(95),
            p99: durations.percentile(99),
            total_results_length: figures.results_length,
            tokens: figures.tokens,
            cost: figures.cost,
            last_executed_at: figures.last_finished_at,
        }
    }
}

impl TaskStatistics {
    pub(crate) fn of<'a>(
        task_id: TaskId,
        records: impl IntoIterator<Item = &'a AttemptRecord>,
        prices: &PriceList,
    ) -> Self {
        Self { task_id, figures: ExecutionStatistics::from(&Figures::of(records, prices)) }
    }
}

impl PlanStatistics {
    pub(crate) fn of(plan_id: PlanId, records: &[AttemptRecord], prices: &PriceList) -> Self {
        let mut tasks: BTreeMap<TaskId, Vec<&AttemptRecord>> = BTreeMap::new();
        let mut failures = FailureReasons::default();
        for record in records {
            tasks.entry(record.task_id).or_default().push(record);
            failures.add(record);
        }
        Self {
            plan_id,
            figures: ExecutionStatistics::from(&Figures::of(records, prices)),
            failure_reasons: failures.most_frequent(),
            tasks: tasks.into_iter().map(|(id, records)| TaskStatistics::of(id, records, prices)).collect(),
        }
    }
}

//! Figures about one task, or about one plan.

use crate::durations::Durations;
use crate::ports::AttemptRecord;
use agent_core::ids::{PlanId, TaskId};
use serde::Serialize;
use std::collections::BTreeMap;

/// How a task has gone so far. Durations are seconds, the rate is percent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskStatistics {
    /// The task.
    pub task_id: TaskId,
    /// Finished attempts.
    pub execution_count: u64,
    /// Those that completed.
    pub success_count: u64,
    /// Those that failed.
    pub failure_count: u64,
    /// Share of those that completed, 0 to 100.
    pub success_rate: f64,
    /// Mean duration.
    pub avg_duration: f64,
    /// Shortest duration.
    pub min_duration: f64,
    /// Longest duration.
    pub max_duration: f64,
    /// Standard deviation of the durations as a sample; 0 for one attempt.
    pub std_dev: f64,
    /// Median duration, by nearest rank.
    pub p50: f64,
    /// Duration that 95 percent do not exceed.
    pub p95: f64,
    /// Duration that 99 percent do not exceed.
    pub p99: f64,
    /// Length of all results as JSON text, in bytes.
    pub total_results_length: u64,
}

/// How a plan has gone so far, over all its tasks and for each. Durations are seconds, the rate is percent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanStatistics {
    /// The plan.
    pub plan_id: PlanId,
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
    /// Mean duration of an attempt.
    pub avg_duration: f64,
    /// Model tokens used.
    pub tokens: u64,
    /// Length of all results as JSON text, in bytes.
    pub total_results_length: u64,
    /// The same for each task that has finished attempts, by id.
    pub tasks: Vec<TaskStatistics>,
}

/// Counts and durations of some attempts; what every figure is made of.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Tally {
    pub(crate) executions: u64,
    pub(crate) successes: u64,
    pub(crate) tokens: u64,
    pub(crate) results_length: u64,
    pub(crate) durations: Durations,
}

impl Tally {
    pub(crate) fn of<'a>(records: impl IntoIterator<Item = &'a AttemptRecord>) -> Self {
        let mut tally = Self::default();
        let mut seconds = Vec::new();
        for record in records {
            tally.executions += 1;
            tally.successes += u64::from(record.succeeded);
            tally.tokens = tally.tokens.saturating_add(record.tokens);
            tally.results_length = tally.results_length.saturating_add(record.result_length);
            seconds.push(record.finished_at.since(record.started_at).as_secs_f64());
        }
        tally.durations = seconds.into_iter().collect();
        tally
    }

    pub(crate) fn failures(&self) -> u64 {
        self.executions - self.successes
    }

    /// Share of successes in percent; 0 when nothing was executed.
    pub(crate) fn success_rate(&self) -> f64 {
        if self.executions == 0 { 0.0 } else { self.successes as f64 * 100.0 / self.executions as f64 }
    }
}

/// The attempts of each task, by id, each task's in the order given.
pub(crate) fn by_task(records: &[AttemptRecord]) -> BTreeMap<TaskId, Vec<&AttemptRecord>> {
    let mut tasks: BTreeMap<TaskId, Vec<&AttemptRecord>> = BTreeMap::new();
    for record in records {
        tasks.entry(record.task_id).or_default().push(record);
    }
    tasks
}

impl TaskStatistics {
    pub(crate) fn of(task_id: TaskId, tally: &Tally) -> Self {
        let durations = &tally.durations;
        Self {
            task_id,
            execution_count: tally.executions,
            success_count: tally.successes,
            failure_count: tally.failures(),
            success_rate: tally.success_rate(),
            avg_duration: durations.mean(),
            min_duration: durations.min(),
            max_duration: durations.max(),
            std_dev: durations.sample_deviation(),
            p50: durations.percentile(50),
            p95: durations.percentile(95),
            p99: durations.percentile(99),
            total_results_length: tally.results_length,
        }
    }
}

impl PlanStatistics {
    pub(crate) fn of(plan_id: PlanId, records: &[AttemptRecord]) -> Self {
        let tally = Tally::of(records);
        let tasks = by_task(records)
            .into_iter()
            .map(|(task_id, records)| TaskStatistics::of(task_id, &Tally::of(records)))
            .collect();
        Self {
            plan_id,
            execution_count: tally.executions,
            success_count: tally.successes,
            failure_count: tally.failures(),
            success_rate: tally.success_rate(),
            total_duration: tally.durations.total(),
            avg_duration: tally.durations.mean(),
            tokens: tally.tokens,
            total_results_length: tally.results_length,
            tasks,
        }
    }
}

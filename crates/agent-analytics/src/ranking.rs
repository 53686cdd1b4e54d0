//! The tasks worth a look, in bounded room.

use crate::figures::{Figures, percentage};
use crate::ports::AttemptRecord;
use crate::trend;
use agent_core::ids::{PlanId, TaskId};
use agent_core::pricing::PriceList;
use agent_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// How many tasks are the slowest, or fail most.
const FEW: usize = 5;
/// How many are trending.
const SOME: usize = 10;
/// So much of a description and of an error is kept, in characters.
const LENGTH: usize = 500;

/// What is kept of a task that is worth a look.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RankedTask {
    pub(crate) task_id: TaskId,
    pub(crate) plan_id: PlanId,
    pub(crate) description: String,
    pub(crate) executions: u64,
    pub(crate) successes: u64,
    pub(crate) avg_duration: f64,
    pub(crate) max_duration: f64,
    pub(crate) last_error: Option<String>,
    pub(crate) last_finished_at: Timestamp,
    /// The trend of the task, as [`trend::weight_of`] says.
    pub(crate) weight: f64,
}

/// The tasks with the longest executions, with the most failures, and that are executed most lately. The three measures of a
/// task never fall, and a task is ranked anew whenever it was executed: so whoever is not among the first cannot come among
/// them but by an execution, and the lists are exact although all other tasks are forgotten.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Ranking {
    pub(crate) slowest: Vec<RankedTask>,
    pub(crate) failing: Vec<RankedTask>,
    pub(crate) trending: Vec<RankedTask>,
}

impl RankedTask {
    /// A task by all its executions; `None` without any.
    pub(crate) fn of(records: &[&AttemptRecord]) -> Option<Self> {
        let latest = records.iter().max_by_key(|record| (record.finished_at, record.attempt))?;
        let figures = Figures::of(records.iter().copied(), &PriceList::default());
        let failed = records.iter().filter(|record| !record.succeeded);
        let last_error = failed.max_by_key(|record| record.finished_at);
        Some(Self {
            task_id: latest.task_id,
            plan_id: latest.plan_id,
            description: shortened(&latest.description),
            executions: figures.executions,
            successes: figures.successes,
            avg_duration: figures.durations.mean(),
            max_duration: figures.durations.max(),
            last_error: last_error.and_then(|record| record.error.as_deref()).map(shortened),
            last_finished_at: latest.finished_at,
            weight: trend::weight_of(records.iter().map(|record| record.finished_at)),
        })
    }

    pub(crate) fn failures(&self) -> u64 {
        self.executions.saturating_sub(self.successes)
    }

    pub(crate) fn success_rate(&self) -> f64 {
        percentage(self.successes, self.executions)
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(LENGTH).collect()
}

impl Ranking {
    /// Ranks a task anew that was executed.
    pub(crate) fn rank(&mut self, task: &RankedTask) {
        place(&mut self.slowest, task, FEW, |task| task.max_duration);
        if task.failures() > 0 {
            place(&mut self.failing, task, FEW, |task| task.failures() as f64);
        }
        place(&mut self.trending, task, SOME, |task| task.weight);
    }
}

/// Puts a task where it belongs among the highest; equals stay in the order of their ids.
fn place(
    list: &mut Vec<RankedTask>,
    task: &RankedTask,
    longest: usize,
    measure: impl Fn(&RankedTask) -> f64,
) {
    list.retain(|other| other.task_id != task.task_id);
    let before = |other: &RankedTask| {
        measure(other).total_cmp(&measure(task)).reverse().then(other.task_id.cmp(&task.task_id)).is_lt()
    };
    let place = list.partition_point(before);
    if place < longest {
        list.insert(place, task.clone());
        list.truncate(longest);
    }
}

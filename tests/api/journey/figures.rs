//! What the analytics should say, computed from the events alone.

use serde_json::Value;
use std::collections::BTreeMap;

/// Instants of events have milliseconds, so that a duration between two is off by less than this, in seconds.
const ROUNDING: f64 = 0.001_000_1;
/// Quantiles may be off by this share.
const SKETCH: f64 = 0.01;

/// One attempt at a task.
struct Attempt {
    task: i64,
    /// In seconds.
    duration: f64,
    succeeded: bool,
    /// Of its result as JSON text, in bytes; unknown for one that failed.
    result_length: Option<u64>,
}

/// All attempts that ended.
pub(super) struct Attempts(Vec<Attempt>);

impl Attempts {
    /// Reads the events of some plans, each plan's in their order.
    pub(super) fn of(events: &[Value]) -> Self {
        let mut running: BTreeMap<i64, f64> = BTreeMap::new();
        let mut ended = Vec::new();
        for event in events {
            let Some(task) = event["task_id"].as_i64() else { continue };
            match event["event"].as_str().unwrap() {
                "task_started" => drop(running.insert(task, seconds(event))),
                name @ ("task_completed" | "task_failed") => {
                    let succeeded = name == "task_completed";
                    ended.push(Attempt {
                        task,
                        duration: seconds(event) - running.remove(&task).unwrap(),
                        succeeded,
                        result_length: succeeded.then(|| event["result"].to_string().len() as u64),
                    });
                }
                _ => {}
            }
        }
        assert!(running.is_empty() && ended.iter().any(|attempt| !attempt.succeeded));
        Self(ended)
    }

    /// The tasks that were attempted.
    pub(super) fn tasks(&self) -> Vec<i64> {
        let mut tasks: Vec<i64> = self.0.iter().map(|attempt| attempt.task).collect();
        tasks.sort_unstable();
        tasks.dedup();
        tasks
    }

    fn of_task(&self, task: i64) -> Vec<&Attempt> {
        self.0.iter().filter(|attempt| attempt.task == task).collect()
    }

    /// The figures of one task.
    pub(super) fn compare_task(&self, task: i64, told: &Value) {
        let attempts = self.of_task(task);
        counted(&attempts, told);
        assert_eq!(told["task_id"], task);
        exactly(&told["success_rate"], success_rate(&attempts));
        measured(&attempts, told);
        let durations = sorted(&attempts);
        nearly(&told["min_duration"], durations[0], ROUNDING);
        nearly(&told["max_duration"], durations[durations.len() - 1], ROUNDING);
        // Each duration is off by less than the rounding, and so is their deviation, within a factor for the sample.
        nearly(&told["std_dev"], deviation(&durations), 2.0 * ROUNDING);
        if let Some(lengths) =
            attempts.iter().map(|attempt| attempt.result_length).collect::<Option<Vec<u64>>>()
        {
            assert_eq!(told["total_results_length"], lengths.iter().sum::<u64>(), "task {task}: {told}");
        }
    }

    /// The figures of all tasks in short.
    pub(super) fn compare_summary(&self, told: &Value) {
        let tasks = self.tasks();
        assert_eq!(told["total_executions"], self.0.len());
        assert_eq!(told["tasks_analyzed"], tasks.len());
        let rates: f64 = tasks.iter().map(|task| success_rate(&self.of_task(*task))).sum();
        exactly(&told["average_success_rate"], rates / tasks.len() as f64);
        self.compare_totals(&told["performance_report"]["totals"]);
    }

    fn compare_totals(&self, told: &Value) {
        let all: Vec<&Attempt> = self.0.iter().collect();
        let successes = all.iter().filter(|attempt| attempt.succeeded).count();
        assert_eq!((&told["executions"], &told["successes"]), (&all.len().into(), &successes.into()));
        assert_eq!(
            (&told["failures"], &told["tasks"]),
            (&(all.len() - successes).into(), &self.tasks().len().into())
        );
        exactly(&told["success_rate"], success_rate(&all));
        measured(&all, told);
        let total = sorted(&all).iter().sum::<f64>();
        nearly(&told["total_duration"], total, ROUNDING * all.len() as f64);
    }

    /// The figures of lately. The journey takes minutes at most: all of it is in the last hours and days.
    pub(super) fn compare_performance(&self, told: &Value) {
        self.compare_totals(&told["performance_report"]["totals"]);
        let all: Vec<&Attempt> = self.0.iter().collect();
        for periods in ["hourly_summary", "daily_summary"] {
            let periods = told[periods].as_array().unwrap();
            let sum = |name: &str| periods.iter().map(|period| period[name].as_u64().unwrap()).sum::<u64>();
            let successes = all.iter().filter(|attempt| attempt.succeeded).count() as u64;
            assert_eq!((sum("execution_count"), sum("success_count")), (all.len() as u64, successes));
            assert_eq!(sum("failure_count"), all.len() as u64 - successes);
        }
        let trending = told["trending_tasks"].as_array().unwrap();
        assert_eq!(trending.len(), self.tasks().len().min(10));
        for task in trending {
            let attempts = self.of_task(task["task_id"].as_i64().unwrap());
            assert_eq!(task["execution_count"], attempts.len());
            exactly(&task["success_rate"], success_rate(&attempts));
        }
    }
}

fn counted(attempts: &[&Attempt], told: &Value) {
    let successes = attempts.iter().filter(|attempt| attempt.succeeded).count();
    assert_eq!(told["execution_count"], attempts.len(), "{told}");
    assert_eq!(
        (&told["success_count"], &told["failure_count"]),
        (&successes.into(), &(attempts.len() - successes).into())
    );
}

/// Mean and quantiles by nearest rank.
fn measured(attempts: &[&Attempt], told: &Value) {
    let durations = sorted(attempts);
    let n = durations.len();
    nearly(&told["avg_duration"], durations.iter().sum::<f64>() / n as f64, ROUNDING);
    for (name, percent) in [("p50", 50), ("p95", 95), ("p99", 99)] {
        let quantile = durations[(percent * n).div_ceil(100) - 1];
        nearly(&told[name], quantile, ROUNDING + SKETCH * (quantile + ROUNDING));
    }
}

fn sorted(attempts: &[&Attempt]) -> Vec<f64> {
    let mut durations: Vec<f64> = attempts.iter().map(|attempt| attempt.duration).collect();
    durations.sort_by(f64::total_cmp);
    durations
}

/// As a sample; 0 for a single value.
fn deviation(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (values.len() - 1) as f64).sqrt()
}

fn success_rate(attempts: &[&Attempt]) -> f64 {
    100.0 * attempts.iter().filter(|attempt| attempt.succeeded).count() as f64 / attempts.len() as f64
}

/// To 1e-9 of the value.
fn exactly(told: &Value, expected: f64) {
    nearly(told, expected, 1e-9 * expected.abs());
}

fn nearly(told: &Value, expected: f64, tolerance: f64) {
    let told = told.as_f64().unwrap_or_else(|| panic!("{told} is no number"));
    assert!((told - expected).abs() <= tolerance, "{told} is not {expected} within {tolerance}");
}

/// The instant of an event in seconds of its month.
fn seconds(event: &Value) -> f64 {
    let text = event["timestamp"].as_str().unwrap();
    let part = |from: usize, to: usize| text[from..to].parse::<f64>().unwrap();
    ((part(8, 10) * 24.0 + part(11, 13)) * 60.0 + part(14, 16)) * 60.0 + part(17, 23)
}

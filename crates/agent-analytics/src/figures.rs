//! What is known of a set of executions, in constant room and mergeable.

use crate::ports::AttemptRecord;
use crate::sketch::Sketch;
use crate::welford::Welford;
use agent_core::pricing::PriceList;
use agent_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Counts, sums and durations of a set of executions. Figures of parts, merged in whatever order, are those of the whole.
/// Durations are seconds; every figure is 0 when there are no executions.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Figures {
    /// Finished attempts.
    pub executions: u64,
    /// Those that completed.
    pub successes: u64,
    /// Length of all results as JSON text, in bytes.
    pub results_length: u64,
    /// Model tokens used.
    pub tokens: u64,
    /// What they cost in US dollars, as far as prices are known.
    pub cost: f64,
    /// When the latest of them ended.
    pub last_finished_at: Option<Timestamp>,
    /// How long they took.
    pub durations: Durations,
}

/// A set of durations in seconds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Durations {
    spread: Welford,
    total: f64,
    range: Option<(f64, f64)>,
    sketch: Sketch,
}

impl Figures {
    /// The figures of these executions.
    pub fn of<'a>(records: impl IntoIterator<Item = &'a AttemptRecord>, prices: &PriceList) -> Self {
        let mut figures = Self::default();
        records.into_iter().for_each(|record| figures.add(record, prices));
        figures
    }

    /// Takes one more execution in.
    pub fn add(&mut self, record: &AttemptRecord, prices: &PriceList) {
        self.add_with(record, record.tokens, record.cost(prices));
    }

    /// Takes one more execution in, of which only a part of the tokens counts here.
    pub(crate) fn add_with(&mut self, record: &AttemptRecord, tokens: u64, cost: f64) {
        self.executions += 1;
        self.successes += u64::from(record.succeeded);
        self.results_length = self.results_length.saturating_add(record.result_length);
        self.tokens = self.tokens.saturating_add(tokens);
        self.cost += cost;
        self.last_finished_at = self.last_finished_at.max(Some(record.finished_at));
        self.durations.add(record.seconds());
    }

    /// Takes in all executions of other figures.
    pub fn merge(&mut self, other: &Self) {
        self.executions += other.executions;
        self.successes += other.successes;
        self.results_length = self.results_length.saturating_add(other.results_length);
        self.tokens = self.tokens.saturating_add(other.tokens);
        self.cost += other.cost;
        self.last_finished_at = self.last_finished_at.max(other.last_finished_at);
        self.durations.merge(&other.durations);
    }

    /// Those that failed.
    pub fn failures(&self) -> u64 {
        self.executions.saturating_sub(self.successes)
    }

    /// Share of successes in percent; 0 when nothing was executed.
    pub fn success_rate(&self) -> f64 {
        percentage(self.successes, self.executions)
    }
}

/// So many of so many in percent; 0 of nothing.
pub(crate) fn percentage(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

impl Durations {
    /// Takes one more duration in.
    pub fn add(&mut self, seconds: f64) {
        self.spread.add(seconds);
        self.total += seconds;
        self.widen(seconds, seconds);
        self.sketch.add(seconds);
    }

    /// Takes in all durations of another set.
    pub fn merge(&mut self, other: &Self) {
        self.spread.merge(&other.spread);
        self.total += other.total;
        if let Some((min, max)) = other.range {
            self.widen(min, max);
        }
        self.sketch.merge(&other.sketch);
    }

    fn widen(&mut self, min: f64, max: f64) {
        self.range = Some(self.range.map_or((min, max), |(low, high)| (low.min(min), high.max(max))));
    }

    /// The shortest.
    pub fn min(&self) -> f64 {
        self.range.map_or(0.0, |(min, _)| min)
    }

    /// The longest.
    pub fn max(&self) -> f64 {
        self.range.map_or(0.0, |(_, max)| max)
    }

    /// The mean.
    pub fn mean(&self) -> f64 {
        self.spread.mean()
    }

    /// The standard deviation as a sample; 0 for a single duration.
    pub fn sample_deviation(&self) -> f64 {
        self.spread.sample_deviation()
    }

    /// All of them together.
    pub fn total(&self) -> f64 {
        self.total
    }

    /// The percentile by nearest rank, as [`Sketch`] tells it, and never beyond what was measured.
    pub fn percentile(&self, percent: u8) -> f64 {
        self.sketch.percentile(percent).clamp(self.min(), self.max())
    }
}

impl FromIterator<f64> for Durations {
    fn from_iter<I: IntoIterator<Item = f64>>(seconds: I) -> Self {
        let mut durations = Self::default();
        seconds.into_iter().for_each(|seconds| durations.add(seconds));
        durations
    }
}

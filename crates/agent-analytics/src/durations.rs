//! A set of durations and what can be said of it.

use crate::welford::Welford;

/// Durations in seconds, kept whole so that percentiles are exact; 8 bytes for each. Every figure is 0
/// when there are none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Durations {
    /// Ascending.
    sorted: Vec<f64>,
    spread: Welford,
}

impl Durations {
    /// Takes in all durations of another set.
    pub fn merge(&mut self, other: &Self) {
        self.spread.merge(&other.spread);
        self.sorted.extend_from_slice(&other.sorted);
        self.sorted.sort_by(f64::total_cmp);
    }

    /// The shortest.
    pub fn min(&self) -> f64 {
        self.sorted.first().copied().unwrap_or(0.0)
    }

    /// The longest.
    pub fn max(&self) -> f64 {
        self.sorted.last().copied().unwrap_or(0.0)
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
        // Of nothing, the sum of the standard library is minus zero.
        self.sorted.iter().sum::<f64>() + 0.0
    }

    /// The percentile by nearest rank: the duration at rank ⌈percent / 100 · n⌉ of the ascending ones,
    /// counted from 1. Above 100 it is the longest.
    pub fn percentile(&self, percent: u8) -> f64 {
        // In whole numbers, because 0.95 · 20 in floating point rounds to either side of 19.
        let rank = (usize::from(percent) * self.sorted.len()).div_ceil(100);
        let index = rank.max(1).min(self.sorted.len()).saturating_sub(1);
        self.sorted.get(index).copied().unwrap_or(0.0)
    }
}

impl FromIterator<f64> for Durations {
    fn from_iter<I: IntoIterator<Item = f64>>(seconds: I) -> Self {
        let mut sorted: Vec<f64> = seconds.into_iter().collect();
        let spread = sorted.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        Self { sorted, spread }
    }
}

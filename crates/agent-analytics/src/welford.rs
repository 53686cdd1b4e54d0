//! Mean and variance in one pass, without losing digits, and mergeable.

use serde::{Deserialize, Serialize};

/// Count, mean and spread of a stream of numbers, by Welford's method. Parts computed apart can be merged
/// (Chan, Golub and LeVeque), so that figures of days or servers add up to figures of all.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Welford {
    count: u64,
    mean: f64,
    /// Sum of squared distances from the mean.
    squares: f64,
}

impl Welford {
    /// Takes one more number in.
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        let distance = value - self.mean;
        self.mean += distance / self.count as f64;
        self.squares += distance * (value - self.mean);
    }

    /// Takes in all that another one has seen; the order does not matter.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        let (own, their) = (self.count as f64, other.count as f64);
        let distance = other.mean - self.mean;
        self.count += other.count;
        self.mean += distance * their / (own + their);
        self.squares += other.squares + distance * distance * own * their / (own + their);
    }

    /// How many numbers it has seen.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their mean; 0 when there are none.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// Their variance as a sample (divided by n − 1); 0 for fewer than two.
    pub fn sample_variance(&self) -> f64 {
        if self.count < 2 { 0.0 } else { (self.squares / (self.count - 1) as f64).max(0.0) }
    }

    /// Their standard deviation as a sample; 0 for fewer than two.
    pub fn sample_deviation(&self) -> f64 {
        self.sample_variance().sqrt()
    }
}

impl Extend<f64> for Welford {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, values: I) {
        values.into_iter().for_each(|value| self.add(value));
    }
}

impl FromIterator<f64> for Welford {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut welford = Self::default();
        welford.extend(values);
        welford
    }
}

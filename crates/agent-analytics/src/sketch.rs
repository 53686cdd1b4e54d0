//! Quantiles of many numbers in little room, mergeable.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// By how much a quantile of a [`Sketch`] may differ from the number that was measured, relative to it.
pub const RELATIVE_ERROR: f64 = 0.01;

/// Up to so many numbers are kept as they are, and quantiles are exact.
pub const EXACT_UP_TO: usize = 64;

/// The bounds of neighbouring buckets differ by this factor.
const GAMMA: f64 = (1.0 + RELATIVE_ERROR) / (1.0 - RELATIVE_ERROR);

/// Numbers below count as zero; in seconds, less than the clock tells apart.
const SMALLEST: f64 = 1e-9;

/// Numbers that are not negative, and their quantiles by nearest rank: exact for up to [`EXACT_UP_TO`] numbers, within
/// [`RELATIVE_ERROR`] beyond.
///
/// It is DDSketch (Masson, Rim and Lee, VLDB 2019) without a limit on buckets: each holds the numbers in `(γ^(i−1), γ^i]`
/// with `γ = (1 + ε) / (1 − ε)`. Durations between a nanosecond and a thousand years fall into fewer than 2,600 of them. What
/// is kept depends on the numbers alone, not on the order in which they came or parts were merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sketch {
    /// The numbers themselves, ascending.
    Exact(Vec<f64>),
    /// How many numbers fell into each bucket; zero has one of its own.
    Buckets {
        /// Numbers that count as zero.
        zeros: u64,
        /// The others, by bucket.
        counts: BTreeMap<i32, u64>,
    },
}

impl Default for Sketch {
    fn default() -> Self {
        Self::Exact(Vec::new())
    }
}

impl Sketch {
    /// Takes one more number in.
    pub fn add(&mut self, value: f64) {
        match self {
            Self::Exact(values) => {
                let place = values.partition_point(|known| known.total_cmp(&value).is_le());
                values.insert(place, value);
            }
            Self::Buckets { zeros, counts } => count(zeros, counts, value),
        }
        self.spread_out();
    }

    /// Takes in all that another one has seen; the order does not matter.
    pub fn merge(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Exact(own), Self::Exact(their)) => {
                own.extend_from_slice(their);
                own.sort_by(f64::total_cmp);
            }
            (Self::Buckets { zeros, counts }, Self::Exact(their)) => {
                their.iter().for_each(|value| count(zeros, counts, *value));
            }
            (Self::Buckets { zeros, counts }, Self::Buckets { zeros: more, counts: their }) => {
                *zeros += more;
                for (bucket, n) in their {
                    *counts.entry(*bucket).or_default() += n;
                }
            }
            (Self::Exact(own), Self::Buckets { .. }) => {
                let own = std::mem::take(own);
                *self = other.clone();
                self.merge(&Self::Exact(own));
            }
        }
        self.spread_out();
    }

    /// How many numbers it has seen.
    pub fn count(&self) -> u64 {
        match self {
            Self::Exact(values) => values.len() as u64,
            Self::Buckets { zeros, counts } => zeros + counts.values().sum::<u64>(),
        }
    }

    /// The number at rank ⌈percent / 100 · n⌉ of the ascending ones, counted from 1; above 100 the largest. 0 when there are
    /// none.
    pub fn percentile(&self, percent: u8) -> f64 {
        // In whole numbers, because 0.95 · 20 in floating point rounds to either side of 19.
        let n = self.count();
        let rank = (u128::from(percent) * u128::from(n)).div_ceil(100).clamp(1, u128::from(n.max(1)));
        match self {
            Self::Exact(values) => {
                usize::try_from(rank - 1).ok().and_then(|index| values.get(index)).copied().unwrap_or(0.0)
            }
            Self::Buckets { zeros, counts } => {
                let mut below = u128::from(*zeros);
                if rank <= below {
                    return 0.0;
                }
                let reaches = |(bucket, n): (&i32, &u64)| {
                    below += u128::from(*n);
                    (rank <= below).then(|| middle(*bucket))
                };
                counts.iter().find_map(reaches).unwrap_or(0.0)
            }
        }
    }

    /// Goes over to buckets when there are too many numbers to keep.
    fn spread_out(&mut self) {
        if let Self::Exact(values) = self
            && values.len() > EXACT_UP_TO
        {
            let (mut zeros, mut counts) = (0, BTreeMap::new());
            values.iter().for_each(|value| count(&mut zeros, &mut counts, *value));
            *self = Self::Buckets { zeros, counts };
        }
    }
}

fn count(zeros: &mut u64, counts: &mut BTreeMap<i32, u64>, value: f64) {
    if value < SMALLEST {
        *zeros += 1;
    } else {
        *counts.entry((value.ln() / GAMMA.ln()).ceil() as i32).or_default() += 1;
    }
}

/// The number of a bucket that is at most [`RELATIVE_ERROR`] away from all others of it.
fn middle(bucket: i32) -> f64 {
    2.0 * GAMMA.powi(bucket) / (GAMMA + 1.0)
}

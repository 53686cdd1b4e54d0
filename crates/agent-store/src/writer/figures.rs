//! What the writer counts while it works: written by its one thread, read by anybody at any time.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many transactions share a commit.
const BATCH_SIZES: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256];
/// How long a commit takes, in microseconds.
const COMMIT_MICROS: &[u64] =
    &[100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000];

/// How much the writer has done since the store was opened; shows how well commits are shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriterStatistics {
    /// Commits of the database, each with its `fsync`.
    pub commits: u64,
    /// Transactions that callers asked for, the refused ones included.
    pub jobs: u64,
}

/// How values are spread, as a histogram of Prometheus counts them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Distribution {
    /// Upper bounds, each with how many values lie at most there and above the bound before. The last bound is infinite.
    pub buckets: Vec<(f64, u64)>,
    /// All values together.
    pub sum: f64,
}

impl Distribution {
    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum()
    }
}

/// How the writer commits.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CommitFigures {
    /// Transactions in one commit.
    pub batch_sizes: Distribution,
    /// How long commits took to reach the disk or the server, in seconds.
    pub seconds: Distribution,
}

/// A distribution of whole numbers in the making.
struct Tally {
    bounds: &'static [u64],
    /// One more than there are bounds.
    counts: Vec<AtomicU64>,
    sum: AtomicU64,
}

impl Tally {
    fn new(bounds: &'static [u64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, counts, sum: AtomicU64::new(0) }
    }

    fn add(&self, value: u64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
            self.sum.fetch_add(value, Ordering::Relaxed);
        }
    }

    /// What was added so far, in a unit of which one is `scale` of what was added.
    fn read(&self, scale: f64) -> Distribution {
        let bounds = self.bounds.iter().map(|bound| *bound as f64 / scale);
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        let buckets = bounds.chain(std::iter::once(f64::INFINITY)).zip(counts).collect();
        Distribution { buckets, sum: self.sum.load(Ordering::Relaxed) as f64 / scale }
    }
}

/// Everything the writer counts.
pub(super) struct Counters {
    commits: AtomicU64,
    jobs: AtomicU64,
    batch_sizes: Tally,
    commit_micros: Tally,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            commits: AtomicU64::new(0),
            jobs: AtomicU64::new(0),
            batch_sizes: Tally::new(BATCH_SIZES),
            commit_micros: Tally::new(COMMIT_MICROS),
        }
    }
}

impl Counters {
    /// Transactions were asked for.
    pub(super) fn asked(&self, jobs: usize) {
        self.jobs.fetch_add(jobs as u64, Ordering::Relaxed);
    }

    /// So many transactions were committed together, which took so long.
    pub(super) fn committed(&self, jobs: usize, took: std::time::Duration) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.batch_sizes.add(jobs as u64);
        self.commit_micros.add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    pub(super) fn statistics(&self) -> WriterStatistics {
        WriterStatistics {
            commits: self.commits.load(Ordering::Relaxed),
            jobs: self.jobs.load(Ordering::Relaxed),
        }
    }

    pub(super) fn commits(&self) -> CommitFigures {
        CommitFigures {
            batch_sizes: self.batch_sizes.read(1.0),
            seconds: self.commit_micros.read(1_000_000.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_value_counts_where_it_is_at_most_the_bound() {
        let counters = Counters::default();
        for (jobs, micros) in [(1, 100), (2, 101), (3, 5_000_000), (300, 0)] {
            counters.committed(jobs, Duration::from_micros(micros));
        }
        let CommitFigures { batch_sizes, seconds } = counters.commits();
        assert_eq!(batch_sizes.buckets[..3], [(1.0, 1), (2.0, 1), (4.0, 1)]);
        assert_eq!(batch_sizes.buckets.last(), Some(&(f64::INFINITY, 1)));
        assert_eq!((batch_sizes.count(), batch_sizes.sum), (4, 306.0));
        assert_eq!(seconds.buckets[..2], [(0.0001, 2), (0.00025, 1)]);
        assert_eq!((seconds.count(), seconds.buckets.last()), (4, Some(&(f64::INFINITY, 1))));
    }
}

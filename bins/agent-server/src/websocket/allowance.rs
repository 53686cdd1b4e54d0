//! How many messages a client may send.

use std::time::Duration;
use tokio::time::Instant;

/// A bucket that empties at a rate and holds two seconds' worth.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    per_second: u32,
    level: f64,
    at: Instant,
}

const HOLDS: Duration = Duration::from_secs(2);

impl Allowance {
    pub(super) fn new(per_second: u32, now: Instant) -> Self {
        Self { per_second, level: 0.0, at: now }
    }

    /// Whether another message may come now.
    pub(super) fn admits(&mut self, now: Instant) -> bool {
        let (rate, passed) = (f64::from(self.per_second), now.duration_since(self.at).as_secs_f64());
        self.level = (self.level - passed * rate).max(0.0) + 1.0;
        self.at = now;
        self.level <= rate * HOLDS.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_a_flood_does_not() {
        let start = Instant::now();
        let mut steady = Allowance::new(10, start);
        assert!((1..=1_000).all(|n| steady.admits(start + Duration::from_millis(n * 100))));
        let mut flood = Allowance::new(10, start);
        assert_eq!((0..100).filter(|_| flood.admits(start)).count(), 20);
    }
}

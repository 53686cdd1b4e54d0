//! Chance that can be had again: the same seed gives the same choices.

use crate::settings::{asked, tell};
use agent_testkit::Seeded;
use std::time::{Duration, SystemTime};

/// Numbers that choose moments.
pub(crate) struct Dice(Seeded);

impl Dice {
    /// From `AGENT_TEST_SEED`, or from the clock; printed either way.
    #[expect(clippy::disallowed_methods, reason = "any number is as good as another, and it is printed")]
    pub(crate) fn thrown(test: &str) -> Self {
        let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let seed = asked("AGENT_TEST_SEED", clock.as_micros() as u64 % 1_000_000);
        tell(&format!("{test}: AGENT_TEST_SEED={seed}"));
        Self(Seeded::new(seed))
    }

    /// One of `0..end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0.below(end)
    }

    /// A duration between two numbers of milliseconds.
    pub(crate) fn between(&mut self, least_ms: u64, most_ms: u64) -> Duration {
        Duration::from_micros(least_ms * 1_000 + self.below((most_ms - least_ms) * 1_000))
    }

    /// True once in so many times.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

//! Chance that can be had again: the same seed gives the same choices.

use crate::settings::{asked, tell};
use std::time::{Duration, SystemTime};

/// Splitmix64, which is small and good enough to choose moments.
pub(crate) struct Dice(u64);

impl Dice {
    /// From `AGENT_TEST_SEED`, or from the clock; printed either way.
    #[expect(clippy::disallowed_methods, reason = "any number is as good as another, and it is printed")]
    pub(crate) fn thrown(test: &str) -> Self {
        let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let seed = asked("AGENT_TEST_SEED", clock.as_micros() as u64 % 1_000_000);
        tell(&format!("{test}: AGENT_TEST_SEED={seed}"));
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of `0..end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
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

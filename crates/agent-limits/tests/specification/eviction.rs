//! Memory is bounded, and who is forgotten first.

use crate::{at, keys, quota, remaining};
use agent_limits::{Quota, RateLimiter};
use proptest::prelude::*;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

#[test]
fn i13_a_million_keys_do_not_grow_the_memory_and_do_not_free_who_is_held_back() {
    let limiter = RateLimiter::new(quota("10/min"), keys(10_000));
    let held = u64::MAX;
    while limiter.check(&held, at(0)).is_allowed() {}
    for key in 0..1_000_000_u64 {
        assert!(limiter.check(&key, at(key)).is_allowed(), "a new key is never refused");
        if key % 50_000 == 0 {
            assert!(limiter.remembered() <= 10_000);
        }
    }
    assert!(limiter.remembered() <= 10_000);
    assert!(!limiter.check(&held, at(1_000_000)).is_allowed());
}

#[test]
fn the_bound_holds_for_every_number_of_keys() {
    for bound in [1, 2, 63, 64, 127, 128, 129, 1_000, 4_095, 5_000] {
        let limiter = RateLimiter::new(quota("1/hour"), keys(bound));
        for key in 0..20_000_u32 {
            limiter.check(&key, at(0));
        }
        assert!(limiter.remembered() <= bound, "{} of {bound}", limiter.remembered());
        assert!(limiter.remembered() * 10 >= bound * 9, "{} of {bound}", limiter.remembered());
    }
}

#[test]
fn keys_at_rest_are_forgotten_before_busy_ones() {
    let limiter = RateLimiter::new(quota("60/min"), keys(3));
    for _ in 0..30 {
        limiter.check(&"busy", at(0));
    }
    for resting in ["one", "two"] {
        limiter.check(&resting, at(0));
    }
    let later = at(5_000_000);
    for new in ["three", "four"] {
        limiter.check(&new, later);
    }
    assert_eq!(remaining(limiter.peek(&"busy", later)), 60 - 30 + 5 - 1);
    assert_eq!(remaining(limiter.peek(&"one", later)), 59, "nothing is lost with a key at rest");
}

#[test]
fn among_busy_keys_the_nearest_to_rest_is_forgotten_and_starts_with_a_fresh_quota_and_no_more() {
    let limiter = RateLimiter::new(quota("10/hour"), keys(3));
    for (key, times) in [("three", 3), ("one", 1), ("two", 2)] {
        for _ in 0..times {
            limiter.check(&key, at(0));
        }
    }
    limiter.check(&"new", at(0));
    assert_eq!(remaining(limiter.peek(&"one", at(0))), 9);
    assert_eq!(remaining(limiter.peek(&"two", at(0))), 7);
    assert_eq!(remaining(limiter.peek(&"three", at(0))), 6);
    assert_eq!(remaining(limiter.peek(&"new", at(0))), 8);
}

/// The same rules, written as slowly and plainly as can be. Time in parts of a microsecond.
struct Plain {
    max_keys: usize,
    ticks: u64,
    interval: u64,
    burst: u64,
    recovers_at: HashMap<u8, u64>,
}

impl Plain {
    /// Whether the request may pass; `None` when two keys are equally near to rest, and either may be forgotten.
    fn check(&mut self, key: u8, micros: u64) -> Option<bool> {
        let now = micros * self.ticks;
        let recovers_at = self.recovers_at.get(&key).copied().unwrap_or(0).max(now) + self.interval;
        if recovers_at - now > self.burst * self.interval {
            return Some(false);
        }
        if !self.recovers_at.contains_key(&key) && self.recovers_at.len() == self.max_keys {
            let (first, moment) = self.recovers_at.iter().min_by_key(|(_, moment)| **moment)?;
            if self.recovers_at.iter().any(|(other, at)| other != first && at == moment) {
                return None;
            }
            let first = *first;
            self.recovers_at.remove(&first);
        }
        self.recovers_at.insert(key, recovers_at);
        Some(true)
    }
}

proptest! {
    #[test]
    fn keys_are_allowed_and_forgotten_as_by_the_plainest_rules(
        requests in 1_u32..8,
        burst in 1_u32..8,
        uses in prop::collection::vec((0_u8..9, 1_u64..400_000), 1..200),
    ) {
        let (requests, burst) = (NonZeroU32::new(requests).unwrap(), NonZeroU32::new(burst).unwrap());
        let quota = Quota::new(requests, Duration::from_micros(3_000_017)).unwrap().with_burst(burst);
        let limiter = RateLimiter::new(quota, keys(4));
        let (ticks, burst) = (u64::from(requests.get()), u64::from(burst.get()));
        let mut plain = Plain { max_keys: 4, ticks, interval: 3_000_017, burst, recovers_at: HashMap::new() };
        let mut now = 0;
        for (key, step) in uses {
            now += step;
            let Some(expected) = plain.check(key, now) else { break };
            prop_assert_eq!(limiter.check(&key, at(now)).is_allowed(), expected, "key {} at {}", key, now);
            prop_assert_eq!(limiter.remembered(), plain.recovers_at.len());
        }
    }
}

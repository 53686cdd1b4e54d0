//! A key gets its quota, no more and no less.

use crate::{at, keys, quota, remaining, retry_after};
use agent_core::time::Timestamp;
use agent_limits::{Decision, Quota, RateLimiter};
use proptest::prelude::*;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const SECOND: u64 = 1_000_000;

fn limiter(text: &str) -> RateLimiter<u8> {
    RateLimiter::new(quota(text), keys(100))
}

#[test]
fn i13_the_request_after_the_last_one_is_refused_and_told_when_to_come_back() {
    let limiter = limiter("3/min");
    for left in [2, 1, 0] {
        assert_eq!(remaining(limiter.check(&1, at(0))), left);
    }
    let refused = limiter.check(&1, at(0));
    let (retry_after, reset_after) = (Duration::from_secs(20), Duration::from_secs(60));
    assert_eq!(refused, Decision::Limited { limit: 3, retry_after, reset_after });
    assert_eq!(remaining(limiter.check(&2, at(0))), 2, "another key has its own quota");
}

#[test]
fn requests_are_given_back_one_by_one_and_never_more_than_the_burst() {
    let limiter = limiter("3/min");
    for _ in 0..3 {
        limiter.check(&1, at(0));
    }
    assert_eq!(retry_after(limiter.check(&1, at(20 * SECOND - 1))), Duration::from_micros(1));
    assert_eq!(remaining(limiter.check(&1, at(20 * SECOND))), 0);
    assert_eq!(remaining(limiter.check(&1, at(60 * SECOND))), 1);
    assert_eq!(remaining(limiter.check(&1, at(86_400 * SECOND))), 2, "after a day no more than the burst");
}

#[test]
fn a_burst_of_its_own_limits_what_comes_at_once() {
    let limiter = limiter("60/min burst 2");
    assert_eq!(remaining(limiter.check(&1, at(0))), 1);
    assert_eq!(remaining(limiter.check(&1, at(0))), 0);
    assert_eq!(retry_after(limiter.check(&1, at(0))), Duration::from_secs(1));
    assert!(limiter.check(&1, at(SECOND)).is_allowed());
}

#[test]
fn a_look_counts_nothing_and_remembers_nothing() {
    let limiter = limiter("2/min");
    for _ in 0..10 {
        assert_eq!(remaining(limiter.peek(&1, at(0))), 1);
    }
    assert_eq!(limiter.remembered(), 0);
    for _ in 0..2 {
        assert_eq!(limiter.peek(&1, at(0)), limiter.check(&1, at(0)));
    }
    assert_eq!(limiter.peek(&1, at(0)), limiter.check(&1, at(0)));
}

#[test]
fn refused_requests_do_not_make_the_wait_longer() {
    let limiter = limiter("1/min");
    limiter.check(&1, at(0));
    for second in 0..60 {
        assert_eq!(retry_after(limiter.check(&1, at(second * SECOND))), Duration::from_secs(60 - second));
    }
    assert!(limiter.check(&1, at(60 * SECOND)).is_allowed());
}

#[test]
fn a_clock_that_is_set_back_by_days_holds_nobody_for_days() {
    let limiter = limiter("2/min");
    let later = 5 * 86_400 * SECOND;
    for _ in 0..2 {
        limiter.check(&1, at(later));
    }
    assert_eq!(retry_after(limiter.check(&1, at(0))), Duration::from_secs(30));
    assert!(limiter.check(&1, at(30 * SECOND)).is_allowed());
    assert!(!limiter.check(&1, at(30 * SECOND)).is_allowed());
}

#[test]
fn threads_that_read_the_clock_in_disorder_gain_nothing() {
    let limiter = limiter("10/s");
    let times = (0..10_000).map(|number| at(SECOND + number % 2 * 1_000));
    assert_eq!(times.filter(|time| limiter.check(&1, *time).is_allowed()).count(), 10);
}

#[test]
fn threads_that_hammer_one_key_get_exactly_the_quota() {
    let (limiter, allowed) = (limiter("1000/hour"), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..500 {
                    allowed.fetch_add(u32::from(limiter.check(&1, at(0)).is_allowed()), Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(allowed.into_inner(), 1000);
}

fn any_quota() -> impl Strategy<Value = Quota> {
    let number = || (1_u32..40).prop_map(|number| NonZeroU32::new(number).unwrap());
    let period = (1_u64..5_000_000).prop_map(Duration::from_micros);
    (number(), period, number())
        .prop_map(|(requests, period, burst)| Quota::new(requests, period).unwrap().with_burst(burst))
}

/// Steps of a clock that mostly goes forward, sometimes not at all, and sometimes is set back.
fn any_steps() -> impl Strategy<Value = Vec<i64>> {
    let step = prop_oneof![
        4 => 0_i64..2_000_000,
        2 => Just(0_i64),
        1 => -3_000_000_i64..0,
        1 => -10_000_000_000_i64..10_000_000_000,
    ];
    prop::collection::vec(step, 1..80)
}

proptest! {
    #[test]
    fn in_no_stretch_of_time_more_than_the_burst_and_what_is_given_back_is_allowed(
        quota in any_quota(), steps in any_steps(),
    ) {
        let limiter = RateLimiter::new(quota, keys(10));
        let (mut now, mut forward, mut allowed) = (at(0).as_micros(), 0_u128, Vec::new());
        for step in steps {
            now += step;
            forward += u128::try_from(step).unwrap_or(0);
            if limiter.check(&1, Timestamp::from_micros(now)).is_allowed() {
                allowed.push(forward);
            }
        }
        let (burst, rate) = (u128::from(quota.burst().get()), u128::from(quota.requests().get()));
        for (first, begin) in allowed.iter().enumerate() {
            for (last, end) in allowed.iter().enumerate().skip(first) {
                let most = burst + (end - begin) * rate / quota.period().as_micros();
                prop_assert!((last - first + 1) as u128 <= most, "{} in {} us", last - first + 1, end - begin);
            }
        }
    }

    #[test]
    fn whoever_waits_as_long_as_told_is_allowed_and_whoever_waits_less_is_not(
        quota in any_quota(), steps in prop::collection::vec(0_u64..200_000, 1..80),
    ) {
        let limiter = RateLimiter::new(quota, keys(10));
        let mut now = at(0);
        for step in steps {
            now = now.plus(Duration::from_micros(step));
            let decision = limiter.check(&1, now);
            if !decision.is_allowed() {
                let wait = retry_after(decision);
                prop_assert!(wait > Duration::ZERO);
                prop_assert!(!limiter.check(&1, now.plus(wait - Duration::from_micros(1))).is_allowed());
                now = now.plus(wait);
                prop_assert!(limiter.check(&1, now).is_allowed());
            }
        }
    }

    #[test]
    fn what_is_said_to_remain_may_come_and_no_more(
        quota in any_quota(), steps in prop::collection::vec(0_u64..200_000, 1..20),
    ) {
        let limiter = RateLimiter::new(quota, keys(10));
        let mut now = at(0);
        for step in steps {
            now = now.plus(Duration::from_micros(step));
            let decision = limiter.check(&1, now);
            if decision.is_allowed() {
                for left in (0..remaining(decision)).rev() {
                    prop_assert_eq!(remaining(limiter.check(&1, now)), left);
                }
                prop_assert!(!limiter.check(&1, now).is_allowed());
            }
        }
    }

    #[test]
    fn whoever_waits_for_the_reset_has_everything_back(quota in any_quota(), n_before in 1_u32..50) {
        let limiter = RateLimiter::new(quota, keys(10));
        for _ in 1..n_before {
            limiter.check(&1, at(0));
        }
        let (Decision::Allowed { limit, reset_after, .. } | Decision::Limited { limit, reset_after, .. }) =
            limiter.check(&1, at(0));
        prop_assert_eq!(remaining(limiter.peek(&1, at(0).plus(reset_after))), limit - 1);
    }

    #[test]
    fn after_any_jumps_of_the_clock_nobody_waits_longer_than_told_and_a_second(
        quota in any_quota(),
        times in prop::collection::vec(any::<i64>(), 1..20),
        last in -1_000_000_000_000_i64..1_000_000_000_000,
    ) {
        let limiter = RateLimiter::new(quota, keys(10));
        for time in times {
            limiter.check(&1, Timestamp::from_micros(time));
        }
        while limiter.check(&1, Timestamp::from_micros(last)).is_allowed() {}
        let wait = retry_after(limiter.check(&1, Timestamp::from_micros(last))) + Duration::from_secs(1);
        prop_assert!(limiter.check(&1, Timestamp::from_micros(last).plus(wait)).is_allowed());
    }
}

#[test]
fn the_most_extreme_quotas_are_counted_like_any_other() {
    let (many, one) = (NonZeroU32::MAX, NonZeroU32::MIN);
    let longest = Duration::from_micros(u64::MAX);
    for (requests, period, burst) in [
        (many, Duration::from_nanos(1), one),
        (many, longest, many),
        (one, longest, many),
        (one, Duration::from_micros(1), many),
    ] {
        let limiter = RateLimiter::new(Quota::new(requests, period).unwrap().with_burst(burst), keys(1));
        for time in [i64::MIN, i64::MAX, 0, i64::MIN, i64::MAX] {
            limiter.check(&1, Timestamp::from_micros(time));
        }
        let fresh = RateLimiter::new(Quota::new(requests, period).unwrap().with_burst(burst), keys(1));
        assert_eq!(remaining(fresh.check(&1, Timestamp::from_micros(i64::MAX))), burst.get() - 1);
    }
}

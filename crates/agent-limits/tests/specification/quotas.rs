//! Quotas as text, and decisions as headers.

use crate::quota;
use agent_limits::{Decision, Error, Quota};
use proptest::prelude::*;
use std::num::NonZeroU32;
use std::time::Duration;

#[test]
fn a_quota_is_read_as_people_write_it() {
    for (text, requests, seconds, burst) in [
        ("600/min", 600, 60, 600),
        ("10/s", 10, 1, 10),
        ("5000/hour", 5000, 3600, 5000),
        (" 20 / 15min ", 20, 900, 20),
        ("20/15 minutes", 20, 900, 20),
        ("1/DAY", 1, 86_400, 1),
        ("600/min burst 50", 600, 60, 50),
    ] {
        let quota = quota(text);
        assert_eq!(quota.requests().get(), requests, "{text}");
        assert_eq!(quota.period(), Duration::from_secs(seconds), "{text}");
        assert_eq!(quota.burst().get(), burst, "{text}");
    }
}

#[test]
fn off_is_no_limit() {
    assert_eq!(Quota::optional(" Off "), Ok(None));
    assert_eq!(Quota::optional("10/s"), Ok(Some(quota("10/s"))));
    assert!(Quota::optional("of").is_err());
    assert!("off".parse::<Quota>().is_err());
}

#[test]
fn a_text_that_is_no_quota_is_refused_with_what_is_wrong() {
    for (text, reason) in [
        ("", "no /"),
        ("600", "no /"),
        ("600 per min", "no /"),
        ("/min", "digits"),
        ("-1/min", "digits"),
        ("+1/min", "digits"),
        ("1.5/s", "digits"),
        ("0/min", "no requests at all"),
        ("4294967296/s", "above 4294967295"),
        ("10/", "not in s, min"),
        ("10/fortnight", "not in s, min"),
        ("10/min/s", "not in s, min"),
        ("10/0min", "nothing"),
        ("10/99999999999999999999s", "too long"),
        ("10/9999999999999999day", "too long"),
        ("10/s burst", "digits"),
        ("10/s burst 0", "no requests at all"),
        ("10/s burst 1 burst 2", "digits"),
    ] {
        let error = text.parse::<Quota>().unwrap_err().to_string();
        assert!(error.contains(reason) && error.contains("600/min"), "{text:?}: {error}");
        assert!(error.starts_with(&format!("{text:?}")), "{error}");
    }
}

#[test]
fn a_period_is_neither_nothing_nor_endless() {
    let one = NonZeroU32::MIN;
    assert_eq!(Quota::new(one, Duration::ZERO), Err(Error::Period(Duration::ZERO)));
    assert_eq!(Quota::new(one, Duration::MAX), Err(Error::Period(Duration::MAX)));
    assert_eq!(Quota::new(one, Duration::from_nanos(1)).unwrap().period(), Duration::from_micros(1));
}

#[test]
fn a_quota_is_written_in_the_longest_unit_that_fits() {
    for text in ["600/min", "10/s", "5000/hour", "20/15min", "1/day", "3/90s", "600/min burst 50", "7/1500us"]
    {
        assert_eq!(quota(text).to_string(), text);
    }
    assert_eq!(quota("1/60s").to_string(), "1/min");
}

#[test]
fn an_allowed_request_is_told_its_limit_in_whole_seconds_rounded_up() {
    let allowed = Decision::Allowed { limit: 600, remaining: 599, reset_after: Duration::from_millis(100) };
    let pairs: Vec<_> = allowed.headers().pairs().collect();
    assert_eq!(pairs, [("RateLimit-Limit", 600), ("RateLimit-Remaining", 599), ("RateLimit-Reset", 1)]);
    let whole = Decision::Allowed { limit: 600, remaining: 0, reset_after: Duration::from_secs(60) };
    assert_eq!(whole.headers().reset_seconds, 60);
}

#[test]
fn i13_a_refused_request_is_told_to_wait_at_least_a_second() {
    let limited = |retry_after, reset_after| Decision::Limited { limit: 5, retry_after, reset_after };
    let soon = limited(Duration::from_micros(1), Duration::from_millis(1001));
    let pairs: Vec<_> = soon.headers().pairs().collect();
    let expected =
        [("RateLimit-Limit", 5), ("RateLimit-Remaining", 0), ("RateLimit-Reset", 2), ("Retry-After", 1)];
    assert_eq!(pairs, expected);
    assert_eq!(limited(Duration::ZERO, Duration::ZERO).headers().retry_after_seconds, Some(1));
    assert_eq!(limited(Duration::MAX, Duration::MAX).headers().retry_after_seconds, Some(u64::MAX));
}

proptest! {
    #[test]
    fn every_quota_is_read_back_as_it_is_written(requests in 1_u32.., micros in 1_u64.., burst in 1_u32..) {
        let quota = Quota::new(NonZeroU32::new(requests).unwrap(), Duration::from_micros(micros)).unwrap();
        let other = quota.with_burst(NonZeroU32::new(burst).unwrap());
        prop_assert_eq!(quota.to_string().parse(), Ok(quota));
        prop_assert_eq!(other.to_string().parse(), Ok(other));
    }

    #[test]
    fn no_text_makes_the_reader_panic(
        text in ".{0,40}|[0-9]{0,30} ?/ ?[0-9]{0,30}[a-z]{0,4}( burst [0-9]{0,30})?",
    ) {
        if let Ok(Some(quota)) = Quota::optional(&text) {
            prop_assert_eq!(quota.to_string().parse(), Ok(quota));
        }
    }
}

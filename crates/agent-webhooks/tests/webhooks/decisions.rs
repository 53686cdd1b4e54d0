//! I17: when a delivery is tried again, and when no more.

use agent_core::time::Timestamp;
use agent_webhooks::{
    Answer, Attempts, CallError, Decision, DisabledReason, MAX_AGE, MAX_ATTEMPTS, MAX_HOPELESS_ATTEMPTS,
    Outcome, Refused, next_attempt,
};
use proptest::prelude::*;
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_micros(1_767_268_800_000_000);
const HOUR: Duration = Duration::from_secs(3_600);
const FAILING: Decision = Decision::GiveUp(DisabledReason::Failing);

fn answered(status: u16, retry_after: Option<&str>) -> Outcome {
    let retry_after = retry_after.map(str::to_owned);
    Outcome::Answered(Answer { status, retry_after, body: Vec::new(), is_cut: false })
}

fn nth(made: u32) -> Attempts {
    Attempts { made, since: NOW }
}

/// The pause after an attempt, in seconds.
fn pause(made: u32, outcome: &Outcome, jitter: f64) -> u64 {
    match next_attempt(nth(made), outcome, NOW, jitter) {
        Decision::RetryAt(at) => at.since(NOW).as_secs(),
        other => panic!("{other:?}"),
    }
}

/// How many attempts are made when each comes out so.
fn attempts_until_given_up(outcome: &Outcome) -> u32 {
    (1..100).find(|made| next_attempt(nth(*made), outcome, NOW, 0.5) == FAILING).unwrap()
}

#[test]
fn i17_only_200_to_299_is_delivered() {
    for status in [200, 201, 202, 204, 299] {
        assert_eq!(next_attempt(nth(1), &answered(status, None), NOW, 0.0), Decision::Delivered);
    }
    for status in (100..200).chain(300..410).chain(411..600) {
        let decision = next_attempt(nth(1), &answered(status, None), NOW, 0.0);
        assert!(matches!(decision, Decision::RetryAt(_)), "{status}: {decision:?}");
    }
}

#[test]
fn i17_gone_means_gone() {
    let decision = next_attempt(nth(1), &answered(410, Some("10")), NOW, 0.0);
    assert_eq!(decision, Decision::GiveUp(DisabledReason::Gone));
}

#[test]
fn i17_pauses_double_from_ten_seconds_to_an_hour() {
    let down = answered(503, None);
    let shortest: Vec<u64> = (1..MAX_ATTEMPTS).map(|made| pause(made, &down, 0.0)).collect();
    assert_eq!(shortest, [10, 20, 40, 80, 160, 320, 640, 1_280, 1_800, 1_800, 1_800]);
    let longest: Vec<u64> = (1..MAX_ATTEMPTS).map(|made| pause(made, &down, 1.0)).collect();
    assert_eq!(longest, [20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600, 3_600]);
}

#[test]
fn i17_what_may_pass_is_tried_twelve_times_and_what_is_wrong_five_times() {
    for status in [408, 425, 429, 500, 502, 503, 504, 599] {
        assert_eq!(attempts_until_given_up(&answered(status, None)), MAX_ATTEMPTS, "{status}");
    }
    for status in [301, 302, 307, 308, 400, 401, 403, 404, 405, 413, 422, 451] {
        assert_eq!(attempts_until_given_up(&answered(status, None)), MAX_HOPELESS_ATTEMPTS, "{status}");
    }
    let unanswered = [
        CallError::Deadline(Duration::from_secs(15)),
        CallError::Broken("reset".to_owned()),
        CallError::NotFound { host: "a".to_owned(), reason: "b".to_owned() },
    ];
    for error in unanswered {
        assert_eq!(attempts_until_given_up(&Outcome::Unanswered(error)), MAX_ATTEMPTS);
    }
    let refused = Outcome::Unanswered(CallError::Refused(Refused::PlainHttp));
    assert_eq!(attempts_until_given_up(&refused), MAX_HOPELESS_ATTEMPTS);
}

#[test]
fn i17_nothing_is_tried_for_longer_than_a_day() {
    let since = Timestamp::from_micros(NOW.as_micros() - i64::try_from(MAX_AGE.as_micros()).unwrap());
    let early = Attempts { made: 2, since: since.plus(Duration::from_secs(20)) };
    let late = Attempts { made: 2, since: since.plus(Duration::from_secs(19)) };
    let down = answered(503, None);
    assert!(matches!(next_attempt(early, &down, NOW, 0.0), Decision::RetryAt(_)));
    assert_eq!(next_attempt(late, &down, NOW, 0.0), FAILING);
}

#[test]
fn i17_retry_after_is_honoured_within_bounds() {
    let cases = [
        ("120", 120),
        (" 120 ", 120),
        ("0", 10),
        ("1", 10),
        ("86400", 3_600),
        ("99999999999999999999999999", 3_600),
        ("Thu, 01 Jan 2026 12:05:00 GMT", 300),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 10),
        ("Fri, 02 Jan 2026 12:00:00 GMT", 3_600),
        ("-5", 10),
        ("soon", 10),
        ("", 10),
        ("1.5", 10),
    ];
    for (text, seconds) in cases {
        assert_eq!(pause(1, &answered(429, Some(text)), 0.0), seconds, "{text}");
        assert_eq!(pause(1, &answered(503, Some(text)), 0.0), seconds, "{text}");
    }
    assert_eq!(pause(8, &answered(503, Some("15")), 0.0), 1_280, "never sooner than without it");
}

#[test]
fn a_complaint_says_what_the_owner_may_do() {
    let redirect = answered(302, None).complaint();
    assert_eq!(
        redirect,
        "the receiver answered with a redirect, 302, which is not followed; give its final address"
    );
    assert!(answered(404, None).complaint().contains("status 404; answer with 200 to 299"));
    assert_eq!(answered(204, None).complaint(), "");
    let slow = Outcome::Unanswered(CallError::Deadline(Duration::from_secs(15))).complaint();
    assert_eq!(slow, "no complete answer within 15000 ms; answer at once and do the work afterwards");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn i17_a_retry_is_ten_seconds_to_an_hour_away_and_within_a_day(
        made in 0_u32..=u32::MAX, age in 0_u64..200_000, status in 100_u16..600, jitter in any::<f64>(),
        retry_after in proptest::option::of(".{0,40}|[0-9]{1,30}"),
    ) {
        let since = Timestamp::from_micros(NOW.as_micros() - i64::try_from(age).unwrap() * 1_000_000);
        let outcome = answered(status, retry_after.as_deref());
        match next_attempt(Attempts { made, since }, &outcome, NOW, jitter) {
            Decision::RetryAt(at) => {
                let pause = at.since(NOW);
                prop_assert!(pause >= Duration::from_secs(10) && pause <= HOUR, "{:?}", pause);
                prop_assert!(at.since(since) <= MAX_AGE);
                prop_assert!(made < MAX_ATTEMPTS);
            }
            Decision::Delivered => prop_assert!((200..300).contains(&status)),
            Decision::GiveUp(DisabledReason::Gone) => prop_assert_eq!(status, 410),
            Decision::GiveUp(_) => {}
        }
    }
}

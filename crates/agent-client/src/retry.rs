//! Whether a request is sent again, and after what pause: decisions without a clock.

mod retry_after;

pub(crate) use retry_after::parse as parse_retry_after;

use crate::error::{Error, Result};
use std::time::Duration;

/// No pause may be longer than this; it keeps the arithmetic far from its ends.
const LONGEST: Duration = Duration::from_hours(24);

/// How often a request is sent, and what lies between. Only requests that may be done twice are sent again after their
/// answer was lost: those that read, and those that create under an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// How often a request is sent at most, the first time included; 1 means never again.
    pub attempts: u32,
    /// The first pause at its longest; it doubles with each attempt, and half of each is left to chance.
    pub first_pause: Duration,
    /// Ceiling of the pause.
    pub longest_pause: Duration,
    /// A server that asks with `Retry-After` for more than this is not waited for: its problem is the answer.
    pub longest_wait: Duration,
}

impl Default for Retries {
    /// 4 attempts, 200 ms to 5 s between them, and up to 60 s where the server asks for them.
    fn default() -> Self {
        Self {
            attempts: 4,
            first_pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(5),
            longest_wait: Duration::from_secs(60),
        }
    }
}

impl Retries {
    /// Every request is sent once.
    pub fn none() -> Self {
        Self { attempts: 1, ..Self::default() }
    }

    /// # Errors
    /// `InvalidSetting` for no attempt at all, and for pauses beyond a day.
    pub(crate) fn check(&self) -> Result<()> {
        if self.attempts == 0 {
            return Err(Error::setting("retries.attempts", "must be 1 or more"));
        }
        if self.first_pause.max(self.longest_pause).max(self.longest_wait) > LONGEST {
            return Err(Error::setting("retries", "must not pause for more than a day"));
        }
        Ok(())
    }
}

/// Whether a request may be done twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// The second time changes nothing, or the server recognises it by its key.
    Harmless,
    /// The second time may do it again.
    Harmful,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// With an answer.
    Answered {
        /// Its status.
        status: u16,
        /// What its `Retry-After` asks for.
        retry_after: Option<Duration>,
    },
    /// Nothing was sent: there is no connection.
    NotSent,
    /// Something was sent, and no whole answer came.
    Lost,
}

/// Whether a status says that the same request may work later.
pub(crate) fn is_temporary(status: u16) -> bool {
    matches!(status, 429 | 502 | 503 | 504)
}

/// How long to wait before the request is sent again; `None` when it is not. `attempt` is the number of the one that
/// ended, `chance` lies between 0 and 1.
pub(crate) fn pause(
    retries: &Retries,
    attempt: u32,
    repeat: Repeat,
    outcome: Outcome,
    chance: f64,
) -> Option<Duration> {
    if attempt >= retries.attempts {
        return None;
    }
    let wait = match outcome {
        Outcome::NotSent => Duration::ZERO,
        // What is refused with 429 was not done.
        Outcome::Answered { status: 429, retry_after } => retry_after.unwrap_or_default(),
        Outcome::Answered { status, retry_after } if is_temporary(status) && repeat == Repeat::Harmless => {
            retry_after.unwrap_or_default()
        }
        Outcome::Lost if repeat == Repeat::Harmless => Duration::ZERO,
        Outcome::Answered { .. } | Outcome::Lost => return None,
    };
    let own = backoff(retries.first_pause, retries.longest_pause, attempt - 1, chance);
    // Beyond what was asked for, so that not everybody who was asked comes at the same moment.
    (wait <= retries.longest_wait).then_some(wait + own)
}

/// A pause that doubles so many times, up to a ceiling; half of it is left to chance, between 0 and 1.
pub(crate) fn backoff(first: Duration, longest: Duration, doublings: u32, chance: f64) -> Duration {
    let whole = first.saturating_mul(2_u32.saturating_pow(doublings)).min(longest).min(LONGEST);
    let chance = if chance.is_nan() { 0.5 } else { chance.clamp(0.0, 1.0) };
    whole.mul_f64(0.5 + chance / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NO_WAIT: Option<Duration> = None;

    fn answered(status: u16, retry_after: Option<Duration>) -> Outcome {
        Outcome::Answered { status, retry_after }
    }

    fn decide(attempt: u32, repeat: Repeat, outcome: Outcome) -> Option<Duration> {
        pause(&Retries::default(), attempt, repeat, outcome, 0.0)
    }

    #[test]
    fn what_may_be_done_twice_is_sent_again_and_nothing_else() {
        use Repeat::{Harmful, Harmless};
        let table = [
            (Outcome::NotSent, true, true),
            (Outcome::Lost, true, false),
            (answered(429, NO_WAIT), true, true),
            (answered(502, NO_WAIT), true, false),
            (answered(503, NO_WAIT), true, false),
            (answered(504, NO_WAIT), true, false),
            (answered(500, NO_WAIT), false, false),
            (answered(409, NO_WAIT), false, false),
            (answered(401, NO_WAIT), false, false),
            (answered(201, NO_WAIT), false, false),
        ];
        for (outcome, harmless, harmful) in table {
            assert_eq!(decide(1, Harmless, outcome).is_some(), harmless, "{outcome:?}");
            assert_eq!(decide(1, Harmful, outcome).is_some(), harmful, "{outcome:?}");
        }
    }

    #[test]
    fn the_server_is_given_the_time_it_asks_for_unless_that_is_too_long() {
        let asked = |seconds| answered(429, Some(Duration::from_secs(seconds)));
        assert_eq!(decide(1, Repeat::Harmful, asked(7)), Some(Duration::from_millis(7_100)));
        assert_eq!(decide(1, Repeat::Harmful, asked(61)), None);
    }

    #[test]
    fn settings_without_sense_are_refused() {
        assert!(Retries { attempts: 0, ..Retries::default() }.check().is_err());
        assert!(Retries { longest_pause: Duration::MAX, ..Retries::default() }.check().is_err());
        assert!(Retries::default().check().is_ok() && Retries::none().check().is_ok());
    }

    proptest! {
        #[test]
        fn attempts_are_counted_and_pauses_stay_within_their_bounds(
            attempt in 1_u32..100, chance in any::<f64>(), first in 0_u64..100_000, longest in 0_u64..1_000_000,
        ) {
            let (first, longest) = (Duration::from_millis(first), Duration::from_millis(longest));
            let retries = Retries { attempts: 50, first_pause: first, longest_pause: longest, ..Retries::default() };
            let decided = pause(&retries, attempt, Repeat::Harmless, Outcome::Lost, chance);
            prop_assert_eq!(decided.is_some(), attempt < 50);
            prop_assert!(decided.unwrap_or_default() <= longest);
        }

        #[test]
        fn pauses_never_shrink_with_the_attempts(doublings in 0_u32..200, chance in 0.0_f64..1.0) {
            let (first, longest) = (Duration::from_millis(100), Duration::from_secs(30));
            let (one, next) =
                (backoff(first, longest, doublings, chance), backoff(first, longest, doublings + 1, chance));
            prop_assert!(one <= next && next <= longest && one >= first / 2);
        }
    }
}

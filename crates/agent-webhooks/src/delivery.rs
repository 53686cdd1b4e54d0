//! What becomes of a delivery after an attempt: pure decisions, without clock, dice or network.

mod retry_after;
mod sender;

pub use sender::Sender;

use crate::client::{Answer, CallError};
use crate::webhook::DisabledReason;
use agent_core::time::Timestamp;
use std::time::Duration;

/// The most attempts at one delivery.
pub const MAX_ATTEMPTS: u32 = 12;
/// The most attempts where the answer says that asking again will not help.
pub const MAX_HOPELESS_ATTEMPTS: u32 = 5;
/// How long one delivery is attempted.
pub const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// The shortest pause before another attempt.
const SHORTEST: Duration = Duration::from_secs(10);
/// The longest pause before another attempt.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// The attempts at one delivery so far, the last one included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempts {
    /// How many.
    pub made: u32,
    /// When the first of them failed.
    pub since: Timestamp,
}

/// What came of one attempt.
#[derive(Debug)]
pub enum Outcome {
    /// The receiver answered, with whatever status.
    Answered(Answer),
    /// It did not.
    Unanswered(CallError),
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It has arrived: on to the next event.
    Delivered,
    /// Try again, not before this instant.
    RetryAt(Timestamp),
    /// Stop calling this webhook until its owner has looked after it. Nothing is skipped: what was not delivered is
    /// delivered after that.
    GiveUp(DisabledReason),
}

/// How much hope an outcome leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hope {
    /// It has arrived.
    Fulfilled,
    /// The receiver is busy or down; this passes.
    Good,
    /// The receiver, or the guard of the way out, says no; perhaps somebody is just setting it up.
    Little,
    /// The receiver says that it is gone for good.
    None,
}

impl Outcome {
    fn hope(&self) -> Hope {
        match self {
            Self::Answered(answer) => match answer.status {
                200..=299 => Hope::Fulfilled,
                410 => Hope::None,
                408 | 425 | 429 => Hope::Good,
                300..=499 => Hope::Little,
                _ => Hope::Good,
            },
            Self::Unanswered(CallError::Refused(_)) => Hope::Little,
            Self::Unanswered(_) => Hope::Good,
        }
    }

    /// The failure in one sentence, for the owner of the webhook; empty where it has arrived.
    pub fn complaint(&self) -> String {
        match self {
            Self::Answered(answer) => match answer.status {
                200..=299 => String::new(),
                status @ 300..=399 => format!(
                    "the receiver answered with a redirect, {status}, which is not followed; give its final address"
                ),
                status => format!("the receiver answered with status {status}; answer with 200 to 299"),
            },
            Self::Unanswered(error) => error.to_string(),
        }
    }
}

/// Decides what follows an attempt that was just made.
///
/// `jitter` in `0.0..1.0` spreads those who failed together. Pauses double from 10 to 20 s up to 30 to 60 min; a
/// `Retry-After` makes a pause longer, within the hour, and never shorter. After [`MAX_ATTEMPTS`] or [`MAX_AGE`] it is
/// given up; after [`MAX_HOPELESS_ATTEMPTS`] where the answer is a redirect or says that the call is wrong; at once
/// where it says that the receiver is gone.
pub fn next_attempt(attempts: Attempts, outcome: &Outcome, now: Timestamp, jitter: f64) -> Decision {
    let limit = match outcome.hope() {
        Hope::Fulfilled => return Decision::Delivered,
        Hope::None => return Decision::GiveUp(DisabledReason::Gone),
        Hope::Good => MAX_ATTEMPTS,
        Hope::Little => MAX_HOPELESS_ATTEMPTS,
    };
    let retry_at = now.plus(pause(attempts.made, jitter).max(asked_for(outcome, now)));
    let is_too_late = retry_at.since(attempts.since) > MAX_AGE;
    if attempts.made >= limit || is_too_late {
        return Decision::GiveUp(DisabledReason::Failing);
    }
    Decision::RetryAt(retry_at)
}

/// Between one half of the step and all of it; steps double from 20 s.
fn pause(made: u32, jitter: f64) -> Duration {
    let doubled = 2_u32.saturating_pow(made.saturating_sub(1));
    let half = SHORTEST.saturating_mul(doubled).min(LONGEST / 2);
    let jitter = if jitter.is_finite() { jitter.clamp(0.0, 1.0) } else { 0.0 };
    half + half.mul_f64(jitter)
}

/// The pause that the receiver asks for, within bounds.
fn asked_for(outcome: &Outcome, now: Timestamp) -> Duration {
    let Outcome::Answered(answer) = outcome else { return Duration::ZERO };
    let asked = answer.retry_after.as_deref().and_then(|text| retry_after::parse(text, now));
    asked.unwrap_or(Duration::ZERO).min(LONGEST)
}

//! Which profiles rest, and whose turn it is.

use super::FailoverPolicy;
use agent_core::model::ModelError;
use std::time::Duration;
use tokio::time::Instant;

/// The state of one profile. The default is one that answers.
#[derive(Debug, Default)]
pub(super) struct Rest {
    until: Option<Instant>,
    failures: u32,
    /// The provider named the time itself: asking earlier would only be refused again.
    asked_for: bool,
}

impl Rest {
    /// The profile failed: it rests from now on, for as long as is returned.
    pub(super) fn begin(&mut self, error: &ModelError, now: Instant, policy: &FailoverPolicy) -> Duration {
        let doubled = policy.first_rest.saturating_mul(1_u32 << self.failures.min(16));
        let (pause, asked_for) = match error {
            ModelError::RateLimited { retry_after: Some(told), .. } => (*told, true),
            // Somebody has to pay, or to copy a key: that takes a while.
            ModelError::QuotaExhausted(_) | ModelError::Unauthorized(_) => (policy.longest_rest, false),
            _ => (doubled, false),
        };
        let pause = pause.min(policy.longest_rest);
        *self = Self { until: Some(now + pause), failures: self.failures.saturating_add(1), asked_for };
        pause
    }

    /// How much of the rest is left.
    pub(super) fn left(&self, now: Instant) -> Duration {
        self.until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }
}

/// Whose turn it is, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It answers.
    Awake(usize),
    /// Its rest is over.
    Rested(usize),
    /// It rests, as all others do.
    Woken(usize),
}

impl Turn {
    pub(super) fn place(self) -> usize {
        match self {
            Self::Awake(place) | Self::Rested(place) | Self::Woken(place) => place,
        }
    }
}

/// Whose turn it is among those not asked yet; `None` when nobody is left to ask.
pub(super) fn look(rests: &[Rest], asked: &[bool], now: Instant) -> Option<Turn> {
    let left = || rests.iter().enumerate().filter(|(place, _)| !asked[*place]);
    let ready = left()
        .find(|(_, rest)| rest.left(now).is_zero())
        .map(|(place, rest)| if rest.until.is_some() { Turn::Rested(place) } else { Turn::Awake(place) });
    ready.or_else(|| {
        left()
            .filter(|(_, rest)| !rest.asked_for)
            .min_by_key(|(_, rest)| rest.left(now))
            .map(|(place, _)| Turn::Woken(place))
    })
}

/// Like [`look`], and keeps other calls from a profile that is being tried again: until it is known
/// to answer, they go past it. A call that is dropped meanwhile leaves it resting for `trial`.
pub(super) fn choose(rests: &mut [Rest], asked: &[bool], now: Instant, trial: Duration) -> Option<usize> {
    let turn = look(rests, asked, now)?;
    if let Turn::Rested(place) = turn {
        rests[place].until = Some(now + trial);
        rests[place].asked_for = false;
    }
    Some(turn.place())
}

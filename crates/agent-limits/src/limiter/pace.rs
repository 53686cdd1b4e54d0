//! The arithmetic of a quota.

use crate::decision::Decision;
use crate::quota::Quota;
use std::time::Duration;

/// A quota in ticks: parts of a microsecond, as many in one as the quota has requests. The time from one request to the
/// next is then a whole number for every quota, and nothing is rounded. No sum comes near 2^128: time adds less than
/// 2^95 ticks with each step of the clock, a debt has less than 2^97.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    limit: u32,
    ticks_in_micro: u128,
    interval: u128,
    most_debt: u128,
}

impl Pace {
    pub(super) fn new(quota: Quota) -> Self {
        let interval = quota.period().as_micros();
        Self {
            limit: quota.burst().get(),
            ticks_in_micro: u128::from(quota.requests().get()),
            interval,
            most_debt: interval * u128::from(quota.burst().get()),
        }
    }

    /// What one request owes: the ticks until it is given back.
    pub(super) fn interval(&self) -> u128 {
        self.interval
    }

    pub(super) fn ticks(&self, micros: u128) -> u128 {
        micros * self.ticks_in_micro
    }

    /// Judges a request of a key that owes so much before it.
    pub(super) fn decide(&self, debt: u128) -> Decision {
        let after = debt + self.interval;
        match self.most_debt.checked_sub(after) {
            Some(left) => Decision::Allowed {
                limit: self.limit,
                remaining: u32::try_from(left / self.interval).unwrap_or(self.limit),
                reset_after: self.duration(after),
            },
            None => Decision::Limited {
                limit: self.limit,
                retry_after: self.duration(after - self.most_debt),
                reset_after: self.duration(debt),
            },
        }
    }

    /// Rounded up to microseconds, so that who waits as long is not early.
    fn duration(&self, ticks: u128) -> Duration {
        let micros = ticks.div_ceil(self.ticks_in_micro);
        Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }
}

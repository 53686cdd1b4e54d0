//! Whether a request may pass, and what to tell the caller about it.

use std::time::Duration;

/// Whether a request may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It may.
    Allowed {
        /// Requests that may come at once: the burst of the quota.
        limit: u32,
        /// How many more may come at once after this one.
        remaining: u32,
        /// Until all of the limit may come at once again.
        reset_after: Duration,
    },
    /// It may not, and nothing was counted.
    Limited {
        /// Requests that may come at once: the burst of the quota.
        limit: u32,
        /// Until the same request may pass, if no other comes first; never zero.
        retry_after: Duration,
        /// Until all of the limit may come at once again.
        reset_after: Duration,
    },
}

impl Decision {
    /// Whether the request may pass.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }

    /// The values of the headers that tell the caller.
    pub fn headers(&self) -> Headers {
        match *self {
            Self::Allowed { limit, remaining, reset_after } => {
                Headers { limit, remaining, reset_seconds: seconds(reset_after), retry_after_seconds: None }
            }
            Self::Limited { limit, retry_after, reset_after } => Headers {
                limit,
                remaining: 0,
                reset_seconds: seconds(reset_after),
                retry_after_seconds: Some(seconds(retry_after).max(1)),
            },
        }
    }

    /// How long to wait before trying again; zero when it is allowed.
    pub(crate) fn retry_after(&self) -> Duration {
        match *self {
            Self::Allowed { .. } => Duration::ZERO,
            Self::Limited { retry_after, .. } => retry_after,
        }
    }
}

/// What headers say about a decision, in numbers. Whole seconds, rounded up, so that who waits as long is not early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Headers {
    /// `RateLimit-Limit`: requests that may come at once.
    pub limit: u32,
    /// `RateLimit-Remaining`: how many of them may still come at once.
    pub remaining: u32,
    /// `RateLimit-Reset`: seconds until all of them may.
    pub reset_seconds: u64,
    /// `Retry-After`: seconds to wait, at least one; only of a refused request.
    pub retry_after_seconds: Option<u64>,
}

impl Headers {
    /// Names and values, as they are sent.
    pub fn pairs(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        let always = [
            ("RateLimit-Limit", u64::from(self.limit)),
            ("RateLimit-Remaining", u64::from(self.remaining)),
            ("RateLimit-Reset", self.reset_seconds),
        ];
        always.into_iter().chain(self.retry_after_seconds.map(|seconds| ("Retry-After", seconds)))
    }
}

fn seconds(duration: Duration) -> u64 {
    duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0))
}

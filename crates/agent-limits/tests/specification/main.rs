//! What the limits promise, through their public face.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "what tests share fails like a test")]

mod eviction;
mod limiter;
mod limits;
mod networks;
mod proxies;
mod quotas;

use agent_core::time::Timestamp;
use agent_limits::{Decision, Quota};
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

/// A moment, in microseconds after a day in 2026.
fn at(micros: u64) -> Timestamp {
    Timestamp::from_micros(1_767_268_800_000_000).plus(Duration::from_micros(micros))
}

fn quota(text: &str) -> Quota {
    text.parse().unwrap()
}

fn keys(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn retry_after(decision: Decision) -> Duration {
    match decision {
        Decision::Limited { retry_after, .. } => retry_after,
        Decision::Allowed { .. } => panic!("{decision:?} is no refusal"),
    }
}

fn remaining(decision: Decision) -> u32 {
    match decision {
        Decision::Allowed { remaining, .. } => remaining,
        Decision::Limited { .. } => panic!("{decision:?} is no permission"),
    }
}

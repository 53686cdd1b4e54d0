//! Pauses between attempts.

use crate::plan::RetryPolicy;
use std::time::Duration;

/// The pause before the next attempt: exponential with full jitter.
///
/// `attempts` is how many have been made, `jitter` is in `0.0..1.0`. Full jitter spreads the
/// retries of many clients best; see M. Brooker, "Exponential Backoff And Jitter" (2015).
pub fn delay(policy: &RetryPolicy, attempts: u32, jitter: f64) -> Duration {
    let doublings = attempts.saturating_sub(1).min(32);
    let ceiling = policy.backoff_ms.saturating_mul(1_u64 << doublings).min(policy.max_backoff_ms);
    Duration::from_millis(ceiling).mul_f64(jitter.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_its_ceiling() {
        let policy = RetryPolicy { max_attempts: 9, backoff_ms: 100, max_backoff_ms: 1_000 };
        let upper: Vec<u128> = (1..=6).map(|n| delay(&policy, n, 1.0).as_millis()).collect();
        assert_eq!(upper, [100, 200, 400, 800, 1_000, 1_000]);
        assert_eq!(delay(&policy, 3, 0.0), Duration::ZERO);
        assert_eq!(delay(&policy, u32::MAX, 0.5).as_millis(), 500);
    }
}

//! Randomness of this machine.

use agent_core::ports::Randomness;

/// The operating system's randomness.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn fraction(&self) -> f64 {
        // Without randomness pauses are not spread, which is no reason to fail.
        let bits = getrandom::u32().unwrap_or(u32::MAX / 2);
        f64::from(bits) / (f64::from(u32::MAX) + 1.0)
    }
}

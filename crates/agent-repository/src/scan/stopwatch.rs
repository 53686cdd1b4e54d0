//! Measures how long a walk takes.

use std::time::{Duration, Instant, SystemTime};

/// Runs from its creation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "the duration of file system work is measured where it is done"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the age of a file is told by the clock that its own times come from"
    )]
    /// The time of day by the clock that stamps files, in nanoseconds since 1970.
    pub(crate) fn file_clock_ns() -> i128 {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        i128::try_from(since.as_nanos()).unwrap_or(0)
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

//! Figures about executions, computed from recorded attempts.
//!
//! Knows how attempts are counted and measured. Never knows where they are kept (that is an
//! [`AttemptSource`](ports::AttemptSource)), who may see the figures, or what time it is.
//!
//! Times are seconds, rates are percent. Cancelled attempts count nowhere: they say nothing about the task.
//! Percentiles are exact, by nearest rank: the p-th is the smallest duration that at least p percent of
//! all durations do not exceed, so that it is always one that was really measured.
//!
//! ```
//! use agent_analytics::{Durations, Welford};
//!
//! let seconds = Durations::from_iter([4.0, 1.0, 3.0, 2.0]);
//! assert_eq!(seconds.percentile(50), 2.0);
//! assert_eq!(seconds.percentile(95), 4.0);
//!
//! let mut left = Welford::from_iter([1.0, 2.0]);
//! left.merge(&Welford::from_iter([3.0, 4.0]));
//! assert_eq!(left.mean(), 2.5);
//! ```

mod analytics;
mod durations;
mod error;
pub mod ports;
mod report;
mod statistics;
mod trend;
mod welford;

pub use analytics::{Analytics, Performance, Summary};
pub use durations::Durations;
pub use error::{Error, Result};
pub use report::{FailingTask, PerformanceReport, SlowTask, Totals};
pub use statistics::{PlanStatistics, TaskStatistics};
pub use trend::{HALF_LIFE, PeriodSummary, TrendingTask};
pub use welford::Welford;

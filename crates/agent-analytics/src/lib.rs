//! Figures about executions: counted once each, kept in sums of constant size, mergeable over days and servers.
//!
//! Knows how attempts are counted and measured. Never knows where they are kept (that is an
//! [`AnalyticsStore`](ports::AnalyticsStore)), who may see the figures, or what time it is.
//!
//! Times are seconds, rates are percent. Cancelled attempts count nowhere: they say nothing about the task. Counts, sums,
//! means and deviations are exact whatever their number; percentiles are by nearest rank, exact for up to
//! [`EXACT_UP_TO`] executions and within [`RELATIVE_ERROR`] beyond. The figures of a task or plan are computed from its
//! attempts, those of a tenant, hour, day, template, user or model from sums that grow with them ([`Analytics::roll_up`]).
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
mod error;
mod failures;
mod figures;
mod overview;
pub mod ports;
mod ranking;
mod report;
mod sketch;
mod statistics;
mod trend;
mod welford;

pub use analytics::{Analytics, Performance, SubjectPage, SubjectStatistics, Summary};
pub use error::{Error, Result};
pub use failures::{FailureReason, FailureReasons};
pub use figures::{Durations, Figures};
pub use overview::{Batch, Dimension, Overview, RollupKey, Rollups, add_up, increments, keys_of};
pub use report::{FailingTask, PerformanceReport, SlowTask, Totals};
pub use sketch::{EXACT_UP_TO, RELATIVE_ERROR, Sketch};
pub use statistics::{ExecutionStatistics, PlanStatistics, TaskStatistics};
pub use trend::{HALF_LIFE, PeriodSummary, TrendingTask};
pub use welford::Welford;

//! Sums of executions as rows.

use super::document;
use agent_analytics::{Figures, RollupKey, Rollups};
use agent_core::Result;

/// Sums as they are kept.
pub(crate) fn prepared(rollups: &Rollups) -> Result<Vec<(RollupKey, String)>> {
    let text = |(key, figures): (&RollupKey, &Figures)| {
        Ok((key.clone(), document("analytics_rollups.figures", figures)?))
    };
    rollups.iter().map(text).collect()
}

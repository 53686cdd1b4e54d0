//! What is done from time to time: old records are forgotten, executions are counted.

use crate::services::Audit;
use agent_analytics::Analytics;
use agent_store::Store;
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How often it is looked for what is too old.
const FORGET_EVERY: Duration = Duration::from_secs(60 * 60);
/// How often executions are counted that ended since.
const COUNT_EVERY: Duration = Duration::from_secs(1);

/// Removes records of the audit trail that are older than `kept`, now and from time to time, until it is stopped.
pub(super) async fn forget(audit: Audit, kept: Duration, stop: CancellationToken) {
    let mut ticks = ticks(FORGET_EVERY);
    while next(&mut ticks, &stop).await {
        match audit.forget(kept).await {
            Ok(0) => {}
            Ok(removed) => {
                tracing::info!(removed, "records of the audit trail were older than the settings keep")
            }
            Err(error) => tracing::warn!(%error, "old records of the audit trail could not be removed"),
        }
    }
}

/// Counts the executions that ended, until it is stopped. While nothing is written here, nothing is looked for: what others
/// write, they count.
pub(super) async fn count(analytics: Analytics, store: Store, stop: CancellationToken) {
    let mut ticks = ticks(COUNT_EVERY);
    let mut seen = None;
    while next(&mut ticks, &stop).await {
        let written = store.statistics().commits;
        if seen == Some(written) {
            continue;
        }
        match analytics.roll_up().await {
            // What was counted was a write, too; the next look finds nothing.
            Ok(_) => seen = Some(written),
            Err(error) => tracing::warn!(%error, "executions could not be counted; the next attempt follows"),
        }
    }
}

fn ticks(every: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Waits for the next tick; false when it is to end.
async fn next(ticks: &mut tokio::time::Interval, stop: &CancellationToken) -> bool {
    tokio::select! {
        _ = ticks.tick() => true,
        () = stop.cancelled() => false,
    }
}

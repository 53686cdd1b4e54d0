//! Forgets what is older than the settings keep.

use crate::services::Audit;
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How often it is looked for what is too old.
const LOOK_EVERY: Duration = Duration::from_secs(60 * 60);

/// Removes records of the audit trail that are older than `kept`, now and from time to time, until it is stopped.
pub(super) async fn run(audit: Audit, kept: Duration, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        match audit.forget(kept).await {
            Ok(0) => {}
            Ok(removed) => {
                tracing::info!(removed, "records of the audit trail were older than the settings keep")
            }
            Err(error) => tracing::warn!(%error, "old records of the audit trail could not be removed"),
        }
    }
}

//! What an attempt is told before it begins.

use super::gate::{Meter, Stop};
use crate::error::Error;
use crate::ids::TaskId;
use crate::plan::PlanState;
use crate::ports::{DailyLimits, Fence, Redactor};
use crate::tool::ToolContext;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Everything an attempt needs to know.
pub(super) struct Assignment {
    pub(super) state: Arc<PlanState>,
    pub(super) task: TaskId,
    pub(super) attempt: u32,
    pub(super) fence: Fence,
    pub(super) context: ToolContext,
    /// Masks secrets in everything that is recorded and told.
    pub(super) redactor: Arc<dyn Redactor>,
    /// Fires when this worker leaves the plan: what is cancelled then is somebody else's to go on with.
    pub(super) leaving: CancellationToken,
    /// A worker that vanished had begun it.
    pub(super) resumed: bool,
    /// What its owner's calls to models may use in a day.
    pub(super) limits: DailyLimits,
    /// What the plan has used so far.
    pub(super) meter: Arc<Meter>,
}

impl Assignment {
    /// How to stop once the attempt is cancelled: for good, or only here.
    pub(super) fn cancelled(&self) -> Stop {
        if self.leaving.is_cancelled() {
            return Stop::Abandon(Error::LeaseLost(self.state.plan.id));
        }
        Stop::Cancelled
    }

    /// How many crashes in a row have caught this attempt in flight.
    pub(super) fn crashes(&self) -> u32 {
        let recoveries = self.state.task(self.task).map_or(0, |task| task.recoveries);
        if self.resumed { recoveries.max(1) } else { 0 }
    }
}

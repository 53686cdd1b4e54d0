//! What an attempt is told before it begins.

use super::gate::Meter;
use crate::ids::TaskId;
use crate::plan::PlanState;
use crate::ports::{DailyLimits, Fence};
use crate::tool::ToolContext;
use std::sync::Arc;

/// Everything an attempt needs to know.
pub(super) struct Assignment {
    pub(super) state: Arc<PlanState>,
    pub(super) task: TaskId,
    pub(super) attempt: u32,
    pub(super) fence: Fence,
    pub(super) context: ToolContext,
    /// A worker that vanished had begun it.
    pub(super) resumed: bool,
    /// What its owner's calls to models may use in a day.
    pub(super) limits: DailyLimits,
    /// What the plan has used so far.
    pub(super) meter: Arc<Meter>,
}

impl Assignment {
    /// How many crashes in a row have caught this attempt in flight.
    pub(super) fn crashes(&self) -> u32 {
        let recoveries = self.state.task(self.task).map_or(0, |task| task.recoveries);
        if self.resumed { recoveries.max(1) } else { 0 }
    }
}

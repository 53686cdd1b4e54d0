//! The executor among others on the same store: what it hears from them, and what it tells them.

use super::front::Executor;
use super::shared::Shared;
use crate::ids::PlanId;
use crate::ports::Neighbours;

impl Neighbours for Executor {
    fn changed(&self, plan: PlanId) {
        if let Some(signals) = self.shared().registry().get(&plan) {
            signals.changed.notify_one();
        }
    }

    fn free(&self, plan: PlanId) {
        let shared = self.shared();
        if shared.settings.recover {
            shared.wake(plan);
        } else {
            self.changed(plan);
        }
    }

    fn missed(&self) {
        self.shared().look.notify_one();
    }
}

impl Shared {
    /// Tells the executors of other processes, where there are any to be told.
    pub(super) fn tell_neighbours(&self, tell: impl FnOnce(&dyn Neighbours)) {
        if let Some(neighbours) = &self.ports.neighbours {
            tell(neighbours.as_ref());
        }
    }
}

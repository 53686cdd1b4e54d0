//! Plans coming into being: stored, held and begun at once.

use super::shared::{Shared, Signals};
use super::slots::Slot;
use super::{driver, opening};
use crate::error::Result;
use crate::failpoint;
use crate::ids::PlanId;
use crate::plan::{NewPlan, PlanState, PlanStatus};
use crate::ports::Claim;
use std::sync::Arc;

impl Shared {
    /// Stores a plan; one that is to run is ours from its first moment on, and begins with the slots it can get.
    pub(super) async fn create(self: &Arc<Self>, mut plan: NewPlan, status: PlanStatus) -> Result<PlanState> {
        let idempotency = plan.idempotency.take();
        let runs = status == PlanStatus::Running;
        let slots = if runs { self.first_slots(&plan) } else { Vec::new() };
        let hold = runs.then(|| (self.settings.worker.clone(), self.settings.lease));
        let granted = u32::try_from(slots.len()).unwrap_or(u32::MAX);
        let opening = opening::open(plan, status, granted, hold, self.ports.clock.now())?;
        let _creating = self.creations.read().await;
        let created = self.ports.plans.create(&opening, idempotency.as_ref()).await?;
        failpoint::reach(failpoint::CREATED);
        match created.fence {
            Some(fence) => {
                let claim = Claim { state: created.state.clone(), fence, recovered: false };
                self.adopt(claim, slots);
            }
            None if created.is_new && created.state.plan.status.is_live() => {
                let plan = created.state.plan.id;
                self.wake(plan);
                // Should this process die before it holds the plan, nobody would look for it for a while.
                self.tell_neighbours(|neighbours| neighbours.free(plan));
            }
            None => {}
        }
        Ok(created.state)
    }

    /// Slots for the tasks that can begin at once, as far as they are free.
    fn first_slots(&self, plan: &NewPlan) -> Vec<Slot> {
        let ready = plan.tasks.iter().filter(|task| task.depends_on.is_empty()).count();
        let room = plan.policy.max_parallel.map_or(usize::MAX, |most| most.max(1) as usize);
        // The plan has no id yet; its share is counted under the stand-in until it has.
        let slot = || self.slots.try_acquire(plan.owner, PlanId(0));
        std::iter::from_fn(slot).take(ready.min(room)).collect()
    }

    /// Drives a plan that was just created, and is ours.
    fn adopt(self: &Arc<Self>, claim: Claim, mut slots: Vec<Slot>) {
        slots.iter_mut().for_each(|slot| slot.assign(claim.state.plan.id));
        let signals = Arc::new(Signals::default());
        signals.asked();
        let before = self.registry().insert(claim.state.plan.id, Arc::clone(&signals));
        if before.is_some() {
            // Somebody heard of the plan before its driver was in the books; they find this one there.
            signals.changed.notify_one();
        }
        let shared = Arc::clone(self);
        let fresh = driver::Start::Fresh(slots);
        self.tracker
            .spawn_on(async move { shared.drive_claimed(claim, signals, fresh).await }, &self.runtime);
    }
}

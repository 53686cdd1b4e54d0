//! Who works on which plan.

use super::core::{MemoryCore, Row};
use crate::error::{Error, Result};
use crate::ids::{Generation, PlanId, WorkerId};
use crate::ports::{Claim, Fence};
use crate::time::Timestamp;
use std::time::Duration;

impl MemoryCore {
    /// Takes a live plan whose lease is free or over. Asked for by id, also one that the worker holds itself.
    pub fn claim(
        &mut self,
        worker: &WorkerId,
        lease: Duration,
        id: Option<PlanId>,
        now: Timestamp,
    ) -> Option<Claim> {
        let free = |row: &&mut Row| {
            let over = row
                .holder
                .as_ref()
                .is_none_or(|(holder, until)| *until <= now || (id.is_some() && holder == worker));
            over && row.state.plan.status.is_live()
        };
        let row = match id {
            Some(id) => self.rows.get_mut(&id).filter(free),
            None => self.rows.values_mut().find(free),
        }?;
        let recovered = row.holder.is_some();
        row.generation += 1;
        row.holder = Some((worker.clone(), now.plus(lease)));
        let fence = Fence {
            tenant: row.state.plan.owner.tenant,
            worker: worker.clone(),
            generation: Generation(row.generation),
        };
        Some(Claim { state: row.state.clone(), fence, recovered })
    }

    /// Extends all leases of a worker on plans that are live, and names the plans.
    pub fn renew(&mut self, worker: &WorkerId, lease: Duration, now: Timestamp) -> Vec<PlanId> {
        let live = self.rows.iter_mut().filter(|(_, row)| row.state.plan.status.is_live());
        let held = live.filter_map(|(id, row)| match &mut row.holder {
            Some((holder, until)) if holder == worker => {
                *until = now.plus(lease);
                Some(*id)
            }
            _ => None,
        });
        held.collect()
    }

    /// Gives a plan back; what another worker holds meanwhile stays with it.
    pub fn release(&mut self, id: PlanId, fence: &Fence) {
        if let Some(row) = self.rows.get_mut(&id).filter(|row| row.is_held_under(fence)) {
            row.holder = None;
        }
    }

    /// Who holds a plan.
    pub fn holder(&self, id: PlanId) -> Option<&WorkerId> {
        self.rows.get(&id)?.holder.as_ref().map(|(worker, _)| worker)
    }

    /// Whether the fence is the present one.
    ///
    /// # Errors
    /// `PlanNotFound`, `LeaseLost`.
    pub fn check_fence(&self, id: PlanId, fence: &Fence) -> Result<()> {
        if self.row(id)?.is_held_under(fence) { Ok(()) } else { Err(Error::LeaseLost(id)) }
    }
}

impl Row {
    fn is_held_under(&self, fence: &Fence) -> bool {
        let held = self.holder.as_ref().is_some_and(|(worker, _)| *worker == fence.worker);
        held && self.generation == fence.generation.get()
    }
}

//! Plans: made, loaded, changed, leased.

use super::Store;
use crate::rows::change::{PreparedChange, PreparedPlan};
use crate::rows::plan::FIRST_GENERATION;
use crate::sqlite::commit::{self, Made};
use crate::sqlite::{leases, plans};
use agent_core::Result;
use agent_core::ids::{PlanId, TaskId, WorkerId};
use agent_core::plan::{Idempotency, PlanState};
use agent_core::ports::{Change, Claim, Committed, Created, Fence, Opening, PlanStore};
use async_trait::async_trait;
use std::time::Duration;

#[async_trait]
impl PlanStore for Store {
    async fn create(&self, opening: &Opening, idempotency: Option<&Idempotency>) -> Result<Created> {
        let prepared = PreparedPlan::new(opening, idempotency)?;
        let written = self.write(move |conn| commit::create(conn, prepared)).await?;
        Ok(match written.value {
            Made::New(id, tasks) => Created {
                state: named(&opening.state, id, &tasks),
                fence: opening
                    .hold
                    .as_ref()
                    .map(|(worker, _)| Fence { worker: worker.clone(), generation: FIRST_GENERATION }),
                is_new: true,
            },
            Made::Existing(state) => Created { state: *state, fence: None, is_new: false },
        })
    }

    async fn load(&self, id: PlanId) -> Result<PlanState> {
        self.read(move |conn| plans::load(conn, id)).await
    }

    async fn commit(&self, change: &Change, fence: Option<&Fence>) -> Result<Committed> {
        let prepared = PreparedChange::new(change)?;
        let fence = fence.cloned();
        let written = self.write(move |conn| commit::apply(conn, prepared, fence.as_ref())).await?;
        Ok(Committed { events: written.events, execution_id: written.value })
    }

    async fn claim(&self, worker: &WorkerId, lease: Duration, id: Option<PlanId>) -> Result<Option<Claim>> {
        let worker = worker.clone();
        self.write_silently(move |conn| leases::claim(conn, &worker, lease, id)).await
    }

    async fn renew(&self, worker: &WorkerId, lease: Duration) -> Result<Vec<PlanId>> {
        let worker = worker.clone();
        self.write_silently(move |conn| leases::renew(conn, &worker, lease)).await
    }

    async fn release(&self, id: PlanId, fence: &Fence) -> Result<()> {
        let fence = fence.clone();
        self.write_silently(move |conn| leases::release(conn, id, &fence)).await
    }
}

/// A plan as it was just stored, without reading it back.
fn named(opened: &PlanState, id: PlanId, tasks: &[i64]) -> PlanState {
    let mut state = opened.clone();
    state.plan.id = id;
    for (task, id_of_task) in state.tasks.iter_mut().zip(tasks) {
        (task.id, task.plan_id) = (TaskId(*id_of_task), id);
    }
    state
}

//! Plans: made, loaded, changed, leased.

use super::{Store, read, transact, transact_silently};
use crate::database::Scope;
use crate::rows::change::{Made, PreparedChange, PreparedPlan};
use crate::rows::plan::FIRST_GENERATION;
use agent_core::ids::{PlanId, TaskId, WorkerId};
use agent_core::plan::{Idempotency, PlanState};
use agent_core::ports::{Change, Claim, Committed, Created, Fence, Opening, PlanStore, Visibility};
use agent_core::{Error, Result};
use async_trait::async_trait;
use std::time::Duration;

#[async_trait]
impl PlanStore for Store {
    async fn create(&self, opening: &Opening, idempotency: Option<&Idempotency>) -> Result<Created> {
        let prepared = PreparedPlan::new(opening, idempotency)?;
        let written =
            transact!(self, opening.state.plan.owner.tenant, db, |conn| db::commit::create(conn, prepared))?;
        Ok(match written.value {
            Made::New(id, tasks) => Created {
                state: named(&opening.state, id, &tasks),
                fence: opening.hold.as_ref().map(|(worker, _)| Fence {
                    tenant: opening.state.plan.owner.tenant,
                    worker: worker.clone(),
                    generation: FIRST_GENERATION,
                }),
                is_new: true,
            },
            Made::Existing(state) => Created { state: *state, fence: None, is_new: false },
        })
    }

    async fn load(&self, visibility: Option<Visibility>, id: PlanId) -> Result<PlanState> {
        read!(self, visibility, db, |conn| db::plans::load(conn, visibility, id))
    }

    async fn commit(&self, change: &Change, fence: Option<&Fence>) -> Result<Committed> {
        // The same worker holds plans of many tenants in the same generation: the tenant tells its fences apart.
        if fence.is_some_and(|fence| fence.tenant != change.plan.owner.tenant) {
            return Err(Error::LeaseLost(change.plan.id));
        }
        let prepared = PreparedChange::new(change)?;
        let fence = fence.cloned();
        let written =
            transact!(self, change.plan.owner.tenant, db, |conn| db::apply(conn, prepared, fence.as_ref()))?;
        Ok(Committed { events: written.events, execution_id: written.value })
    }

    async fn claim(&self, worker: &WorkerId, lease: Duration, id: Option<PlanId>) -> Result<Option<Claim>> {
        let worker = worker.clone();
        transact_silently!(self, Scope::All, db, |conn| db::leases::claim(conn, &worker, lease, id))
    }

    async fn renew(&self, worker: &WorkerId, lease: Duration) -> Result<Vec<PlanId>> {
        let worker = worker.clone();
        transact_silently!(self, Scope::All, db, |conn| db::leases::renew(conn, &worker, lease))
    }

    async fn release(&self, id: PlanId, fence: &Fence) -> Result<()> {
        let fence = fence.clone();
        transact_silently!(self, fence.tenant, db, |conn| db::leases::release(conn, id, &fence))
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

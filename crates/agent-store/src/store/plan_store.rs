//! Plans: made, loaded, changed, leased.

use super::{Store, read, transact, transact_silently};
use crate::rows::change::{Created, PreparedChange, PreparedPlan};
use crate::rows::plan::FIRST_REVISION;
use crate::rows::task::new_task;
use agent_core::Result;
use agent_core::ids::{PlanId, WorkerId};
use agent_core::plan::{NewPlan, Plan, PlanState, PlanStatus};
use agent_core::ports::{Change, Claim, Committed, Fence, PlanStore};
use agent_core::time::Timestamp;
use async_trait::async_trait;
use std::time::Duration;

#[async_trait]
impl PlanStore for Store {
    async fn create(&self, plan: &NewPlan, status: PlanStatus, at: Timestamp) -> Result<PlanState> {
        let prepared = PreparedPlan::new(plan, status, at)?;
        let written = transact!(self, db, |conn| db::commit::create(conn, prepared))?;
        Ok(match written.value {
            Created::New(id, tasks) => new_state(plan, status, at, id, &tasks),
            Created::Existing(state) => *state,
        })
    }

    async fn load(&self, id: PlanId) -> Result<PlanState> {
        read!(self, db, |conn| db::plans::load(conn, id))
    }

    async fn commit(&self, change: &Change, fence: Option<&Fence>) -> Result<Committed> {
        let prepared = PreparedChange::new(change)?;
        let fence = fence.cloned();
        let written = transact!(self, db, |conn| db::commit::apply(conn, prepared, fence.as_ref()))?;
        Ok(Committed { events: written.events, execution_id: written.value })
    }

    async fn claim(&self, worker: &WorkerId, lease: Duration, id: Option<PlanId>) -> Result<Option<Claim>> {
        let worker = worker.clone();
        transact_silently!(self, db, |conn| db::leases::claim(conn, &worker, lease, id))
    }

    async fn renew(&self, worker: &WorkerId, lease: Duration) -> Result<Vec<PlanId>> {
        let worker = worker.clone();
        transact_silently!(self, db, |conn| db::leases::renew(conn, &worker, lease))
    }

    async fn release(&self, id: PlanId, fence: &Fence) -> Result<()> {
        let fence = fence.clone();
        transact_silently!(self, db, |conn| db::leases::release(conn, id, &fence))
    }
}

/// A plan as it was just stored, without reading it back.
fn new_state(plan: &NewPlan, status: PlanStatus, at: Timestamp, id: PlanId, tasks: &[i64]) -> PlanState {
    let positions = 1_u32..;
    let tasks = positions.zip(tasks.iter().zip(&plan.tasks));
    PlanState {
        tasks: tasks.map(|(position, (task, spec))| new_task(*task, id, position, spec)).collect(),
        plan: Plan {
            id,
            owner: plan.owner,
            goal: plan.goal.clone(),
            repo_path: plan.repo_path.clone(),
            status,
            summary: None,
            policy: plan.policy.clone(),
            auto_execute: plan.auto_execute,
            cancel_requested: false,
            template_id: plan.template_id.clone(),
            revision: FIRST_REVISION,
            created_at: at,
            updated_at: at,
            started_at: None,
            finished_at: None,
        },
    }
}

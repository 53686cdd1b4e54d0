//! What a driver does about a store that is away, and about what others have stored.

use super::{Driver, FIRST_PATIENCE, LONGEST_PATIENCE};
use crate::error::{BoxError, Error, Result};
use crate::executor::job::Job;
use crate::plan::{PlanState, TaskStatus};
use crate::ports::Visibility;
use std::sync::Arc;
use std::time::Duration;

impl Driver {
    /// Looks at the plan as it is stored, however long the store needs to come back.
    pub(super) async fn reload(&mut self) -> Result<()> {
        let visibility = Visibility::Tenant(self.state.plan.owner.tenant);
        let mut patience = FIRST_PATIENCE;
        loop {
            match self.shared.ports.plans.load(Some(visibility), self.state.plan.id).await {
                Ok(state) if self.shows_foreign_work(&state) => match self.check_lease().await {
                    Ok(()) => return self.look_at(state),
                    Err(Error::Unavailable(error) | Error::StorageFull(error)) => {
                        self.wait_for_store(error, &mut patience).await?
                    }
                    Err(other) => return Err(other),
                },
                Ok(state) => return self.look_at(state),
                Err(Error::Unavailable(error) | Error::StorageFull(error)) => {
                    self.wait_for_store(error, &mut patience).await?
                }
                Err(other) => return Err(other),
            }
        }
    }

    fn look_at(&mut self, state: PlanState) -> Result<()> {
        self.state = Arc::new(state);
        Ok(())
    }

    /// Whether attempts are under way that nobody here knows of: another worker's, unless the answer to the commit
    /// that started them was lost.
    fn shows_foreign_work(&self, state: &PlanState) -> bool {
        let mut running = state.tasks.iter().filter(|task| task.status == TaskStatus::Running);
        running.any(|task| {
            let job = Job::Attempt(task.id, task.attempts);
            !self.under_way.contains_key(&job) && !self.resumed.contains(&job)
        })
    }

    /// That the plan is still this worker's. A look at the plan, unlike a commit, does not tell.
    async fn check_lease(&self) -> Result<()> {
        let (plan, settings) = (self.state.plan.id, &self.shared.settings);
        let ours = self.shared.ports.plans.renew(&settings.worker, settings.lease).await?;
        let held = ours.contains(&plan) && !self.signals.lost.is_cancelled();
        if held { Ok(()) } else { Err(Error::LeaseLost(plan)) }
    }

    pub(super) async fn wait_for_store(&self, error: BoxError, patience: &mut Duration) -> Result<()> {
        tracing::warn!(plan = %self.state.plan.id, %error, "the store is away; trying again");
        tokio::select! {
            () = tokio::time::sleep(*patience) => {}
            () = self.signals.lost.cancelled() => return Err(Error::LeaseLost(self.state.plan.id)),
        }
        *patience = (*patience * 2).min(LONGEST_PATIENCE);
        Ok(())
    }
}

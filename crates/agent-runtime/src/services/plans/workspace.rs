//! What a plan changed, and what becomes of a folder of its own.

use super::{Plans, is_busy};
use crate::error::{Error, Result};
use crate::workspaces::Merged;
use agent_auth::Principal;
use agent_core::ids::{PlanId, TenantId};
use agent_core::plan::{Plan, TaskStatus};
use agent_core::ports::{PlanReader, Step};
use agent_core::tool::name;
use agent_repository::isolation::Isolated;
use std::sync::Arc;

impl Plans {
    /// All changes of the plan as one unified diff: the commits of its branch where it has one, else what its
    /// patches and file tools did, in their order.
    ///
    /// # Errors
    /// `PlanNotFound`; `Repository` when git does not answer.
    pub async fn diff(&self, caller: &Principal, id: PlanId) -> Result<String> {
        let plan = self.state(caller, id).await?.plan;
        let workspaces = Arc::clone(&self.workspaces);
        let diff =
            blocking(move || workspaces.find(&plan)?.map(|isolated| isolated.diff()).transpose()).await?;
        match diff {
            Some(diff) => Ok(diff),
            None => self.recorded_diff(caller.tenant, id).await,
        }
    }

    async fn recorded_diff(&self, tenant: TenantId, id: PlanId) -> Result<String> {
        let steps = PlanReader::steps(&self.store, tenant, id).await?;
        let mut writes: Vec<&Step> = steps
            .iter()
            .filter(|step| [name::APPLY_PATCH, name::WRITE_FILE].contains(&step.intent.name.as_str()))
            .collect();
        writes.sort_by_key(|step| step.started_at);
        let diffs = writes.iter().filter_map(|step| step.result.as_ref()?.output.get("diff")?.as_str());
        Ok(diffs.collect())
    }

    /// Brings the commits of an isolated plan to the files of its repository, by a three-way merge that keeps
    /// what was changed there since. Neither branch nor index are touched; what is there already is left alone.
    ///
    /// # Errors
    /// `PlanNotFound`; `NotIsolated`; `IllegalPlanMove` while it works; `Repository` with what stands against
    /// it, in which case no file is changed.
    pub async fn merge(&self, caller: &Principal, id: PlanId) -> Result<Merged> {
        let workspaces = Arc::clone(&self.workspaces);
        let (plan, isolated) = self.isolated(caller, id, "be merged while it works").await?;
        blocking(move || workspaces.merge(&plan, &isolated)).await
    }

    /// Removes the folder of an isolated plan with its branch. What was not merged is lost.
    ///
    /// # Errors
    /// As [`Plans::merge`].
    pub async fn discard(&self, caller: &Principal, id: PlanId) -> Result<()> {
        let workspaces = Arc::clone(&self.workspaces);
        let (plan, isolated) = self.isolated(caller, id, "lose its workspace while it works").await?;
        blocking(move || workspaces.discard(&plan, &isolated)).await
    }

    async fn isolated(
        &self,
        caller: &Principal,
        id: PlanId,
        action: &'static str,
    ) -> Result<(Plan, Isolated)> {
        let state = self.state(caller, id).await?;
        let runs = state.tasks.iter().any(|task| task.status == TaskStatus::Running);
        let status = state.plan.status;
        if runs || is_busy(status) {
            return Err(agent_core::Error::IllegalPlanMove { plan: id, status, action }.into());
        }
        let (workspaces, plan) = (Arc::clone(&self.workspaces), state.plan.clone());
        let isolated = blocking(move || workspaces.find(&plan)).await?;
        Ok((state.plan, isolated.ok_or(Error::NotIsolated(id))?))
    }
}

/// Runs file work off the async threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, agent_repository::Error> + Send + 'static,
) -> Result<T> {
    let worked = tokio::task::spawn_blocking(work).await;
    Ok(worked.map_err(|error| Error::Internal(error.to_string()))??)
}

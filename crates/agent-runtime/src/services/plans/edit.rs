//! Edits of plans, and the versions they leave behind.

use super::request::{Bounds, check_goal, check_policy};
use super::{PlanDetails, Plans};
use crate::error::Result;
use agent_auth::Principal;
use agent_core::Error;
use agent_core::error::Defect;
use agent_core::executor::fact::Fact;
use agent_core::ids::PlanId;
use agent_core::plan::{DefinitionChange, PlanEdit, PlanState, PlanVersion};
use agent_core::ports::PlanReader;

/// How often an edit of whatever is there is made anew because somebody else edited in between.
const ATTEMPTS: u32 = 8;

/// An edited plan, and what the edit came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Edited {
    /// The plan with its figures.
    pub details: PlanDetails,
    /// The version that the edit made; the present one where it changed nothing.
    pub version: u32,
    /// What it meant for each task; empty where it changed nothing.
    pub changes: Vec<DefinitionChange>,
}

impl Plans {
    /// Changes the plan's goal, rules and tasks, whatever it is doing. Work whose inputs stay the same stays done.
    ///
    /// # Errors
    /// `PlanNotFound`, `VersionMismatch`, `InvalidPlan`, `IllegalPlanMove`, `Conflict`.
    pub async fn edit(&self, caller: &Principal, id: PlanId, edit: PlanEdit) -> Result<Edited> {
        self.edit_with(caller, id, edit.seen, |_| Ok(edit.clone())).await
    }

    /// As [`Plans::edit`], with an edit that is made from the plan as it stands. Without `seen` it is made from
    /// whatever is there, and made again when somebody else was faster.
    ///
    /// # Errors
    /// As [`Plans::edit`]; defects found while making the edit are an `InvalidPlan`.
    pub async fn edit_with(
        &self,
        caller: &Principal,
        id: PlanId,
        seen: Option<u32>,
        make: impl Fn(&PlanState) -> Result<PlanEdit, Vec<Defect>>,
    ) -> Result<Edited> {
        for _ in 0..ATTEMPTS {
            let state = self.state(caller, id).await?;
            let present = state.plan.version;
            if let Some(seen) = seen.filter(|seen| *seen != present) {
                return Err(Error::VersionMismatch { plan: id, seen, present }.into());
            }
            let edit = make(&state).map_err(Error::InvalidPlan)?;
            check(caller, &edit, &self.bounds())?;
            let edit = PlanEdit { seen: Some(present), ..edit };
            let fact = Fact::EditRequested { edit, by: caller.username.clone() };
            match self.executor.submit(caller.visibility(), id, fact).await {
                Ok(submitted) => {
                    return self.edited(caller, id, (present, submitted.state.plan.version)).await;
                }
                Err(Error::VersionMismatch { .. }) if seen.is_none() => {}
                Err(error) => return Err(error.into()),
            }
        }
        let seen = self.state(caller, id).await?.plan.revision;
        Err(Error::Conflict { plan: id, seen }.into())
    }

    async fn edited(&self, caller: &Principal, id: PlanId, (from, to): (u32, u32)) -> Result<Edited> {
        let mut changes = Vec::new();
        if from != to {
            let versions = self.versions(caller, id).await?;
            let made = versions.into_iter().find(|version| version.definition.version == to);
            changes = made.map(|version| version.changes).unwrap_or_default();
        }
        Ok(Edited { details: self.find(caller, id).await?, version: to, changes })
    }

    /// The versions of the plan's definition, oldest first; only the present one while nobody has edited it.
    ///
    /// # Errors
    /// `PlanNotFound`.
    pub async fn versions(&self, caller: &Principal, id: PlanId) -> Result<Vec<PlanVersion>> {
        self.state(caller, id).await?;
        let mut kept = PlanReader::versions(&self.store, caller.tenant, id).await?;
        // Read after them, so that it is at least as new.
        let state = self.state(caller, id).await?;
        if kept.is_empty() {
            return Ok(vec![PlanVersion {
                plan_id: id,
                definition: state.definition(),
                changes: Vec::new(),
                by: None,
                created_at: state.plan.created_at,
            }]);
        }
        // The first was kept when the second was made.
        if let Some(first) = kept.first_mut().filter(|first| first.definition.version == 1) {
            first.created_at = state.plan.created_at;
        }
        name_additions(&mut kept, &state);
        Ok(kept)
    }
}

fn check(caller: &Principal, edit: &PlanEdit, bounds: &Bounds<'_>) -> Result<()> {
    let mut defects = Vec::new();
    if let Some(goal) = &edit.goal {
        check_goal(goal, &mut defects);
    }
    if let Some(policy) = &edit.policy {
        check_policy(caller, policy, bounds, &mut defects);
    }
    if defects.is_empty() { Ok(()) } else { Err(Error::InvalidPlan(defects).into()) }
}

/// Tasks get their ids when a version is committed, so that its own record names them by position only: what came
/// after it knows the ids.
fn name_additions(versions: &mut [PlanVersion], state: &PlanState) {
    for index in 0..versions.len() {
        let (so_far, later) = versions.split_at_mut(index + 1);
        let Some(version) = so_far.last_mut() else { continue };
        let ids: Vec<_> = match later.first() {
            Some(next) => next.changes.iter().map(|change| change.task_id).collect(),
            None if version.definition.version == state.plan.version => {
                state.tasks.iter().map(|task| Some(task.id)).collect()
            }
            None => continue,
        };
        for (task, id) in version.definition.tasks.iter_mut().zip(ids) {
            task.id = task.id.or(id);
        }
        let tasks = &version.definition.tasks;
        for change in version.changes.iter_mut().filter(|change| change.task_id.is_none()) {
            let index = usize::try_from(change.position).unwrap_or_default().wrapping_sub(1);
            change.task_id = tasks.get(index).and_then(|task| task.id);
        }
    }
}

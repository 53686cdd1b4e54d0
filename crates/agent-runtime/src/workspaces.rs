//! Where plans work: in the repository, or in a folder of their own until somebody merges it.

use crate::repositories::{RepositoryRoots, blocking};
use agent_core::error::{Error, Result};
use agent_core::plan::{Plan, Task};
use agent_core::policy::WorkspaceMode;
use agent_core::ports::{Clock, Workspaces};
use agent_repository::isolation::{Isolated, IsolatedWorkspaces};
use agent_repository::patch::{History, Origin, Recorded};
use agent_repository::path_guard::Root;
use async_trait::async_trait;
use std::path::PathBuf;
use std::sync::Arc;

/// The longest first line of a commit message, in characters.
const LONGEST_SUBJECT: usize = 72;

/// The workspaces of all plans.
pub(crate) struct PlanWorkspaces {
    pub(crate) roots: Arc<RepositoryRoots>,
    pub(crate) isolated: IsolatedWorkspaces,
    pub(crate) history_folder: PathBuf,
    pub(crate) clock: Arc<dyn Clock>,
}

/// What a merge brought to the repository.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// The branch that holds the plan's commits.
    pub branch: String,
    /// The changes, with their number in the repository's history.
    pub recorded: Recorded,
}

#[async_trait]
impl Workspaces for PlanWorkspaces {
    /// The repository's path is checked again, since links may have changed.
    async fn open(&self, plan: &Plan) -> Result<PathBuf> {
        let repository = self.roots.admit(plan.owner.tenant, Some(plan.repo_path.clone())).await?;
        let id = plan.id.get();
        let isolated = (plan.policy.workspace == WorkspaceMode::Isolated).then(|| self.isolated.clone());
        blocking(move || {
            let Some(isolated) = isolated else { return Ok(repository) };
            Ok(isolated.open(&repository, id).map_err(failed)?.path().to_path_buf())
        })
        .await
    }

    /// A commit for each task, where the plan has a branch of its own.
    async fn keep(&self, plan: &Plan, task: &Task) -> Result<()> {
        if plan.policy.workspace == WorkspaceMode::Repository {
            return Ok(());
        }
        let (isolated, id, message) = (self.isolated.clone(), plan.id.get(), message(plan, task));
        blocking(move || {
            if let Some(isolated) = isolated.find(id).map_err(failed)? {
                isolated.commit(&message).map_err(failed)?;
            }
            Ok(())
        })
        .await
    }
}

impl PlanWorkspaces {
    /// The folder of a plan, if it has one of its own.
    pub(crate) fn find(&self, plan: &Plan) -> Result<Option<Isolated>, agent_repository::Error> {
        if plan.policy.workspace == WorkspaceMode::Repository {
            return Ok(None);
        }
        self.isolated.find(plan.id.get())
    }

    /// Brings a plan's commits to the files of its repository, recorded like any other change of them.
    pub(crate) fn merge(&self, plan: &Plan, isolated: &Isolated) -> Result<Merged, agent_repository::Error> {
        let root = Root::open(isolated.repository())?;
        let history = History::of_workspace(&self.history_folder, &root)?;
        history.recover(&root)?;
        let change = isolated.plan_merge(&root)?;
        let origin = Origin { step: Some(format!("plan-{}/merge", plan.id)) };
        let recorded = history.apply(&root, &change, &origin, self.clock.now())?;
        Ok(Merged { branch: isolated.branch().to_owned(), recorded })
    }

    /// Removes a plan's folder with its branch and the history of its changes.
    pub(crate) fn discard(&self, plan: &Plan, isolated: &Isolated) -> Result<(), agent_repository::Error> {
        let root = Root::open(isolated.path())?;
        History::of_workspace(&self.history_folder, &root)?.remove()?;
        self.isolated.discard(plan.id.get())
    }
}

fn failed(error: agent_repository::Error) -> Error {
    Error::Workspace(Box::new(error))
}

/// Names plan and task, for people and for programs.
fn message(plan: &Plan, task: &Task) -> String {
    let description = task.spec.description.lines().next().unwrap_or_default();
    let subject: String = format!("plan {}, task {}: {description}", plan.id, task.position)
        .chars()
        .take(LONGEST_SUBJECT)
        .collect();
    let goal = plan.goal.trim();
    format!("{subject}\n\n{goal}\n\nAgent-Plan: {}\nAgent-Task: {}\n", plan.id, task.id)
}

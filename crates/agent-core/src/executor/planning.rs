//! The making of plans as jobs of a driver.

mod recorded;

pub(super) use recorded::Books;

use super::fact::Fact;
use super::job::{Job, Report};
use super::shared::Shared;
use super::slots::Slot;
use crate::error::{Error, Result};
use crate::plan::{EditOperation, PlanEdit, PlanState, TaskSpec, TaskStatus};
use crate::planner::{self, Planner};
use futures_util::FutureExt;
use recorded::RecordedModel;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Completed tasks that a new one without dependencies is given as such, so that it is told what they yielded.
const MOST_BEFORE: usize = 8;

/// Turns the goal into tasks.
pub(super) async fn plan(
    shared: Arc<Shared>,
    state: Arc<PlanState>,
    books: Books,
    cancel: CancellationToken,
) -> Report {
    let planned = make_plan(&shared, &state, books);
    let told = |planned: Result<Vec<TaskSpec>>| match planned {
        Ok(tasks) => Fact::Planned { tasks },
        Err(error) => Fact::PlanningFailed { error: error.to_string() },
    };
    with_a_slot(&shared, &state, Job::Planning, cancel, planned, told).await
}

/// Makes new tasks for what is left of the plan.
pub(super) async fn replan(
    shared: Arc<Shared>,
    state: Arc<PlanState>,
    books: Books,
    cancel: CancellationToken,
) -> Report {
    let edited = make_edit(&shared, &state, books);
    let told = |edited: Result<PlanEdit>| Fact::Replanned { edit: edited.map_err(|error| error.to_string()) };
    with_a_slot(&shared, &state, Job::Replanning(state.plan.version), cancel, edited, told).await
}

/// Planning scans and asks a model, so it counts among what runs at once. A defect in it fails the plan, once.
async fn with_a_slot<T>(
    shared: &Arc<Shared>,
    state: &PlanState,
    job: Job,
    cancel: CancellationToken,
    planning: impl Future<Output = Result<T>>,
    told: impl FnOnce(Result<T>) -> Fact,
) -> Report {
    let planned = async {
        let slot: Slot = shared.slots.acquire(state.plan.owner, state.plan.id, 1).await;
        let planned = AssertUnwindSafe(planning).catch_unwind().await;
        let broke_off =
            |_panic| Err(Error::Planning("it broke off because of a defect of the program".to_owned()));
        (planned.unwrap_or_else(broke_off), slot)
    };
    tokio::select! {
        (planned, slot) = planned => Report { job, fact: Some(told(planned)), slot: Some(slot) },
        () = cancel.cancelled() => Report { job, fact: None, slot: None },
    }
}

async fn make_plan(shared: &Arc<Shared>, state: &Arc<PlanState>, books: Books) -> Result<Vec<TaskSpec>> {
    let planner = planner_of(shared, state, books).await?;
    let planned = planner.plan(&state.plan.goal, Path::new(&state.plan.repo_path)).await?;
    shared.ports.say(state, "assistant", planner::describe(&planned)).await;
    Ok(planned.tasks)
}

async fn make_edit(shared: &Arc<Shared>, state: &Arc<PlanState>, books: Books) -> Result<PlanEdit> {
    let folder = shared.ports.workspaces.open(&state.plan).await?;
    let planned = planner_of(shared, state, books).await?.replan(state, &folder).await?;
    let words = format!("A task failed, so what is left is planned anew. {}", planner::describe(&planned));
    shared.ports.say(state, "assistant", words).await;
    Ok(edit_of(state, planned.tasks))
}

/// A planner whose calls are on the books of the plan.
async fn planner_of(shared: &Arc<Shared>, state: &Arc<PlanState>, books: Books) -> Result<Planner> {
    let model = shared.ports.model.clone().ok_or(Error::NoLanguageModel)?;
    let model = RecordedModel::open(model, Arc::clone(shared), Arc::clone(state), books).await?;
    Ok(Planner::new(Arc::new(model), Arc::clone(&shared.ports.surveyor)))
}

/// The edit that puts new tasks in the place of all that have not completed.
fn edit_of(state: &PlanState, tasks: Vec<TaskSpec>) -> PlanEdit {
    let (done, open): (Vec<_>, Vec<_>) =
        state.tasks.iter().partition(|task| task.status == TaskStatus::Completed);
    let before: Vec<u32> = done.iter().rev().take(MOST_BEFORE).rev().map(|task| task.position).collect();
    let shift = u32::try_from(state.tasks.len()).unwrap_or(u32::MAX);
    let added = tasks.into_iter().map(|mut task| {
        task.depends_on.iter_mut().for_each(|position| *position = position.saturating_add(shift));
        if task.depends_on.is_empty() {
            task.depends_on.clone_from(&before);
        }
        EditOperation::Add(Box::new(task))
    });
    let removed = open.iter().map(|task| EditOperation::Remove(task.id));
    let operations = removed.chain(added).collect();
    PlanEdit { seen: Some(state.plan.version), operations, ..PlanEdit::default() }
}

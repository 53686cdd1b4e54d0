//! Trying again.

use super::{find, illegal};
use crate::error::{Error, Result};
use crate::executor::draft::Draft;
use crate::ids::TaskId;
use crate::plan::{PlanStatus, TaskStatus, graph};
use std::collections::BTreeSet;

/// Puts what did not complete back to the start; with `following`, a task and all that follows from it.
pub(super) fn again(draft: &mut Draft, task: Option<TaskId>, following: bool) -> Result<()> {
    if draft.plan.cancel_requested && draft.plan.status.is_live() {
        return Err(illegal(draft, "be retried until it has stopped"));
    }
    let chosen = task.map(|id| find(draft, id)).transpose()?;
    let again = match chosen {
        Some(index) if following => from_task_on(draft, index)?,
        _ => unfinished(draft, chosen)?,
    };
    for index in 0..draft.tasks.len() {
        let position = draft.tasks[index].position;
        if again.contains(&position) {
            draft.reset(index);
            draft.touch(index).selected = true;
        } else if ended_badly(draft.tasks[index].status) {
            // What nobody asked to try again is no part of this execution, so its failure does not stop it.
            draft.touch(index).selected = false;
        }
    }
    draft.plan.cancel_requested = false;
    draft.plan.finished_at = None;
    draft.plan.summary = None;
    if !matches!(draft.plan.status, PlanStatus::Running | PlanStatus::Paused) {
        draft.move_plan(PlanStatus::Running, "running again".to_owned());
    }
    Ok(())
}

fn ended_badly(status: TaskStatus) -> bool {
    matches!(status, TaskStatus::Failed | TaskStatus::Skipped | TaskStatus::Cancelled)
}

fn edges(draft: &Draft) -> impl Fn(u32) -> Vec<u32> {
    |position| {
        let task = draft.tasks.get(position as usize - 1);
        task.map(|task| task.spec.depends_on.clone()).unwrap_or_default()
    }
}

/// The task, what it needs and did not get, and everything that waits for it.
fn from_task_on(draft: &Draft, index: usize) -> Result<BTreeSet<u32>> {
    let (task, position) = (&draft.tasks[index], draft.tasks[index].position);
    let mut again =
        graph::descendants(draft.tasks.iter().map(|task| task.spec.depends_on.as_slice()), &[position]);
    again.insert(position);
    let busy = |position: &&u32| {
        let status = draft.tasks[**position as usize - 1].status;
        !status.is_terminal() && status != TaskStatus::Pending
    };
    if let Some(&position) = again.iter().find(busy) {
        let other = &draft.tasks[position as usize - 1];
        let action = "be run again before it has ended; pause or cancel the plan first";
        return Err(Error::IllegalTaskMove { task: other.id, status: other.status, action });
    }
    if !task.status.is_terminal() {
        return Err(Error::IllegalTaskMove { task: task.id, status: task.status, action: "be retried" });
    }
    let missing = graph::ancestors(&edges(draft), position);
    let missing = missing.into_iter().filter(|&p| ended_badly(draft.tasks[p as usize - 1].status));
    again.extend(missing);
    Ok(again)
}

/// Everything that ended without completing; with a task, only it, what comes before it and what waited for it.
fn unfinished(draft: &Draft, chosen: Option<usize>) -> Result<BTreeSet<u32>> {
    if let Some(index) = chosen {
        let (task, status) = (draft.tasks[index].id, draft.tasks[index].status);
        if !ended_badly(status) {
            return Err(Error::IllegalTaskMove { task, status, action: "be retried" });
        }
    }
    let mut again: BTreeSet<u32> =
        draft.tasks.iter().filter(|task| ended_badly(task.status)).map(|task| task.position).collect();
    if again.is_empty() {
        return Err(illegal(draft, "be retried: nothing in it failed"));
    }
    if let Some(index) = chosen {
        let position = draft.tasks[index].position;
        let mut concerned = graph::ancestors(&edges(draft), position);
        concerned.extend(graph::descendants(
            draft.tasks.iter().map(|task| task.spec.depends_on.as_slice()),
            &[position],
        ));
        concerned.insert(position);
        again.retain(|position| concerned.contains(position));
    }
    Ok(again)
}

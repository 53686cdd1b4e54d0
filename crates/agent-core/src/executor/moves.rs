//! What each fact does directly; what follows from it is `settle`'s job.

mod attempts;
mod edit;
mod recovery;
mod replan;
mod retry;

use super::draft::Draft;
use super::fact::Fact;
use crate::approval::Resolution;
use crate::error::{Error, Result};
use crate::event::EventBody;
use crate::ids::TaskId;
use crate::plan::{PlanStatus, TaskKind, TaskSpec, TaskStatus, graph};
use crate::ports::NewExecution;
use serde_json::json;
use std::sync::Arc;

pub(super) fn make(draft: &mut Draft, fact: Fact) -> Result<()> {
    match fact {
        Fact::Planned { tasks } => planned(draft, tasks),
        Fact::PlanningFailed { error } => planning_failed(draft, error),
        Fact::Replanned { edit } => replan::replanned(draft, edit),
        Fact::ExecuteRequested { task } => execute(draft, task)?,
        Fact::PauseRequested => pause(draft)?,
        Fact::ResumeRequested => resume(draft)?,
        Fact::CancelRequested => cancel(draft)?,
        Fact::RetryRequested { task, following } => retry::again(draft, task, following)?,
        Fact::EditRequested { edit, by } => edit::edit(draft, edit, by)?,
        Fact::SlotsGranted { slots } => attempts::start(draft, slots),
        Fact::AttemptFinished { task, attempt, outcome, jitter } => {
            attempts::finished(draft, task, attempt, outcome, jitter);
        }
        Fact::ApprovalDecided { task, sequence, decision, by, note } => {
            decided(draft, (task, sequence), decision, &by, note)?;
        }
        Fact::Recovered { generation, max_recoveries } => {
            recovery::recovered(draft, generation, max_recoveries);
        }
        Fact::TimeReached => {}
    }
    Ok(())
}

fn planned(draft: &mut Draft, tasks: Vec<TaskSpec>) {
    if draft.plan.status != PlanStatus::Planning {
        return;
    }
    let summary = format!("planned: {} tasks", tasks.len());
    draft.new_tasks = tasks;
    let status = if draft.plan.auto_execute { PlanStatus::Running } else { PlanStatus::Created };
    draft.plan.status = status;
    draft.tell(None, EventBody::PlanUpdated { status, summary });
}

fn planning_failed(draft: &mut Draft, error: String) {
    if draft.plan.status == PlanStatus::Planning {
        draft.move_plan(PlanStatus::Failed, error);
    }
}

fn illegal(draft: &Draft, action: &'static str) -> Error {
    Error::IllegalPlanMove { plan: draft.plan.id, status: draft.plan.status, action }
}

fn find(draft: &Draft, task: TaskId) -> Result<usize> {
    draft.index_of(task).ok_or(Error::TaskNotFound { plan: draft.plan.id, task })
}

fn execute(draft: &mut Draft, task: Option<TaskId>) -> Result<()> {
    let chosen = task.map(|id| find(draft, id)).transpose()?;
    let works = matches!(draft.plan.status, PlanStatus::Running | PlanStatus::AwaitingApproval);
    let busy = works && !draft.plan.cancel_requested;
    if draft.plan.status != PlanStatus::Created && !(busy && chosen.is_some()) {
        return Err(illegal(draft, "be executed (retry runs again what failed)"));
    }
    if let Some(index) = chosen {
        let task = &draft.tasks[index];
        if task.status != TaskStatus::Pending || (busy && task.selected) {
            let (task, status) = (task.id, task.status);
            return Err(Error::IllegalTaskMove { task, status, action: "be executed" });
        }
        select_with_ancestors(draft, index);
    } else {
        for index in 0..draft.tasks.len() {
            draft.touch(index).selected = true;
        }
    }
    draft.execution = Some(NewExecution { task_id: task });
    if !busy {
        draft.plan.cancel_requested = false;
        draft.plan.finished_at = None;
        draft.move_plan(PlanStatus::Running, "running".to_owned());
    }
    Ok(())
}

fn select_with_ancestors(draft: &mut Draft, index: usize) {
    let position = draft.tasks[index].position;
    let tasks = &draft.tasks;
    let depends_on = |position: u32| {
        tasks.get(position as usize - 1).map(|task| task.spec.depends_on.clone()).unwrap_or_default()
    };
    let ancestors = graph::ancestors(&depends_on, position);
    for wanted in ancestors.into_iter().chain([position]) {
        draft.touch(wanted as usize - 1).selected = true;
    }
}

fn pause(draft: &mut Draft) -> Result<()> {
    match draft.plan.status {
        PlanStatus::Paused => Ok(()),
        PlanStatus::Running | PlanStatus::AwaitingApproval if !draft.plan.cancel_requested => {
            draft.move_plan(PlanStatus::Paused, "paused; what runs is finished first".to_owned());
            Ok(())
        }
        _ => Err(illegal(draft, "be paused")),
    }
}

fn resume(draft: &mut Draft) -> Result<()> {
    match draft.plan.status {
        PlanStatus::Running => Ok(()),
        PlanStatus::Paused if !draft.plan.cancel_requested => {
            draft.move_plan(PlanStatus::Running, "resumed".to_owned());
            Ok(())
        }
        _ => Err(illegal(draft, "be resumed")),
    }
}

fn cancel(draft: &mut Draft) -> Result<()> {
    match draft.plan.status {
        PlanStatus::Cancelled => {}
        PlanStatus::Completed | PlanStatus::Failed => return Err(illegal(draft, "be cancelled")),
        PlanStatus::Planning | PlanStatus::Created => {
            for index in 0..draft.tasks.len() {
                if !draft.tasks[index].status.is_terminal() {
                    draft.end_task(index, TaskStatus::Cancelled, "the plan was cancelled");
                }
            }
            draft.move_plan(PlanStatus::Cancelled, "cancelled".to_owned());
        }
        PlanStatus::Running | PlanStatus::Paused | PlanStatus::AwaitingApproval => {
            draft.plan.cancel_requested = true;
        }
    }
    Ok(())
}

/// The answer to the open question of a task; one to a question before it, or that came too late, is refused.
fn decided(
    draft: &mut Draft,
    (id, sequence): (TaskId, u32),
    decision: Resolution,
    by: &str,
    note: Option<String>,
) -> Result<()> {
    let index = find(draft, id)?;
    let task = &draft.tasks[index];
    let in_time = task.wake_at.is_none_or(|at| at > draft.now);
    if task.status != TaskStatus::AwaitingApproval || task.questions != sequence || !in_time {
        let status = task.status;
        return Err(Error::IllegalTaskMove { task: id, status, action: "be decided on" });
    }
    draft.decide(index, decision.clone(), by, note.clone());
    let task = draft.touch(index);
    task.wake_at = None;
    let amid_attempt = task.is_amid_attempt();
    // `end_task` settles open questions; this one is settled already.
    task.status = if amid_attempt { TaskStatus::Ready } else { TaskStatus::Pending };
    if decision == Resolution::Cancel {
        draft.plan.cancel_requested = true;
        return Ok(());
    }
    if amid_attempt {
        // Yes and no are answers; what follows from them is for whoever asked.
        return Ok(());
    }
    if !decision.approves() {
        let reason = note.map_or_else(|| format!("rejected by {by}"), |n| format!("rejected by {by}: {n}"));
        draft.end_task(index, TaskStatus::Failed, &reason);
        return Ok(());
    }
    task.approved = true;
    if matches!(task.spec.kind, TaskKind::Approval) {
        draft.complete(index, Arc::new(json!({"approved_by": by, "note": note})));
    }
    Ok(())
}

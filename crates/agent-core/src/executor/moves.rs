//! What each fact does directly; what follows from it is `settle`'s job.

use super::draft::Draft;
use super::fact::{Fact, Outcome};
use super::{retry, schedule};
use crate::error::{Error, Result};
use crate::event::EventBody;
use crate::ids::TaskId;
use crate::plan::{OnUnknown, PlanStatus, TaskKind, TaskSpec, TaskStatus, graph};
use crate::policy::ApprovalMode;
use crate::ports::NewExecution;
use serde_json::json;

pub(super) fn make(draft: &mut Draft, fact: Fact) -> Result<()> {
    match fact {
        Fact::Planned { tasks } => planned(draft, tasks),
        Fact::PlanningFailed { error } => planning_failed(draft, error),
        Fact::ExecuteRequested { task } => execute(draft, task)?,
        Fact::PauseRequested => pause(draft)?,
        Fact::ResumeRequested => resume(draft)?,
        Fact::CancelRequested => cancel(draft)?,
        Fact::RetryRequested { task } => retry_tasks(draft, task)?,
        Fact::SlotsGranted { slots } => start(draft, slots),
        Fact::AttemptFinished { task, attempt, outcome, jitter } => {
            attempt_finished(draft, task, attempt, outcome, jitter);
        }
        Fact::ApprovalDecided { task, approve, by, note } => decided(draft, task, approve, &by, note)?,
        Fact::Recovered { generation } => recovered(draft, generation),
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

fn retry_tasks(draft: &mut Draft, task: Option<TaskId>) -> Result<()> {
    let ended = |status| matches!(status, TaskStatus::Failed | TaskStatus::Skipped | TaskStatus::Cancelled);
    if draft.plan.cancel_requested && draft.plan.status.is_live() {
        return Err(illegal(draft, "be retried until it has stopped"));
    }
    if let Some(id) = task {
        let index = find(draft, id)?;
        let status = draft.tasks[index].status;
        if !ended(status) {
            return Err(Error::IllegalTaskMove { task: id, status, action: "be retried" });
        }
    }
    let again: Vec<usize> = (0..draft.tasks.len()).filter(|&i| ended(draft.tasks[i].status)).collect();
    if again.is_empty() {
        return Err(illegal(draft, "be retried: nothing in it failed"));
    }
    for index in again {
        if task.is_none_or(|id| belongs_to_retry(draft, index, id)) {
            draft.reset(index);
            draft.touch(index).selected = true;
        } else {
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

/// Whether retrying `id` means that this task runs again: it is the one, comes before it, or waited for it.
fn belongs_to_retry(draft: &Draft, index: usize, id: TaskId) -> bool {
    let Some(chosen) = draft.index_of(id) else { return false };
    let tasks = &draft.tasks;
    let depends_on = |position: u32| {
        tasks.get(position as usize - 1).map(|task| task.spec.depends_on.clone()).unwrap_or_default()
    };
    let (chosen_position, position) = (tasks[chosen].position, tasks[index].position);
    index == chosen
        || graph::ancestors(&depends_on, chosen_position).contains(&position)
        || graph::ancestors(&depends_on, position).contains(&chosen_position)
}

fn start(draft: &mut Draft, slots: u32) {
    for _ in 0..slots {
        if schedule::startable_tasks(&draft.plan, &draft.tasks) == 0 {
            return;
        }
        let Some(index) = schedule::next_ready(&draft.tasks) else { return };
        let now = draft.now;
        draft.plan.started_at.get_or_insert(now);
        let task = draft.touch(index);
        task.status = TaskStatus::Running;
        task.attempts += 1;
        task.started_at = Some(now);
        task.finished_at = None;
        task.error = None;
        let (id, attempt, description) = (task.id, task.attempts, task.spec.description.clone());
        draft.record_attempt(index, TaskStatus::Running, None);
        draft.tell(Some(id), EventBody::TaskStarted { description, attempt });
    }
}

fn attempt_finished(draft: &mut Draft, task: TaskId, attempt: u32, outcome: Outcome, jitter: f64) {
    let Some(index) = draft.index_of(task) else { return };
    let present = &draft.tasks[index];
    if present.status != TaskStatus::Running || present.attempts != attempt {
        return;
    }
    match outcome {
        Outcome::Completed { result } => completed(draft, index, result),
        Outcome::Cancelled => {
            draft.record_attempt(index, TaskStatus::Cancelled, None);
            draft.end_task(index, TaskStatus::Cancelled, "the plan was cancelled");
        }
        Outcome::Failed { error, retryable } => failed(draft, index, error, retryable, jitter),
        Outcome::Unknown { detail } => unknown(draft, index, detail, jitter),
    }
}

fn completed(draft: &mut Draft, index: usize, result: serde_json::Value) {
    let now = draft.now;
    let task = draft.touch(index);
    task.status = TaskStatus::Completed;
    task.result = Some(result.clone());
    task.finished_at = Some(now);
    let id = task.id;
    draft.record_attempt(index, TaskStatus::Completed, None);
    draft.tell(Some(id), EventBody::TaskCompleted { result });
}

fn failed(draft: &mut Draft, index: usize, error: String, retryable: bool, jitter: f64) {
    draft.record_attempt(index, TaskStatus::Failed, Some(error.clone()));
    let task = &draft.tasks[index];
    let (id, attempts) = (task.id, task.attempts);
    if !retryable || attempts >= task.attempt_limit || draft.plan.cancel_requested {
        draft.end_task(index, TaskStatus::Failed, &error);
        return;
    }
    let delay = retry::delay(&task.spec.retry, attempts, jitter);
    let wake_at = draft.now.plus(delay);
    let task = draft.touch(index);
    task.status = TaskStatus::Pending;
    task.wake_at = Some(wake_at);
    task.error = Some(error.clone());
    draft.tell(Some(id), EventBody::TaskFailed { error, will_retry: true });
    let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
    draft.tell(Some(id), EventBody::TaskRetrying { attempt: attempts + 1, delay_ms });
}

fn unknown(draft: &mut Draft, index: usize, detail: String, jitter: f64) {
    let watched = draft.plan.policy.approval != ApprovalMode::Never;
    let otherwise = if watched { OnUnknown::Ask } else { OnUnknown::Fail };
    match draft.tasks[index].spec.on_unknown.unwrap_or(otherwise) {
        OnUnknown::Fail => failed(draft, index, detail, false, jitter),
        OnUnknown::Retry => {
            draft.touch(index).attempt_limit += 1;
            failed(draft, index, detail, true, jitter);
        }
        OnUnknown::Ask => {
            draft.record_attempt(index, TaskStatus::Failed, Some(detail.clone()));
            draft.touch(index).attempt_limit += 1;
            draft.ask(index, format!("{detail} Run it again?"));
        }
    }
}

fn decided(draft: &mut Draft, id: TaskId, approve: bool, by: &str, note: Option<String>) -> Result<()> {
    let index = find(draft, id)?;
    let status = draft.tasks[index].status;
    if status != TaskStatus::AwaitingApproval {
        return Err(Error::IllegalTaskMove { task: id, status, action: "be decided on" });
    }
    draft.decide(index, if approve { "approve" } else { "reject" }, by, note.clone());
    let now = draft.now;
    let task = draft.touch(index);
    task.wake_at = None;
    // `end_task` settles open questions; this one is settled already.
    task.status = TaskStatus::Pending;
    if !approve {
        let reason = note.map_or_else(|| format!("rejected by {by}"), |n| format!("rejected by {by}: {n}"));
        draft.end_task(index, TaskStatus::Failed, &reason);
        return Ok(());
    }
    task.approved = true;
    if matches!(task.spec.kind, TaskKind::Approval) {
        let result = json!({"approved_by": by, "note": note});
        task.status = TaskStatus::Completed;
        task.result = Some(result.clone());
        task.finished_at = Some(now);
        draft.tell(Some(id), EventBody::TaskCompleted { result });
    }
    Ok(())
}

fn recovered(draft: &mut Draft, generation: i64) {
    let in_flight = draft.tasks.iter().filter(|task| task.status == TaskStatus::Running).count();
    let tasks_in_flight = u32::try_from(in_flight).unwrap_or(u32::MAX);
    draft.tell(None, EventBody::RunRecovered { generation, tasks_in_flight });
}

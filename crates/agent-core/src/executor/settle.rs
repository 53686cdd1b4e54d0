//! What follows by itself: tasks become ready, are skipped or lapse; the plan ends.

use super::draft::Draft;
use super::{fingerprint, schedule};
use crate::approval::{Question, Resolution};
use crate::plan::{Plan, PlanStatus, Task, TaskKind, TaskStatus};
use crate::policy::{ApprovalMode, OnFailure};
use std::sync::Arc;

/// Brings a draft to rest: afterwards nothing more follows without a new fact.
pub(super) fn settle(draft: &mut Draft) {
    if matches!(draft.plan.status, PlanStatus::Planning | PlanStatus::Created)
        || draft.plan.status.is_terminal()
    {
        return;
    }
    // Tasks that are about to be added have no ids yet; what follows from them is settled after the commit.
    if !draft.new_tasks.is_empty() {
        return;
    }
    select_all_if_none(draft);
    select_what_is_needed(draft);
    if schedule::replanned_for(&draft.plan, &draft.tasks, draft.now).is_some() {
        return;
    }
    let mut stopped_by = first_failed(draft);
    let mut moved = true;
    while moved {
        moved = false;
        for index in 0..draft.tasks.len() {
            if settle_task(draft, index, stopped_by) {
                moved = true;
                stopped_by = stopped_by.or_else(|| stops(draft, index));
            }
        }
    }
    settle_plan(draft);
}

/// A running plan of which nothing was picked runs as a whole.
fn select_all_if_none(draft: &mut Draft) {
    if draft.tasks.iter().any(|task| task.selected) {
        return;
    }
    for index in 0..draft.tasks.len() {
        draft.touch(index).selected = true;
    }
}

/// An edit can make a task depend on one that nobody picked; it would wait for it for ever.
fn select_what_is_needed(draft: &mut Draft) {
    if draft.tasks.iter().all(|task| task.selected) {
        return;
    }
    let picked = draft.tasks.iter().filter(|task| task.selected && !task.status.is_terminal());
    let mut open: Vec<u32> = picked.flat_map(|task| task.spec.depends_on.clone()).collect();
    while let Some(position) = open.pop() {
        let index = position as usize - 1;
        let needed = &draft.tasks[index];
        if !needed.selected && !needed.status.is_terminal() {
            open.extend(needed.spec.depends_on.clone());
            draft.touch(index).selected = true;
        }
    }
}

/// The position of the task whose failure stops the plan.
fn first_failed(draft: &Draft) -> Option<u32> {
    (0..draft.tasks.len()).find_map(|index| stops(draft, index))
}

fn stops(draft: &Draft, index: usize) -> Option<u32> {
    let task = &draft.tasks[index];
    let stop = draft.plan.policy.on_failure != OnFailure::Continue;
    (stop && task.selected && task.status == TaskStatus::Failed).then_some(task.position)
}

/// One step of one task; true when something changed.
fn settle_task(draft: &mut Draft, index: usize, stopped_by: Option<u32>) -> bool {
    let task = &draft.tasks[index];
    if !task.selected || task.status.is_terminal() || task.status == TaskStatus::Running {
        return false;
    }
    if draft.plan.cancel_requested {
        draft.end_task(index, TaskStatus::Cancelled, "the plan was cancelled");
        return true;
    }
    if let Some(reason) = reason_to_skip(draft, index, stopped_by) {
        draft.end_task(index, TaskStatus::Skipped, &reason);
        return true;
    }
    match draft.tasks[index].status {
        TaskStatus::Pending => start_waiting(draft, index),
        TaskStatus::AwaitingApproval => lapse(draft, index),
        _ => false,
    }
}

fn reason_to_skip(draft: &Draft, index: usize, stopped_by: Option<u32>) -> Option<String> {
    let task = &draft.tasks[index];
    for &position in &task.spec.depends_on {
        let dependency = &draft.tasks[position as usize - 1];
        if dependency.status.is_terminal() && dependency.status != TaskStatus::Completed {
            return Some(format!("task {position}, which it depends on, is {}", dependency.status));
        }
    }
    if schedule::deadline(&draft.plan).is_some_and(|deadline| deadline <= draft.now) {
        return Some("the plan's max_duration_ms is used up".to_owned());
    }
    stopped_by.map(|position| format!("the plan stops because task {position} failed"))
}

fn start_waiting(draft: &mut Draft, index: usize) -> bool {
    let task = &draft.tasks[index];
    let due = task.wake_at.is_none_or(|at| at <= draft.now);
    let done = |position: &u32| draft.tasks[*position as usize - 1].status == TaskStatus::Completed;
    if !due || !task.spec.depends_on.iter().all(done) {
        return false;
    }
    if let Some(kept) =
        task.kept.as_ref().filter(|kept| kept.inputs == fingerprint::of_inputs(&draft.tasks, task))
    {
        let result = Arc::clone(&kept.result);
        draft.complete(index, result);
        return true;
    }
    if needs_a_person(&draft.plan, task) && !task.approved {
        let question = Question::about_task(&task.spec);
        draft.ask(index, question);
    } else {
        let task = draft.touch(index);
        task.status = TaskStatus::Ready;
        task.wake_at = None;
    }
    true
}

/// Whether somebody must approve the task before it starts.
fn needs_a_person(plan: &Plan, task: &Task) -> bool {
    let (writes, commands) = match task.spec.kind {
        TaskKind::Approval => return true,
        // What a model does is asked about call by call.
        TaskKind::Agent { .. } => (false, false),
        TaskKind::Tool { .. } => (true, true),
        TaskKind::Patch { .. } => (true, false),
        TaskKind::Command { .. } => (false, true),
        TaskKind::Scan => (false, false),
    };
    let by_policy = match plan.policy.approval {
        ApprovalMode::Never => false,
        ApprovalMode::Writes => writes,
        ApprovalMode::Commands => commands,
        ApprovalMode::Always => writes || commands,
    };
    by_policy || task.spec.requires_approval
}

fn lapse(draft: &mut Draft, index: usize) -> bool {
    if draft.tasks[index].wake_at.is_none_or(|at| at > draft.now) {
        return false;
    }
    draft.decide(index, Resolution::Expired, "expiry", None);
    if draft.tasks[index].is_amid_attempt() {
        // Whoever asked is told that nobody answered.
        let task = draft.touch(index);
        (task.status, task.wake_at) = (TaskStatus::Ready, None);
        return true;
    }
    draft.touch(index).status = TaskStatus::Pending;
    draft.end_task(index, TaskStatus::Failed, "nobody approved it in time");
    true
}

fn settle_plan(draft: &mut Draft) {
    let has = |status: TaskStatus| draft.tasks.iter().any(|task| task.selected && task.status == status);
    if draft.plan.cancel_requested {
        if !has(TaskStatus::Running) {
            draft.move_plan(PlanStatus::Cancelled, "cancelled".to_owned());
        }
        return;
    }
    if draft.tasks.iter().all(|task| !task.selected || task.status.is_terminal()) {
        finish_plan(draft);
        return;
    }
    if draft.plan.status == PlanStatus::Paused {
        return;
    }
    let waits_for_time = draft.tasks.iter().any(|t| t.status == TaskStatus::Pending && t.wake_at.is_some());
    let works = has(TaskStatus::Running) || has(TaskStatus::Ready) || waits_for_time;
    let status = if !works && has(TaskStatus::AwaitingApproval) {
        PlanStatus::AwaitingApproval
    } else {
        PlanStatus::Running
    };
    if status != draft.plan.status {
        let summary = match status {
            PlanStatus::AwaitingApproval => "waits for a person to decide",
            _ => "running",
        };
        draft.move_plan(status, summary.to_owned());
    }
}

fn finish_plan(draft: &mut Draft) {
    let total = draft.tasks.len();
    let completed = draft.tasks.iter().filter(|task| task.status == TaskStatus::Completed).count();
    if completed == total {
        draft.move_plan(PlanStatus::Completed, format!("completed: {completed} of {total} tasks"));
        return;
    }
    let failed = draft.tasks.iter().find(|task| task.status == TaskStatus::Failed);
    if let Some(task) = failed {
        let error = task.error.as_deref().unwrap_or("no reason recorded");
        let first_line = error.lines().next().unwrap_or_default();
        let summary = format!("task {} failed: {first_line}", task.position);
        draft.move_plan(PlanStatus::Failed, summary);
    } else if draft.tasks.iter().any(|task| !task.status.is_terminal()) {
        let summary = format!("the tasks asked for are done: {completed} of {total} completed");
        draft.move_plan(PlanStatus::Created, summary);
    } else {
        draft.move_plan(PlanStatus::Failed, format!("{completed} of {total} tasks completed"));
    }
}

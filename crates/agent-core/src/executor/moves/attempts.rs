//! Attempts: begun, ended.

use crate::approval::Question;
use crate::event::EventBody;
use crate::executor::draft::Draft;
use crate::executor::fact::Outcome;
use crate::executor::{retry, schedule};
use crate::ids::TaskId;
use crate::plan::{OnUnknown, TaskStatus};
use crate::policy::ApprovalMode;
use serde_json::Value;
use std::sync::Arc;

pub(super) fn start(draft: &mut Draft, slots: u32) {
    for _ in 0..slots {
        if schedule::startable_tasks(&draft.plan, &draft.tasks) == 0 {
            return;
        }
        let Some(index) = schedule::next_ready(&draft.tasks) else { return };
        let now = draft.now;
        draft.plan.started_at.get_or_insert(now);
        let task = draft.touch(index);
        let goes_on = task.is_amid_attempt();
        task.status = TaskStatus::Running;
        if goes_on {
            continue;
        }
        task.attempts += 1;
        task.recoveries = 0;
        task.kept = None;
        task.started_at = Some(now);
        task.finished_at = None;
        task.error = None;
        let (id, attempt, description) = (task.id, task.attempts, task.spec.description.clone());
        draft.record_attempt(index, TaskStatus::Running, None);
        draft.tell(Some(id), EventBody::TaskStarted { description, attempt });
    }
}

pub(super) fn finished(draft: &mut Draft, task: TaskId, attempt: u32, outcome: Outcome, jitter: f64) {
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
        Outcome::Asks { question } => draft.ask_amid_attempt(index, *question),
    }
}

fn completed(draft: &mut Draft, index: usize, result: Value) {
    draft.complete(index, Arc::new(result));
    draft.record_attempt(index, TaskStatus::Completed, None);
}

pub(super) fn failed(draft: &mut Draft, index: usize, error: String, retryable: bool, jitter: f64) {
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
    task.started_at = None;
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
            let question =
                Question::about_unknown(format!("{detail} Run it again?"), &draft.tasks[index].spec);
            draft.ask(index, question);
        }
    }
}

//! What may start, and what shall be under way.

use super::fact::Effect;
use crate::plan::{Plan, PlanState, PlanStatus, Task, TaskStatus};
use crate::policy::OnFailure;
use crate::time::Timestamp;
use std::time::Duration;

/// How many ready tasks of the plan may start now, as far as the plan itself is concerned.
pub fn startable(state: &PlanState) -> u32 {
    startable_tasks(&state.plan, &state.tasks)
}

pub(super) fn startable_tasks(plan: &Plan, tasks: &[Task]) -> u32 {
    let open = matches!(plan.status, PlanStatus::Running | PlanStatus::AwaitingApproval);
    if !open || plan.cancel_requested || replanned_for(plan, tasks, plan.updated_at).is_some() {
        return 0;
    }
    let count = |status| tasks.iter().filter(|task| task.status == status).count();
    let running = u32::try_from(count(TaskStatus::Running)).unwrap_or(u32::MAX);
    let ready = u32::try_from(count(TaskStatus::Ready)).unwrap_or(u32::MAX);
    // A plan that may run nothing at all would never end.
    let ceiling = plan.policy.max_parallel.unwrap_or(u32::MAX).max(1);
    ready.min(ceiling.saturating_sub(running))
}

/// The index of the ready task that starts next: by priority, then by position.
pub(super) fn next_ready(tasks: &[Task]) -> Option<usize> {
    let ready = tasks.iter().enumerate().filter(|(_, task)| task.status == TaskStatus::Ready);
    ready.min_by_key(|(_, task)| (task.spec.priority, task.position)).map(|(index, _)| index)
}

/// Versions up to which the planner may make a plan anew by itself; edits by people count, too.
const MOST_VERSIONS: u32 = 4;

/// The failed task because of which the planner makes the rest of the plan anew; nothing starts until it has. Only for
/// plans that run as a whole.
pub(super) fn replanned_for<'t>(plan: &Plan, tasks: &'t [Task], now: Timestamp) -> Option<&'t Task> {
    let possible = plan.policy.on_failure == OnFailure::Replan
        && plan.version < MOST_VERSIONS
        && plan.status.is_live()
        && !plan.cancel_requested
        && deadline(plan).is_none_or(|deadline| deadline > now)
        && tasks.iter().all(|task| task.selected);
    tasks.iter().find(|task| possible && task.status == TaskStatus::Failed)
}

/// When the plan's time budget ends.
pub(super) fn deadline(plan: &Plan) -> Option<Timestamp> {
    let budget = plan.policy.budget.max_duration_ms?;
    Some(plan.started_at?.plus(Duration::from_millis(budget)))
}

/// Everything that shall be under way in this state.
pub fn outstanding(state: &PlanState) -> Vec<Effect> {
    let plan = &state.plan;
    if !plan.status.is_live() {
        return Vec::new();
    }
    let mut effects = Vec::new();
    if plan.status == PlanStatus::Planning && !plan.cancel_requested {
        effects.push(Effect::MakePlan);
    }
    if !plan.cancel_requested {
        let running = state.tasks.iter().filter(|task| task.status == TaskStatus::Running);
        effects.extend(running.map(|task| Effect::RunAttempt { task: task.id, attempt: task.attempts }));
    }
    let works = matches!(plan.status, PlanStatus::Running | PlanStatus::AwaitingApproval);
    let rests = state.tasks.iter().all(|task| task.status != TaskStatus::Running);
    if works && rests && replanned_for(plan, &state.tasks, plan.updated_at).is_some() {
        effects.push(Effect::Replan);
    }
    let due = state.tasks.iter().filter(|task| !task.status.is_terminal()).filter_map(|task| task.wake_at);
    if let Some(at) = due.chain(deadline(plan)).min() {
        effects.push(Effect::WakeAt(at));
    }
    effects
}

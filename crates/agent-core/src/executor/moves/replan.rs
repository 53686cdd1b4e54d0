//! The rest of a plan made anew by the planner after a task has failed.

use super::edit;
use crate::executor::draft::Draft;
use crate::executor::schedule;
use crate::plan::{PlanEdit, PlanStatus, TaskStatus};

/// Who edits.
const PLANNER: &str = "planner";

/// Takes the planner's edit, unless the plan is no longer what the planner has seen: then it is looked at again. A plan
/// that cannot be made anew ends.
pub(super) fn replanned(draft: &mut Draft, edited: Result<PlanEdit, String>) {
    let Some(failed) = schedule::replanned_for(&draft.plan, &draft.tasks, draft.now) else { return };
    let position = failed.position;
    let why = match edited {
        Ok(edit) if edit.seen != Some(draft.plan.version) => return,
        Ok(edit) => match edit::edit(draft, edit, PLANNER.to_owned()) {
            Ok(()) => return,
            Err(error) => error.to_string(),
        },
        Err(why) => why,
    };
    let reason = format!("task {position} failed, and the plan could not be made anew: {why}");
    for index in 0..draft.tasks.len() {
        if !draft.tasks[index].status.is_terminal() {
            draft.end_task(index, TaskStatus::Skipped, &reason);
        }
    }
    draft.move_plan(PlanStatus::Failed, reason);
}

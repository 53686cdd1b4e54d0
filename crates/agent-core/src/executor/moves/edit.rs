//! Another definition for a plan, whatever it is doing: what stands, what is done again, what is stopped.

use super::illegal;
use crate::approval::Resolution;
use crate::error::{Defect, Error, Result};
use crate::event::EventBody;
use crate::executor::draft::Draft;
use crate::executor::fingerprint;
use crate::ids::TaskId;
use crate::plan::{
    DefinedTask, DefinitionChange, DefinitionFate, EditOperation, KeptResult, PlanDefinition, PlanEdit,
    PlanStatus, TaskSpec, TaskStatus, WorkFate, graph,
};
use crate::ports::NewVersion;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The list of tasks while it is edited, by position before the edit; additions follow.
struct Desk {
    entries: Vec<Entry>,
}

struct Entry {
    /// `None` for an addition.
    id: Option<TaskId>,
    spec: TaskSpec,
    removed: bool,
    /// The operation that gave it its present definition.
    operation: Option<usize>,
}

/// Takes an edit, or refuses it whole.
pub(super) fn edit(draft: &mut Draft, edit: PlanEdit, by: String) -> Result<()> {
    let (plan, present) = (draft.plan.id, draft.plan.version);
    if let Some(seen) = edit.seen.filter(|seen| *seen != present) {
        return Err(Error::VersionMismatch { plan, seen, present });
    }
    if draft.plan.status == PlanStatus::Planning {
        return Err(illegal(draft, "be edited before it has its tasks"));
    }
    if draft.plan.cancel_requested && draft.plan.status.is_live() {
        return Err(illegal(draft, "be edited until it has stopped"));
    }
    let moves = edit.policy.as_ref().is_some_and(|policy| policy.workspace != draft.plan.policy.workspace);
    if moves && draft.plan.started_at.is_some() {
        let detail = "a plan stays where its first task was started; make another plan to work elsewhere";
        return Err(Error::InvalidPlan(vec![Defect::new("/policy/workspace", detail)]));
    }
    let before = definition(draft);
    let desk = Desk::of(draft, edit.operations)?;
    let same_rules = edit.goal.as_ref().is_none_or(|goal| *goal == draft.plan.goal)
        && edit.policy.as_ref().is_none_or(|policy| *policy == draft.plan.policy);
    let changes = desk.write_into(draft);
    let same_tasks = changes.iter().all(|change| change.definition == DefinitionFate::Unchanged);
    if same_rules && same_tasks {
        return Ok(());
    }
    draft.plan.version += 1;
    draft.plan.goal = edit.goal.unwrap_or_else(|| draft.plan.goal.clone());
    draft.plan.policy = edit.policy.unwrap_or_else(|| draft.plan.policy.clone());
    let mut after = definition(draft);
    after.tasks.extend(draft.new_tasks.iter().map(|spec| DefinedTask { id: None, spec: spec.clone() }));
    let summary = summarise(&changes);
    let version = draft.plan.version;
    draft.tell(None, EventBody::PlanEdited { version, by: by.clone(), summary });
    draft.version = Some(NewVersion { before, after, changes, by });
    reopen(draft);
    Ok(())
}

/// A plan that had ended and has work again waits to be executed.
fn reopen(draft: &mut Draft) {
    let open = draft.tasks.iter().any(|task| !task.status.is_terminal()) || !draft.new_tasks.is_empty();
    if draft.plan.status.is_terminal() && open {
        draft.plan.finished_at = None;
        draft.plan.summary = None;
        draft.plan.cancel_requested = false;
        draft.move_plan(PlanStatus::Created, "edited; execute it to go on".to_owned());
    }
}

fn definition(draft: &Draft) -> PlanDefinition {
    let tasks =
        draft.tasks.iter().map(|task| DefinedTask { id: Some(task.id), spec: TaskSpec::clone(&task.spec) });
    PlanDefinition {
        version: draft.plan.version,
        goal: draft.plan.goal.clone(),
        policy: draft.plan.policy.clone(),
        tasks: tasks.collect(),
    }
}

fn summarise(changes: &[DefinitionChange]) -> String {
    let count = |fate| changes.iter().filter(|change| change.definition == fate).count();
    let work = |fate| changes.iter().filter(|change| change.work == fate).count();
    format!(
        "{} added, {} changed, {} removed; {} to be done again, {} stopped",
        count(DefinitionFate::Added),
        count(DefinitionFate::Changed),
        count(DefinitionFate::Removed),
        work(WorkFate::Invalidated),
        work(WorkFate::Cancelled),
    )
}

impl Desk {
    /// The tasks with all operations carried out, or every defect found in them.
    fn of(draft: &Draft, operations: Vec<EditOperation>) -> Result<Self> {
        let entries = draft.tasks.iter().map(|task| Entry {
            id: Some(task.id),
            spec: TaskSpec::clone(&task.spec),
            removed: false,
            operation: None,
        });
        let mut desk = Self { entries: entries.collect() };
        let mut defects = Vec::new();
        for (number, operation) in operations.into_iter().enumerate() {
            desk.carry_out(number, operation, &mut defects);
        }
        if defects.is_empty() {
            desk.drop_edges_to_removed();
            desk.validate(&mut defects);
        }
        if defects.is_empty() { Ok(desk) } else { Err(Error::InvalidPlan(defects)) }
    }

    fn carry_out(&mut self, number: usize, operation: EditOperation, defects: &mut Vec<Defect>) {
        let (id, patch) = match operation {
            EditOperation::Add(spec) => {
                let operation = Some(number);
                self.entries.push(Entry { id: None, spec: *spec, removed: false, operation });
                return;
            }
            EditOperation::Update(id, patch) => (id, Some(patch)),
            EditOperation::Remove(id) => (id, None),
        };
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == Some(id) && !entry.removed) else {
            let detail = format!("task {id} is not part of the plan");
            defects.push(Defect::new(format!("/operations/{number}/task_id"), detail));
            return;
        };
        match patch {
            Some(patch) => {
                patch.write_into(&mut entry.spec);
                entry.operation = Some(number);
            }
            None => entry.removed = true,
        }
    }

    /// A task that is gone holds nobody up; an operation that names it on purpose is refused by the validation.
    fn drop_edges_to_removed(&mut self) {
        let gone: BTreeSet<u32> = (1..)
            .zip(&self.entries)
            .filter(|(_, entry)| entry.removed)
            .map(|(position, _)| position)
            .collect();
        for entry in self.entries.iter_mut().filter(|entry| entry.operation.is_none()) {
            entry.spec.depends_on.retain(|position| !gone.contains(position));
        }
    }

    /// Positions after the edit by position before it.
    fn positions(&self) -> BTreeMap<u32, u32> {
        let stays = (1..).zip(&self.entries).filter(|(_, entry)| !entry.removed);
        stays.map(|(before, _)| before).zip(1..).collect()
    }

    /// Checks the plan as it will be; pointers lead to the operations at fault.
    fn validate(&self, defects: &mut Vec<Defect>) {
        let positions = self.positions();
        let mut kept = Vec::new();
        for entry in self.entries.iter().filter(|entry| !entry.removed) {
            let mut spec = entry.spec.clone();
            for position in &mut spec.depends_on {
                match positions.get(position) {
                    Some(after) => *position = *after,
                    None => {
                        let number = entry.operation.unwrap_or_default();
                        let detail = format!("no task has position {position} once the edit is made");
                        let pointer = format!("/operations/{number}/task/depends_on");
                        defects.push(Defect::new(pointer, detail));
                    }
                }
            }
            kept.push((entry.operation, spec));
        }
        if !defects.is_empty() {
            return;
        }
        let specs: Vec<TaskSpec> = kept.iter().map(|(_, spec)| spec.clone()).collect();
        if let Err(Error::InvalidPlan(found)) = graph::validate(&specs) {
            defects.extend(found.into_iter().map(|defect| point_to_operation(defect, &kept)));
        }
    }

    /// Writes the edit into the draft and says what became of each task.
    fn write_into(self, draft: &mut Draft) -> Vec<DefinitionChange> {
        let positions = self.positions();
        let again = self.to_be_done_again(draft);
        let whole_plan = draft.tasks.iter().all(|task| task.selected);
        let mut changes = Vec::new();
        let mut gone = BTreeSet::new();
        self.keep_results(draft, &again);
        for (index, entry) in self.entries.into_iter().enumerate() {
            let before = u32::try_from(index + 1).unwrap_or(u32::MAX);
            let position = positions.get(&before).copied().unwrap_or(before);
            let mut spec = entry.spec;
            for dependency in &mut spec.depends_on {
                *dependency = positions.get(dependency).copied().unwrap_or(*dependency);
            }
            let Some(id) = entry.id else {
                draft.new_tasks.push(spec);
                draft.select_new = whole_plan && draft.plan.status.is_live();
                let (definition, work) = (DefinitionFate::Added, WorkFate::None);
                changes.push(DefinitionChange { task_id: None, position, definition, work });
                continue;
            };
            let (definition, work) = if entry.removed {
                gone.insert(id);
                (DefinitionFate::Removed, stop_work(draft, index))
            } else {
                let renumbered = entry.operation.is_none();
                redefine(draft, index, spec, position, again.contains(&before), renumbered)
            };
            changes.push(DefinitionChange { task_id: Some(id), position, definition, work });
        }
        draft.remove(&gone);
        changes
    }

    /// Tasks whose work no longer counts: those that describe other work now, and what follows from them.
    fn to_be_done_again(&self, draft: &Draft) -> BTreeSet<u32> {
        let differs = |index: usize, entry: &Entry| {
            !entry.removed
                && entry.operation.is_some()
                && draft.tasks.get(index).is_some_and(|task| !task.spec.same_work(&entry.spec))
        };
        let changed = self.entries.iter().enumerate().filter(|(index, entry)| differs(*index, entry));
        let changed: Vec<u32> =
            changed.map(|(index, _)| u32::try_from(index + 1).unwrap_or(u32::MAX)).collect();
        let edges = self.entries.iter().map(|entry| entry.spec.depends_on.as_slice());
        let mut again = graph::descendants(edges, &changed);
        again.extend(changed);
        again
    }

    /// Keeps the results of tasks that still describe the same work, for when their inputs come out the same.
    fn keep_results(&self, draft: &mut Draft, again: &BTreeSet<u32>) {
        let mut kept = Vec::new();
        for &position in again {
            let index = position as usize - 1;
            let (Some(entry), Some(task)) = (self.entries.get(index), draft.tasks.get(index)) else {
                continue;
            };
            if task.status == TaskStatus::Completed && !entry.removed && task.spec.same_work(&entry.spec) {
                let inputs = fingerprint::of_inputs(&draft.tasks, task);
                kept.extend(task.result.clone().map(|result| (index, KeptResult { inputs, result })));
            }
        }
        for (index, result) in kept {
            draft.touch(index).kept = Some(result);
        }
    }
}

fn point_to_operation(defect: Defect, kept: &[(Option<usize>, TaskSpec)]) -> Defect {
    let Some(rest) = defect.pointer.strip_prefix("/tasks/") else {
        return Defect::new("/operations", defect.detail);
    };
    let (index, field) = rest.split_once('/').unwrap_or((rest, ""));
    let operation = index.parse::<usize>().ok().and_then(|index| kept.get(index)).and_then(|(n, _)| *n);
    match operation {
        Some(number) => Defect::new(format!("/operations/{number}/task/{field}"), defect.detail),
        None => Defect::new("/operations", defect.detail),
    }
}

/// Gives a task its definition and place; what became of both definition and work.
fn redefine(
    draft: &mut Draft,
    index: usize,
    spec: TaskSpec,
    position: u32,
    again: bool,
    renumbered: bool,
) -> (DefinitionFate, WorkFate) {
    let same = *draft.tasks[index].spec == spec;
    let definition = if same || renumbered { DefinitionFate::Unchanged } else { DefinitionFate::Changed };
    let work = if again { stop_work(draft, index) } else { fate_of_untouched(draft, index) };
    if !same || draft.tasks[index].position != position {
        let task = draft.redefine(index);
        let (before, after) = (task.spec.retry.max_attempts, spec.retry.max_attempts);
        task.attempt_limit = (task.attempt_limit + after).saturating_sub(before).max(task.attempts);
        task.position = position;
        task.spec = Arc::new(spec);
    }
    if again {
        let kept = draft.tasks[index].kept.take();
        draft.reset(index);
        draft.touch(index).kept = kept;
    }
    (definition, work)
}

fn fate_of_untouched(draft: &Draft, index: usize) -> WorkFate {
    if draft.tasks[index].attempts == 0 { WorkFate::None } else { WorkFate::Kept }
}

/// Ends what is under way on a task, and says what there was.
fn stop_work(draft: &mut Draft, index: usize) -> WorkFate {
    let task = &draft.tasks[index];
    match task.status {
        TaskStatus::Running => {
            draft.record_attempt(index, TaskStatus::Cancelled, Some("the plan was edited".to_owned()));
            WorkFate::Cancelled
        }
        TaskStatus::AwaitingApproval | TaskStatus::Ready if task.is_amid_attempt() => {
            let asks = task.status == TaskStatus::AwaitingApproval;
            draft.record_attempt(index, TaskStatus::Cancelled, Some("the plan was edited".to_owned()));
            if asks {
                draft.decide(index, Resolution::Withdrawn, "edit", Some("the plan was edited".to_owned()));
            }
            WorkFate::Cancelled
        }
        TaskStatus::AwaitingApproval => {
            draft.decide(index, Resolution::Withdrawn, "edit", Some("the plan was edited".to_owned()));
            WorkFate::Cancelled
        }
        TaskStatus::Completed => WorkFate::Invalidated,
        _ if task.attempts > 0 => WorkFate::Invalidated,
        _ => WorkFate::None,
    }
}

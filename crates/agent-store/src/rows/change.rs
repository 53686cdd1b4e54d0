//! A creation or change made ready for the writer: everything is encoded before it queues.

use super::PlanKey;
use super::blob::Blob;
use super::event::PendingEvent;
use super::plan::{NewPlanRow, PlanDefinitionRow, PlanStandingRow};
use super::task::{NewTaskRow, TaskDefinitionRow, TaskStandingRow};
use super::version::VersionRow;
use agent_core::Result;
use agent_core::ids::{PlanId, Revision, TaskId};
use agent_core::plan::{Idempotency, PlanState, TaskSpec};
use agent_core::ports::{
    ApprovalDecision, AttemptChange, Change, NewApproval, NewExecution, NewVersion, Opening,
};
use agent_core::time::Timestamp;
use std::time::Duration;

/// A plan about to be made.
pub(crate) struct PreparedPlan {
    pub(crate) plan: NewPlanRow,
    pub(crate) lease: Option<Duration>,
    pub(crate) tasks: Vec<NewTaskRow>,
    /// Tasks are named by position in these two.
    pub(crate) approvals: Vec<NewApproval>,
    pub(crate) events: Vec<PendingEvent>,
    pub(crate) idempotency: Option<Idempotency>,
    pub(crate) at: Timestamp,
}

impl PreparedPlan {
    pub(crate) fn new(opening: &Opening, idempotency: Option<&Idempotency>) -> Result<Self> {
        Ok(Self {
            plan: NewPlanRow::new(opening)?,
            lease: opening.hold.as_ref().map(|(_, lease)| *lease),
            tasks: opening.state.tasks.iter().map(NewTaskRow::opening).collect::<Result<_>>()?,
            approvals: opening.change.approvals.clone(),
            events: PendingEvent::all(opening.change.events.clone())?,
            idempotency: idempotency.cloned(),
            at: opening.change.at,
        })
    }
}

/// What an edit changes of definitions.
pub(crate) struct PreparedEdit {
    pub(crate) plan: PlanDefinitionRow,
    /// In order of position, so that each moves to a place that is free.
    pub(crate) tasks: Vec<(TaskId, TaskDefinitionRow)>,
    pub(crate) removed: Vec<TaskId>,
    pub(crate) versions: (VersionRow, VersionRow),
}

impl PreparedEdit {
    fn new(change: &Change, version: &NewVersion) -> Result<Self> {
        let redefined = change.tasks.iter().filter(|task| change.redefined.contains(&task.id));
        let tasks = redefined.map(|task| Ok((task.id, TaskDefinitionRow::new(task)?)));
        Ok(Self {
            plan: PlanDefinitionRow::new(&change.plan)?,
            tasks: tasks.collect::<Result<_>>()?,
            removed: change.removed.clone(),
            versions: VersionRow::pair(PlanKey::of(&change.plan), version, change.at)?,
        })
    }
}

/// What became of a creation.
pub(crate) enum Made {
    /// A new plan, with the ids of its tasks by position.
    New(PlanId, Vec<i64>),
    /// The plan that an earlier request with the same key made.
    Existing(Box<PlanState>),
}

/// A change about to be committed.
pub(crate) struct PreparedChange {
    pub(crate) plan_key: PlanKey,
    pub(crate) seen: Revision,
    pub(crate) plan: PlanStandingRow,
    /// Whether nobody has to look after the plan any more.
    pub(crate) ends: bool,
    pub(crate) tasks: Vec<(TaskId, TaskStandingRow)>,
    pub(crate) edit: Option<PreparedEdit>,
    pub(crate) blobs: Vec<Blob>,
    pub(crate) new_tasks: Vec<NewTaskRow>,
    pub(crate) attempts: Vec<AttemptChange>,
    pub(crate) approvals: Vec<NewApproval>,
    pub(crate) decisions: Vec<ApprovalDecision>,
    pub(crate) execution: Option<NewExecution>,
    pub(crate) events: Vec<PendingEvent>,
    pub(crate) at: Timestamp,
}

impl PreparedChange {
    /// Whether it consists of nothing but what executing does at every step.
    pub(crate) fn is_step(&self) -> bool {
        self.edit.is_none()
            && self.new_tasks.is_empty()
            && self.approvals.is_empty()
            && self.decisions.is_empty()
            && self.execution.is_none()
    }

    pub(crate) fn new(change: &Change) -> Result<Self> {
        let mut blobs = Vec::new();
        let tasks = change.tasks.iter().map(|task| {
            let (row, blob) = TaskStandingRow::new(task)?;
            blobs.extend(blob);
            Ok((task.id, row))
        });
        let tasks = tasks.collect::<Result<_>>()?;
        let events = PendingEvent::all(change.events.clone())?;
        blobs.extend(events.iter().filter_map(|event| event.blob.clone()));
        // The result of a task and the event that tells of it are the same content.
        blobs.sort_by(|one, other| one.hash.cmp(&other.hash));
        blobs.dedup();
        Ok(Self {
            plan_key: PlanKey::of(&change.plan),
            seen: change.seen,
            plan: PlanStandingRow::new(&change.plan, change.seen),
            ends: !change.plan.status.is_live(),
            tasks,
            edit: change.version.as_ref().map(|version| PreparedEdit::new(change, version)).transpose()?,
            blobs,
            new_tasks: task_rows(&change.new_tasks, change.select_new)?,
            attempts: change.attempts.clone(),
            approvals: change.approvals.clone(),
            decisions: change.decisions.clone(),
            execution: change.execution.clone(),
            events,
            at: change.at,
        })
    }
}

fn task_rows(specs: &[TaskSpec], selected: bool) -> Result<Vec<NewTaskRow>> {
    specs.iter().map(|spec| NewTaskRow::new(spec, selected)).collect()
}

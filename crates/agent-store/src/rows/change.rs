//! A creation or change made ready for the writer: everything is encoded before it queues.

use super::event::PendingEvent;
use super::plan::{NewPlanRow, PlanChangeRow};
use super::task::{NewTaskRow, TaskChangeRow};
use agent_core::Result;
use agent_core::event::{EventBody, NewEvent};
use agent_core::ids::{PlanId, Revision, TaskId};
use agent_core::plan::{Idempotency, NewPlan, PlanState, PlanStatus, TaskSpec};
use agent_core::ports::{ApprovalDecision, AttemptChange, Change, NewApproval, NewExecution};
use agent_core::time::Timestamp;

/// A plan about to be made.
pub(crate) struct PreparedPlan {
    pub(crate) plan: NewPlanRow,
    pub(crate) tasks: Vec<NewTaskRow>,
    pub(crate) first: PendingEvent,
    pub(crate) idempotency: Option<Idempotency>,
    pub(crate) at: Timestamp,
}

impl PreparedPlan {
    pub(crate) fn new(plan: &NewPlan, status: PlanStatus, at: Timestamp) -> Result<Self> {
        let summary = match (status, plan.tasks.len()) {
            (PlanStatus::Planning, _) => "planning".to_owned(),
            (_, 1) => "plan created with 1 task".to_owned(),
            (_, count) => format!("plan created with {count} tasks"),
        };
        let first = NewEvent { task_id: None, body: EventBody::PlanUpdated { status, summary } };
        Ok(Self {
            plan: NewPlanRow::new(plan, status, at)?,
            tasks: task_rows(&plan.tasks)?,
            first: PendingEvent::new(first)?,
            idempotency: plan.idempotency.clone(),
            at,
        })
    }
}

/// What became of a creation.
pub(crate) enum Created {
    /// A new plan, with the ids of its tasks by position.
    New(PlanId, Vec<i64>),
    /// The plan that an earlier request with the same key made.
    Existing(Box<PlanState>),
}

/// A change about to be committed.
pub(crate) struct PreparedChange {
    pub(crate) plan_id: PlanId,
    pub(crate) seen: Revision,
    pub(crate) plan: PlanChangeRow,
    pub(crate) tasks: Vec<(TaskId, TaskChangeRow)>,
    pub(crate) new_tasks: Vec<NewTaskRow>,
    pub(crate) attempts: Vec<AttemptChange>,
    pub(crate) approvals: Vec<NewApproval>,
    pub(crate) decisions: Vec<ApprovalDecision>,
    pub(crate) execution: Option<NewExecution>,
    pub(crate) events: Vec<PendingEvent>,
    pub(crate) at: Timestamp,
}

impl PreparedChange {
    pub(crate) fn new(change: &Change) -> Result<Self> {
        let tasks = change.tasks.iter().map(|task| Ok((task.id, TaskChangeRow::new(task)?)));
        Ok(Self {
            plan_id: change.plan.id,
            seen: change.seen,
            plan: PlanChangeRow::new(&change.plan, change.seen)?,
            tasks: tasks.collect::<Result<_>>()?,
            new_tasks: task_rows(&change.new_tasks)?,
            attempts: change.attempts.clone(),
            approvals: change.approvals.clone(),
            decisions: change.decisions.clone(),
            execution: change.execution.clone(),
            events: PendingEvent::all(change.events.clone())?,
            at: change.at,
        })
    }
}

fn task_rows(specs: &[TaskSpec]) -> Result<Vec<NewTaskRow>> {
    specs.iter().map(NewTaskRow::new).collect()
}

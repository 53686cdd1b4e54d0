//! Whole creations and whole changes: state and events together.

use super::{Conn, approvals, attempts, events, idempotency, plans, tasks};
use crate::error::Answer;
use crate::rows::change::{Created, PreparedChange, PreparedPlan};
use crate::rows::event::PendingEvent;
use crate::writer::Written;
use agent_core::event::EventBody;
use agent_core::ids::{ApprovalId, ExecutionId, TaskId, UserId};
use agent_core::ports::Fence;

/// Makes a plan with its tasks and its first event, or finds the one made under the same key.
pub(crate) fn create(conn: &mut Conn, prepared: PreparedPlan) -> Answer<Written<Created>> {
    let PreparedPlan { plan, tasks: rows, first, idempotency: key, at } = prepared;
    let owner = UserId(plan.owner_id);
    if let Some(key) = &key
        && let Some(existing) = idempotency::find(conn, owner, key, at)?
    {
        return Ok(Written::silent(Created::Existing(Box::new(plans::load(conn, existing)?))));
    }
    let id = plans::insert(conn, &plan)?;
    tasks::insert(conn, id, rows, 1)?;
    if let Some(key) = &key {
        idempotency::keep(conn, owner, key, id, at)?;
    }
    let reserved = plans::Reserved { first_seq: 1, owner };
    let events = events::append(conn, id, &reserved, vec![first], at)?;
    Ok(Written { value: Created::New(id, tasks::ids(conn, id)?), events })
}

/// Applies a change, whole or not at all.
pub(crate) fn apply(
    conn: &mut Conn,
    change: PreparedChange,
    fence: Option<&Fence>,
) -> Answer<Written<Option<ExecutionId>>> {
    let PreparedChange { plan_id: plan, mut events, at, .. } = change;
    let seen = (plan, change.seen);
    let reserved = plans::update(conn, seen, &change.plan, events::count(&events), fence)?;
    for (id, row) in &change.tasks {
        tasks::update(conn, plan, *id, row)?;
    }
    if !change.new_tasks.is_empty() {
        let first = tasks::next_position(conn, plan)?;
        tasks::insert(conn, plan, change.new_tasks, first)?;
    }
    for attempt in &change.attempts {
        attempts::record(conn, plan, attempt, at)?;
    }
    // Answers before questions: a task that is asked again is not answered by the answer to the first.
    for decision in &change.decisions {
        approvals::decide(conn, plan, decision, at)?;
    }
    for question in &change.approvals {
        let id = approvals::insert(conn, plan, question, at)?;
        name_question(&mut events, question.task_id, id)?;
    }
    let execution = change.execution.map(|execution| attempts::accept(conn, plan, &execution, at));
    let value = execution.transpose()?;
    Ok(Written { value, events: events::append(conn, plan, &reserved, events, at)? })
}

/// Puts the id of a question into the event that tells of it.
fn name_question(events: &mut [PendingEvent], task: TaskId, id: ApprovalId) -> Answer<()> {
    let unnamed = events.iter_mut().find(|event| {
        event.task_id == Some(task)
            && matches!(&event.body, EventBody::ApprovalRequested { approval_id, .. } if approval_id.get() == 0)
    });
    match unnamed {
        Some(event) => Ok(event.assign_approval(id)?),
        None => Ok(()),
    }
}

//! Whole creations and whole changes: state and events together.

use super::idempotency::Resource;
use super::{Conn, approvals, attempts, blobs, dialect, events, idempotency, leases, plans, tasks, versions};
use crate::error::Answer;
use crate::rows::PlanKey;
use crate::rows::change::{Made, PreparedChange, PreparedEdit, PreparedPlan};
use crate::rows::event::PendingEvent;
use crate::writer::Written;
use agent_core::event::EventBody;
use agent_core::ids::{ApprovalId, ExecutionId, Owner, PlanId, TaskId, TenantId, UserId};
use agent_core::ports::{Fence, Visibility};

/// Makes a plan with its tasks and its first events, or finds the one made under the same key.
pub(crate) fn create(conn: &mut Conn, prepared: PreparedPlan) -> Answer<Written<Made>> {
    let PreparedPlan { mut plan, lease, tasks: rows, approvals, mut events, idempotency: key, at } = prepared;
    let owner = Owner { tenant: TenantId(plan.tenant_id), user: UserId(plan.owner_id) };
    if let Some(key) = &key
        && let Some(existing) = idempotency::find(conn, owner, key, Resource::Plan, at)?
    {
        return Ok(Written::silent(Made::Existing(Box::new(plans::load(
            conn,
            Some(Visibility::Owner(owner)),
            PlanId(existing),
        )?))));
    }
    if let Some(lease) = lease {
        plan.lease_expires_at = Some(leases::ends(dialect::now(conn)?, lease));
    }
    let id = plans::insert(conn, &plan)?;
    let key_of_plan = PlanKey { tenant: owner.tenant, id };
    let tasks = tasks::insert(conn, key_of_plan, rows)?;
    if let Some(key) = &key {
        idempotency::keep(conn, owner, key, (Resource::Plan, id.get()), at)?;
    }
    for event in &mut events {
        event.task_id = event.task_id.and_then(|position| id_at(&tasks, position));
    }
    for mut question in approvals {
        question.task_id = id_at(&tasks, question.task_id).unwrap_or(question.task_id);
        let asked = approvals::insert(conn, key_of_plan, &question, at)?;
        name_question(&mut events, question.task_id, asked)?;
    }
    let reserved = plans::Reserved { first_seq: 1, owner };
    let events = events::append(conn, id, &reserved, events, at)?;
    Ok(Written { value: Made::New(id, tasks), events })
}

/// The id of the task that was named by its position.
fn id_at(tasks: &[i64], position: TaskId) -> Option<TaskId> {
    let index = usize::try_from(position.get()).ok()?.checked_sub(1)?;
    tasks.get(index).copied().map(TaskId)
}

/// Applies a change, whole or not at all.
pub(crate) fn apply(
    conn: &mut Conn,
    change: PreparedChange,
    fence: Option<&Fence>,
) -> Answer<Written<Option<ExecutionId>>> {
    let PreparedChange { plan_key: plan, mut events, at, .. } = change;
    let seen = (plan, change.seen);
    let reserved = plans::update(conn, seen, &change.plan, events::count(&events), fence)?;
    if change.ends {
        leases::let_go(conn, plan)?;
    }
    for blob in &change.blobs {
        blobs::keep(conn, blob)?;
    }
    if let Some(edit) = change.edit {
        redefine(conn, plan, edit)?;
    }
    for (id, row) in &change.tasks {
        tasks::update(conn, plan, *id, row)?;
    }
    if !change.new_tasks.is_empty() {
        let first = tasks::next_position(conn, plan)?;
        let mut rows = change.new_tasks;
        for (position, row) in (first..).zip(&mut rows) {
            row.position = position;
        }
        tasks::insert(conn, plan, rows)?;
    }
    for attempt in &change.attempts {
        attempts::record(conn, plan, attempt, at)?;
    }
    // Answers before questions: a task that is asked again is not answered by the answer to the first.
    for decision in &change.decisions {
        if let Some(id) = approvals::decide(conn, plan, decision, at)? {
            name_answer(&mut events, decision.task_id, id)?;
        }
    }
    for question in &change.approvals {
        let id = approvals::insert(conn, plan, question, at)?;
        name_question(&mut events, question.task_id, id)?;
    }
    let execution = change.execution.map(|execution| attempts::accept(conn, plan, &execution, at));
    let value = execution.transpose()?;
    Ok(Written { value, events: events::append(conn, plan.id, &reserved, events, at)? })
}

/// Writes what an edit changes of definitions. Removed tasks make room first, the others move up in order.
fn redefine(conn: &mut Conn, plan: PlanKey, edit: PreparedEdit) -> Answer<()> {
    plans::redefine(conn, plan, &edit.plan)?;
    if !edit.removed.is_empty() {
        tasks::remove(conn, plan, &edit.removed)?;
    }
    for (id, row) in &edit.tasks {
        tasks::redefine(conn, plan, *id, row)?;
    }
    versions::keep(conn, edit.versions)
}

/// Puts the id of a question into the event that tells of it.
fn name_question(events: &mut [PendingEvent], task: TaskId, id: ApprovalId) -> Answer<()> {
    let asks = |body: &EventBody| matches!(body, EventBody::ApprovalRequested(asked) if asked.approval_id == ApprovalId::default());
    name(events, task, id, asks)
}

/// Puts the id of a question into the event that tells of its answer.
fn name_answer(events: &mut [PendingEvent], task: TaskId, id: ApprovalId) -> Answer<()> {
    let answers = |body: &EventBody| matches!(body, EventBody::ApprovalDecided { approval_id, .. } if *approval_id == ApprovalId::default());
    name(events, task, id, answers)
}

fn name(
    events: &mut [PendingEvent],
    task: TaskId,
    id: ApprovalId,
    unnamed: impl Fn(&EventBody) -> bool,
) -> Answer<()> {
    match events.iter_mut().find(|event| event.task_id == Some(task) && unnamed(&event.body)) {
        Some(event) => Ok(event.assign_approval(id)?),
        None => Ok(()),
    }
}

//! The journal of steps.

use super::{Conn, blobs, conversation, dialect, events, plans};
use crate::error::Answer;
use crate::rows::blob::Blob;
use crate::rows::event::PendingEvent;
use crate::rows::step::{NewStepRow, StepResultRow, StepRow};
use crate::rows::{PlanKey, large, parse, small, stored, word};
use crate::schema::{blobs as blob_table, plans as plan_table, steps};
use agent_core::event::Event;
use agent_core::ids::{PlanId, TaskId, TenantId};
use agent_core::model::Usage;
use agent_core::ports::{Allowance, Fence, ModelUsage, NewMessage, Step, StepKey, StepKind, reserved_in};
use agent_core::time::Timestamp;
use diesel::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// A call of a model: its name, and the tokens that it read and wrote.
type Call = (String, i64, i64);

/// All steps of a plan, by task, attempt and position.
pub(crate) fn of_plan(conn: &mut Conn, plan: PlanKey) -> Answer<Vec<Step>> {
    let rows = steps::table
        .filter(steps::plan_id.eq(plan.id.get()))
        .filter(steps::tenant_id.eq(plan.tenant.get()))
        .order((steps::task_id, steps::attempt, steps::position))
        .left_join(blob_table::table.on(steps::output_blob.eq(blob_table::hash.nullable())))
        .select((StepRow::as_select(), blob_table::content.nullable()))
        .load(conn)?;
    domain(rows)
}

/// The steps of an attempt, by position.
pub(crate) fn of_attempt(conn: &mut Conn, plan: PlanKey, task: TaskId, attempt: u32) -> Answer<Vec<Step>> {
    let rows = steps::table
        .filter(steps::plan_id.eq(plan.id.get()))
        .filter(steps::tenant_id.eq(plan.tenant.get()))
        .filter(steps::task_id.eq(task.get()))
        .filter(steps::attempt.eq(i64::from(attempt)))
        .order(steps::position)
        .left_join(blob_table::table.on(steps::output_blob.eq(blob_table::hash.nullable())))
        .select((StepRow::as_select(), blob_table::content.nullable()))
        .load(conn)?;
    domain(rows)
}

fn domain(rows: Vec<(StepRow, Option<String>)>) -> Answer<Vec<Step>> {
    Ok(rows.into_iter().map(|(row, content)| row.into_step(content)).collect::<Result<_, _>>()?)
}

/// Model tokens that the steps of an attempt used. Added up here: SQL's `sum` has another type per database.
pub(crate) fn tokens(conn: &mut Conn, plan: PlanKey, task: TaskId, attempt: u32) -> Answer<i64> {
    let used: Vec<(i64, i64)> = steps::table
        .filter(steps::plan_id.eq(plan.id.get()))
        .filter(steps::tenant_id.eq(plan.tenant.get()))
        .filter(steps::task_id.eq(task.get()))
        .filter(steps::attempt.eq(i64::from(attempt)))
        .select((steps::input_tokens, steps::output_tokens))
        .load(conn)?;
    Ok(used.iter().fold(0, |sum: i64, (input, output)| sum.saturating_add(*input).saturating_add(*output)))
}

/// Tokens of a plan's model calls by model. Added up here, as [`tokens`] says.
pub(crate) fn model_usage(conn: &mut Conn, plan: PlanKey) -> Answer<Vec<ModelUsage>> {
    let calls: Vec<Call> = steps::table
        .filter(steps::plan_id.eq(plan.id.get()))
        .filter(steps::tenant_id.eq(plan.tenant.get()))
        .filter(steps::kind.eq(word("steps.kind", &StepKind::Model)?))
        .select((steps::name, steps::input_tokens, steps::output_tokens))
        .load(conn)?;
    by_model(calls)
}

/// Tokens of the model calls of some tasks, by attempt and model. The plans are those of the tasks: calls are found by them.
pub(crate) fn model_usage_of_tasks(
    conn: &mut Conn,
    tenant: TenantId,
    plans: &BTreeSet<PlanId>,
    tasks: &BTreeSet<TaskId>,
) -> Answer<BTreeMap<(TaskId, u32), Vec<ModelUsage>>> {
    let rows: Vec<(i64, i64, String, i64, i64)> = steps::table
        .filter(steps::plan_id.eq_any(plans.iter().map(|id| id.get())))
        .filter(steps::tenant_id.eq(tenant.get()))
        .filter(steps::task_id.eq_any(tasks.iter().map(|id| id.get())))
        .filter(steps::kind.eq(word("steps.kind", &StepKind::Model)?))
        .select((steps::task_id, steps::attempt, steps::name, steps::input_tokens, steps::output_tokens))
        .load(conn)?;
    let mut calls: BTreeMap<(TaskId, u32), Vec<Call>> = BTreeMap::new();
    for (task, attempt, model, input, output) in rows {
        let attempt = (TaskId(task), small("steps.attempt", attempt)?);
        calls.entry(attempt).or_default().push((model, input, output));
    }
    calls.into_iter().map(|(attempt, calls)| Ok((attempt, by_model(calls)?))).collect()
}

fn by_model(calls: Vec<Call>) -> Answer<Vec<ModelUsage>> {
    let mut by_model: BTreeMap<String, Usage> = BTreeMap::new();
    for (model, input, output) in calls {
        let usage = Usage { input_tokens: large("tokens", input)?, output_tokens: large("tokens", output)? };
        let sum = by_model.entry(model).or_default();
        *sum = sum.plus(usage);
    }
    Ok(by_model.into_iter().map(|(model, usage)| ModelUsage { model, usage }).collect())
}

/// Refuses a call that its owner's calls leave no room for. The writer's lock is held from here to the commit that
/// reserves what the call may use, so that no two look at the same room.
pub(crate) fn admit(conn: &mut Conn, allowance: &Allowance) -> Answer<()> {
    let rows: Vec<(String, Option<String>, i64, i64, String)> = steps::table
        .inner_join(plan_table::table.on(plan_table::id.eq(steps::plan_id)))
        .filter(plan_table::tenant_id.eq(allowance.owner.tenant.get()))
        .filter(plan_table::owner_id.eq(allowance.owner.user.get()))
        .filter(steps::tenant_id.eq(allowance.owner.tenant.get()))
        .filter(steps::kind.eq(word("steps.kind", &StepKind::Model)?))
        .filter(steps::started_at.ge(allowance.since.as_micros()))
        .select((steps::name, steps::status, steps::input_tokens, steps::output_tokens, steps::input))
        .load(conn)?;
    let mut used = Vec::with_capacity(rows.len());
    for (model, status, input, output, intent) in rows {
        let usage = match status {
            Some(_) => {
                Usage { input_tokens: large("tokens", input)?, output_tokens: large("tokens", output)? }
            }
            None => reserved_in(&parse("steps.input", &intent)?),
        };
        used.push(ModelUsage { model, usage });
    }
    match allowance.refusal(&used) {
        Some(why) => Err(agent_core::Error::AllowanceExceeded(why).into()),
        None => Ok(()),
    }
}

/// Records an intent with its events. An intent that is already there stays.
pub(crate) fn begin(
    conn: &mut Conn,
    plan: PlanId,
    row: &NewStepRow,
    pending: Vec<PendingEvent>,
    at: Timestamp,
    fence: &Fence,
) -> Answer<Vec<Event>> {
    let reserved = plans::reserve_fenced(conn, plan, fence, events::count(&pending))?;
    diesel::insert_into(steps::table).values(row).on_conflict_do_nothing().execute(conn)?;
    events::append(conn, plan, &reserved, pending, at)
}

/// Records a result with its events and messages. When there already is one, nothing changes and nothing is told.
pub(crate) fn finish(
    conn: &mut Conn,
    key: StepKey,
    (row, blob): &(StepResultRow, Option<Blob>),
    (mut pending, messages): (Vec<PendingEvent>, &[NewMessage]),
    at: Timestamp,
    fence: &Fence,
) -> Answer<Vec<Event>> {
    let step = steps::table.find((
        key.plan_id.get(),
        key.task_id.get(),
        i64::from(key.attempt),
        i64::from(key.position),
    ));
    if let Some(blob) = blob {
        blobs::keep(conn, blob)?;
    }
    let own = step.filter(steps::tenant_id.eq(fence.tenant.get()));
    let unfinished = diesel::update(own.filter(steps::status.is_null())).set(row);
    if dialect::changed!(conn, unfinished, steps::position)? {
        let n_events = events::count(&pending).saturating_add(stored(messages.len() as u64));
        let reserved = plans::reserve_fenced(conn, key.plan_id, fence, n_events)?;
        for message in messages {
            // A step speaks in the conversation of its plan, and so never in another tenant.
            if (message.owner, message.plan_id) != (reserved.owner, Some(key.plan_id)) {
                return Err(agent_core::Error::PlanNotFound(message.plan_id.unwrap_or_default()).into());
            }
            pending.push(conversation::told(message, conversation::insert(conn, message, at)?)?);
        }
        return events::append(conn, key.plan_id, &reserved, pending, at);
    }
    plans::reserve_fenced(conn, key.plan_id, fence, 0)?;
    let known: Option<i64> = own.select(steps::position).get_result(conn).optional()?;
    match known {
        Some(_) => Ok(Vec::new()),
        None => Err(agent_core::Error::Damaged(format!(
            "step {} has a result and was never begun",
            key.idempotency_key()
        ))
        .into()),
    }
}

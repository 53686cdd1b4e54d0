//! The change that executing consists of (attempts end, tasks move, events tell) as one statement: each statement is
//! a journey to the server, and there are as many of these changes as there are steps.

use super::{Conn, blobs, commit, events, plans};
use crate::error::Answer;
use crate::prepared::Prepared;
use crate::rows::blob::hex;
use crate::rows::change::PreparedChange;
use crate::rows::task::TaskStandingRow;
use crate::rows::{document, plain_option, stored};
use crate::writer::Written;
use agent_core::ids::{ExecutionId, Owner, TaskId, UserId};
use agent_core::plan::TaskStatus;
use agent_core::ports::{AttemptChange, Fence};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use serde::Serialize;

const STEP: &str = "\
WITH plan AS (
    UPDATE plans SET status = $2, cancel_requested = $3, revision = $4, updated_at = $5, started_at = $6,
        finished_at = $7, summary = $8, next_seq = next_seq + $9,
        lease_owner = CASE WHEN $10 THEN NULL ELSE lease_owner END,
        lease_expires_at = CASE WHEN $10 THEN NULL ELSE lease_expires_at END
    WHERE id = $1 AND tenant_id = $18 AND revision = $11
        AND ($12 IS NULL OR (lease_owner = $12 COLLATE \"C\" AND lease_generation = $13))
    RETURNING id, next_seq - $9 AS first_seq, tenant_id, owner_id
), task AS (
    UPDATE tasks SET status = new.status, selected = new.selected, attempts = new.attempts,
        attempt_limit = new.attempt_limit, recoveries = new.recoveries, approved = new.approved, questions = new.questions,
        wake_at = new.wake_at, started_at = new.started_at, finished_at = new.finished_at,
        result_blob = decode(new.result_blob, 'hex'), result = new.result, kept = new.kept, error = new.error
    FROM plan, json_to_recordset($14::json) AS new (id bigint, status text, selected boolean, attempts bigint,
        attempt_limit bigint, recoveries bigint, approved boolean, questions bigint, wake_at bigint, started_at bigint,
        finished_at bigint, result_blob text, result text, kept text, error text)
    WHERE tasks.id = new.id AND tasks.plan_id = plan.id AND tasks.tenant_id = plan.tenant_id
    RETURNING tasks.id
), attempt AS (
    INSERT INTO attempts (task_id, attempt, tenant_id, plan_id, status, started_at, finished_at, result_length, tokens,
        error)
    SELECT new.task_id, new.attempt, plan.tenant_id, plan.id, new.status, new.started_at, $17, new.result_length,
        CASE WHEN new.journaled THEN (
            SELECT LEAST(COALESCE(SUM(steps.input_tokens::numeric + steps.output_tokens), 0),
                9223372036854775807)::bigint
            FROM steps
            WHERE steps.plan_id = plan.id AND steps.tenant_id = plan.tenant_id AND steps.task_id = new.task_id AND steps.attempt = new.attempt
        ) ELSE 0 END, new.error
    FROM plan, json_to_recordset($15::json) AS new (task_id bigint, attempt bigint, status text,
        started_at bigint, result_length bigint, journaled boolean, error text)
    ON CONFLICT DO NOTHING
), event AS (
    INSERT INTO events (plan_id, seq, tenant_id, owner_id, task_id, created_at, name, result_blob, payload)
    SELECT plan.id, plan.first_seq + new.position, plan.tenant_id, plan.owner_id, new.task_id, $17, new.name,
        decode(new.result_blob, 'hex'), new.payload
    FROM plan, json_to_recordset($16::json) AS new (position bigint, task_id bigint, name text, result_blob text,
        payload text)
    ORDER BY new.position
    RETURNING seq, cursor
)
SELECT plan.first_seq, plan.owner_id, (SELECT count(*) FROM task) AS tasks, event.cursor
FROM plan LEFT JOIN event ON true
ORDER BY event.seq";

/// One event of the step, or the plan alone where there is none.
#[derive(QueryableByName)]
struct Advanced {
    #[diesel(sql_type = BigInt)]
    first_seq: i64,
    #[diesel(sql_type = BigInt)]
    owner_id: i64,
    #[diesel(sql_type = BigInt)]
    tasks: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    cursor: Option<i64>,
}

/// Where a task stands now.
#[derive(Serialize)]
struct MovedTask<'a> {
    id: i64,
    #[serde(flatten)]
    standing: &'a TaskStandingRow,
}

/// An attempt that ended.
#[derive(Serialize)]
struct EndedAttempt {
    task_id: i64,
    attempt: u32,
    status: &'static str,
    started_at: i64,
    result_length: i64,
    journaled: bool,
    error: Option<String>,
}

/// An event at its place in the step.
#[derive(Serialize)]
struct PlacedEvent<'a> {
    position: usize,
    task_id: Option<i64>,
    name: &'a str,
    result_blob: Option<String>,
    payload: &'a str,
}

/// Applies a change, whole or not at all: in one statement where it is a step of executing.
pub(crate) fn apply(
    conn: &mut Conn,
    change: PreparedChange,
    fence: Option<&Fence>,
) -> Answer<Written<Option<ExecutionId>>> {
    if !change.is_step() {
        return commit::apply(conn, change, fence);
    }
    for blob in &change.blobs {
        blobs::keep(conn, blob)?;
    }
    let (plan, seen) = (change.plan_key, change.seen);
    let advanced = advance(conn, &change, fence)?;
    let Some(first) = advanced.first() else {
        return Err(plans::refusal(conn, (plan, seen), fence)?.into());
    };
    if first.tasks != i64::try_from(change.tasks.len()).unwrap_or(i64::MAX) {
        let task = change.tasks.first().map_or(TaskId(0), |(id, _)| *id);
        return Err(agent_core::Error::TaskNotFound { plan: plan.id, task }.into());
    }
    let reserved = plans::Reserved {
        first_seq: first.first_seq,
        owner: Owner { tenant: plan.tenant, user: UserId(first.owner_id) },
    };
    let cursors = advanced.iter().filter_map(|event| event.cursor);
    let events = events::placed(plan.id, &reserved, cursors, change.events, change.at);
    Ok(Written { value: None, events })
}

fn advance(conn: &mut Conn, change: &PreparedChange, fence: Option<&Fence>) -> Answer<Vec<Advanced>> {
    let row = &change.plan;
    let statement = diesel::sql_query(STEP)
        .bind::<BigInt, _>(change.plan_key.id.get())
        .bind::<Text, _>(row.status)
        .bind::<Bool, _>(row.cancel_requested)
        .bind::<BigInt, _>(row.revision)
        .bind::<BigInt, _>(row.updated_at)
        .bind::<Nullable<BigInt>, _>(row.started_at)
        .bind::<Nullable<BigInt>, _>(row.finished_at)
        .bind::<Nullable<Text>, _>(row.summary.as_deref())
        .bind::<BigInt, _>(events::count(&change.events))
        .bind::<Bool, _>(change.ends)
        .bind::<BigInt, _>(change.seen.get())
        .bind::<Nullable<Text>, _>(fence.map(|fence| fence.worker.0.as_str()))
        .bind::<Nullable<BigInt>, _>(fence.map(|fence| fence.generation.get()))
        .bind::<Text, _>(document("tasks", &moved(change))?)
        .bind::<Text, _>(document("attempts", &ended(change))?)
        .bind::<Text, _>(document("events", &placed(change))?)
        .bind::<BigInt, _>(change.at.as_micros())
        .bind::<BigInt, _>(change.plan_key.tenant.get());
    Ok(Prepared(statement).get_results(conn)?)
}

fn moved(change: &PreparedChange) -> Vec<MovedTask<'_>> {
    change.tasks.iter().map(|(id, standing)| MovedTask { id: id.get(), standing }).collect()
}

fn ended(change: &PreparedChange) -> Vec<EndedAttempt> {
    let ended = |attempt: &AttemptChange| EndedAttempt {
        task_id: attempt.task_id.get(),
        attempt: attempt.attempt,
        status: attempt.status.as_str(),
        started_at: attempt.started_at.as_micros(),
        result_length: stored(attempt.result_length),
        journaled: attempt.journaled,
        error: plain_option(attempt.error.as_deref()),
    };
    change.attempts.iter().filter(|attempt| attempt.status != TaskStatus::Running).map(ended).collect()
}

fn placed(change: &PreparedChange) -> Vec<PlacedEvent<'_>> {
    let pending = change.events.iter().enumerate();
    let placed = pending.map(|(position, event)| PlacedEvent {
        position,
        task_id: event.task_id.map(TaskId::get),
        name: event.body.name(),
        result_blob: event.blob.as_ref().map(|blob| hex(&blob.hash)),
        payload: &event.payload,
    });
    placed.collect()
}

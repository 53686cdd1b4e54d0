//! The log of events.

use super::plans::Reserved;
use super::{Backend, Conn, dialect};
use crate::error::Answer;
use crate::rows::event::{EventRow, NewEventRow, PendingEvent};
use crate::schema::{blobs, events};
use agent_core::event::{Event, Topic, Touched};
use agent_core::ids::{Owner, PlanId, TenantId, UserId};
use agent_core::time::Timestamp;
use diesel::dsl::max;
use diesel::prelude::*;

/// Adds events with the numbers that were reserved for them.
pub(crate) fn append(
    conn: &mut Conn,
    plan: PlanId,
    reserved: &Reserved,
    pending: Vec<PendingEvent>,
    at: Timestamp,
) -> Answer<Vec<Event>> {
    let rows = (reserved.first_seq..).zip(&pending).map(|(seq, event)| NewEventRow {
        plan_id: plan.get(),
        seq,
        tenant_id: reserved.owner.tenant.get(),
        owner_id: reserved.owner.user.get(),
        task_id: event.task_id.map(|id| id.get()),
        created_at: at.as_micros(),
        name: event.body.name(),
        result_blob: event.blob.as_ref().map(|blob| blob.hash.as_slice()),
        payload: &event.payload,
    });
    let cursors = dialect::insert_events(conn, &rows.collect::<Vec<_>>())?;
    Ok(placed(plan, reserved, cursors, pending, at))
}

/// Events with the positions that they got.
pub(crate) fn placed(
    plan: PlanId,
    reserved: &Reserved,
    cursors: impl IntoIterator<Item = i64>,
    pending: Vec<PendingEvent>,
    at: Timestamp,
) -> Vec<Event> {
    let event = |((seq, cursor), event): ((i64, i64), PendingEvent)| Event {
        seq,
        cursor,
        plan_id: plan,
        task_id: event.task_id,
        timestamp: at,
        owner: reserved.owner,
        body: event.body,
    };
    (reserved.first_seq..).zip(cursors).zip(pending).map(event).collect()
}

/// How many numbers events take.
pub(crate) fn count(pending: &[PendingEvent]) -> i64 {
    i64::try_from(pending.len()).unwrap_or(i64::MAX)
}

fn of_topic(topic: Topic) -> events::BoxedQuery<'static, Backend> {
    let all = events::table.into_boxed();
    match topic {
        Topic::Plan(tenant, plan) => {
            all.filter(events::plan_id.eq(plan.get())).filter(events::tenant_id.eq(tenant.get()))
        }
        Topic::Owner(owner) => {
            all.filter(events::owner_id.eq(owner.user.get())).filter(events::tenant_id.eq(owner.tenant.get()))
        }
        Topic::Tenant(tenant) => all.filter(events::tenant_id.eq(tenant.get())),
        Topic::Everything => all,
    }
}

/// Events of a topic after a position, oldest first.
pub(crate) fn read(conn: &mut Conn, topic: Topic, after: i64, limit: u32) -> Answer<Vec<Event>> {
    let all = events::table
        .left_join(blobs::table.on(events::result_blob.eq(blobs::hash.nullable())))
        .select((EventRow::as_select(), blobs::content.nullable()))
        .limit(i64::from(limit));
    let by_seq = || all.filter(events::seq.gt(after)).order(events::seq);
    let by_cursor = || all.filter(events::cursor.gt(after)).order(events::cursor);
    let rows: Vec<(EventRow, Option<String>)> = match topic {
        Topic::Plan(tenant, plan) => by_seq()
            .filter(events::plan_id.eq(plan.get()))
            .filter(events::tenant_id.eq(tenant.get()))
            .load(conn)?,
        Topic::Owner(owner) => by_cursor()
            .filter(events::owner_id.eq(owner.user.get()))
            .filter(events::tenant_id.eq(owner.tenant.get()))
            .load(conn)?,
        Topic::Tenant(tenant) => by_cursor().filter(events::tenant_id.eq(tenant.get())).load(conn)?,
        Topic::Everything => by_cursor().load(conn)?,
    };
    Ok(rows.into_iter().map(|(row, content)| row.into_event(content)).collect::<Result<_, _>>()?)
}

/// The position of the newest event of a topic; 0 when there is none.
pub(crate) fn head(conn: &mut Conn, topic: Topic) -> Answer<i64> {
    let newest: Option<i64> = match topic {
        Topic::Plan(..) => of_topic(topic).select(max(events::seq)).get_result(conn)?,
        Topic::Owner(_) | Topic::Tenant(_) | Topic::Everything => {
            of_topic(topic).select(max(events::cursor)).get_result(conn)?
        }
    };
    Ok(newest.unwrap_or(0))
}

/// The plans that have events after a cursor, each with the cursor of its newest.
pub(crate) fn touched(conn: &mut Conn, after: i64) -> Answer<Vec<Touched>> {
    let plan = (events::plan_id, events::tenant_id, events::owner_id);
    let rows: Vec<(i64, i64, i64, Option<i64>)> = events::table
        .filter(events::cursor.gt(after))
        .group_by(plan)
        .select((events::plan_id, events::tenant_id, events::owner_id, max(events::cursor)))
        .load(conn)?;
    let touched = |(plan, tenant, user, cursor): (i64, i64, i64, Option<i64>)| Touched {
        plan_id: PlanId(plan),
        owner: Owner { tenant: TenantId(tenant), user: UserId(user) },
        cursor: cursor.unwrap_or(after),
    };
    Ok(rows.into_iter().map(touched).collect())
}

//! Plans: made, found, changed.

use super::{Conn, dialect, tasks};
use crate::error::{Answer, Error};
use crate::rows::plan::{NewPlanRow, PlanDefinitionRow, PlanRow, PlanStandingRow};
use crate::schema::plans;
use agent_core::ids::{PlanId, Revision, UserId};
use agent_core::plan::PlanState;
use agent_core::ports::Fence;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// Numbers taken from a plan's sequence for events about to be added.
pub(crate) struct Reserved {
    /// The number of the first event.
    pub(crate) first_seq: i64,
    /// Whose plan it is.
    pub(crate) owner: UserId,
}

/// Adds a plan and yields its id.
pub(crate) fn insert(conn: &mut Conn, row: &NewPlanRow) -> Answer<PlanId> {
    let inserted = diesel::insert_into(plans::table).values(row).returning(plans::id).get_result::<i64>(conn);
    match inserted {
        Ok(id) => Ok(PlanId(id)),
        Err(error) if is_missing_parent(&error) => Err(Error::UnknownOwner(UserId(row.owner_id)).into()),
        Err(error) => Err(error.into()),
    }
}

/// Whether a row was refused because what it refers to does not exist.
pub(crate) fn is_missing_parent(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _))
}

/// A plan with its tasks.
pub(crate) fn load(conn: &mut Conn, id: PlanId) -> Answer<PlanState> {
    let row = plans::table.find(id.get()).select(PlanRow::as_select()).get_result(conn).optional()?;
    let plan = row.ok_or(agent_core::Error::PlanNotFound(id))?.into_plan()?;
    Ok(PlanState { plan, tasks: tasks::of_plan(conn, id)? })
}

/// Changes a plan that still is as the caller saw it, and takes numbers for `n_events` events.
pub(crate) fn update(
    conn: &mut Conn,
    (id, seen): (PlanId, Revision),
    row: &PlanStandingRow,
    n_events: i64,
    fence: Option<&Fence>,
) -> Answer<Reserved> {
    let changes = (row, plans::next_seq.eq(plans::next_seq + n_events));
    let wanted = plans::table.find(id.get()).filter(plans::revision.eq(seen.get()));
    let yielded = (plans::next_seq, plans::owner_id);
    let updated = match fence {
        None => dialect::update_one!(
            conn,
            diesel::update(wanted).set(changes),
            plans::table.find(id.get()),
            yielded
        ),
        Some(fence) => {
            let held = wanted
                .filter(plans::lease_owner.eq(&fence.worker.0))
                .filter(plans::lease_generation.eq(fence.generation.get()));
            dialect::update_one!(
                conn,
                diesel::update(held).set(changes),
                plans::table.find(id.get()),
                yielded
            )
        }
    };
    match updated? {
        Some(row) => Ok(reserved(row, n_events)),
        None => Err(refusal(conn, (id, seen), fence)?.into()),
    }
}

/// Why an update found no row.
pub(crate) fn refusal(
    conn: &mut Conn,
    (id, seen): (PlanId, Revision),
    fence: Option<&Fence>,
) -> Answer<agent_core::Error> {
    let lease = (plans::lease_owner, plans::lease_generation);
    let found: Option<(Option<String>, i64)> =
        plans::table.find(id.get()).select(lease).get_result(conn).optional()?;
    Ok(match (found, fence) {
        (None, _) => agent_core::Error::PlanNotFound(id),
        (Some((holder, generation)), Some(fence))
            if holder.as_ref() != Some(&fence.worker.0) || generation != fence.generation.get() =>
        {
            agent_core::Error::LeaseLost(id)
        }
        (Some(_), _) => agent_core::Error::Conflict { plan: id, seen },
    })
}

/// Gives a plan another definition.
pub(crate) fn redefine(conn: &mut Conn, id: PlanId, row: &PlanDefinitionRow) -> Answer<()> {
    diesel::update(plans::table.find(id.get())).set(row).execute(conn)?;
    Ok(())
}

/// Takes numbers for events of a plan whose lease is held.
pub(crate) fn reserve_fenced(conn: &mut Conn, id: PlanId, fence: &Fence, n_events: i64) -> Answer<Reserved> {
    let held = plans::table
        .find(id.get())
        .filter(plans::lease_owner.eq(&fence.worker.0))
        .filter(plans::lease_generation.eq(fence.generation.get()));
    let yielded = (plans::next_seq, plans::owner_id);
    // Without events the row stays as it is; the write lock is held already, so looking is enough.
    let row = if n_events == 0 {
        held.select(yielded).get_result(conn).optional()?
    } else {
        let advanced = plans::next_seq.eq(plans::next_seq + n_events);
        dialect::update_one!(conn, diesel::update(held).set(advanced), plans::table.find(id.get()), yielded)?
    };
    row.map(|row| reserved(row, n_events)).ok_or_else(|| agent_core::Error::LeaseLost(id).into())
}

/// Takes numbers for events of an owner's plan.
pub(crate) fn reserve_owned(conn: &mut Conn, id: PlanId, owner: UserId, n_events: i64) -> Answer<Reserved> {
    let owned = plans::table.find(id.get()).filter(plans::owner_id.eq(owner.get()));
    let row = diesel::update(owned)
        .set(plans::next_seq.eq(plans::next_seq + n_events))
        .returning((plans::next_seq, plans::owner_id))
        .get_result(conn)
        .optional()?;
    row.map(|row| reserved(row, n_events)).ok_or_else(|| agent_core::Error::PlanNotFound(id).into())
}

fn reserved((next_seq, owner): (i64, i64), n_events: i64) -> Reserved {
    Reserved { first_seq: next_seq - n_events, owner: UserId(owner) }
}

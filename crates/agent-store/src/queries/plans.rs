//! Plans: made, found, changed.

use super::{Conn, dialect, tasks};
use crate::error::{Answer, Error};
use crate::rows::PlanKey;
use crate::rows::plan::{NewPlanRow, PlanDefinitionRow, PlanRow, PlanStandingRow};
use crate::schema::plans;
use agent_core::ids::{Owner, PlanId, Revision, TenantId, UserId};
use agent_core::plan::PlanState;
use agent_core::ports::{Fence, PlanMark, Visibility};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// Numbers taken from a plan's sequence for events about to be added.
pub(crate) struct Reserved {
    /// The number of the first event.
    pub(crate) first_seq: i64,
    /// Whose plan it is.
    pub(crate) owner: Owner,
}

/// Adds a plan and yields its id.
pub(crate) fn insert(conn: &mut Conn, row: &NewPlanRow) -> Answer<PlanId> {
    let inserted = diesel::insert_into(plans::table).values(row).returning(plans::id).get_result::<i64>(conn);
    match inserted {
        Ok(id) => Ok(PlanId(id)),
        Err(error) if is_missing_parent(&error) => {
            let owner = Owner { tenant: TenantId(row.tenant_id), user: UserId(row.owner_id) };
            Err(Error::UnknownOwner(owner).into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether a row was refused because what it refers to does not exist.
pub(crate) fn is_missing_parent(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _))
}

/// The row of a plan, told by its tenant too.
macro_rules! own {
    ($plan:expr) => {
        plans::table.find($plan.id.get()).filter(plans::tenant_id.eq($plan.tenant.get()))
    };
}

/// A plan with its tasks, where it is visible.
pub(crate) fn load(conn: &mut Conn, visibility: Option<Visibility>, id: PlanId) -> Answer<PlanState> {
    let row: Option<PlanRow> = match visibility {
        Some(Visibility::Owner(Owner { tenant, user })) => own!(PlanKey { tenant, id })
            .filter(plans::owner_id.eq(user.get()))
            .select(PlanRow::as_select())
            .get_result(conn)
            .optional()?,
        Some(Visibility::Tenant(tenant)) => {
            own!(PlanKey { tenant, id }).select(PlanRow::as_select()).get_result(conn).optional()?
        }
        None => plans::table.find(id.get()).select(PlanRow::as_select()).get_result(conn).optional()?,
    };
    let plan = row.ok_or(agent_core::Error::PlanNotFound(id))?.into_plan()?;
    Ok(PlanState { tasks: tasks::of_plan(conn, PlanKey::of(&plan))?, plan })
}

/// By what the present state of a visible plan is told from any other.
pub(crate) fn mark(conn: &mut Conn, visibility: Visibility, id: PlanId) -> Answer<Option<PlanMark>> {
    let mark = (plans::revision, plans::next_seq);
    let found: Option<(i64, i64)> = match visibility {
        Visibility::Owner(Owner { tenant, user }) => own!(PlanKey { tenant, id })
            .filter(plans::owner_id.eq(user.get()))
            .select(mark)
            .get_result(conn)
            .optional()?,
        Visibility::Tenant(tenant) => {
            own!(PlanKey { tenant, id }).select(mark).get_result(conn).optional()?
        }
    };
    Ok(found.map(|(revision, next_seq)| PlanMark { revision: Revision(revision), seq: next_seq - 1 }))
}

/// Changes a plan that still is as the caller saw it, and takes numbers for `n_events` events.
pub(crate) fn update(
    conn: &mut Conn,
    (plan, seen): (PlanKey, Revision),
    row: &PlanStandingRow,
    n_events: i64,
    fence: Option<&Fence>,
) -> Answer<Reserved> {
    let changes = (row, plans::next_seq.eq(plans::next_seq + n_events));
    let wanted = own!(plan).filter(plans::revision.eq(seen.get()));
    let yielded = (plans::next_seq, plans::tenant_id, plans::owner_id);
    let updated = match fence {
        None => dialect::update_one!(conn, diesel::update(wanted).set(changes), own!(plan), yielded),
        Some(fence) => {
            let held = wanted
                .filter(plans::lease_owner.eq(&fence.worker.0))
                .filter(plans::lease_generation.eq(fence.generation.get()));
            dialect::update_one!(conn, diesel::update(held).set(changes), own!(plan), yielded)
        }
    };
    match updated? {
        Some(row) => Ok(reserved(row, n_events)),
        None => Err(refusal(conn, (plan, seen), fence)?.into()),
    }
}

/// Why an update found no row.
pub(crate) fn refusal(
    conn: &mut Conn,
    (plan, seen): (PlanKey, Revision),
    fence: Option<&Fence>,
) -> Answer<agent_core::Error> {
    let lease = (plans::lease_owner, plans::lease_generation);
    let found: Option<(Option<String>, i64)> = own!(plan).select(lease).get_result(conn).optional()?;
    Ok(match (found, fence) {
        (None, _) => agent_core::Error::PlanNotFound(plan.id),
        (Some((holder, generation)), Some(fence))
            if holder.as_ref() != Some(&fence.worker.0) || generation != fence.generation.get() =>
        {
            agent_core::Error::LeaseLost(plan.id)
        }
        (Some(_), _) => agent_core::Error::Conflict { plan: plan.id, seen },
    })
}

/// Gives a plan another definition.
pub(crate) fn redefine(conn: &mut Conn, plan: PlanKey, row: &PlanDefinitionRow) -> Answer<()> {
    diesel::update(own!(plan)).set(row).execute(conn)?;
    Ok(())
}

/// Takes numbers for events of a plan whose lease is held.
pub(crate) fn reserve_fenced(conn: &mut Conn, id: PlanId, fence: &Fence, n_events: i64) -> Answer<Reserved> {
    let plan = PlanKey { tenant: fence.tenant, id };
    let held = own!(plan)
        .filter(plans::lease_owner.eq(&fence.worker.0))
        .filter(plans::lease_generation.eq(fence.generation.get()));
    let yielded = (plans::next_seq, plans::tenant_id, plans::owner_id);
    // Without events the row stays as it is; the write lock is held already, so looking is enough.
    let row = if n_events == 0 {
        held.select(yielded).get_result(conn).optional()?
    } else {
        let advanced = plans::next_seq.eq(plans::next_seq + n_events);
        dialect::update_one!(conn, diesel::update(held).set(advanced), own!(plan), yielded)?
    };
    row.map(|row| reserved(row, n_events)).ok_or_else(|| agent_core::Error::LeaseLost(id).into())
}

/// Takes numbers for events of an owner's plan.
pub(crate) fn reserve_owned(conn: &mut Conn, id: PlanId, owner: Owner, n_events: i64) -> Answer<Reserved> {
    let owned = own!(PlanKey { tenant: owner.tenant, id }).filter(plans::owner_id.eq(owner.user.get()));
    let row = diesel::update(owned)
        .set(plans::next_seq.eq(plans::next_seq + n_events))
        .returning((plans::next_seq, plans::tenant_id, plans::owner_id))
        .get_result(conn)
        .optional()?;
    row.map(|row| reserved(row, n_events)).ok_or_else(|| agent_core::Error::PlanNotFound(id).into())
}

fn reserved((next_seq, tenant, user): (i64, i64, i64), n_events: i64) -> Reserved {
    let owner = Owner { tenant: TenantId(tenant), user: UserId(user) };
    Reserved { first_seq: next_seq - n_events, owner }
}

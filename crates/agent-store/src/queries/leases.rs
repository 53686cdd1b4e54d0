//! Who executes which plan. The database's clock decides, because it is the one clock that all workers share.

use super::{Conn, dialect, plans as plan_queries};
use crate::error::Answer;
use crate::prepared::Prepared;
use crate::rows::PlanKey;
use crate::schema::plans;
use agent_core::ids::{Generation, PlanId, TenantId, WorkerId};
use agent_core::plan::PlanStatus;
use agent_core::ports::{Claim, Fence, Visibility};
use diesel::prelude::*;
use std::time::Duration;

/// Takes a live plan whose lease is free or over. Asked for by id, also one that the worker holds itself.
pub(crate) fn claim(
    conn: &mut Conn,
    worker: &WorkerId,
    lease: Duration,
    id: Option<PlanId>,
) -> Answer<Option<Claim>> {
    let now = dialect::now(conn)?;
    let Some((plan, holder)) = claimable(conn, worker, id, now)? else {
        return Ok(None);
    };
    let found = plans::table.find(plan.id.get()).filter(plans::tenant_id.eq(plan.tenant.get()));
    let taken = diesel::update(found).set((
        plans::lease_owner.eq(&worker.0),
        plans::lease_generation.eq(plans::lease_generation + 1),
        plans::lease_expires_at.eq(ends(now, lease)),
    ));
    let generation = Prepared(taken.returning(plans::lease_generation)).get_result(conn)?;
    let state = plan_queries::load(conn, Some(Visibility::Tenant(plan.tenant)), plan.id)?;
    let fence = Fence { tenant: plan.tenant, worker: worker.clone(), generation: Generation(generation) };
    Ok(Some(Claim { state, fence, recovered: holder.is_some() }))
}

fn claimable(
    conn: &mut Conn,
    worker: &WorkerId,
    id: Option<PlanId>,
    now: i64,
) -> Answer<Option<(PlanKey, Option<String>)>> {
    let live = PlanStatus::ALL.iter().filter(|status| status.is_live()).map(|status| status.as_str());
    let free = plans::lease_owner.is_null().or(plans::lease_expires_at.le(now).assume_not_null());
    let wanted = plans::table.filter(plans::status.eq_any(live));
    let wanted = wanted.select((plans::id, plans::tenant_id, plans::lease_owner));
    let found: QueryResult<(i64, i64, Option<String>)> = match id {
        Some(id) => {
            let own = plans::lease_owner.eq(&worker.0).assume_not_null();
            wanted.filter(plans::id.eq(id.get())).filter(free.or(own)).first(conn)
        }
        None => wanted.filter(free).order(plans::id).first(conn),
    };
    let key = |(id, tenant, holder)| (PlanKey { tenant: TenantId(tenant), id: PlanId(id) }, holder);
    Ok(found.optional()?.map(key))
}

/// Extends all leases of a worker on plans that are live, and names the plans.
pub(crate) fn renew(conn: &mut Conn, worker: &WorkerId, lease: Duration) -> Answer<Vec<PlanId>> {
    let now = dialect::now(conn)?;
    let live = PlanStatus::ALL.iter().filter(|status| status.is_live()).map(|status| status.as_str());
    let wanted = plans::table.filter(plans::lease_owner.eq(&worker.0)).filter(plans::status.eq_any(live));
    let mut held: Vec<i64> = diesel::update(wanted)
        .set(plans::lease_expires_at.eq(ends(now, lease)))
        .returning(plans::id)
        .get_results(conn)?;
    held.sort_unstable();
    Ok(held.into_iter().map(PlanId).collect())
}

/// Gives a plan back; what another worker holds meanwhile stays with it.
pub(crate) fn release(conn: &mut Conn, id: PlanId, fence: &Fence) -> Answer<()> {
    let held = plans::table
        .find(id.get())
        .filter(plans::tenant_id.eq(fence.tenant.get()))
        .filter(plans::lease_owner.eq(&fence.worker.0))
        .filter(plans::lease_generation.eq(fence.generation.get()));
    diesel::update(held)
        .set((plans::lease_owner.eq(None::<String>), plans::lease_expires_at.eq(None::<i64>)))
        .execute(conn)?;
    Ok(())
}

/// Takes the lease off a plan that needs nobody any more.
pub(crate) fn let_go(conn: &mut Conn, plan: PlanKey) -> Answer<()> {
    let held = plans::table
        .find(plan.id.get())
        .filter(plans::tenant_id.eq(plan.tenant.get()))
        .filter(plans::lease_owner.is_not_null());
    let nobody = (plans::lease_owner.eq(None::<String>), plans::lease_expires_at.eq(None::<i64>));
    dialect::changed!(conn, diesel::update(held).set(nobody), plans::id)?;
    Ok(())
}

/// When a lease ends that begins now, in microseconds.
pub(crate) fn ends(now: i64, lease: Duration) -> i64 {
    now.saturating_add(i64::try_from(lease.as_micros()).unwrap_or(i64::MAX))
}

//! Versions of plans.

use super::Conn;
use crate::error::Answer;
use crate::rows::PlanKey;
use crate::rows::version::VersionRow;
use crate::schema::plan_versions;
use agent_core::plan::PlanVersion;
use diesel::prelude::*;

/// Keeps the version after an edit, and the one before it where no earlier edit has.
pub(crate) fn keep(conn: &mut Conn, (before, after): (VersionRow, VersionRow)) -> Answer<()> {
    diesel::insert_into(plan_versions::table).values(before).on_conflict_do_nothing().execute(conn)?;
    diesel::insert_into(plan_versions::table).values(after).execute(conn)?;
    Ok(())
}

/// All kept versions of a plan, oldest first.
pub(crate) fn of_plan(conn: &mut Conn, plan: PlanKey) -> Answer<Vec<PlanVersion>> {
    let rows = plan_versions::table
        .filter(plan_versions::plan_id.eq(plan.id.get()))
        .filter(plan_versions::tenant_id.eq(plan.tenant.get()))
        .order(plan_versions::version)
        .select(VersionRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(VersionRow::into_version).collect::<Result<_, _>>()?)
}

//! Tenants, and who is a member of which.

use super::idempotency::{self, Resource};
use super::{Conn, users as user_queries};
use crate::error::Answer;
use crate::rows::account::folded;
use crate::rows::tenant::TenantRow;
use crate::rows::{document, parse, plain};
use crate::schema::{memberships, tenants, users};
use agent_auth::Role;
use agent_auth::ports::{RequestKey, Tenant, User};
use agent_core::ids::{Owner, TenantId, UserId};
use agent_core::time::Timestamp;
use diesel::prelude::*;

/// Adds a tenant, or finds the one made under the same key; `None` when the name is taken.
pub(crate) fn create(
    conn: &mut Conn,
    name: &str,
    key: Option<&RequestKey>,
    at: Timestamp,
) -> Answer<Option<Tenant>> {
    if let Some(RequestKey { owner, idempotency: key }) = key
        && let Some(existing) = idempotency::find(conn, *owner, key, Resource::Tenant, at)?
    {
        let row = tenants::table.find(existing).select(TenantRow::as_select()).get_result(conn).optional()?;
        return Ok(row.map(Tenant::from));
    }
    let made: Option<TenantRow> = diesel::insert_into(tenants::table)
        .values((
            tenants::name.eq(plain(name)),
            tenants::name_folded.eq(folded(name)),
            tenants::created_at.eq(at.as_micros()),
        ))
        .on_conflict(tenants::name_folded)
        .do_nothing()
        .returning(TenantRow::as_returning())
        .get_result(conn)
        .optional()?;
    let made = made.map(Tenant::from);
    if let (Some(tenant), Some(RequestKey { owner, idempotency: key })) = (&made, key) {
        idempotency::keep(conn, *owner, key, (Resource::Tenant, tenant.id.get()), at)?;
    }
    Ok(made)
}

/// All tenants, by id.
pub(crate) fn list(conn: &mut Conn) -> Answer<Vec<Tenant>> {
    let rows = tenants::table.order(tenants::id).select(TenantRow::as_select()).load(conn)?;
    Ok(rows.into_iter().map(Tenant::from).collect())
}

/// The tenants that somebody is a member of, by id.
pub(crate) fn of_user(conn: &mut Conn, user: UserId) -> Answer<Vec<Tenant>> {
    let rows = tenants::table
        .inner_join(memberships::table)
        .filter(memberships::user_id.eq(user.get()))
        .order(tenants::id)
        .select(TenantRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(Tenant::from).collect())
}

/// Makes somebody a member, or gives a member another role; `None` when there is no such user or tenant.
pub(crate) fn set_member(conn: &mut Conn, member: Owner, role: Role, at: Timestamp) -> Answer<Option<User>> {
    let user: Option<i64> =
        users::table.find(member.user.get()).select(users::id).get_result(conn).optional()?;
    let tenant: Option<i64> =
        tenants::table.find(member.tenant.get()).select(tenants::id).get_result(conn).optional()?;
    if user.is_none() || tenant.is_none() {
        return Ok(None);
    }
    user_queries::join(conn, member, role, at)?;
    Ok(user_queries::find(conn, member)?.map(|account| account.user))
}

/// Ends a membership; false when there is none.
pub(crate) fn remove_member(conn: &mut Conn, member: Owner) -> Answer<bool> {
    let membership = memberships::table.find((member.tenant.get(), member.user.get()));
    Ok(diesel::delete(membership).execute(conn)? > 0)
}

/// The folders below which repositories of each tenant that has its own must lie.
pub(crate) fn repository_roots(conn: &mut Conn) -> Answer<Vec<(TenantId, Vec<String>)>> {
    let rows: Vec<(i64, Option<String>)> =
        tenants::table.order(tenants::id).select((tenants::id, tenants::repository_roots)).load(conn)?;
    let roots = rows.into_iter().filter_map(|(tenant, roots)| {
        let parsed = parse("tenants.repository_roots", &roots?);
        Some(parsed.map(|roots| (TenantId(tenant), roots)))
    });
    Ok(roots.collect::<Result<_, _>>()?)
}

/// Gives a tenant folders of its own; false when there is no such tenant.
pub(crate) fn set_repository_roots(conn: &mut Conn, tenant: TenantId, roots: &[String]) -> Answer<bool> {
    let roots = document("tenants.repository_roots", &roots)?;
    let changed = diesel::update(tenants::table.find(tenant.get()))
        .set(tenants::repository_roots.eq(roots))
        .execute(conn)?;
    Ok(changed > 0)
}

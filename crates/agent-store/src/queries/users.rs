//! Accounts, as members of tenants.

use super::Conn;
use super::idempotency::{self, Resource};
use crate::error::Answer;
use crate::rows::account::{MembershipRow, NewUserRow, UserChangeRow, UserRow, folded};
use crate::schema::{memberships, tenants, users};
use agent_auth::Role;
use agent_auth::ports::{Account, NewUser, RequestKey, User, UserChange};
use agent_core::ids::{Owner, TenantId, UserId};
use agent_core::time::Timestamp;
use diesel::prelude::*;

/// The account of a name, without regard to ASCII case: in the tenant of that name, else at home, else in the oldest.
pub(crate) fn find_by_name(conn: &mut Conn, username: &str, tenant: Option<&str>) -> Answer<Option<Account>> {
    let mut wanted = users::table
        .inner_join(memberships::table.inner_join(tenants::table))
        .filter(users::username_folded.eq(folded(username)))
        .order((memberships::tenant_id.eq(users::home_tenant_id).desc(), memberships::tenant_id))
        .select((UserRow::as_select(), MembershipRow::as_select()))
        .into_boxed();
    if let Some(tenant) = tenant {
        wanted = wanted.filter(tenants::name_folded.eq(folded(tenant)));
    }
    let row: Option<(UserRow, MembershipRow)> = wanted.first(conn).optional()?;
    Ok(row.map(|(user, membership)| user.into_account(membership)).transpose()?)
}

/// The account of a member.
pub(crate) fn find(conn: &mut Conn, member: Owner) -> Answer<Option<Account>> {
    let row: Option<(UserRow, MembershipRow)> = users::table
        .inner_join(memberships::table)
        .filter(users::id.eq(member.user.get()))
        .filter(memberships::tenant_id.eq(member.tenant.get()))
        .select((UserRow::as_select(), MembershipRow::as_select()))
        .get_result(conn)
        .optional()?;
    Ok(row.map(|(user, membership)| user.into_account(membership)).transpose()?)
}

/// Adds an account, or finds the one made under the same key; `None` when the name is taken.
pub(crate) fn create(conn: &mut Conn, user: &NewUser, at: Timestamp) -> Answer<Option<User>> {
    let Some(RequestKey { owner, idempotency: key }) = &user.request_key else {
        return insert(conn, user, at);
    };
    if let Some(existing) = idempotency::find(conn, *owner, key, Resource::User, at)? {
        let member = Owner { tenant: user.tenant, user: UserId(existing) };
        return Ok(find(conn, member)?.map(|account| account.user));
    }
    let made = insert(conn, user, at)?;
    if let Some(made) = &made {
        idempotency::keep(conn, *owner, key, (Resource::User, made.id.get()), at)?;
    }
    Ok(made)
}

fn insert(conn: &mut Conn, user: &NewUser, at: Timestamp) -> Answer<Option<User>> {
    let inserted: Option<i64> = diesel::insert_into(users::table)
        .values(NewUserRow::new(user, at))
        .on_conflict(users::username_folded)
        .do_nothing()
        .returning(users::id)
        .get_result(conn)
        .optional()?;
    let Some(id) = inserted else { return Ok(None) };
    let member = Owner { tenant: user.tenant, user: UserId(id) };
    join(conn, member, user.role, at)?;
    Ok(find(conn, member)?.map(|account| account.user))
}

/// Makes somebody a member of a tenant, or gives a member another role.
pub(crate) fn join(conn: &mut Conn, member: Owner, role: Role, at: Timestamp) -> Answer<()> {
    diesel::insert_into(memberships::table)
        .values((
            memberships::tenant_id.eq(member.tenant.get()),
            memberships::user_id.eq(member.user.get()),
            memberships::role.eq(role.as_str()),
            memberships::created_at.eq(at.as_micros()),
        ))
        .on_conflict((memberships::tenant_id, memberships::user_id))
        .do_update()
        .set(memberships::role.eq(role.as_str()))
        .execute(conn)?;
    Ok(())
}

/// Changes a member; `None` when they are none.
pub(crate) fn update(conn: &mut Conn, member: Owner, change: &UserChange) -> Answer<Option<User>> {
    if find(conn, member)?.is_none() {
        return Ok(None);
    }
    if let Some(role) = change.role {
        let membership = memberships::table.find((member.tenant.get(), member.user.get()));
        diesel::update(membership).set(memberships::role.eq(role.as_str())).execute(conn)?;
    }
    if let Some(row) = UserChangeRow::new(change) {
        diesel::update(users::table.find(member.user.get())).set(row).execute(conn)?;
    }
    Ok(find(conn, member)?.map(|account| account.user))
}

/// All members of a tenant, by id.
pub(crate) fn list(conn: &mut Conn, tenant: TenantId) -> Answer<Vec<User>> {
    let rows: Vec<(UserRow, MembershipRow)> = users::table
        .inner_join(memberships::table)
        .filter(memberships::tenant_id.eq(tenant.get()))
        .order(users::id)
        .select((UserRow::as_select(), MembershipRow::as_select()))
        .load(conn)?;
    let members = rows.into_iter().map(|(user, of)| user.into_account(of).map(|account| account.user));
    Ok(members.collect::<Result<_, _>>()?)
}

/// Whether there is no account at all.
pub(crate) fn is_empty(conn: &mut Conn) -> Answer<bool> {
    let first: Option<i64> = users::table.select(users::id).first(conn).optional()?;
    Ok(first.is_none())
}

//! Accounts.

use super::Conn;
use super::idempotency::{self, Resource};
use crate::error::Answer;
use crate::rows::account::{NewUserRow, UserChangeRow, UserRow, folded};
use crate::schema::users;
use agent_auth::ports::{Account, RequestKey, User};
use agent_core::ids::UserId;
use agent_core::time::Timestamp;
use diesel::prelude::*;

/// The account of a name, without regard to ASCII case.
pub(crate) fn find_by_name(conn: &mut Conn, username: &str) -> Answer<Option<Account>> {
    let wanted = users::table.filter(users::username_folded.eq(folded(username)));
    let row = wanted.select(UserRow::as_select()).get_result(conn).optional()?;
    Ok(row.map(UserRow::into_account).transpose()?)
}

/// The account of an id.
pub(crate) fn find(conn: &mut Conn, id: UserId) -> Answer<Option<Account>> {
    let row = users::table.find(id.get()).select(UserRow::as_select()).get_result(conn).optional()?;
    Ok(row.map(UserRow::into_account).transpose()?)
}

/// Adds an account, or finds the one made under the same key; `None` when the name is taken.
pub(crate) fn create(
    conn: &mut Conn,
    row: &NewUserRow,
    key: Option<&RequestKey>,
    at: Timestamp,
) -> Answer<Option<User>> {
    let Some(RequestKey { owner, idempotency: key }) = key else { return insert(conn, row) };
    if let Some(existing) = idempotency::find(conn, *owner, key, Resource::User, at)? {
        return Ok(find(conn, UserId(existing))?.map(|account| account.user));
    }
    let user = insert(conn, row)?;
    if let Some(user) = &user {
        idempotency::keep(conn, *owner, key, (Resource::User, user.id.get()), at)?;
    }
    Ok(user)
}

fn insert(conn: &mut Conn, row: &NewUserRow) -> Answer<Option<User>> {
    let inserted = diesel::insert_into(users::table)
        .values(row)
        .on_conflict(users::username_folded)
        .do_nothing()
        .returning(UserRow::as_returning())
        .get_result(conn)
        .optional()?;
    Ok(inserted.map(UserRow::into_user).transpose()?)
}

/// Changes an account; `None` when there is no such user.
pub(crate) fn update(conn: &mut Conn, id: UserId, row: Option<&UserChangeRow>) -> Answer<Option<User>> {
    if let Some(row) = row {
        diesel::update(users::table.find(id.get())).set(row).execute(conn)?;
    }
    Ok(find(conn, id)?.map(|account| account.user))
}

/// All users, by id.
pub(crate) fn list(conn: &mut Conn) -> Answer<Vec<User>> {
    let rows = users::table.order(users::id).select(UserRow::as_select()).load(conn)?;
    Ok(rows.into_iter().map(UserRow::into_user).collect::<Result<_, _>>()?)
}

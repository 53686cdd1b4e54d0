//! API keys.

use super::idempotency::{self, Resource};
use super::{Conn, plans};
use crate::error::{Answer, Error};
use crate::rows::account::{ApiKeyRow, NewApiKeyRow};
use crate::rows::plain;
use crate::schema::api_keys;
use agent_auth::ports::ApiKey;
use agent_core::ids::UserId;
use agent_core::plan::Idempotency;
use agent_core::time::Timestamp;
use diesel::prelude::*;

const MINUTE: i64 = 60 * 1_000_000;

/// Keeps a key, or finds the one made by the same request.
pub(crate) fn create(
    conn: &mut Conn,
    owner: UserId,
    row: &NewApiKeyRow,
    key: Option<&Idempotency>,
    at: Timestamp,
) -> Answer<ApiKey> {
    let Some(key) = key else { return insert(conn, owner, row) };
    if let Some(existing) = idempotency::find(conn, owner, key, Resource::ApiKey, at)? {
        let row: ApiKeyRow =
            api_keys::table.find(existing).select(ApiKeyRow::as_select()).get_result(conn)?;
        return Ok(row.into_key()?.0);
    }
    let made = insert(conn, owner, row)?;
    idempotency::keep(conn, owner, key, (Resource::ApiKey, made.id), at)?;
    Ok(made)
}

fn insert(conn: &mut Conn, owner: UserId, row: &NewApiKeyRow) -> Answer<ApiKey> {
    let inserted = diesel::insert_into(api_keys::table)
        .values(row)
        .returning(ApiKeyRow::as_returning())
        .get_result(conn);
    match inserted {
        Ok(row) => Ok(row.into_key()?.0),
        Err(error) if plans::is_missing_parent(&error) => Err(Error::UnknownOwner(owner).into()),
        Err(error) => Err(error.into()),
    }
}

/// The key with that public part, and the hash of its secret.
pub(crate) fn find(conn: &mut Conn, public_id: &str) -> Answer<Option<(ApiKey, Vec<u8>)>> {
    let wanted = api_keys::table.filter(api_keys::public_id.eq(plain(public_id)));
    let row = wanted.select(ApiKeyRow::as_select()).get_result(conn).optional()?;
    Ok(row.map(ApiKeyRow::into_key).transpose()?)
}

/// The keys of a user, oldest first.
pub(crate) fn of_owner(conn: &mut Conn, owner: UserId) -> Answer<Vec<ApiKey>> {
    let wanted = api_keys::table.filter(api_keys::owner_id.eq(owner.get())).order(api_keys::id);
    let rows = wanted.select(ApiKeyRow::as_select()).load(conn)?;
    Ok(rows.into_iter().map(|row| row.into_key().map(|(key, _)| key)).collect::<Result<_, _>>()?)
}

/// Revokes a key of that owner; false when there is none. A second time keeps the first instant.
pub(crate) fn revoke(conn: &mut Conn, owner: UserId, id: i64, at: Timestamp) -> Answer<bool> {
    let own = api_keys::table.find(id).filter(api_keys::owner_id.eq(owner.get()));
    let alive = own.filter(api_keys::revoked_at.is_null());
    let revoked = diesel::update(alive).set(api_keys::revoked_at.eq(at.as_micros())).execute(conn)?;
    let known: i64 = if revoked > 0 { 1 } else { own.count().get_result(conn)? };
    Ok(known > 0)
}

/// Notes that a key was used, to the minute, so that a busy key costs one write a minute.
pub(crate) fn touch(conn: &mut Conn, id: i64, at: Timestamp) -> Answer<()> {
    let minute = at.as_micros().div_euclid(MINUTE) * MINUTE;
    let older = api_keys::last_used_at.is_null().or(api_keys::last_used_at.lt(minute).assume_not_null());
    diesel::update(api_keys::table.find(id).filter(older))
        .set(api_keys::last_used_at.eq(minute))
        .execute(conn)?;
    Ok(())
}

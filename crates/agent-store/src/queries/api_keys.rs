//! API keys.

use super::idempotency::{self, Resource};
use super::{Backend, Conn, plans};
use crate::error::{Answer, Error};
use crate::rows::account::{ApiKeyRow, NewApiKeyRow};
use crate::rows::plain;
use crate::schema::api_keys;
use agent_auth::ports::ApiKey;
use agent_core::ids::Owner;
use agent_core::plan::Idempotency;
use agent_core::time::Timestamp;
use diesel::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const MINUTE: i64 = 60 * 1_000_000;

/// Keeps a key, or finds the one made by the same request.
pub(crate) fn create(
    conn: &mut Conn,
    owner: Owner,
    row: &NewApiKeyRow,
    key: Option<&Idempotency>,
    at: Timestamp,
) -> Answer<ApiKey> {
    let Some(key) = key else { return insert(conn, owner, row) };
    if let Some(existing) = idempotency::find(conn, owner, key, Resource::ApiKey, at)? {
        let row: ApiKeyRow =
            own(owner).filter(api_keys::id.eq(existing)).select(ApiKeyRow::as_select()).get_result(conn)?;
        return Ok(row.into_key()?.0);
    }
    let made = insert(conn, owner, row)?;
    idempotency::keep(conn, owner, key, (Resource::ApiKey, made.id), at)?;
    Ok(made)
}

fn insert(conn: &mut Conn, owner: Owner, row: &NewApiKeyRow) -> Answer<ApiKey> {
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
pub(crate) fn of_owner(conn: &mut Conn, owner: Owner) -> Answer<Vec<ApiKey>> {
    let wanted = own(owner).order(api_keys::id);
    let rows = wanted.select(ApiKeyRow::as_select()).load(conn)?;
    Ok(rows.into_iter().map(|row| row.into_key().map(|(key, _)| key)).collect::<Result<_, _>>()?)
}

/// The keys of an owner.
fn own(owner: Owner) -> api_keys::BoxedQuery<'static, Backend> {
    api_keys::table
        .filter(api_keys::tenant_id.eq(owner.tenant.get()))
        .filter(api_keys::owner_id.eq(owner.user.get()))
        .into_boxed()
}

/// Revokes a key of that owner with all that were made by it, however indirectly; false when there is none.
pub(crate) fn revoke(conn: &mut Conn, owner: Owner, id: i64, at: Timestamp) -> Answer<bool> {
    let made: Vec<(i64, Option<i64>)> = own(owner).select((api_keys::id, api_keys::made_by)).load(conn)?;
    if !made.iter().any(|(key, _)| *key == id) {
        return Ok(false);
    }
    let mut doomed = BTreeSet::from([id]);
    // A key is younger than its maker, so that one look in the order of their ids finds all descendants.
    let by_age: BTreeMap<i64, Option<i64>> = made.into_iter().collect();
    for (key, maker) in by_age {
        if maker.is_some_and(|maker| doomed.contains(&maker)) {
            doomed.insert(key);
        }
    }
    let alive = api_keys::table
        .filter(api_keys::tenant_id.eq(owner.tenant.get()))
        .filter(api_keys::id.eq_any(doomed))
        .filter(api_keys::revoked_at.is_null());
    diesel::update(alive).set(api_keys::revoked_at.eq(at.as_micros())).execute(conn)?;
    Ok(true)
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

//! Keys under which a repeated request finds the plan of the first.

use super::Conn;
use crate::error::Answer;
use crate::rows::plain;
use crate::schema::idempotency_keys;
use agent_core::ids::{PlanId, UserId};
use agent_core::plan::Idempotency;
use agent_core::time::Timestamp;
use diesel::prelude::*;

/// How long a key is remembered, in microseconds: one day.
const LIFETIME: i64 = 24 * 60 * 60 * 1_000_000;

/// The plan made under a key within the last day.
pub(crate) fn find(
    conn: &mut Conn,
    owner: UserId,
    idempotency: &Idempotency,
    at: Timestamp,
) -> Answer<Option<PlanId>> {
    let lapsed = idempotency_keys::created_at.le(at.as_micros().saturating_sub(LIFETIME));
    diesel::delete(idempotency_keys::table.filter(lapsed)).execute(conn)?;
    let found: Option<(String, i64)> = idempotency_keys::table
        .find((owner.get(), plain(&idempotency.key)))
        .select((idempotency_keys::fingerprint, idempotency_keys::plan_id))
        .get_result(conn)
        .optional()?;
    match found {
        None => Ok(None),
        Some((fingerprint, plan)) if fingerprint == plain(&idempotency.fingerprint) => Ok(Some(PlanId(plan))),
        Some(_) => Err(agent_core::Error::IdempotencyMismatch(idempotency.key.clone()).into()),
    }
}

/// Remembers the plan made under a key.
pub(crate) fn keep(
    conn: &mut Conn,
    owner: UserId,
    idempotency: &Idempotency,
    plan: PlanId,
    at: Timestamp,
) -> Answer<()> {
    diesel::insert_into(idempotency_keys::table)
        .values((
            idempotency_keys::owner_id.eq(owner.get()),
            idempotency_keys::key.eq(plain(&idempotency.key)),
            idempotency_keys::fingerprint.eq(plain(&idempotency.fingerprint)),
            idempotency_keys::plan_id.eq(plan.get()),
            idempotency_keys::created_at.eq(at.as_micros()),
        ))
        .execute(conn)?;
    Ok(())
}

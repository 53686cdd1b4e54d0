//! Keys under which a repeated request finds what the first one made.

use super::Conn;
use crate::error::Answer;
use crate::rows::plain;
use crate::schema::idempotency_keys;
use agent_core::ids::Owner;
use agent_core::plan::Idempotency;
use agent_core::time::Timestamp;
use diesel::prelude::*;

/// How long a key is remembered, in microseconds: one day.
const LIFETIME: i64 = 24 * 60 * 60 * 1_000_000;

/// What a key can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resource {
    Plan,
    Message,
    User,
    ApiKey,
    Tenant,
    Webhook,
    Template,
}

impl Resource {
    fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Message => "message",
            Self::User => "user",
            Self::ApiKey => "api_key",
            Self::Tenant => "tenant",
            Self::Webhook => "webhook",
            Self::Template => "template",
        }
    }
}

/// The id of what was made under a key within the last day. A key that named something else is refused.
pub(crate) fn find(
    conn: &mut Conn,
    owner: Owner,
    idempotency: &Idempotency,
    resource: Resource,
    at: Timestamp,
) -> Answer<Option<i64>> {
    let lapsed = idempotency_keys::created_at.le(at.as_micros().saturating_sub(LIFETIME));
    let own = idempotency_keys::table.filter(idempotency_keys::tenant_id.eq(owner.tenant.get()));
    diesel::delete(own.filter(lapsed)).execute(conn)?;
    let found: Option<(String, String, i64)> = idempotency_keys::table
        .find((owner.user.get(), owner.tenant.get(), plain(&idempotency.key)))
        .select((idempotency_keys::fingerprint, idempotency_keys::resource, idempotency_keys::resource_id))
        .get_result(conn)
        .optional()?;
    match found {
        None => Ok(None),
        Some((fingerprint, named, id))
            if fingerprint == plain(&idempotency.fingerprint) && named == resource.as_str() =>
        {
            Ok(Some(id))
        }
        Some(_) => Err(agent_core::Error::IdempotencyMismatch(idempotency.key.clone()).into()),
    }
}

/// Remembers what was made under a key.
pub(crate) fn keep(
    conn: &mut Conn,
    owner: Owner,
    idempotency: &Idempotency,
    (resource, id): (Resource, i64),
    at: Timestamp,
) -> Answer<()> {
    diesel::insert_into(idempotency_keys::table)
        .values((
            idempotency_keys::tenant_id.eq(owner.tenant.get()),
            idempotency_keys::owner_id.eq(owner.user.get()),
            idempotency_keys::key.eq(plain(&idempotency.key)),
            idempotency_keys::fingerprint.eq(plain(&idempotency.fingerprint)),
            idempotency_keys::resource.eq(resource.as_str()),
            idempotency_keys::resource_id.eq(id),
            idempotency_keys::created_at.eq(at.as_micros()),
        ))
        .execute(conn)?;
    Ok(())
}

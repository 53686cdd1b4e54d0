//! Webhooks: the owner's side of them, and the deliverer's.

use super::idempotency::{self, Resource};
use super::leases::ends;
use super::{Backend, Conn, plans};
use crate::error::{Answer, Error as StoreError};
use crate::rows::large;
use crate::rows::webhook::{NewWebhookRow, StateRow, WebhookRow};
use crate::schema::{events, memberships, users, webhooks};
use agent_core::ports::Visibility;
use agent_core::time::Timestamp;
use agent_webhooks::{Claim, Claimed, Error, Failure, NewWebhook, Result, Webhook, WebhookChange, WebhookId};
use diesel::dsl::exists;
use diesel::prelude::*;
use std::time::Duration;

/// The row of an owner's webhook.
macro_rules! own {
    ($owner:expr, $id:expr) => {
        webhooks::table
            .filter(webhooks::id.eq($id.get()))
            .filter(webhooks::tenant_id.eq($owner.tenant.get()))
            .filter(webhooks::owner_id.eq($owner.user.get()))
    };
}

/// The row that a claim is for, where nobody has claimed or changed it since.
macro_rules! held {
    ($claim:expr) => {
        webhooks::table
            .filter(webhooks::id.eq($claim.webhook.get()))
            .filter(webhooks::tenant_id.eq($claim.tenant.get()))
            .filter(webhooks::generation.eq($claim.generation))
    };
}

fn visible(visibility: Visibility) -> webhooks::BoxedQuery<'static, Backend> {
    let of_tenant = webhooks::table.filter(webhooks::tenant_id.eq(visibility.tenant().get())).into_boxed();
    match visibility {
        Visibility::Owner(owner) => of_tenant.filter(webhooks::owner_id.eq(owner.user.get())),
        Visibility::Tenant(_) => of_tenant,
    }
}

/// What is to be told something at this time, whoever's it is: nobody holds it, it may be called, and its owner has an
/// event after its position and is still a member of the tenant, with an account that is not switched off.
fn due(now: Timestamp) -> webhooks::BoxedQuery<'static, Backend> {
    let now = now.as_micros();
    let member = memberships::table
        .inner_join(users::table)
        .filter(memberships::tenant_id.eq(webhooks::tenant_id))
        .filter(memberships::user_id.eq(webhooks::owner_id))
        .filter(users::disabled.eq(false));
    let more = events::table
        .filter(events::owner_id.eq(webhooks::owner_id))
        .filter(events::tenant_id.eq(webhooks::tenant_id))
        .filter(events::cursor.gt(webhooks::cursor));
    webhooks::table
        .filter(webhooks::disabled_reason.is_null())
        .filter(webhooks::next_attempt_at.is_null().or(webhooks::next_attempt_at.le(now).assume_not_null()))
        .filter(webhooks::claimed_until.is_null().or(webhooks::claimed_until.le(now).assume_not_null()))
        .filter(exists(member))
        .filter(exists(more))
        .into_boxed()
}

/// Keeps a webhook, or finds the one made by the same request.
pub(crate) fn create(conn: &mut Conn, mut new: NewWebhook, max: u32) -> Answer<Result<Webhook>> {
    let (owner, at, key) = (new.owner, new.created_at, new.idempotency.take());
    let Some(key) = key else { return insert(conn, new, max) };
    if let Some(existing) = idempotency::find(conn, owner, &key, Resource::Webhook, at)? {
        return find(conn, Visibility::Owner(owner), WebhookId(existing));
    }
    let made = insert(conn, new, max)?;
    if let Ok(webhook) = &made {
        idempotency::keep(conn, owner, &key, (Resource::Webhook, webhook.id.get()), at)?;
    }
    Ok(made)
}

fn insert(conn: &mut Conn, new: NewWebhook, max: u32) -> Answer<Result<Webhook>> {
    let owner = new.owner;
    let own: i64 = visible(Visibility::Owner(owner)).count().get_result(conn)?;
    if large("count", own)? >= u64::from(max) {
        return Ok(Err(Error::TooMany { max }));
    }
    let mut webhook = match new.into_webhook(WebhookId(0)) {
        Ok(webhook) => webhook,
        Err(refused) => return Ok(Err(refused)),
    };
    let inserted = diesel::insert_into(webhooks::table)
        .values(NewWebhookRow::of(&webhook)?)
        .returning(webhooks::id)
        .get_result(conn);
    match inserted {
        Ok(id) => webhook.id = WebhookId(id),
        Err(error) if plans::is_missing_parent(&error) => {
            return Err(StoreError::UnknownOwner(owner).into());
        }
        Err(error) => return Err(error.into()),
    }
    Ok(Ok(webhook))
}

/// Those numbered above `after`, lowest first.
pub(crate) fn list(
    conn: &mut Conn,
    visibility: Visibility,
    after: Option<WebhookId>,
    limit: u32,
) -> Answer<Vec<Webhook>> {
    let mut wanted = visible(visibility).order(webhooks::id).limit(i64::from(limit));
    if let Some(after) = after {
        wanted = wanted.filter(webhooks::id.gt(after.get()));
    }
    let rows = wanted.select(WebhookRow::as_select()).load(conn)?;
    Ok(rows.into_iter().map(WebhookRow::into_webhook).collect::<agent_core::Result<_>>()?)
}

/// One webhook.
pub(crate) fn find(conn: &mut Conn, visibility: Visibility, id: WebhookId) -> Answer<Result<Webhook>> {
    let wanted = visible(visibility).filter(webhooks::id.eq(id.get()));
    let row = wanted.select(WebhookRow::as_select()).get_result(conn).optional()?;
    match row {
        Some(row) => Ok(Ok(row.into_webhook()?)),
        None => Ok(Err(Error::NotFound(id))),
    }
}

/// Makes the owner's change, and ends whatever claim there is.
pub(crate) fn update(
    conn: &mut Conn,
    visibility: Visibility,
    id: WebhookId,
    change: WebhookChange,
    at: Timestamp,
) -> Answer<Result<Webhook>> {
    let mut webhook = match find(conn, visibility, id)? {
        Ok(webhook) => webhook,
        Err(missing) => return Ok(Err(missing)),
    };
    if let Err(refused) = webhook.change(change, at) {
        return Ok(Err(refused));
    }
    diesel::update(own!(webhook.owner, id))
        .set((
            StateRow::of(&webhook)?,
            webhooks::generation.eq(webhooks::generation + 1),
            webhooks::claimed_until.eq(None::<i64>),
        ))
        .execute(conn)?;
    Ok(Ok(webhook))
}

/// Forgets a webhook.
pub(crate) fn delete(conn: &mut Conn, visibility: Visibility, id: WebhookId) -> Answer<Result<()>> {
    match find(conn, visibility, id)? {
        Ok(webhook) => {
            diesel::delete(own!(webhook.owner, id)).execute(conn)?;
            Ok(Ok(()))
        }
        Err(missing) => Ok(Err(missing)),
    }
}

/// Whether anything is due: what an idle server asks, and all that it does.
pub(crate) fn is_any_due(conn: &mut Conn, now: Timestamp) -> Answer<bool> {
    let first: Option<i64> = due(now).select(webhooks::id).first(conn).optional()?;
    Ok(first.is_some())
}

/// Claims what is due. Whose last turn is longest ago comes first, so that nobody with much to be told keeps the others
/// waiting.
pub(crate) fn claim(conn: &mut Conn, now: Timestamp, lease: Duration, limit: u32) -> Answer<Vec<Claimed>> {
    let wanted = due(now).order((webhooks::claimed_at, webhooks::id)).limit(i64::from(limit));
    let rows = wanted.select(WebhookRow::as_select()).load(conn)?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let tenants: Vec<i64> = rows.iter().map(|row| row.tenant_id).collect();
    let taken = webhooks::table.filter(webhooks::id.eq_any(ids)).filter(webhooks::tenant_id.eq_any(tenants));
    diesel::update(taken)
        .set((
            webhooks::generation.eq(webhooks::generation + 1),
            webhooks::claimed_at.eq(now.as_micros()),
            webhooks::claimed_until.eq(ends(now.as_micros(), lease)),
        ))
        .execute(conn)?;
    Ok(rows.into_iter().map(WebhookRow::into_claimed).collect::<agent_core::Result<_>>()?)
}

/// Records that all up to a position is delivered, and holds the claim on.
pub(crate) fn advance(conn: &mut Conn, claim: Claim, cursor: i64, until: Timestamp) -> Answer<Result<()>> {
    record(conn, claim, Some(until), |webhook| webhook.advance(cursor))
}

/// Records a failed attempt, and gives the claim back.
pub(crate) fn fail(conn: &mut Conn, claim: Claim, failure: &Failure) -> Answer<Result<()>> {
    record(conn, claim, None, |webhook| webhook.fail(failure))
}

/// Gives a claim back; what somebody else holds meanwhile stays with them.
pub(crate) fn release(conn: &mut Conn, claim: Claim) -> Answer<()> {
    diesel::update(held!(claim)).set(webhooks::claimed_until.eq(None::<i64>)).execute(conn)?;
    Ok(())
}

fn record(
    conn: &mut Conn,
    claim: Claim,
    until: Option<Timestamp>,
    change: impl FnOnce(&mut Webhook),
) -> Answer<Result<()>> {
    let row = held!(claim).select(WebhookRow::as_select()).get_result(conn).optional()?;
    let Some(row) = row else { return Ok(Err(Error::ClaimLost(claim.webhook))) };
    let mut webhook = row.into_webhook()?;
    change(&mut webhook);
    let claimed_until = webhooks::claimed_until.eq(until.map(Timestamp::as_micros));
    let changed = diesel::update(held!(claim)).set((StateRow::of(&webhook)?, claimed_until)).execute(conn)?;
    Ok(if changed == 0 { Err(Error::ClaimLost(claim.webhook)) } else { Ok(()) })
}

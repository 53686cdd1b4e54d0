//! Webhooks, and who delivers to which.

use super::{Store, read, transact_silently};
use crate::database::Scope;
use agent_core::ports::Visibility;
use agent_core::time::Timestamp;
use agent_webhooks::{
    Claim, Claimed, DeliveryQueue, Error, Failure, NewWebhook, Result, Webhook, WebhookChange, WebhookId,
    WebhookStore,
};
use async_trait::async_trait;
use std::time::Duration;

/// What the database says, in the words of webhooks; what they have no word for is the source of `Unavailable`.
fn told<T>(answer: agent_core::Result<T>) -> Result<T> {
    answer.map_err(|error| Error::Unavailable(Box::new(error)))
}

#[async_trait]
impl WebhookStore for Store {
    async fn create(&self, new: NewWebhook, max: u32) -> Result<Webhook> {
        let tenant = new.owner.tenant;
        told(transact_silently!(self, tenant, db, |conn| db::webhooks::create(conn, new, max)))?
    }

    async fn list(
        &self,
        visibility: Visibility,
        after: Option<WebhookId>,
        limit: u32,
    ) -> Result<Vec<Webhook>> {
        told(read!(self, visibility, db, |conn| db::webhooks::list(conn, visibility, after, limit)))
    }

    async fn find(&self, visibility: Visibility, id: WebhookId) -> Result<Webhook> {
        told(read!(self, visibility, db, |conn| db::webhooks::find(conn, visibility, id)))?
    }

    async fn update(
        &self,
        visibility: Visibility,
        id: WebhookId,
        change: WebhookChange,
        at: Timestamp,
    ) -> Result<Webhook> {
        told(transact_silently!(self, visibility, db, |conn| db::webhooks::update(
            conn, visibility, id, change, at
        )))?
    }

    async fn delete(&self, visibility: Visibility, id: WebhookId) -> Result<()> {
        told(transact_silently!(self, visibility, db, |conn| db::webhooks::delete(conn, visibility, id)))?
    }
}

#[async_trait]
impl DeliveryQueue for Store {
    async fn due(&self, now: Timestamp, lease: Duration, limit: u32) -> Result<Vec<Claimed>> {
        // Looked at first, so that a server with nothing to tell writes nothing.
        if !told(read!(self, Scope::All, db, |conn| db::webhooks::is_any_due(conn, now)))? {
            return Ok(Vec::new());
        }
        told(transact_silently!(self, Scope::All, db, |conn| db::webhooks::claim(conn, now, lease, limit)))
    }

    async fn advance(&self, claim: Claim, cursor: i64, until: Timestamp) -> Result<()> {
        told(transact_silently!(self, claim.tenant, db, |conn| db::webhooks::advance(
            conn, claim, cursor, until
        )))?
    }

    async fn failed(&self, claim: Claim, failure: &Failure) -> Result<()> {
        let failure = failure.clone();
        told(transact_silently!(self, claim.tenant, db, |conn| db::webhooks::fail(conn, claim, &failure)))?
    }

    async fn release(&self, claim: Claim) -> Result<()> {
        told(transact_silently!(self, claim.tenant, db, |conn| db::webhooks::release(conn, claim)))
    }
}

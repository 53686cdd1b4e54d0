//! What keeps webhooks: the owner's side of it, and the deliverer's.

use crate::error::Result;
use crate::webhook::{Failure, NewWebhook, Webhook, WebhookChange, WebhookId};
use agent_core::ids::TenantId;
use agent_core::ports::Visibility;
use agent_core::time::Timestamp;
use async_trait::async_trait;
use std::time::Duration;

/// Keeps the webhooks of owners; each method is one transaction. What is not visible does not exist.
#[async_trait]
pub trait WebhookStore: Send + Sync {
    /// Keeps a new webhook, unless its owner has `max` already. Counting and keeping are one step. With an idempotency
    /// key, a repeated request finds the webhook of the first, as it is now.
    ///
    /// # Errors
    /// `TooMany`, `UnknownEvent`, `NotFound` where the webhook of the first request is deleted, `Unavailable`.
    async fn create(&self, new: NewWebhook, max: u32) -> Result<Webhook>;

    /// Those numbered above `after`, lowest first, at most `limit`.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn list(
        &self,
        visibility: Visibility,
        after: Option<WebhookId>,
        limit: u32,
    ) -> Result<Vec<Webhook>>;

    /// One webhook.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    async fn find(&self, visibility: Visibility, id: WebhookId) -> Result<Webhook>;

    /// Makes the owner's change as [`Webhook::change`] does, and ends the claim of whoever delivers to it just now.
    ///
    /// # Errors
    /// `NotFound`, `UnknownEvent`, `Unavailable`.
    async fn update(
        &self,
        visibility: Visibility,
        id: WebhookId,
        change: WebhookChange,
        at: Timestamp,
    ) -> Result<Webhook>;

    /// Forgets a webhook, its secrets included.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    async fn delete(&self, visibility: Visibility, id: WebhookId) -> Result<()>;
}

/// The right to deliver to a webhook for a while. Each claim of a webhook has a generation of its own, and what is
/// written under an earlier one is refused: the time of a claim keeps servers apart, its generation makes it safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The tenant whose webhook it is.
    pub tenant: TenantId,
    /// Which webhook.
    pub webhook: WebhookId,
    /// How often it was claimed or changed by its owner.
    pub generation: i64,
}

/// A webhook that whoever asked may deliver to.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The right to.
    pub claim: Claim,
    /// The webhook, as of the claim.
    pub webhook: Webhook,
}

/// Hands out what is to be delivered, among any number of servers; each method is one transaction.
#[async_trait]
pub trait DeliveryQueue: Send + Sync {
    /// Claims webhooks until `now + lease`: those that [may be called](Webhook::may_be_called), that nobody holds or
    /// held only until now, and whose owner has an event after their cursor. Who waits longest comes first.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn due(&self, now: Timestamp, lease: Duration, limit: u32) -> Result<Vec<Claimed>>;

    /// Records that all up to a position is delivered or not wanted, as [`Webhook::advance`] does, and holds the claim
    /// until another instant.
    ///
    /// # Errors
    /// `ClaimLost`, `Unavailable`.
    async fn advance(&self, claim: Claim, cursor: i64, until: Timestamp) -> Result<()>;

    /// Records a failed attempt, as [`Webhook::fail`] does, and gives the claim back.
    ///
    /// # Errors
    /// `ClaimLost`, `Unavailable`.
    async fn failed(&self, claim: Claim, failure: &Failure) -> Result<()>;

    /// Gives the claim back; one that is lost is no matter.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn release(&self, claim: Claim) -> Result<()>;
}

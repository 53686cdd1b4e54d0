//! One webhook's turn: its next events, one after the other.

use super::Dispatcher;
use crate::delivery::{Attempts, Decision, next_attempt};
use crate::error::{Error, Result};
use crate::ports::{Claim, Claimed};
use crate::webhook::{Failure, Next, Webhook, topic_of};
use agent_core::error::with_causes;
use agent_core::event::Event;
use std::sync::atomic::Ordering;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

impl Dispatcher {
    /// Delivers a page of events. What fails in between leaves the claim to lapse, and is repeated after that.
    pub(super) async fn take_turn(&self, claimed: Claimed, stop: &CancellationToken) {
        let Claimed { claim, webhook } = claimed;
        match self.deliver_page(claim, webhook, stop).await {
            Ok(()) => {}
            Err(Error::ClaimLost(webhook)) => debug!(%webhook, "the webhook was changed or taken over"),
            Err(error) => {
                warn!(webhook = %claim.webhook, error = with_causes(&error), "deliveries are interrupted");
            }
        }
    }

    async fn deliver_page(&self, claim: Claim, mut webhook: Webhook, stop: &CancellationToken) -> Result<()> {
        let (topic, limit) = (topic_of(webhook.owner), self.pace.events_per_turn.max(1));
        let events = self.parts.log.read(topic, webhook.cursor, limit).await.map_err(Error::Log)?;
        if events.is_empty() {
            // The store saw an event that the log does not show: kept until the claim lapses, so as not to spin.
            return Ok(());
        }
        let mut passed = webhook.cursor;
        for event in &events {
            if stop.is_cancelled() {
                break;
            }
            passed = event.cursor;
            if !webhook.wants(event) {
                continue;
            }
            if let Some(failure) = self.attempt(&webhook, event).await {
                return self.parts.queue.failed(claim, &failure).await;
            }
            self.advance(claim, &mut webhook, passed).await?;
        }
        if passed > webhook.cursor {
            self.advance(claim, &mut webhook, passed).await?;
        }
        self.parts.queue.release(claim).await
    }

    async fn advance(&self, claim: Claim, webhook: &mut Webhook, cursor: i64) -> Result<()> {
        let until = self.parts.clock.now().plus(self.lease());
        self.parts.queue.advance(claim, cursor, until).await?;
        webhook.advance(cursor);
        Ok(())
    }

    /// Tries to deliver one event; `None` when it has arrived.
    async fn attempt(&self, webhook: &Webhook, event: &Event) -> Option<Failure> {
        let outcome = self.parts.sender.send(webhook, event, self.parts.clock.now()).await;
        let at = self.parts.clock.now();
        let attempts =
            Attempts { made: webhook.failures.saturating_add(1), since: webhook.failing_since.unwrap_or(at) };
        let (id, cursor) = (webhook.id, event.cursor);
        let next = match next_attempt(attempts, &outcome, at, self.parts.randomness.fraction()) {
            Decision::Delivered => {
                self.counts.delivered.fetch_add(1, Ordering::Relaxed);
                debug!(webhook = %id, cursor, attempts = attempts.made, "delivered");
                return None;
            }
            Decision::RetryAt(retry_at) => {
                self.counts.failed.fetch_add(1, Ordering::Relaxed);
                debug!(webhook = %id, cursor, attempts = attempts.made, %retry_at, "a delivery failed");
                Next::RetryAt(retry_at)
            }
            Decision::GiveUp(reason) => {
                self.counts.given_up.fetch_add(1, Ordering::Relaxed);
                info!(webhook = %id, cursor, reason = reason.as_str(), "a webhook is switched off");
                Next::Disabled(reason)
            }
        };
        Some(Failure { at, error: outcome.complaint(), next })
    }
}

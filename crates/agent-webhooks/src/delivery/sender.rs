//! One attempt at one delivery.

use super::Outcome;
use crate::client::{CallError, GuardedClient, Limits};
use crate::destination::{Allowed, Destination};
use crate::signature::{ID_HEADER, SIGNATURE_HEADER, SignatureHeaders, TIMESTAMP_HEADER, sign};
use crate::webhook::Webhook;
use agent_core::event::Event;
use agent_core::time::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

/// Sends events to webhooks.
///
/// The body is the event as JSON, the same as lists and WebSockets show it. It is signed; its `cursor`, or its
/// `plan_id` and `seq`, tell a receiver whether it has seen the event before.
#[derive(Debug, Clone)]
pub struct Sender {
    client: GuardedClient,
    allowed: Allowed,
}

impl Sender {
    /// A sender that calls through this client, and those hosts within the house that the operator allows.
    pub fn new(client: GuardedClient, allowed: Allowed) -> Self {
        Self { client, allowed }
    }

    /// The limits of each attempt.
    pub fn limits(&self) -> Limits {
        self.client.limits()
    }

    /// Makes one attempt to deliver an event, signed as of `now`. The address is judged anew: what the operator has
    /// allowed may have changed since the webhook was made.
    pub async fn send(&self, webhook: &Webhook, event: &Event, now: Timestamp) -> Outcome {
        match self.call(webhook, event, now).await {
            Ok(answer) => Outcome::Answered(answer),
            Err(error) => Outcome::Unanswered(error),
        }
    }

    async fn call(
        &self,
        webhook: &Webhook,
        event: &Event,
        now: Timestamp,
    ) -> Result<crate::client::Answer, CallError> {
        let destination = Destination::parse(&webhook.url, &self.allowed)?;
        let unprepared = |error: &dyn std::error::Error| CallError::Unprepared(error.to_string());
        let body = serde_json::to_vec(event).map_err(|error| unprepared(&error))?;
        let signed = sign(&webhook.delivery_id(event.cursor), &webhook.secrets_at(now), &body, now);
        let headers = headers(&signed).map_err(|error| unprepared(&error))?;
        self.client.post(&destination, headers, body).await
    }
}

fn headers(signed: &SignatureHeaders) -> Result<HeaderMap, reqwest::header::InvalidHeaderValue> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let pairs = [
        (ID_HEADER, &signed.id),
        (TIMESTAMP_HEADER, &signed.timestamp),
        (SIGNATURE_HEADER, &signed.signature),
    ];
    for (name, value) in pairs {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value)?);
    }
    Ok(headers)
}

//! A webhook: who is told of what, where, and how far that has got.

mod change;

pub use change::{Failure, Next, Switch, WebhookChange};

use crate::destination::Destination;
use crate::error::{Error, Result};
pub use agent_core::event::EVENT_NAMES;
use agent_core::event::{Event, Topic};
use agent_core::ids::Owner;
use agent_core::plan::Idempotency;
use agent_core::time::Timestamp;
use secrecy::SecretString;
use std::fmt;

/// How many webhooks an owner may have, unless the operator says otherwise.
pub const MAX_PER_OWNER: u32 = 20;

/// A webhook's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WebhookId(pub i64);

impl WebhookId {
    /// The number as stored.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for WebhookId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A webhook as it is kept. `Debug` shows neither its secrets nor the path of its address.
#[derive(Clone)]
pub struct Webhook {
    /// Its number.
    pub id: WebhookId,
    /// Whose events it is told of.
    pub owner: Owner,
    /// Where it is told, in the form that [`Destination::as_str`] gives.
    pub url: String,
    /// Names of the events it is told of; empty for all.
    pub events: Vec<String>,
    /// What deliveries are signed with.
    pub secret: SecretString,
    /// What they are signed with besides, for a while after the secret was changed.
    pub previous_secret: Option<PreviousSecret>,
    /// Position in the owner's events up to which all is delivered.
    pub cursor: i64,
    /// Why it is told nothing; `None` while it is.
    pub disabled: Option<DisabledReason>,
    /// Failed attempts at the delivery that comes next.
    pub failures: u32,
    /// When the first of these failed.
    pub failing_since: Option<Timestamp>,
    /// Nothing is tried before this instant.
    pub next_attempt_at: Option<Timestamp>,
    /// What went wrong last, in one sentence for the owner.
    pub last_error: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A secret that is no longer the webhook's, and still signs for a while, so that a receiver can change over.
#[derive(Debug, Clone)]
pub struct PreviousSecret {
    /// The secret.
    pub secret: SecretString,
    /// When it stops signing.
    pub until: Timestamp,
}

/// Why a webhook is told nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DisabledReason {
    /// Its owner wants it so.
    Owner,
    /// The receiver answered that it is gone for good.
    Gone,
    /// Attempt after attempt failed.
    Failing,
}

impl DisabledReason {
    const ALL: [Self; 3] = [Self::Owner, Self::Gone, Self::Failing];

    /// The name that is stored and shown: `owner`, `gone` or `failing`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }

    /// The reason of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

/// A webhook to be made.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// Whose events it is told of.
    pub owner: Owner,
    /// Where it is told.
    pub url: Destination,
    /// Names of the events it is told of; empty for all.
    pub events: Vec<String>,
    /// What deliveries are signed with; see [`new_secret`](crate::new_secret).
    pub secret: SecretString,
    /// It is told of events after this position; the newest of [`topic_of`] the owner, usually.
    pub cursor: i64,
    /// When it is made.
    pub created_at: Timestamp,
    /// Makes a repeated request find the webhook of the first.
    pub idempotency: Option<Idempotency>,
}

impl NewWebhook {
    /// The webhook that a store keeps under this number.
    ///
    /// # Errors
    /// `UnknownEvent` when it asks for events that there are not.
    pub fn into_webhook(self, id: WebhookId) -> Result<Webhook> {
        Ok(Webhook {
            id,
            owner: self.owner,
            url: self.url.as_str().to_owned(),
            events: known_events(self.events)?,
            secret: self.secret,
            previous_secret: None,
            cursor: self.cursor,
            disabled: None,
            failures: 0,
            failing_since: None,
            next_attempt_at: None,
            last_error: None,
            created_at: self.created_at,
        })
    }
}

impl Webhook {
    /// Whether it is to be told of this event.
    pub fn wants(&self, event: &Event) -> bool {
        self.events.is_empty() || self.events.iter().any(|name| name == event.body.name())
    }

    /// The id of the delivery of the event at this position; the same for every attempt, from whichever server.
    pub fn delivery_id(&self, cursor: i64) -> String {
        format!("wh_{}_{cursor}", self.id)
    }

    /// What deliveries are signed with at this time: one secret, or two while it changes.
    pub fn secrets_at(&self, now: Timestamp) -> Vec<&SecretString> {
        let previous = self.previous_secret.as_ref().filter(|previous| now < previous.until);
        std::iter::once(&self.secret).chain(previous.map(|previous| &previous.secret)).collect()
    }

    /// Whether it may be called now, as far as its own state tells.
    pub fn may_be_called(&self, now: Timestamp) -> bool {
        self.disabled.is_none() && self.next_attempt_at.is_none_or(|at| at <= now)
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("id", &self.id)
            .field("owner", &self.owner)
            .field("events", &self.events)
            .field("cursor", &self.cursor)
            .field("disabled", &self.disabled)
            .field("failures", &self.failures)
            .field("next_attempt_at", &self.next_attempt_at)
            .finish_non_exhaustive()
    }
}

/// Where the events of an owner are read; positions in it are `cursor`.
pub fn topic_of(owner: Owner) -> Topic {
    Topic::Owner(owner)
}

/// Names of events, each once and in a fixed order.
fn known_events(mut names: Vec<String>) -> Result<Vec<String>> {
    if let Some(unknown) = names.iter().find(|name| !EVENT_NAMES.contains(&name.as_str())) {
        return Err(Error::UnknownEvent(unknown.chars().take(80).collect()));
    }
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

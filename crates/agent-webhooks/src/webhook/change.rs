//! How a webhook changes: by its owner, and by what became of its deliveries. Pure, so that every store does the same.

use super::{DisabledReason, PreviousSecret, Webhook, known_events};
use crate::destination::Destination;
use crate::error::Result;
use agent_core::time::Timestamp;
use secrecy::SecretString;
use std::time::Duration;

/// How long a former secret still signs.
const CHANGE_OVER: Duration = Duration::from_secs(24 * 60 * 60);

/// What an owner wants different; `None` leaves as it is.
#[derive(Debug, Clone, Default)]
pub struct WebhookChange {
    /// Another address.
    pub url: Option<Destination>,
    /// Other events; empty for all.
    pub events: Option<Vec<String>>,
    /// Another secret; the former one still signs for a day.
    pub secret: Option<SecretString>,
    /// On or off.
    pub switch: Option<Switch>,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// It is told nothing; what happens meanwhile is kept for it.
    Off,
    /// It is told everything since it was told last.
    On,
    /// It is told what comes after this position in the owner's events, and what it missed before is skipped.
    OnFrom(i64),
}

/// A failed attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// When it failed.
    pub at: Timestamp,
    /// Why, in one sentence for the owner.
    pub error: String,
    /// What follows.
    pub next: Next,
}

/// What follows a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Another one, not before this instant.
    RetryAt(Timestamp),
    /// None, until the owner switches it on again.
    Disabled(DisabledReason),
}

impl Webhook {
    /// Makes the owner's change. What failed before is forgotten, so that the next attempt is made at once.
    ///
    /// # Errors
    /// `UnknownEvent` when it asks for events that there are not; nothing is changed then.
    pub fn change(&mut self, change: WebhookChange, at: Timestamp) -> Result<()> {
        if let Some(events) = change.events {
            self.events = known_events(events)?;
        }
        if let Some(url) = change.url {
            self.url = url.as_str().to_owned();
        }
        if let Some(secret) = change.secret {
            let former = std::mem::replace(&mut self.secret, secret);
            self.previous_secret = Some(PreviousSecret { secret: former, until: at.plus(CHANGE_OVER) });
        }
        match change.switch {
            Some(Switch::Off) => self.disabled = Some(DisabledReason::Owner),
            Some(Switch::On) => self.disabled = None,
            Some(Switch::OnFrom(cursor)) => {
                self.disabled = None;
                self.cursor = self.cursor.max(cursor);
            }
            None => {}
        }
        self.forget_failures();
        Ok(())
    }

    /// Everything up to this position has been delivered.
    pub fn advance(&mut self, cursor: i64) {
        self.cursor = self.cursor.max(cursor);
        self.forget_failures();
    }

    /// An attempt has failed.
    pub fn fail(&mut self, failure: &Failure) {
        self.failures = self.failures.saturating_add(1);
        self.failing_since.get_or_insert(failure.at);
        self.last_error = Some(failure.error.clone());
        match failure.next {
            Next::RetryAt(at) => self.next_attempt_at = Some(at),
            Next::Disabled(reason) => (self.next_attempt_at, self.disabled) = (None, Some(reason)),
        }
    }

    fn forget_failures(&mut self) {
        self.failures = 0;
        self.failing_since = None;
        self.next_attempt_at = None;
        self.last_error = None;
    }
}

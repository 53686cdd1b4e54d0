//! Webhooks of a caller: addresses that are told of the events of the caller's own plans.

use crate::error::{Error, Result};
use agent_auth::Principal;
use agent_auth::ports::RandomBytes;
use agent_core::error::Defect;
use agent_core::event::Topic;
use agent_core::plan::Idempotency;
use agent_core::ports::{Clock, EventLog, Visibility};
use agent_store::Store;
use agent_webhooks::{
    Allowed, Destination, EVENT_NAMES, MAX_PER_OWNER, NewWebhook, Switch, Wake, Webhook, WebhookChange,
    WebhookId, WebhookStore, new_secret, topic_of,
};
use secrecy::SecretString;
use std::sync::Arc;

/// More webhooks than anybody has.
const ALL: u32 = 10_000;

/// A webhook as a caller asks for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreateWebhook {
    /// Where it is told.
    pub url: String,
    /// Names of the events it is told of; empty for all.
    pub events: Vec<String>,
    /// Makes a repeated request find the webhook of the first.
    pub idempotency: Option<Idempotency>,
}

/// What a caller wants different about a webhook; `None` leaves as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdateWebhook {
    /// Another address.
    pub url: Option<String>,
    /// Other events; empty for all.
    pub events: Option<Vec<String>>,
    /// On or off.
    pub enabled: Option<bool>,
    /// With `enabled`: what happened while it was off is not told.
    pub skip_missed: bool,
}

/// A page of webhooks.
#[derive(Debug, Clone)]
pub struct WebhookPage {
    /// The webhooks, oldest first.
    pub webhooks: Vec<Webhook>,
    /// How many there are in all.
    pub total: u64,
    /// Pass as the cursor to get the next page.
    pub next: Option<WebhookId>,
}

/// Requests about webhooks. Everybody has their own, administrators too: an address often holds a key.
#[derive(Clone)]
pub struct Webhooks {
    pub(crate) store: Store,
    pub(crate) allowed: Allowed,
    pub(crate) wake: Wake,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn RandomBytes>,
}

impl Webhooks {
    /// Makes a webhook that is told of what happens from now on to the caller's own plans. Its secret is in the answer.
    ///
    /// # Errors
    /// `InvalidWebhook` naming each bad field; `Webhook` for one more than one may have; `IdempotencyMismatch`.
    pub async fn create(&self, caller: &Principal, request: CreateWebhook) -> Result<Webhook> {
        let CreateWebhook { url, events, idempotency } = request;
        let mut defects = Vec::new();
        let url = self.destination(&url, &mut defects);
        check_events(&events, &mut defects);
        let Some(url) = url.filter(|_| defects.is_empty()) else {
            return Err(Error::InvalidWebhook(defects));
        };
        let new = NewWebhook {
            owner: caller.owner(),
            url,
            events,
            secret: self.secret()?,
            cursor: self.head(caller).await?,
            created_at: self.clock.now(),
            idempotency,
        };
        Ok(WebhookStore::create(&self.store, new, MAX_PER_OWNER).await?)
    }

    /// The caller's webhooks above a number, oldest first.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn list(
        &self,
        caller: &Principal,
        after: Option<WebhookId>,
        limit: u32,
    ) -> Result<WebhookPage> {
        let mut webhooks = WebhookStore::list(&self.store, own(caller), None, ALL).await?;
        let total = u64::try_from(webhooks.len()).unwrap_or(u64::MAX);
        webhooks.retain(|webhook| Some(webhook.id) > after);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = webhooks.len() > limit;
        webhooks.truncate(limit);
        let next = webhooks.last().filter(|_| more).map(|last| last.id);
        Ok(WebhookPage { webhooks, total, next })
    }

    /// One of the caller's webhooks.
    ///
    /// # Errors
    /// `Webhook`, not found, also for one of somebody else.
    pub async fn find(&self, caller: &Principal, id: WebhookId) -> Result<Webhook> {
        Ok(WebhookStore::find(&self.store, own(caller), id).await?)
    }

    /// Changes one of the caller's webhooks. What failed before is forgotten, so that the next attempt is made at once.
    ///
    /// # Errors
    /// `InvalidWebhook` naming each bad field; `Webhook`, not found, also for one of somebody else.
    pub async fn update(&self, caller: &Principal, id: WebhookId, update: UpdateWebhook) -> Result<Webhook> {
        let UpdateWebhook { url, events, enabled, skip_missed } = update;
        let mut defects = Vec::new();
        let url = url.and_then(|url| self.destination(&url, &mut defects));
        events.iter().for_each(|events| check_events(events, &mut defects));
        if skip_missed && enabled != Some(true) {
            defects.push(Defect::new("/skip_missed", "belongs to \"enabled\": true"));
        }
        if !defects.is_empty() {
            return Err(Error::InvalidWebhook(defects));
        }
        let switch = match enabled {
            None => None,
            Some(false) => Some(Switch::Off),
            Some(true) if skip_missed => Some(Switch::OnFrom(self.head(caller).await?)),
            Some(true) => Some(Switch::On),
        };
        self.change(caller, id, WebhookChange { url, events, secret: None, switch }).await
    }

    /// Gives one of the caller's webhooks another secret, which is in the answer. Deliveries are signed with the former one
    /// too for a day.
    ///
    /// # Errors
    /// `Webhook`, not found, also for one of somebody else.
    pub async fn rotate_secret(&self, caller: &Principal, id: WebhookId) -> Result<Webhook> {
        let secret = Some(self.secret()?);
        self.change(caller, id, WebhookChange { secret, ..WebhookChange::default() }).await
    }

    /// Forgets one of the caller's webhooks.
    ///
    /// # Errors
    /// `Webhook`, not found, also for one of somebody else.
    pub async fn delete(&self, caller: &Principal, id: WebhookId) -> Result<()> {
        Ok(WebhookStore::delete(&self.store, own(caller), id).await?)
    }

    async fn change(&self, caller: &Principal, id: WebhookId, change: WebhookChange) -> Result<Webhook> {
        let changed = WebhookStore::update(&self.store, own(caller), id, change, self.clock.now()).await?;
        self.wake.look();
        Ok(changed)
    }

    /// Where the caller's events have got to.
    async fn head(&self, caller: &Principal) -> Result<i64> {
        let topic: Topic = topic_of(caller.owner());
        Ok(EventLog::head(&self.store, topic).await?)
    }

    fn secret(&self) -> Result<SecretString> {
        let mut bytes = [0; 32];
        self.random.fill(&mut bytes).map_err(agent_auth::Error::Cryptography)?;
        Ok(new_secret(&bytes))
    }

    fn destination(&self, text: &str, defects: &mut Vec<Defect>) -> Option<Destination> {
        match Destination::parse(text, &self.allowed) {
            Ok(destination) => Some(destination),
            Err(refused) => {
                defects.push(Defect::new("/url", refused.to_string()));
                None
            }
        }
    }
}

fn own(caller: &Principal) -> Visibility {
    Visibility::Owner(caller.owner())
}

fn check_events(names: &[String], defects: &mut Vec<Defect>) {
    for (place, name) in names.iter().enumerate() {
        if !EVENT_NAMES.contains(&name.as_str()) {
            let name: String = name.chars().take(80).collect();
            let detail = format!("{name:?} is no event; events are {}", EVENT_NAMES.join(", "));
            defects.push(Defect::new(format!("/events/{place}"), detail));
            return;
        }
    }
}

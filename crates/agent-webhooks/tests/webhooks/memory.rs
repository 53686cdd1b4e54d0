//! Webhooks and events in memory: what a store and a log promise, in their shortest form.

use agent_core::event::{Event, Topic, Touched};
use agent_core::ids::Owner;
use agent_core::ports::{EventLog, Visibility};
use agent_core::time::Timestamp;
use agent_webhooks::{
    Claim, Claimed, DeliveryQueue, Error, Failure, NewWebhook, Result, Webhook, WebhookChange, WebhookId,
    WebhookStore, topic_of,
};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Debug, Default)]
pub(crate) struct Log {
    events: Mutex<Vec<Event>>,
    pub(crate) unplugged: AtomicBool,
}

impl Log {
    pub(crate) fn push(&self, event: Event) {
        self.events.lock().unwrap().push(event);
    }

    fn after(&self, topic: Topic, after: i64) -> Vec<Event> {
        let events = self.events.lock().unwrap();
        events.iter().filter(|e| topic_of(e.owner) == topic && e.cursor > after).cloned().collect()
    }
}

#[async_trait]
impl EventLog for Log {
    async fn read(&self, topic: Topic, after: i64, limit: u32) -> agent_core::Result<Vec<Event>> {
        if self.unplugged.load(Ordering::SeqCst) {
            return Err(agent_core::Error::Unavailable("unplugged".into()));
        }
        Ok(self.after(topic, after).into_iter().take(limit as usize).collect())
    }

    async fn head(&self, topic: Topic) -> agent_core::Result<i64> {
        Ok(self.after(topic, i64::MIN).last().map_or(0, |event| event.cursor))
    }

    async fn touched(&self, _after: i64) -> agent_core::Result<Vec<Touched>> {
        Err(agent_core::Error::Unavailable("webhooks follow topics, and ask for no more".into()))
    }
}

#[derive(Debug)]
struct Row {
    webhook: Webhook,
    generation: i64,
    claimed_until: Option<Timestamp>,
}

#[derive(Debug)]
pub(crate) struct Store {
    log: Arc<Log>,
    rows: Mutex<BTreeMap<WebhookId, Row>>,
    /// As if the server were killed after a call and before it is recorded.
    pub(crate) loses_advances: AtomicBool,
}

impl Store {
    pub(crate) fn new(log: Arc<Log>) -> Self {
        Self { log, rows: Mutex::default(), loses_advances: AtomicBool::new(false) }
    }

    pub(crate) fn webhook(&self, id: WebhookId) -> Webhook {
        self.rows.lock().unwrap()[&id].webhook.clone()
    }

    /// How many are held by somebody.
    pub(crate) fn claimed(&self) -> usize {
        self.rows.lock().unwrap().values().filter(|row| row.claimed_until.is_some()).count()
    }

    fn under<T>(&self, claim: Claim, act: impl FnOnce(&mut Row) -> T) -> Result<T> {
        let mut rows = self.rows.lock().unwrap();
        let row = rows.get_mut(&claim.webhook).filter(|row| row.generation == claim.generation);
        row.map(act).ok_or(Error::ClaimLost(claim.webhook))
    }

    fn visible<T>(
        &self,
        visibility: Visibility,
        id: WebhookId,
        act: impl FnOnce(&mut Row) -> T,
    ) -> Result<T> {
        let mut rows = self.rows.lock().unwrap();
        let row = rows.get_mut(&id).filter(|row| visibility.includes(row.webhook.owner));
        row.map(act).ok_or(Error::NotFound(id))
    }

    fn has_more(&self, owner: Owner, cursor: i64) -> bool {
        !self.log.after(topic_of(owner), cursor).is_empty()
    }
}

#[async_trait]
impl WebhookStore for Store {
    async fn create(&self, new: NewWebhook, max: u32) -> Result<Webhook> {
        let mut rows = self.rows.lock().unwrap();
        let n_own = rows.values().filter(|row| row.webhook.owner == new.owner).count();
        if n_own >= max as usize {
            return Err(Error::TooMany { max });
        }
        let id = WebhookId(rows.keys().last().map_or(1, |last| last.get() + 1));
        let webhook = new.into_webhook(id)?;
        rows.insert(id, Row { webhook: webhook.clone(), generation: 0, claimed_until: None });
        Ok(webhook)
    }

    async fn list(
        &self,
        visibility: Visibility,
        after: Option<WebhookId>,
        limit: u32,
    ) -> Result<Vec<Webhook>> {
        let rows = self.rows.lock().unwrap();
        let visible = rows.values().map(|row| &row.webhook).filter(|w| visibility.includes(w.owner));
        Ok(visible.filter(|webhook| Some(webhook.id) > after).take(limit as usize).cloned().collect())
    }

    async fn find(&self, visibility: Visibility, id: WebhookId) -> Result<Webhook> {
        self.visible(visibility, id, |row| row.webhook.clone())
    }

    async fn update(
        &self,
        visibility: Visibility,
        id: WebhookId,
        change: WebhookChange,
        at: Timestamp,
    ) -> Result<Webhook> {
        self.visible(visibility, id, |row| {
            row.webhook.change(change, at)?;
            (row.generation, row.claimed_until) = (row.generation + 1, None);
            Ok(row.webhook.clone())
        })?
    }

    async fn delete(&self, visibility: Visibility, id: WebhookId) -> Result<()> {
        self.visible(visibility, id, |_| ())?;
        self.rows.lock().unwrap().remove(&id);
        Ok(())
    }
}

#[async_trait]
impl DeliveryQueue for Store {
    async fn due(&self, now: Timestamp, lease: Duration, limit: u32) -> Result<Vec<Claimed>> {
        let mut rows = self.rows.lock().unwrap();
        let due = rows.values_mut().filter(|row| {
            row.webhook.may_be_called(now)
                && row.claimed_until.is_none_or(|until| until <= now)
                && self.has_more(row.webhook.owner, row.webhook.cursor)
        });
        let claim = |row: &mut Row| {
            (row.generation, row.claimed_until) = (row.generation + 1, Some(now.plus(lease)));
            let (tenant, webhook) = (row.webhook.owner.tenant, row.webhook.id);
            let claim = Claim { tenant, webhook, generation: row.generation };
            Claimed { claim, webhook: row.webhook.clone() }
        };
        Ok(due.take(limit as usize).map(claim).collect())
    }

    async fn advance(&self, claim: Claim, cursor: i64, until: Timestamp) -> Result<()> {
        if self.loses_advances.swap(false, Ordering::SeqCst) {
            return Err(Error::Unavailable("killed".into()));
        }
        self.under(claim, |row| {
            row.webhook.advance(cursor);
            row.claimed_until = Some(until);
        })
    }

    async fn failed(&self, claim: Claim, failure: &Failure) -> Result<()> {
        self.under(claim, |row| {
            row.webhook.fail(failure);
            row.claimed_until = None;
        })
    }

    async fn release(&self, claim: Claim) -> Result<()> {
        let _ = self.under(claim, |row| row.claimed_until = None);
        Ok(())
    }
}

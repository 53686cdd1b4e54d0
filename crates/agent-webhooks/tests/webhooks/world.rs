//! A server that has webhooks: its events, its store, its clock, and any number of dispatchers.

use crate::memory::{Log, Store};
use crate::receiver::Receiver;
use agent_core::event::{Event, EventBody};
use agent_core::ids::{Owner, PlanId, TenantId, UserId};
use agent_core::ports::{Clock, Randomness};
use agent_core::time::Timestamp;
use agent_webhooks::{
    Allowed, Destination, Dispatcher, GuardedClient, Limits, NewWebhook, Pace, Parts, Sender, SystemResolver,
    Wake, Webhook, WebhookStore, new_secret,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

pub(crate) const ALICE: Owner = Owner { tenant: TenantId(1), user: UserId(1) };
pub(crate) const BOB: Owner = Owner { tenant: TenantId(1), user: UserId(2) };
/// The same person as Alice, as a member of another tenant.
pub(crate) const ALICE_ELSEWHERE: Owner = Owner { tenant: TenantId(2), user: UserId(1) };
/// Long enough for every call, however slow the machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// Beyond every claim.
pub(crate) const LEASE: Duration = Duration::from_secs(90);

/// A clock that goes only when told.
#[derive(Debug)]
pub(crate) struct Watch(AtomicI64);

impl Clock for Watch {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Dice that always show the same.
struct Loaded;

impl Randomness for Loaded {
    fn fraction(&self) -> f64 {
        0.0
    }
}

pub(crate) struct World {
    pub(crate) log: Arc<Log>,
    pub(crate) store: Arc<Store>,
    pub(crate) receiver: Arc<Receiver>,
    pub(crate) clock: Arc<Watch>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let log = Arc::new(Log::default());
        Self {
            store: Arc::new(Store::new(log.clone())),
            log,
            receiver: Arc::new(Receiver::start().await),
            clock: Arc::new(Watch(AtomicI64::new(1_767_268_800_000_000))),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.clock.0.fetch_add(i64::try_from(time.as_micros()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn allowed(&self) -> Allowed {
        let entry = self.receiver.address.to_string();
        Allowed::hosts([entry.as_str()]).unwrap().with_plain_http(true)
    }

    pub(crate) fn destination(&self, path: &str) -> Destination {
        Destination::parse(&self.receiver.url(path), &self.allowed()).unwrap()
    }

    pub(crate) fn new_webhook(&self, owner: Owner, events: &[&str]) -> NewWebhook {
        NewWebhook {
            owner,
            url: self.destination("/hook"),
            events: events.iter().map(|name| (*name).to_owned()).collect(),
            secret: new_secret(&[7; 32]),
            cursor: 0,
            created_at: self.now(),
            idempotency: None,
        }
    }

    pub(crate) async fn webhook(&self, owner: Owner, events: &[&str]) -> Webhook {
        self.store.create(self.new_webhook(owner, events), 20).await.unwrap()
    }

    pub(crate) fn dispatcher(&self) -> Dispatcher {
        self.dispatcher_at(Wake::default(), Pace::default())
    }

    pub(crate) fn dispatcher_at(&self, wake: Wake, pace: Pace) -> Dispatcher {
        let limits = Limits { total: PATIENCE, ..Limits::default() };
        let client = GuardedClient::new(Arc::new(SystemResolver), limits);
        let parts = Parts {
            queue: self.store.clone(),
            log: self.log.clone(),
            sender: Sender::new(client, self.allowed()),
            clock: self.clock.clone(),
            randomness: Arc::new(Loaded),
        };
        Dispatcher::new(parts, wake, pace)
    }

    /// Commits an event that every webhook may want.
    pub(crate) fn commit(&self, owner: Owner, cursor: i64) {
        let body = EventBody::TaskProgress { progress: None, message: format!("at {cursor}") };
        self.commit_body(owner, cursor, body);
    }

    pub(crate) fn commit_body(&self, owner: Owner, cursor: i64, body: EventBody) {
        let plan_id = PlanId(owner.tenant.get() * 100 + owner.user.get());
        let timestamp = Timestamp::from_micros(cursor);
        self.log.push(Event { seq: cursor, cursor, plan_id, task_id: None, timestamp, owner, body });
    }

    /// The ids of all deliveries that arrived, in order.
    pub(crate) fn arrived(&self) -> Vec<String> {
        self.receiver.requests().iter().map(|r| r.header("agent-webhook-id").to_owned()).collect()
    }
}

//! The log that is listened to, and how a test listens.

use agent_core::event::{Event, EventBody, Topic, Touched};
use agent_core::ids::{Owner, PlanId, UserId};
use agent_core::ports::EventLog;
use agent_core::time::Timestamp;
use agent_events::{Envelope, Error, Subscription, position};
use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const SOON: Duration = Duration::from_millis(20);

/// A log in memory that commits, counts its reads and can be unplugged.
#[derive(Default)]
pub(crate) struct Log {
    events: Mutex<Vec<Event>>,
    pub(crate) reads: AtomicUsize,
    pub(crate) heads: AtomicUsize,
    pub(crate) looks: AtomicUsize,
    pub(crate) unplugged: AtomicBool,
}

fn concerns(topic: Topic, event: &Event) -> bool {
    match topic {
        Topic::Plan(tenant, id) => event.owner.tenant == tenant && event.plan_id == id,
        Topic::Tenant(tenant) => event.owner.tenant == tenant,
        Topic::Owner(id) => event.owner == id,
        Topic::Everything => true,
    }
}

impl Log {
    /// Commits events of one plan without waking anybody.
    pub(crate) fn write(&self, plan: i64, owner: i64, messages: &[&str]) -> Vec<Event> {
        let mut events = self.events.lock().unwrap();
        let mut written = Vec::new();
        for message in messages {
            let seq = events.iter().filter(|event| event.plan_id == PlanId(plan)).count() as i64 + 1;
            let cursor = events.last().map_or(0, |event| event.cursor) + 3;
            let body = EventBody::TaskProgress { progress: None, message: (*message).to_owned() };
            let event = Event {
                seq,
                cursor,
                plan_id: PlanId(plan),
                task_id: None,
                timestamp: Timestamp::from_micros(cursor),
                owner: Owner::in_default_tenant(UserId(owner)),
                body,
            };
            events.push(event.clone());
            written.push(event);
        }
        written
    }

    pub(crate) fn all(&self, topic: Topic) -> Vec<Event> {
        self.events.lock().unwrap().iter().filter(|event| concerns(topic, event)).cloned().collect()
    }

    fn plug(&self) -> agent_core::Result<()> {
        if self.unplugged.load(Ordering::SeqCst) {
            return Err(agent_core::Error::Unavailable("unplugged".into()));
        }
        Ok(())
    }
}

#[async_trait]
impl EventLog for Log {
    async fn read(&self, topic: Topic, after: i64, limit: u32) -> agent_core::Result<Vec<Event>> {
        self.plug()?;
        self.reads.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        let found = self.all(topic);
        Ok(found.into_iter().filter(|e| position(topic, e) > after).take(limit as usize).collect())
    }

    async fn head(&self, topic: Topic) -> agent_core::Result<i64> {
        self.plug()?;
        self.heads.fetch_add(1, Ordering::SeqCst);
        Ok(self.all(topic).last().map_or(0, |event| position(topic, event)))
    }

    async fn touched(&self, after: i64) -> agent_core::Result<Vec<Touched>> {
        self.plug()?;
        self.looks.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        let mut touched: HashMap<PlanId, Touched> = HashMap::new();
        for event in self.all(Topic::Everything).iter().filter(|event| event.cursor > after) {
            let newest = Touched { plan_id: event.plan_id, owner: event.owner, cursor: event.cursor };
            touched.insert(event.plan_id, newest);
        }
        Ok(touched.into_values().collect())
    }
}

pub(crate) async fn next(subscription: &mut Subscription) -> Result<Arc<Envelope>, Error> {
    tokio::time::timeout(PATIENCE, subscription.stream.next()).await.expect("an event in time").unwrap()
}

pub(crate) async fn take(subscription: &mut Subscription, count: usize) -> Vec<Event> {
    let mut events = Vec::new();
    while events.len() < count {
        events.push(next(subscription).await.unwrap().event.clone());
    }
    events
}

pub(crate) async fn is_silent(subscription: &mut Subscription) -> bool {
    tokio::time::timeout(SOON, subscription.stream.next()).await.is_err()
}

/// Whether there is nothing at this moment.
pub(crate) async fn is_silent_now(subscription: &mut Subscription) -> bool {
    tokio::task::unconstrained(async { subscription.stream.next().now_or_never().is_none() }).await
}

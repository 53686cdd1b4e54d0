//! The ports of a store over [`MemoryCore`].

use super::core::MemoryCore;
use crate::error::{Error, Result};
use crate::event::{Event, NewEvent, Topic, Touched};
use crate::ids::{MessageId, PlanId, TaskId, TenantId, WorkerId};
use crate::plan::{Attempt, Idempotency, Plan, PlanState, PlanVersion};
use crate::ports::{
    Allowance, Approval, ApprovalFilter, Change, Claim, Clock, CommitListener, Committed,
    ConversationMessage, Conversations, Created, EventLog, Fence, Journal, MessageFilter, ModelUsage,
    NewMessage, Opening, PlanCounts, PlanFilter, PlanMark, PlanPage, PlanReader, PlanStore, Step, StepIntent,
    StepKey, StepResult, Told, Visibility,
};
use crate::time::Timestamp;
use async_trait::async_trait;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Keeps plans in memory. Cheap to clone; all clones are the same store. Nothing survives the process.
#[derive(Clone)]
pub struct MemoryStore(Arc<Inner>);

struct Inner {
    core: Mutex<MemoryCore>,
    /// The one clock that all workers on this store share; leases run on it.
    clock: Arc<dyn Clock>,
    listener: Option<Arc<dyn CommitListener>>,
    /// Held while a change is made and told, so that listeners hear of changes in their order.
    telling: Mutex<()>,
    changes: watch::Sender<u64>,
}

impl MemoryStore {
    /// An empty store whose leases run on this clock; a closure that tells the time is one.
    pub fn new(clock: impl Clock + 'static) -> Self {
        Self::build(Arc::new(clock), None)
    }

    /// An empty store that tells a listener of all events, in their order.
    pub fn with_listener(clock: impl Clock + 'static, listener: Arc<dyn CommitListener>) -> Self {
        Self::build(Arc::new(clock), Some(listener))
    }

    fn build(clock: Arc<dyn Clock>, listener: Option<Arc<dyn CommitListener>>) -> Self {
        let (core, telling) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Inner { core, clock, listener, telling, changes: watch::channel(0).0 }))
    }

    /// The clock of the store.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.0.clock)
    }

    /// What is kept. Everybody else waits until the guard is dropped, so do not hold it for long.
    pub fn core(&self) -> MutexGuard<'_, MemoryCore> {
        // Nothing in the core panics half-way through a change: it checks first and writes then.
        self.0.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Grows with everything that is written.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// Waits until nothing more happens to a plan by itself: it has ended, or was never executed.
    ///
    /// # Errors
    /// `PlanNotFound`.
    pub async fn until_ended(&self, plan: PlanId) -> Result<PlanState> {
        let mut changes = self.changes();
        loop {
            changes.borrow_and_update();
            let state = self.core().load(plan)?;
            // The sender lives as long as the store, which is here.
            if !state.plan.status.is_live() || changes.changed().await.is_err() {
                return Ok(state);
            }
        }
    }

    /// Writes, and tells of the events that the work yields beside its value.
    fn write<T>(&self, work: impl FnOnce(&mut MemoryCore) -> Result<(T, Vec<Event>)>) -> Result<T> {
        let told = self.0.telling.lock().unwrap_or_else(PoisonError::into_inner);
        let (value, events) = work(&mut self.core())?;
        if let Some(listener) = self.0.listener.as_ref().filter(|_| !events.is_empty()) {
            listener.committed(&events);
        }
        drop(told);
        self.0.changes.send_modify(|count| *count += 1);
        Ok(value)
    }

    fn write_silently<T>(&self, work: impl FnOnce(&mut MemoryCore) -> T) -> Result<T> {
        self.write(|core| Ok((work(core), Vec::new())))
    }
}

#[async_trait]
impl PlanStore for MemoryStore {
    async fn create(&self, opening: &Opening, idempotency: Option<&Idempotency>) -> Result<Created> {
        let now = self.clock().now();
        self.write(|core| {
            let created = core.open(opening, idempotency, now)?;
            // A plan that was there already is not told of again.
            let plan = created.state.plan.id;
            let events = if created.is_new { core.events(plan).to_vec() } else { Vec::new() };
            Ok((created, events))
        })
    }

    async fn load(&self, visibility: Option<Visibility>, id: PlanId) -> Result<PlanState> {
        self.core().load(id).and_then(|state| {
            let is_visible = visibility.is_none_or(|visibility| visibility.includes(state.plan.owner));
            if is_visible { Ok(state) } else { Err(Error::PlanNotFound(id)) }
        })
    }

    async fn commit(&self, change: &Change, fence: Option<&Fence>) -> Result<Committed> {
        self.write(|core| {
            let committed = core.commit(change, fence)?;
            let events = committed.events.clone();
            Ok((committed, events))
        })
    }

    async fn claim(&self, worker: &WorkerId, lease: Duration, id: Option<PlanId>) -> Result<Option<Claim>> {
        let now = self.0.clock.now();
        self.write_silently(|core| core.claim(worker, lease, id, now))
    }

    async fn renew(&self, worker: &WorkerId, lease: Duration) -> Result<Vec<PlanId>> {
        let now = self.0.clock.now();
        self.write_silently(|core| core.renew(worker, lease, now))
    }

    async fn release(&self, id: PlanId, fence: &Fence) -> Result<()> {
        self.write_silently(|core| core.release(id, fence))
    }
}

#[async_trait]
impl PlanReader for MemoryStore {
    async fn list(&self, filter: &PlanFilter) -> Result<PlanPage> {
        Ok(self.core().list(filter))
    }

    async fn counts(&self, visibility: Visibility) -> Result<PlanCounts> {
        Ok(self.core().counts(visibility))
    }

    async fn mark(&self, visibility: Visibility, plan: PlanId) -> Result<PlanMark> {
        let state = self.load(Some(visibility), plan).await?;
        let seq = self.core().events(plan).last().map_or(0, |event| event.seq);
        Ok(PlanMark { revision: state.plan.revision, seq })
    }

    async fn attempts(&self, tenant: TenantId, plan: PlanId) -> Result<Vec<Attempt>> {
        Ok(self.core().in_tenant(tenant, plan, |core| core.attempts(plan)))
    }

    async fn steps(&self, tenant: TenantId, plan: PlanId) -> Result<Vec<Step>> {
        Ok(self.core().in_tenant(tenant, plan, |core| core.steps(plan)))
    }

    async fn model_usage(&self, tenant: TenantId, plan: PlanId) -> Result<Vec<ModelUsage>> {
        Ok(self.core().in_tenant(tenant, plan, |core| core.model_usage(plan)))
    }

    async fn versions(&self, tenant: TenantId, plan: PlanId) -> Result<Vec<PlanVersion>> {
        Ok(self.core().in_tenant(tenant, plan, |core| core.versions(plan).to_vec()))
    }

    async fn approvals(&self, filter: &ApprovalFilter) -> Result<(Vec<Approval>, u64)> {
        Ok(self.core().approvals(filter))
    }
}

#[async_trait]
impl Journal for MemoryStore {
    async fn recorded(&self, plan: &Plan, task: TaskId, attempt: u32) -> Result<Vec<Step>> {
        Ok(self.core().steps_of(plan.id, task, attempt).cloned().collect())
    }

    async fn begin(
        &self,
        key: StepKey,
        intent: &StepIntent,
        events: Vec<NewEvent>,
        at: Timestamp,
        fence: &Fence,
        allowance: Option<&Allowance>,
    ) -> Result<()> {
        self.write(|core| {
            core.check_fence(key.plan_id, fence)?;
            core.begin(key, intent, events, at, allowance).map(|told| ((), told))
        })
    }

    async fn finish(
        &self,
        key: StepKey,
        result: &StepResult,
        told: Told,
        at: Timestamp,
        fence: &Fence,
    ) -> Result<()> {
        self.write(|core| {
            core.check_fence(key.plan_id, fence)?;
            core.finish(key, result, told, at).map(|told| ((), told))
        })
    }
}

#[async_trait]
impl Conversations for MemoryStore {
    async fn add(&self, message: &NewMessage, at: Timestamp) -> Result<MessageId> {
        self.write(|core| core.say(message, at))
    }

    async fn messages(&self, filter: &MessageFilter) -> Result<(Vec<ConversationMessage>, u64)> {
        Ok(self.core().messages(filter))
    }
}

#[async_trait]
impl EventLog for MemoryStore {
    async fn read(&self, topic: Topic, after: i64, limit: u32) -> Result<Vec<Event>> {
        Ok(self.core().read(topic, after, limit))
    }

    async fn head(&self, topic: Topic) -> Result<i64> {
        Ok(self.core().head(topic))
    }

    async fn touched(&self, after: i64) -> Result<Vec<Touched>> {
        Ok(self.core().touched(after))
    }
}

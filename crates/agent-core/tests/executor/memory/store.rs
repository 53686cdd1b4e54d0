//! The store in memory, with faults on demand.

use agent_core::event::NewEvent;
use agent_core::ids::{MessageId, PlanId, TaskId, TenantId, WorkerId};
use agent_core::memory::{MemoryCore, MemoryStore};
use agent_core::plan::{Attempt, Idempotency, Plan, PlanState, PlanVersion};
use agent_core::ports::{
    Allowance, Approval, ApprovalFilter, Change, Claim, Clock, Committed, ConversationMessage, Conversations,
    Created, Fence, Journal, MessageFilter, ModelUsage, NewMessage, Opening, PlanCounts, PlanFilter,
    PlanMark, PlanPage, PlanReader, PlanStore, Step, StepIntent, StepKey, StepResult, Told, Visibility,
};
use agent_core::time::Timestamp;
use agent_core::{Error, Result};
use async_trait::async_trait;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::watch;

/// What becomes of the next commit.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// It is refused because somebody else was first.
    Conflict,
    /// It is not written.
    Unavailable,
    /// It is written, and the answer is lost.
    AnswerLost,
}

pub(crate) struct FaultyStore {
    kept: MemoryStore,
    faults: Mutex<VecDeque<Fault>>,
    away: AtomicBool,
    claims_by_name: watch::Sender<bool>,
    refused: watch::Sender<u64>,
}

fn unavailable() -> Error {
    Error::Unavailable("the disk is full".into())
}

impl FaultyStore {
    pub(crate) fn new(clock: impl Clock + 'static) -> Self {
        Self {
            kept: MemoryStore::new(clock),
            faults: Mutex::default(),
            away: AtomicBool::new(false),
            claims_by_name: watch::channel(true).0,
            refused: watch::channel(0).0,
        }
    }

    /// The stored things, whatever the faults.
    pub(crate) fn core(&self) -> MutexGuard<'_, MemoryCore> {
        self.kept.core()
    }

    pub(crate) fn fail_next(&self, faults: &[Fault]) {
        self.faults.lock().unwrap().extend(faults);
    }

    /// Makes every call fail until it is back.
    pub(crate) fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    /// Makes claims of a named plan wait, or lets them through; whoever takes any plan is not held up.
    pub(crate) fn answer_claims_by_name(&self, answer: bool) {
        self.claims_by_name.send_replace(answer);
    }

    /// Grows with everything that is written.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.kept.changes()
    }

    /// Grows with every call for a plan's sake that is refused while the store is away. Looking after leases,
    /// which servers do at any time, does not count.
    pub(crate) fn refusals(&self) -> watch::Receiver<u64> {
        self.refused.subscribe()
    }

    fn open(&self) -> Result<&MemoryStore> {
        let open = self.leases();
        if open.is_err() {
            self.refused.send_modify(|count| *count += 1);
        }
        open
    }

    fn leases(&self) -> Result<&MemoryStore> {
        if self.away.load(Ordering::SeqCst) { Err(unavailable()) } else { Ok(&self.kept) }
    }
}

#[async_trait]
impl PlanStore for FaultyStore {
    async fn create(&self, opening: &Opening, idempotency: Option<&Idempotency>) -> Result<Created> {
        self.open()?.create(opening, idempotency).await
    }

    async fn load(&self, visibility: Option<Visibility>, id: PlanId) -> Result<PlanState> {
        self.open()?.load(visibility, id).await
    }

    async fn commit(&self, change: &Change, fence: Option<&Fence>) -> Result<Committed> {
        let fault = self.faults.lock().unwrap().pop_front();
        match fault {
            Some(Fault::Conflict) => Err(Error::Conflict { plan: change.plan.id, seen: change.seen }),
            Some(Fault::Unavailable) => Err(unavailable()),
            Some(Fault::AnswerLost) => {
                self.open()?.commit(change, fence).await?;
                Err(unavailable())
            }
            None => self.open()?.commit(change, fence).await,
        }
    }

    async fn claim(&self, worker: &WorkerId, lease: Duration, id: Option<PlanId>) -> Result<Option<Claim>> {
        if id.is_some() {
            self.claims_by_name.subscribe().wait_for(|answer| *answer).await.unwrap();
        }
        self.leases()?.claim(worker, lease, id).await
    }

    async fn renew(&self, worker: &WorkerId, lease: Duration) -> Result<Vec<PlanId>> {
        self.leases()?.renew(worker, lease).await
    }

    async fn release(&self, id: PlanId, fence: &Fence) -> Result<()> {
        self.open()?.release(id, fence).await
    }
}

#[async_trait]
impl PlanReader for FaultyStore {
    async fn list(&self, filter: &PlanFilter) -> Result<PlanPage> {
        self.open()?.list(filter).await
    }

    async fn counts(&self, visibility: Visibility) -> Result<PlanCounts> {
        self.open()?.counts(visibility).await
    }

    async fn mark(&self, visibility: Visibility, plan: PlanId) -> Result<PlanMark> {
        self.open()?.mark(visibility, plan).await
    }

    async fn attempts(&self, tenant: TenantId, plan: PlanId) -> Result<Vec<Attempt>> {
        self.open()?.attempts(tenant, plan).await
    }

    async fn steps(&self, tenant: TenantId, plan: PlanId) -> Result<Vec<Step>> {
        self.open()?.steps(tenant, plan).await
    }

    async fn model_usage(&self, tenant: TenantId, plan: PlanId) -> Result<Vec<ModelUsage>> {
        self.open()?.model_usage(tenant, plan).await
    }

    async fn versions(&self, tenant: TenantId, plan: PlanId) -> Result<Vec<PlanVersion>> {
        self.open()?.versions(tenant, plan).await
    }

    async fn approvals(&self, filter: &ApprovalFilter) -> Result<(Vec<Approval>, u64)> {
        self.open()?.approvals(filter).await
    }
}

#[async_trait]
impl Journal for FaultyStore {
    async fn recorded(&self, plan: &Plan, task: TaskId, attempt: u32) -> Result<Vec<Step>> {
        self.open()?.recorded(plan, task, attempt).await
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
        self.open()?.begin(key, intent, events, at, fence, allowance).await
    }

    async fn finish(
        &self,
        key: StepKey,
        result: &StepResult,
        told: Told,
        at: Timestamp,
        fence: &Fence,
    ) -> Result<()> {
        self.open()?.finish(key, result, told, at, fence).await
    }
}

#[async_trait]
impl Conversations for FaultyStore {
    async fn add(&self, message: &NewMessage, at: Timestamp) -> Result<MessageId> {
        self.open()?.add(message, at).await
    }

    async fn messages(&self, filter: &MessageFilter) -> Result<(Vec<ConversationMessage>, u64)> {
        self.open()?.messages(filter).await
    }
}

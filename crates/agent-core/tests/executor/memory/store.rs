//! The ports of the store over [`MemoryCore`], with faults on demand.

use super::core::MemoryCore;
use agent_core::event::{Event, NewEvent, Topic};
use agent_core::ids::{MessageId, PlanId, TaskId, WorkerId};
use agent_core::plan::{Attempt, Idempotency, PlanState, PlanStatus, PlanVersion};
use agent_core::ports::{
    Approval, Change, Claim, Clock, Committed, ConversationMessage, Conversations, Created, EventLog, Fence,
    Journal, MessageFilter, NewMessage, Opening, PlanCounts, PlanFilter, PlanPage, PlanReader, PlanStore,
    PlanSummary, Step, StepIntent, StepKey, StepResult, Visibility,
};
use agent_core::time::Timestamp;
use agent_core::{Error, Result};
use async_trait::async_trait;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
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

pub(crate) struct MemoryStore {
    core: Mutex<MemoryCore>,
    clock: Arc<dyn Clock>,
    faults: Mutex<VecDeque<Fault>>,
    away: AtomicBool,
    claims_by_name: watch::Sender<bool>,
    refused: watch::Sender<u64>,
    changed: watch::Sender<u64>,
}

fn unavailable() -> Error {
    Error::Unavailable("the disk is full".into())
}

impl MemoryStore {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            core: Mutex::default(),
            clock,
            faults: Mutex::default(),
            away: AtomicBool::new(false),
            claims_by_name: watch::channel(true).0,
            refused: watch::channel(0).0,
            changed: watch::channel(0).0,
        }
    }

    /// The stored things, whatever the faults.
    pub(crate) fn core(&self) -> MutexGuard<'_, MemoryCore> {
        self.core.lock().unwrap()
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
        self.changed.subscribe()
    }

    /// Grows with every call for a plan's sake that is refused while the store is away. Looking after leases,
    /// which servers do at any time, does not count.
    pub(crate) fn refusals(&self) -> watch::Receiver<u64> {
        self.refused.subscribe()
    }

    fn open(&self) -> Result<MutexGuard<'_, MemoryCore>> {
        if self.away.load(Ordering::SeqCst) {
            self.refused.send_modify(|count| *count += 1);
            return Err(unavailable());
        }
        Ok(self.core())
    }

    /// Work on leases.
    fn lease<T>(&self, work: impl FnOnce(&mut MemoryCore) -> T) -> Result<T> {
        if self.away.load(Ordering::SeqCst) {
            return Err(unavailable());
        }
        self.write(|core| Ok(work(core)))
    }

    fn write<T>(&self, work: impl FnOnce(&mut MemoryCore) -> Result<T>) -> Result<T> {
        let result = work(&mut *self.open()?);
        self.changed.send_modify(|count| *count += 1);
        result
    }
}

#[async_trait]
impl PlanStore for MemoryStore {
    async fn create(&self, opening: &Opening, _idempotency: Option<&Idempotency>) -> Result<Created> {
        let now = self.clock.now();
        self.write(|core| Ok(core.open(opening, now)))
    }

    async fn load(&self, id: PlanId) -> Result<PlanState> {
        self.open()?.load(id)
    }

    async fn commit(&self, change: &Change, fence: Option<&Fence>) -> Result<Committed> {
        let fault = self.faults.lock().unwrap().pop_front();
        match fault {
            Some(Fault::Conflict) => Err(Error::Conflict { plan: change.plan.id, seen: change.seen }),
            Some(Fault::Unavailable) => Err(unavailable()),
            Some(Fault::AnswerLost) => {
                self.write(|core| core.commit(change, fence))?;
                Err(unavailable())
            }
            None => self.write(|core| core.commit(change, fence)),
        }
    }

    async fn claim(&self, worker: &WorkerId, lease: Duration, id: Option<PlanId>) -> Result<Option<Claim>> {
        if id.is_some() {
            self.claims_by_name.subscribe().wait_for(|answer| *answer).await.unwrap();
        }
        let now = self.clock.now();
        self.lease(|core| core.claim(worker, lease, id, now))
    }

    async fn renew(&self, worker: &WorkerId, lease: Duration) -> Result<Vec<PlanId>> {
        let now = self.clock.now();
        self.lease(|core| core.renew(worker, lease, now))
    }

    async fn release(&self, id: PlanId, fence: &Fence) -> Result<()> {
        self.write(|core| core.release(id, fence))
    }
}

#[async_trait]
impl PlanReader for MemoryStore {
    async fn list(&self, filter: &PlanFilter) -> Result<PlanPage> {
        let core = self.open()?;
        let states = core.rows.values().rev().map(|row| &row.state);
        let plans: Vec<PlanSummary> = states
            .filter(|state| visible(filter.visibility, state))
            .map(|state| PlanSummary {
                plan: state.plan.clone(),
                tasks: u32::try_from(state.tasks.len()).unwrap(),
                completed: 0,
            })
            .collect();
        Ok(PlanPage { total: plans.len() as u64, plans, next: None })
    }

    async fn counts(&self, visibility: Visibility) -> Result<PlanCounts> {
        let core = self.open()?;
        let states = || core.rows.values().map(|row| &row.state).filter(|state| visible(visibility, state));
        let completed = states().filter(|state| state.plan.status == PlanStatus::Completed).count() as u64;
        Ok(PlanCounts { total: states().count() as u64, completed })
    }

    async fn attempts(&self, plan: PlanId) -> Result<Vec<Attempt>> {
        let core = self.open()?;
        Ok(core.attempts.values().filter(|attempt| attempt.plan_id == plan).cloned().collect())
    }

    async fn steps(&self, plan: PlanId) -> Result<Vec<Step>> {
        let core = self.open()?;
        Ok(core.steps.values().filter(|step| step.key.plan_id == plan).cloned().collect())
    }

    async fn versions(&self, plan: PlanId) -> Result<Vec<PlanVersion>> {
        let core = self.open()?;
        Ok(core.versions.iter().filter(|version| version.plan_id == plan).cloned().collect())
    }

    async fn approvals(&self, _visibility: Visibility, include_decided: bool) -> Result<Vec<Approval>> {
        let core = self.open()?;
        Ok(core.approvals.iter().filter(|a| include_decided || a.decision.is_none()).cloned().collect())
    }
}

fn visible(visibility: Visibility, state: &PlanState) -> bool {
    match visibility {
        Visibility::Owner(owner) => state.plan.owner == owner,
        Visibility::Everything => true,
    }
}

#[async_trait]
impl Journal for MemoryStore {
    async fn recorded(&self, plan: PlanId, task: TaskId, attempt: u32) -> Result<Vec<Step>> {
        let core = self.open()?;
        let of_attempt =
            |step: &&Step| (step.key.plan_id, step.key.task_id, step.key.attempt) == (plan, task, attempt);
        Ok(core.steps.values().filter(of_attempt).cloned().collect())
    }

    async fn begin(
        &self,
        key: StepKey,
        intent: &StepIntent,
        events: Vec<NewEvent>,
        at: Timestamp,
        fence: &Fence,
    ) -> Result<()> {
        self.write(|core| {
            core.check_fence(key.plan_id, fence)?;
            core.begin(key, intent, events, at);
            Ok(())
        })
    }

    async fn finish(
        &self,
        key: StepKey,
        result: &StepResult,
        events: Vec<NewEvent>,
        at: Timestamp,
        fence: &Fence,
    ) -> Result<()> {
        self.write(|core| {
            core.check_fence(key.plan_id, fence)?;
            core.finish(key, result, events, at);
            Ok(())
        })
    }
}

#[async_trait]
impl Conversations for MemoryStore {
    async fn add(&self, message: &NewMessage, at: Timestamp) -> Result<MessageId> {
        self.write(|core| Ok(core.say(message, at)))
    }

    async fn messages(&self, filter: &MessageFilter) -> Result<(Vec<ConversationMessage>, u64)> {
        let core = self.open()?;
        let found =
            core.messages.iter().filter(|(_, m)| filter.plan_id.is_none() || m.plan_id == filter.plan_id);
        let found: Vec<ConversationMessage> = found.map(|(_, message)| message.clone()).collect();
        let total = found.len() as u64;
        Ok((found, total))
    }
}

#[async_trait]
impl EventLog for MemoryStore {
    async fn read(&self, topic: Topic, after: i64, limit: u32) -> Result<Vec<Event>> {
        let core = self.open()?;
        let all = core.rows.values().flat_map(|row| &row.events);
        let mut found: Vec<Event> = all.filter(|event| place(topic, event) > after).cloned().collect();
        found.sort_by_key(|event| event.cursor);
        found.truncate(limit as usize);
        Ok(found)
    }

    async fn head(&self, topic: Topic) -> Result<i64> {
        let core = self.open()?;
        Ok(core.rows.values().flat_map(|row| &row.events).map(|event| place(topic, event)).max().unwrap_or(0))
    }
}

/// The position of an event within a topic; 0 when it is not part of it.
fn place(topic: Topic, event: &Event) -> i64 {
    match topic {
        Topic::Plan(plan) if event.plan_id == plan => event.seq,
        Topic::Owner(owner) if event.owner == owner => event.cursor,
        Topic::Everything => event.cursor,
        Topic::Plan(_) | Topic::Owner(_) => 0,
    }
}

//! What is kept, and how a plan comes into being.

use super::commit::name_question;
use crate::error::{Error, Result};
use crate::event::{Event, NewEvent};
use crate::executor::opening;
use crate::ids::{ApprovalId, Generation, MessageId, Owner, PlanId, TaskId, TenantId, WorkerId};
use crate::plan::{Attempt, Idempotency, NewPlan, PlanState, PlanStatus, PlanVersion, Task, TaskSpec};
use crate::ports::{
    Approval, AttemptChange, Change, ConversationMessage, Created, Fence, NewApproval, Opening, Step, StepKey,
};
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long an idempotency key is remembered.
const KEY_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Plans with all that is recorded of them: a plain value that neither locks nor waits.
///
/// Its methods are those of the ports, without their waiting; see [`MemoryStore`](super::MemoryStore).
#[derive(Debug, Default)]
pub struct MemoryCore {
    pub(super) rows: BTreeMap<PlanId, Row>,
    pub(super) attempts: BTreeMap<(PlanId, TaskId, u32), Attempt>,
    pub(super) steps: BTreeMap<StepKey, Step>,
    pub(super) approvals: BTreeMap<ApprovalId, Approval>,
    /// The one question of each task that nobody has answered.
    pub(super) open_questions: BTreeMap<TaskId, ApprovalId>,
    pub(super) versions: BTreeMap<PlanId, Vec<PlanVersion>>,
    pub(super) messages: Vec<(Owner, ConversationMessage)>,
    /// Where the event of each cursor lies: its plan, and its place there.
    pub(super) log: Vec<(PlanId, usize)>,
    keys: BTreeMap<(Owner, String), Key>,
    last_id: i64,
}

/// A plan, who holds it, and what was told of it.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) state: PlanState,
    pub(super) events: Vec<Event>,
    pub(super) holder: Option<(WorkerId, Timestamp)>,
    pub(super) generation: i64,
}

/// What a request with an idempotency key has made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    Plan(PlanId),
    Message(MessageId),
}

/// What an idempotency key stands for.
#[derive(Debug)]
struct Key {
    fingerprint: String,
    made: Made,
    kept_at: Timestamp,
}

impl MemoryCore {
    /// Keeps a plan in a status, held by nobody, or finds the one that was made under the same key within a day.
    ///
    /// # Errors
    /// `IdempotencyMismatch` when the key came with another request.
    pub fn create(&mut self, new: &NewPlan, status: PlanStatus, at: Timestamp) -> Result<PlanState> {
        let opening = opening::open(new.clone(), status, 0, None, at)?;
        self.open(&opening, new.idempotency.as_ref(), at).map(|created| created.state)
    }

    /// Keeps a new plan as its opening says, or finds the one that was made under the same key within a day.
    ///
    /// # Errors
    /// `IdempotencyMismatch` when the key came with another request.
    pub fn open(
        &mut self,
        opening: &Opening,
        idempotency: Option<&Idempotency>,
        now: Timestamp,
    ) -> Result<Created> {
        let (owner, at) = (opening.state.plan.owner, opening.change.at);
        if let Some(made) = self.find_by_key(owner, idempotency, at)? {
            let Made::Plan(plan) = made else { return Err(mismatch(idempotency)) };
            return Ok(Created { state: self.load(plan)?, fence: None, is_new: false });
        }
        let id = PlanId(self.next_id());
        let mut state = opening.state.clone();
        state.plan.id = id;
        for task in &mut state.tasks {
            (task.id, task.plan_id) = (TaskId(self.next_id()), id);
        }
        let holder = opening.hold.as_ref().map(|(worker, lease)| (worker.clone(), now.plus(*lease)));
        let fence = holder.clone().map(|(worker, _)| Fence {
            tenant: owner.tenant,
            worker,
            generation: Generation(1),
        });
        let generation = i64::from(holder.is_some());
        let ids: Vec<TaskId> = state.tasks.iter().map(|task| task.id).collect();
        self.rows.insert(id, Row { state: state.clone(), events: Vec::new(), holder, generation });
        self.begin_as_opened(id, &opening.change, &ids)?;
        self.keep_key(owner, idempotency, Made::Plan(id), at);
        Ok(Created { state, fence, is_new: true })
    }

    /// Records what begins with a plan; its change names tasks by position.
    fn begin_as_opened(&mut self, plan: PlanId, change: &Change, ids: &[TaskId]) -> Result<()> {
        let named = |position: TaskId| {
            let index = usize::try_from(position.get()).ok().and_then(|position| position.checked_sub(1));
            index.and_then(|index| ids.get(index)).copied().unwrap_or(position)
        };
        for attempt in &change.attempts {
            let attempt = AttemptChange { task_id: named(attempt.task_id), ..attempt.clone() };
            self.record(plan, &attempt, change.at);
        }
        let told = change.events.iter();
        let told = told.map(|event| NewEvent { task_id: event.task_id.map(named), body: event.body.clone() });
        let mut told: Vec<NewEvent> = told.collect();
        for question in &change.approvals {
            let question = NewApproval { task_id: named(question.task_id), ..question.clone() };
            let approval = self.ask(plan, &question, change.at);
            name_question(&mut told, question.task_id, approval);
        }
        self.tell(plan, told, change.at).map(|_| ())
    }

    pub(super) fn keep_key(
        &mut self,
        owner: Owner,
        idempotency: Option<&Idempotency>,
        made: Made,
        at: Timestamp,
    ) {
        if let Some(Idempotency { key, fingerprint }) = idempotency {
            let kept = Key { fingerprint: fingerprint.clone(), made, kept_at: at };
            self.keys.insert((owner, key.clone()), kept);
        }
    }

    /// What was made under a key within a day.
    pub(super) fn find_by_key(
        &mut self,
        owner: Owner,
        idempotency: Option<&Idempotency>,
        at: Timestamp,
    ) -> Result<Option<Made>> {
        let Some(idempotency) = idempotency else { return Ok(None) };
        self.keys.retain(|_, key| at < key.kept_at.plus(KEY_LIFETIME));
        match self.keys.get(&(owner, idempotency.key.clone())) {
            None => Ok(None),
            Some(key) if key.fingerprint == idempotency.fingerprint => Ok(Some(key.made)),
            Some(_) => Err(Error::IdempotencyMismatch(idempotency.key.clone())),
        }
    }

    /// The plan with its tasks.
    ///
    /// # Errors
    /// `PlanNotFound`.
    pub fn load(&self, id: PlanId) -> Result<PlanState> {
        self.row(id).map(|row| row.state.clone())
    }

    /// Everything that was told of a plan, in order.
    pub fn events(&self, plan: PlanId) -> &[Event] {
        self.rows.get(&plan).map_or(&[], |row| row.events.as_slice())
    }

    /// What is asked of a plan of this tenant; nothing where it is another's.
    pub(super) fn in_tenant<T: Default>(
        &self,
        tenant: TenantId,
        plan: PlanId,
        ask: impl FnOnce(&Self) -> T,
    ) -> T {
        let is_its = self.row(plan).is_ok_and(|row| row.state.plan.owner.tenant == tenant);
        if is_its { ask(self) } else { T::default() }
    }

    pub(super) fn row(&self, id: PlanId) -> Result<&Row> {
        self.rows.get(&id).ok_or(Error::PlanNotFound(id))
    }

    pub(super) fn row_mut(&mut self, id: PlanId) -> Result<&mut Row> {
        self.rows.get_mut(&id).ok_or(Error::PlanNotFound(id))
    }

    /// A number that nothing else has, so that no id is ever taken for one of another kind.
    pub(super) fn next_id(&mut self) -> i64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn add_tasks(&mut self, state: &mut PlanState, specs: &[TaskSpec], selected: bool) {
        let first = u32::try_from(state.tasks.len()).unwrap_or(u32::MAX).saturating_add(1);
        for (position, spec) in (first..).zip(specs) {
            let id = TaskId(self.next_id());
            state.tasks.push(Task { selected, ..Task::new(id, state.plan.id, position, spec.clone()) });
        }
    }

    /// Adds events to the log of a plan.
    pub(super) fn tell(&mut self, plan: PlanId, events: Vec<NewEvent>, at: Timestamp) -> Result<Vec<Event>> {
        let row = self.rows.get_mut(&plan).ok_or(Error::PlanNotFound(plan))?;
        let mut told = Vec::with_capacity(events.len());
        for NewEvent { task_id, body } in events {
            self.log.push((plan, row.events.len()));
            let number = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
            let event = Event {
                seq: number(row.events.len() + 1),
                cursor: number(self.log.len()),
                plan_id: plan,
                task_id,
                timestamp: at,
                owner: row.state.plan.owner,
                body,
            };
            row.events.push(event.clone());
            told.push(event);
        }
        Ok(told)
    }
}

/// The error for a key that stands for something else.
pub(super) fn mismatch(idempotency: Option<&Idempotency>) -> Error {
    Error::IdempotencyMismatch(idempotency.map(|idempotency| idempotency.key.clone()).unwrap_or_default())
}

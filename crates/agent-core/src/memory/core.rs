//! What is kept, and how a plan comes into being.

use crate::error::{Error, Result};
use crate::event::{Event, EventBody, NewEvent};
use crate::ids::{ApprovalId, PlanId, Revision, TaskId, UserId, WorkerId};
use crate::plan::{Attempt, NewPlan, Plan, PlanState, PlanStatus, PlanVersion, Task, TaskSpec, TaskStatus};
use crate::ports::{Approval, ConversationMessage, Step, StepKey};
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
    pub(super) messages: Vec<(UserId, ConversationMessage)>,
    /// Where the event of each cursor lies: its plan, and its place there.
    pub(super) log: Vec<(PlanId, usize)>,
    keys: BTreeMap<(UserId, String), Key>,
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

/// What an idempotency key stands for.
#[derive(Debug)]
struct Key {
    fingerprint: String,
    plan: PlanId,
    kept_at: Timestamp,
}

impl MemoryCore {
    /// Keeps a new plan, or finds the one that was made under the same key within a day.
    ///
    /// # Errors
    /// `IdempotencyMismatch` when the key came with another request.
    pub fn create(&mut self, new: &NewPlan, status: PlanStatus, at: Timestamp) -> Result<PlanState> {
        if let Some(plan) = self.find_by_key(new, at)? {
            return self.load(plan);
        }
        let id = PlanId(self.next_id());
        let mut state = PlanState { plan: new_plan(new, id, status, at), tasks: Vec::new() };
        self.add_tasks(&mut state, &new.tasks, false);
        let kept = Row { state: state.clone(), events: Vec::new(), holder: None, generation: 0 };
        self.rows.insert(id, kept);
        let body = EventBody::PlanUpdated { status, summary: "created".to_owned() };
        self.tell(id, vec![NewEvent { task_id: None, body }], at)?;
        if let Some(idempotency) = &new.idempotency {
            let fingerprint = idempotency.fingerprint.clone();
            self.keys
                .insert((new.owner, idempotency.key.clone()), Key { fingerprint, plan: id, kept_at: at });
        }
        Ok(state)
    }

    fn find_by_key(&mut self, new: &NewPlan, at: Timestamp) -> Result<Option<PlanId>> {
        let Some(idempotency) = &new.idempotency else { return Ok(None) };
        self.keys.retain(|_, key| at < key.kept_at.plus(KEY_LIFETIME));
        match self.keys.get(&(new.owner, idempotency.key.clone())) {
            None => Ok(None),
            Some(key) if key.fingerprint == idempotency.fingerprint => Ok(Some(key.plan)),
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
            state.tasks.push(Task { selected, ..new_task(id, state.plan.id, position, spec) });
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

fn new_plan(new: &NewPlan, id: PlanId, status: PlanStatus, at: Timestamp) -> Plan {
    Plan {
        id,
        owner: new.owner,
        goal: new.goal.clone(),
        repo_path: new.repo_path.clone(),
        status,
        summary: None,
        policy: new.policy.clone(),
        auto_execute: new.auto_execute,
        cancel_requested: false,
        template_id: new.template_id.clone(),
        version: 1,
        revision: Revision(0),
        created_at: at,
        updated_at: at,
        started_at: None,
        finished_at: None,
    }
}

fn new_task(id: TaskId, plan_id: PlanId, position: u32, spec: &TaskSpec) -> Task {
    Task {
        id,
        plan_id,
        position,
        spec: spec.clone(),
        status: TaskStatus::Pending,
        selected: false,
        attempts: 0,
        attempt_limit: spec.retry.max_attempts,
        recoveries: 0,
        approved: false,
        wake_at: None,
        result: None,
        error: None,
        kept: None,
        started_at: None,
        finished_at: None,
    }
}

//! What a store keeps, without locks or waiting: revision and fence checks, dense numbers.

use agent_core::event::{Event, EventBody, NewEvent};
use agent_core::executor::opening;
use agent_core::ids::{ApprovalId, ExecutionId, Generation, MessageId, PlanId, TaskId, UserId, WorkerId};
use agent_core::plan::{Attempt, NewPlan, PlanState, PlanStatus, PlanVersion, Task, TaskSpec, TaskStatus};
use agent_core::ports::{
    Approval, AttemptChange, Change, Claim, Committed, ConversationMessage, Created, Fence, NewApproval,
    NewMessage, NewVersion, Opening, Step, StepIntent, StepKey, StepResult,
};
use agent_core::time::Timestamp;
use agent_core::{Error, Result};
use std::collections::BTreeMap;
use std::time::Duration;

/// A plan with who holds it and what was told of it.
pub(crate) struct Row {
    pub(crate) state: PlanState,
    pub(crate) events: Vec<Event>,
    holder: Option<(WorkerId, Timestamp)>,
    generation: i64,
}

/// Everything that is stored.
#[derive(Default)]
pub(crate) struct MemoryCore {
    pub(crate) rows: BTreeMap<PlanId, Row>,
    pub(crate) attempts: BTreeMap<(TaskId, u32), Attempt>,
    pub(crate) steps: BTreeMap<StepKey, Step>,
    pub(crate) approvals: Vec<Approval>,
    pub(crate) messages: Vec<(UserId, ConversationMessage)>,
    pub(crate) versions: Vec<PlanVersion>,
    next_id: i64,
    cursor: i64,
}

impl MemoryCore {
    fn id(&mut self) -> i64 {
        self.next_id += 1;
        self.next_id
    }

    pub(crate) fn row(&mut self, id: PlanId) -> Result<&mut Row> {
        self.rows.get_mut(&id).ok_or(Error::PlanNotFound(id))
    }

    pub(crate) fn load(&self, id: PlanId) -> Result<PlanState> {
        self.rows.get(&id).map(|row| row.state.clone()).ok_or(Error::PlanNotFound(id))
    }

    /// A plan in a status, with nothing begun.
    pub(crate) fn create(&mut self, new: &NewPlan, status: PlanStatus, at: Timestamp) -> PlanState {
        let opening = opening::open(new.clone(), status, 0, None, at).unwrap();
        self.open(&opening, at).state
    }

    /// A plan as its opening says.
    pub(crate) fn open(&mut self, opening: &Opening, now: Timestamp) -> Created {
        let id = PlanId(self.id());
        let mut state = opening.state.clone();
        state.plan.id = id;
        for task in &mut state.tasks {
            (task.id, task.plan_id) = (TaskId(self.id()), id);
        }
        let ids: Vec<TaskId> = state.tasks.iter().map(|task| task.id).collect();
        let named = |position: TaskId| ids[usize::try_from(position.get()).unwrap() - 1];
        let holder = opening.hold.as_ref().map(|(worker, lease)| (worker.clone(), now.plus(*lease)));
        let generation = i64::from(holder.is_some());
        let fence = opening
            .hold
            .as_ref()
            .map(|(worker, _)| Fence { worker: worker.clone(), generation: Generation(generation) });
        self.rows.insert(id, Row { state: state.clone(), events: Vec::new(), holder, generation });
        for attempt in &opening.change.attempts {
            let attempt = AttemptChange { task_id: named(attempt.task_id), ..attempt.clone() };
            self.record(id, &attempt, opening.change.at);
        }
        for question in &opening.change.approvals {
            let question = NewApproval { task_id: named(question.task_id), ..question.clone() };
            self.ask(id, &question, opening.change.at);
        }
        let told = opening.change.events.iter();
        let told = told.map(|event| NewEvent { task_id: event.task_id.map(named), body: event.body.clone() });
        let told = told.collect();
        self.tell(id, told, opening.change.at);
        Created { state, fence, is_new: true }
    }

    fn add_tasks(&mut self, plan_id: PlanId, specs: &[TaskSpec], selected: bool) {
        for spec in specs {
            let id = TaskId(self.id());
            let tasks = &mut self.rows.get_mut(&plan_id).unwrap().state.tasks;
            tasks.push(Task {
                id,
                plan_id,
                position: u32::try_from(tasks.len()).unwrap() + 1,
                spec: spec.clone().into(),
                status: TaskStatus::Pending,
                selected,
                attempts: 0,
                attempt_limit: spec.retry.max_attempts,
                recoveries: 0,
                approved: false,
                wake_at: None,
                result: None,
                kept: None,
                error: None,
                started_at: None,
                finished_at: None,
            });
        }
    }

    fn tell(&mut self, plan_id: PlanId, events: Vec<NewEvent>, timestamp: Timestamp) -> Vec<Event> {
        let mut told = Vec::new();
        for NewEvent { task_id, body } in events {
            self.cursor += 1;
            let row = self.rows.get_mut(&plan_id).unwrap();
            let seq = i64::try_from(row.events.len()).unwrap() + 1;
            let owner = row.state.plan.owner;
            let event = Event { seq, cursor: self.cursor, plan_id, task_id, timestamp, owner, body };
            row.events.push(event.clone());
            told.push(event);
        }
        told
    }

    /// Whether the fence is the present one.
    pub(crate) fn check_fence(&mut self, id: PlanId, fence: &Fence) -> Result<()> {
        let row = self.row(id)?;
        let held = row.holder.as_ref().is_some_and(|(worker, _)| *worker == fence.worker);
        if held && row.generation == fence.generation.get() { Ok(()) } else { Err(Error::LeaseLost(id)) }
    }

    pub(crate) fn commit(&mut self, change: &Change, fence: Option<&Fence>) -> Result<Committed> {
        let id = change.plan.id;
        if let Some(fence) = fence {
            self.check_fence(id, fence)?;
        }
        let row = self.row(id)?;
        if row.state.plan.revision != change.seen {
            return Err(Error::Conflict { plan: id, seen: change.seen });
        }
        assert_eq!(change.plan.revision, change.seen.next(), "a change goes one revision further");
        row.state.plan = change.plan.clone();
        for task in &change.tasks {
            *row.state.tasks.iter_mut().find(|stored| stored.id == task.id).unwrap() = task.clone();
        }
        row.state.tasks.retain(|task| !change.removed.contains(&task.id));
        assert!(row.state.tasks.iter().zip(1..).all(|(task, position)| task.position == position));
        if let Some(version) = &change.version {
            self.keep_version(id, version, change.at);
        }
        self.add_tasks(id, &change.new_tasks, change.select_new);
        for attempt in &change.attempts {
            self.record(id, attempt, change.at);
        }
        for decision in &change.decisions {
            let open =
                self.approvals.iter_mut().find(|a| a.task_id == decision.task_id && a.decision.is_none());
            let open = open.expect("an answer needs an open question");
            open.decision = Some(decision.decision.clone());
            open.decided_by = Some(decision.by.clone());
            open.note.clone_from(&decision.note);
        }
        for question in &change.approvals {
            self.ask(id, question, change.at);
        }
        if !change.plan.status.is_live() {
            self.row(id)?.holder = None;
        }
        let execution_id = change.execution.as_ref().map(|_| ExecutionId(self.id()));
        let events = self.tell(id, change.events.clone(), change.at);
        Ok(Committed { events, execution_id })
    }

    fn record(&mut self, plan_id: PlanId, change: &AttemptChange, at: Timestamp) {
        let running = change.status == TaskStatus::Running;
        let tokens = self
            .steps
            .values()
            .filter(|step| step.key.task_id == change.task_id && step.key.attempt == change.attempt);
        let tokens = tokens.filter_map(|step| step.result.as_ref()).map(|r| r.usage.total()).sum();
        let key = (change.task_id, change.attempt);
        if running {
            let attempt = Attempt {
                plan_id,
                task_id: change.task_id,
                attempt: change.attempt,
                status: change.status,
                error: None,
                started_at: at,
                finished_at: None,
                result_length: 0,
                tokens,
            };
            assert!(self.attempts.insert(key, attempt).is_none(), "an attempt begins once");
            return;
        }
        let attempt = self.attempts.get_mut(&key).expect("only an attempt that began can end");
        assert_eq!(attempt.finished_at, None, "an attempt ends once");
        attempt.status = change.status;
        attempt.error.clone_from(&change.error);
        attempt.finished_at = Some(at);
        attempt.result_length = change.result_length;
        attempt.tokens = tokens;
    }

    fn keep_version(&mut self, plan_id: PlanId, new: &NewVersion, at: Timestamp) {
        let first = self.versions.iter().all(|version| version.plan_id != plan_id);
        let (before, after) = (new.before.clone(), new.after.clone());
        let kept = |definition, changes, by, created_at| PlanVersion {
            plan_id,
            definition,
            changes,
            by,
            created_at,
        };
        if first {
            self.versions.push(kept(before, Vec::new(), None, at));
        }
        self.versions.push(kept(after, new.changes.clone(), Some(new.by.clone()), at));
    }

    fn ask(&mut self, plan_id: PlanId, question: &NewApproval, at: Timestamp) {
        let open = self.approvals.iter().any(|a| a.task_id == question.task_id && a.decision.is_none());
        assert!(!open, "a task has one open question at a time");
        let id = ApprovalId(self.id());
        self.approvals.push(Approval {
            id,
            plan_id,
            task_id: question.task_id,
            subject: question.subject.clone(),
            requested_at: at,
            expires_at: question.expires_at,
            decision: None,
            decided_by: None,
            note: None,
        });
    }

    pub(crate) fn claim(
        &mut self,
        worker: &WorkerId,
        lease: Duration,
        id: Option<PlanId>,
        now: Timestamp,
    ) -> Option<Claim> {
        let row = self.rows.values_mut().find(|row| {
            let wanted = id.is_none_or(|id| id == row.state.plan.id) && row.state.plan.status.is_live();
            wanted
                && row
                    .holder
                    .as_ref()
                    .is_none_or(|(holder, until)| *until <= now || (id.is_some() && holder == worker))
        })?;
        let recovered = row.holder.is_some();
        row.generation += 1;
        row.holder = Some((worker.clone(), now.plus(lease)));
        let fence = Fence { worker: worker.clone(), generation: Generation(row.generation) };
        Some(Claim { state: row.state.clone(), fence, recovered })
    }

    pub(crate) fn renew(&mut self, worker: &WorkerId, lease: Duration, now: Timestamp) -> Vec<PlanId> {
        let mut renewed = Vec::new();
        for (id, row) in &mut self.rows {
            if let Some((holder, until)) = &mut row.holder
                && holder == worker
            {
                *until = now.plus(lease);
                renewed.push(*id);
            }
        }
        renewed
    }

    pub(crate) fn release(&mut self, id: PlanId, fence: &Fence) -> Result<()> {
        if self.check_fence(id, fence).is_ok() {
            self.row(id)?.holder = None;
        }
        Ok(())
    }

    pub(crate) fn holder(&self, id: PlanId) -> Option<WorkerId> {
        self.rows[&id].holder.as_ref().map(|(worker, _)| worker.clone())
    }

    pub(crate) fn begin(&mut self, key: StepKey, intent: &StepIntent, told: Vec<NewEvent>, at: Timestamp) {
        let intent = intent.clone();
        let step = Step { key, intent, result: None, started_at: at, finished_at: None };
        assert!(self.steps.insert(key, step).is_none(), "a step begins once");
        self.tell(key.plan_id, told, at);
    }

    pub(crate) fn finish(&mut self, key: StepKey, result: &StepResult, told: Vec<NewEvent>, at: Timestamp) {
        let step = self.steps.get_mut(&key).expect("only a step that began can end");
        if step.result.is_none() {
            step.result = Some(result.clone());
            step.finished_at = Some(at);
            self.tell(key.plan_id, told, at);
        }
    }

    pub(crate) fn say(&mut self, message: &NewMessage, at: Timestamp) -> MessageId {
        let id = MessageId(self.id());
        let kept = ConversationMessage {
            id,
            role: message.role.clone(),
            content: message.content.clone(),
            plan_id: message.plan_id,
            created_at: at,
        };
        self.messages.push((message.owner, kept));
        if let Some(plan) = message.plan_id {
            let body = EventBody::MessageAdded { message_id: id, role: message.role.clone() };
            self.tell(plan, vec![NewEvent { task_id: None, body }], at);
        }
        id
    }
}

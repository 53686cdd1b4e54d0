//! Changes, taken whole or not at all: everything is checked before anything is written.

use super::core::MemoryCore;
use crate::error::{Error, Result};
use crate::event::{EventBody, NewEvent};
use crate::ids::{ApprovalId, ExecutionId, PlanId, TaskId};
use crate::plan::{Attempt, PlanState, PlanVersion, Task, TaskStatus};
use crate::ports::{
    Approval, ApprovalDecision, AttemptChange, Change, Committed, Fence, NewApproval, NewVersion,
};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

impl MemoryCore {
    /// Commits a change; with a fence, only while the lease is held.
    ///
    /// # Errors
    /// `PlanNotFound`, `LeaseLost`, `Conflict` when the revision moved on, `TaskNotFound`, and `Damaged` for a
    /// change that no state machine should make. Nothing is written then.
    pub fn commit(&mut self, change: &Change, fence: Option<&Fence>) -> Result<Committed> {
        let id = change.plan.id;
        if let Some(fence) = fence {
            self.check_fence(id, fence)?;
        }
        let mut next = self.check_state(change)?;
        self.check_attempts(change)?;
        self.check_questions(change)?;
        self.add_tasks(&mut next, &change.new_tasks, change.select_new);
        self.row_mut(id)?.state = next;
        if let Some(version) = &change.version {
            self.keep_version(id, version, change.at);
        }
        for attempt in &change.attempts {
            self.record(id, attempt, change.at);
        }
        // Answers before questions: a task that is asked again is not answered by the answer to the first.
        let mut events = change.events.clone();
        for decision in &change.decisions {
            let answered = self.answer(decision, change.at);
            name_answer(&mut events, decision.task_id, answered);
        }
        for question in &change.approvals {
            let approval = self.ask(id, question, change.at);
            name_question(&mut events, question.task_id, approval);
        }
        if !change.plan.status.is_live() {
            self.row_mut(id)?.holder = None;
        }
        let execution_id = change.execution.as_ref().map(|_| ExecutionId(self.next_id()));
        Ok(Committed { events: self.tell(id, events, change.at)?, execution_id })
    }

    /// The state after the change, without the tasks that it adds.
    fn check_state(&self, change: &Change) -> Result<PlanState> {
        let id = change.plan.id;
        let present = &self.row(id)?.state;
        if present.plan.revision != change.seen {
            return Err(Error::Conflict { plan: id, seen: change.seen });
        }
        if change.plan.revision != change.seen.next() {
            return Err(damaged(id, "a change goes one revision further"));
        }
        if change.version.is_none() && change.plan.version != present.plan.version {
            return Err(damaged(id, "a version is kept with every edit"));
        }
        let mut changed: BTreeMap<TaskId, &Task> = change.tasks.iter().map(|task| (task.id, task)).collect();
        let mut tasks = Vec::with_capacity(present.tasks.len());
        for task in present.tasks.iter().filter(|task| !change.removed.contains(&task.id)) {
            let next = changed.remove(&task.id).unwrap_or(task);
            if next.spec != task.spec && !change.redefined.contains(&task.id) {
                return Err(damaged(id, "a task is redefined only by an edit"));
            }
            tasks.push(next.clone());
        }
        if let Some(&task) = changed.keys().next() {
            return Err(Error::TaskNotFound { plan: id, task });
        }
        if tasks.iter().zip(1..).any(|(task, position)| task.position != position) {
            return Err(damaged(id, "positions have no gaps"));
        }
        Ok(PlanState { plan: change.plan.clone(), tasks })
    }

    /// An attempt begins once and ends once, in this order.
    fn check_attempts(&self, change: &Change) -> Result<()> {
        let plan = change.plan.id;
        let mut running: BTreeMap<(TaskId, u32), bool> = BTreeMap::new();
        for attempt in &change.attempts {
            let key = (attempt.task_id, attempt.attempt);
            let kept = self.attempts.get(&(plan, key.0, key.1));
            let runs = running.get(&key).copied().or(kept.map(|kept| kept.finished_at.is_none()));
            let begins = attempt.status == TaskStatus::Running;
            match (begins, runs) {
                (true, None) | (false, Some(true)) => running.insert(key, begins),
                (true, Some(_)) => return Err(damaged(plan, "an attempt begins once")),
                (false, None) => return Err(damaged(plan, "only an attempt that began can end")),
                (false, Some(false)) => return Err(damaged(plan, "an attempt ends once")),
            };
        }
        Ok(())
    }

    /// A task has one open question at a time, and an answer needs one.
    fn check_questions(&self, change: &Change) -> Result<()> {
        let plan = change.plan.id;
        let mut answered = BTreeSet::new();
        for decision in &change.decisions {
            let open = self.open_questions.contains_key(&decision.task_id);
            if !open || !answered.insert(decision.task_id) {
                return Err(damaged(plan, "an answer needs an open question"));
            }
        }
        let mut asked = BTreeSet::new();
        for task in change.approvals.iter().map(|question| question.task_id) {
            let open = self.open_questions.contains_key(&task) && !answered.contains(&task);
            if open || !asked.insert(task) {
                return Err(damaged(plan, "a task has one open question at a time"));
            }
        }
        Ok(())
    }

    pub(super) fn record(&mut self, plan_id: PlanId, change: &AttemptChange, at: Timestamp) {
        let AttemptChange { task_id, attempt, status, started_at, .. } = *change;
        let running = status == TaskStatus::Running;
        let tokens = if change.journaled && !running { self.tokens(plan_id, task_id, attempt) } else { 0 };
        let recorded = Attempt {
            plan_id,
            task_id,
            attempt,
            status,
            error: change.error.clone(),
            started_at,
            finished_at: (!running).then_some(at),
            result_length: if running { 0 } else { change.result_length },
            tokens,
        };
        self.attempts.insert((plan_id, task_id, attempt), recorded);
    }

    fn tokens(&self, plan: PlanId, task: TaskId, attempt: u32) -> u64 {
        let results = self.steps_of(plan, task, attempt).filter_map(|step| step.result.as_ref());
        results.map(|result| result.usage.total()).sum()
    }

    fn keep_version(&mut self, plan_id: PlanId, new: &NewVersion, created_at: Timestamp) {
        let kept = self.versions.entry(plan_id).or_default();
        let (changes, by) = (new.changes.clone(), Some(new.by.clone()));
        if kept.is_empty() {
            let definition = new.before.clone();
            kept.push(PlanVersion { plan_id, definition, changes: Vec::new(), by: None, created_at });
        }
        kept.push(PlanVersion { plan_id, definition: new.after.clone(), changes, by, created_at });
    }

    pub(super) fn ask(
        &mut self,
        plan_id: PlanId,
        question: &NewApproval,
        requested_at: Timestamp,
    ) -> ApprovalId {
        let (id, task_id) = (ApprovalId(self.next_id()), question.task_id);
        let NewApproval { sequence, attempt, question, expires_at, .. } = question.clone();
        let (decision, decided_by, decided_at, note) = (None, None, None, None);
        let approval = Approval {
            id,
            plan_id,
            task_id,
            sequence,
            attempt,
            question,
            requested_at,
            expires_at,
            decision,
            decided_by,
            decided_at,
            note,
        };
        self.approvals.insert(id, approval);
        self.open_questions.insert(task_id, id);
        id
    }

    fn answer(&mut self, answer: &ApprovalDecision, at: Timestamp) -> ApprovalId {
        let open = self.open_questions.remove(&answer.task_id);
        if let Some(question) = open.and_then(|id| self.approvals.get_mut(&id)) {
            question.decision = Some(answer.decision.clone());
            question.decided_by = Some(answer.by.clone());
            question.decided_at = Some(at);
            question.note.clone_from(&answer.note);
        }
        open.unwrap_or_default()
    }
}

fn damaged(plan: PlanId, rule: &str) -> Error {
    Error::Damaged(format!("plan {plan}: {rule}"))
}

/// Puts the id of a question into the event that tells of it.
pub(super) fn name_question(events: &mut [NewEvent], task: TaskId, id: ApprovalId) {
    let of_task = events.iter_mut().filter(|event| event.task_id == Some(task));
    for event in of_task {
        if let EventBody::ApprovalRequested(asked) = &mut event.body {
            asked.approval_id = id;
        }
    }
}

/// Puts the id of a question into the event that tells of its answer.
fn name_answer(events: &mut [NewEvent], task: TaskId, id: ApprovalId) {
    let of_task = events.iter_mut().filter(|event| event.task_id == Some(task));
    for event in of_task {
        if let EventBody::ApprovalDecided { approval_id, .. } = &mut event.body {
            *approval_id = id;
        }
    }
}

//! A change in the making.

use crate::approval::{Question, Resolution};
use crate::event::{ApprovalRequest, EventBody, NewEvent};
use crate::ids::{ApprovalId, TaskId};
use crate::plan::{Plan, PlanState, PlanStatus, Task, TaskKind, TaskSpec, TaskStatus};
use crate::ports::{ApprovalDecision, AttemptChange, Change, NewApproval, NewExecution, NewVersion};
use crate::time::Timestamp;
use crate::tool::EffectClass;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How long a person has to answer where the policy does not say.
const APPROVAL_TERM: Duration = Duration::from_secs(24 * 60 * 60);

/// The state as it becomes, and everything that is to be committed with it.
pub(super) struct Draft {
    pub(super) plan: Plan,
    pub(super) tasks: Vec<Task>,
    pub(super) now: Timestamp,
    pub(super) new_tasks: Vec<TaskSpec>,
    pub(super) select_new: bool,
    pub(super) execution: Option<NewExecution>,
    pub(super) version: Option<NewVersion>,
    before: Plan,
    touched: BTreeSet<TaskId>,
    redefined: BTreeSet<TaskId>,
    removed: Vec<TaskId>,
    attempts: Vec<AttemptChange>,
    approvals: Vec<NewApproval>,
    decisions: Vec<ApprovalDecision>,
    events: Vec<NewEvent>,
}

/// Whether attempts at the task record steps of their own (ADR 4).
fn is_journaled(spec: &TaskSpec) -> bool {
    match spec.kind {
        TaskKind::Agent { .. } | TaskKind::Patch { .. } => true,
        TaskKind::Tool { .. } => spec.effect_class() == EffectClass::Compensatable,
        TaskKind::Command { .. } | TaskKind::Scan | TaskKind::Approval => false,
    }
}

impl Draft {
    pub(super) fn of(state: &PlanState, now: Timestamp) -> Self {
        Self {
            plan: state.plan.clone(),
            tasks: state.tasks.clone(),
            now,
            new_tasks: Vec::new(),
            select_new: false,
            execution: None,
            version: None,
            before: state.plan.clone(),
            touched: BTreeSet::new(),
            redefined: BTreeSet::new(),
            removed: Vec::new(),
            attempts: Vec::new(),
            approvals: Vec::new(),
            decisions: Vec::new(),
            events: Vec::new(),
        }
    }

    /// The task at an index, to be changed.
    pub(super) fn touch(&mut self, index: usize) -> &mut Task {
        let task = &mut self.tasks[index];
        self.touched.insert(task.id);
        task
    }

    /// The task at an index, to be given another definition or position.
    pub(super) fn redefine(&mut self, index: usize) -> &mut Task {
        self.redefined.insert(self.tasks[index].id);
        self.touch(index)
    }

    /// Takes tasks out of the plan; the positions of the others, and edges between them, are the caller's.
    pub(super) fn remove(&mut self, gone: &BTreeSet<TaskId>) {
        self.tasks.retain(|task| !gone.contains(&task.id));
        self.touched.retain(|id| !gone.contains(id));
        self.redefined.retain(|id| !gone.contains(id));
        self.removed.extend(gone);
    }

    pub(super) fn index_of(&self, id: TaskId) -> Option<usize> {
        self.tasks.iter().position(|task| task.id == id)
    }

    pub(super) fn tell(&mut self, task_id: Option<TaskId>, body: EventBody) {
        self.events.push(NewEvent { task_id, body });
    }

    /// Moves the plan to a status and tells why.
    pub(super) fn move_plan(&mut self, status: PlanStatus, summary: String) {
        self.plan.status = status;
        if status.is_terminal() {
            self.plan.finished_at = Some(self.now);
            self.plan.summary = Some(summary.clone());
        }
        self.tell(None, EventBody::PlanUpdated { status, summary });
    }

    /// Ends a task that does not run.
    pub(super) fn end_task(&mut self, index: usize, status: TaskStatus, reason: &str) {
        let now = self.now;
        if self.tasks[index].is_amid_attempt() {
            let ended = if status == TaskStatus::Failed { TaskStatus::Failed } else { TaskStatus::Cancelled };
            self.record_attempt(index, ended, Some(reason.to_owned()));
        }
        if self.tasks[index].status == TaskStatus::AwaitingApproval {
            self.decide(index, Resolution::Withdrawn, "plan", Some(reason.to_owned()));
        }
        let task = self.touch(index);
        task.status = status;
        task.wake_at = None;
        task.finished_at = Some(now);
        task.error = Some(reason.to_owned());
        let id = task.id;
        let body = match status {
            TaskStatus::Cancelled => EventBody::TaskCancelled { reason: reason.to_owned() },
            TaskStatus::Failed => EventBody::TaskFailed { error: reason.to_owned(), will_retry: false },
            _ => EventBody::TaskSkipped { reason: reason.to_owned() },
        };
        self.tell(Some(id), body);
    }

    /// Records how the present attempt of a task stands.
    pub(super) fn record_attempt(&mut self, index: usize, status: TaskStatus, error: Option<String>) {
        let task = &self.tasks[index];
        let result_length = task.result.as_ref().map_or(0, |result| result.to_string().len() as u64);
        self.attempts.push(AttemptChange {
            task_id: task.id,
            attempt: task.attempts,
            status,
            started_at: task.started_at.unwrap_or(self.now),
            error,
            result_length,
            journaled: is_journaled(&task.spec),
        });
    }

    /// Makes a task wait for a person before its next attempt.
    pub(super) fn ask(&mut self, index: usize, question: Question) {
        self.touch(index).started_at = None;
        self.wait_for_answer(index, None, question);
    }

    /// Makes a task wait for a person in its present attempt, which goes on once there is an answer.
    pub(super) fn ask_amid_attempt(&mut self, index: usize, question: Question) {
        let attempt = self.tasks[index].attempts;
        self.wait_for_answer(index, Some(attempt), question);
    }

    fn wait_for_answer(&mut self, index: usize, attempt: Option<u32>, question: Question) {
        let term = self.plan.policy.approval_timeout_ms.map_or(APPROVAL_TERM, Duration::from_millis);
        // A question is on record before it lapses.
        let expires_at = self.now.plus(term.max(Duration::from_millis(1)));
        let task = self.touch(index);
        task.status = TaskStatus::AwaitingApproval;
        task.wake_at = Some(expires_at);
        task.questions += 1;
        let (task_id, sequence) = (task.id, task.questions);
        let told = ApprovalRequest {
            approval_id: ApprovalId::default(),
            subject: question.subject.clone(),
            expires_at,
            kind: question.kind,
            risk: Some(question.risk),
            reason: question.reason.clone(),
            args_hash: question.args_hash.clone(),
            available_decisions: question.kind.decisions().iter().map(|word| (*word).to_owned()).collect(),
            on_expiry: question.on_expiry,
        };
        self.approvals.push(NewApproval { task_id, sequence, attempt, question, expires_at });
        self.tell(Some(task_id), EventBody::ApprovalRequested(Box::new(told)));
    }

    /// Settles the open question of a task.
    pub(super) fn decide(&mut self, index: usize, decision: Resolution, by: &str, note: Option<String>) {
        let task_id = self.tasks[index].id;
        if self.withdraw(task_id) {
            return;
        }
        let by = by.to_owned();
        let told = EventBody::ApprovalDecided {
            approval_id: ApprovalId::default(),
            decision: decision.as_str().to_owned(),
            by: by.clone(),
            note: note.clone(),
            rule: decision.rule().cloned().map(Box::new),
        };
        self.tell(Some(task_id), told);
        self.decisions.push(ApprovalDecision { task_id, decision, by, note });
    }

    /// Takes a question back that this very change would have asked; true when there is one.
    fn withdraw(&mut self, task: TaskId) -> bool {
        let Some(asked) = self.approvals.iter().position(|question| question.task_id == task) else {
            return false;
        };
        self.approvals.remove(asked);
        let asks = |event: &NewEvent| {
            event.task_id == Some(task) && matches!(event.body, EventBody::ApprovalRequested(_))
        };
        self.events.retain(|event| !asks(event));
        true
    }

    /// Puts a task that ended without completing back to the start.
    pub(super) fn reset(&mut self, index: usize) {
        let task = self.touch(index);
        task.status = TaskStatus::Pending;
        task.attempt_limit = task.attempts.saturating_add(task.spec.retry.max_attempts);
        task.recoveries = 0;
        task.approved = false;
        task.wake_at = None;
        task.error = None;
        task.result = None;
        task.kept = None;
        task.started_at = None;
        task.finished_at = None;
    }

    /// Completes a task without running it: by a person's word, or because its earlier result still holds.
    pub(super) fn complete(&mut self, index: usize, result: Arc<Value>) {
        let now = self.now;
        let task = self.touch(index);
        task.status = TaskStatus::Completed;
        task.result = Some(Arc::clone(&result));
        task.kept = None;
        task.wake_at = None;
        task.finished_at = Some(now);
        let id = task.id;
        self.tell(Some(id), EventBody::TaskCompleted { result });
    }

    /// The change and the state after it, or `None` when nothing differs.
    pub(super) fn into_change(self) -> Option<(Change, PlanState)> {
        let same_tasks = self.touched.is_empty() && self.removed.is_empty() && self.new_tasks.is_empty();
        let quiet = same_tasks && self.events.is_empty();
        if quiet && self.plan == self.before && self.execution.is_none() {
            return None;
        }
        let mut draft = self;
        draft.plan.revision = draft.before.revision.next();
        draft.plan.updated_at = draft.now;
        Some(draft.into_opening())
    }

    /// The change and the state after it, at the revision it has.
    pub(super) fn into_opening(self) -> (Change, PlanState) {
        let touched = self.tasks.iter().filter(|task| self.touched.contains(&task.id));
        let tasks = touched.cloned().collect();
        let next = PlanState { plan: self.plan, tasks: self.tasks };
        let change = Change {
            seen: self.before.revision,
            plan: next.plan.clone(),
            tasks,
            redefined: self.redefined.into_iter().collect(),
            removed: self.removed,
            version: self.version,
            new_tasks: self.new_tasks,
            select_new: self.select_new,
            attempts: self.attempts,
            approvals: self.approvals,
            decisions: self.decisions,
            execution: self.execution,
            events: self.events,
            at: self.now,
        };
        (change, next)
    }
}

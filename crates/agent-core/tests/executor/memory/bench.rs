//! A workbench for the machine: a stored plan, a clock that moves by hand, and what was told.

use agent_core::approval::{Question, Resolution};
use agent_core::event::EventBody;
use agent_core::executor::fact::{Effect, Fact, Outcome};
use agent_core::executor::machine;
use agent_core::ids::{Owner, PlanId, TaskId, TenantId, UserId};
use agent_core::memory::MemoryCore;
use agent_core::plan::{NewPlan, PlanState, PlanStatus, Task, TaskKind, TaskSpec, TaskStatus};
use agent_core::policy::Policy;
use agent_core::ports::{Approval, ApprovalFilter, Change};
use agent_core::time::Timestamp;
use agent_core::{Error, Result};
use serde_json::json;
use std::time::Duration;

pub(crate) struct Bench {
    pub(crate) core: MemoryCore,
    pub(crate) plan: PlanId,
    pub(crate) now: Timestamp,
    /// All changes so far, each with the state that was stored with it.
    pub(crate) past: Vec<(Change, PlanState)>,
}

/// A task that runs a command, after others.
pub(crate) fn command(after: &[u32]) -> TaskSpec {
    TaskSpec::new("run it", TaskKind::argv(["ok"])).after(after)
}

/// A task that looks over the repository, after others.
pub(crate) fn scan(after: &[u32]) -> TaskSpec {
    TaskSpec::new("look around", TaskKind::Scan).after(after)
}

/// Yes or no to the open question of a task.
pub(crate) fn answer_to(task: &Task, approve: bool, note: Option<&str>) -> Fact {
    let decision = if approve { Resolution::Approve } else { Resolution::Reject };
    let (sequence, note) = (task.questions, note.map(str::to_owned));
    Fact::ApprovalDecided { task: task.id, sequence, decision, by: "ada".into(), note }
}

/// A question of a model.
pub(crate) fn asks(question: &str) -> Outcome {
    Outcome::Asks { question: Box::new(Question::of_model(question, 1)) }
}

/// The rules, changed from their defaults.
pub(crate) fn policy(change: impl FnOnce(&mut Policy)) -> Policy {
    let mut policy = Policy::default();
    change(&mut policy);
    policy
}

pub(crate) fn new_plan(tasks: Vec<TaskSpec>) -> NewPlan {
    NewPlan {
        owner: Owner::in_default_tenant(UserId(1)),
        goal: "Make it work".into(),
        repo_path: "/srv/repository".into(),
        tasks,
        policy: Policy::default(),
        auto_execute: true,
        template_id: None,
        idempotency: None,
    }
}

/// A plan with rules.
pub(crate) fn plan_of(tasks: Vec<TaskSpec>, policy: Policy) -> NewPlan {
    NewPlan { policy, ..new_plan(tasks) }
}

impl Bench {
    /// A plan that waits to be executed.
    pub(crate) fn created(tasks: Vec<TaskSpec>, policy: Policy) -> Self {
        Self::at(&plan_of(tasks, policy), PlanStatus::Created)
    }

    /// A plan that was executed as a whole and has not started anything.
    pub(crate) fn executed(tasks: Vec<TaskSpec>, policy: Policy) -> Self {
        let mut bench = Self::created(tasks, policy);
        bench.take(Fact::ExecuteRequested { task: None });
        bench
    }

    pub(crate) fn at(plan: &NewPlan, status: PlanStatus) -> Self {
        let now = Timestamp::from_micros(1_767_268_800_000_000);
        let mut core = MemoryCore::default();
        let plan = core.create(plan, status, now).unwrap().plan.id;
        Self { core, plan, now, past: Vec::new() }
    }

    pub(crate) fn state(&self) -> PlanState {
        self.core.load(self.plan).unwrap()
    }

    /// Advances and commits; the effects, or why it is refused.
    pub(crate) fn try_take(&mut self, fact: Fact) -> Result<Vec<Effect>> {
        let before = self.state();
        let decision = match machine::advance(&before, fact, self.now) {
            Ok(decision) => decision,
            Err(error) => {
                assert_eq!(self.state(), before);
                return Err(error);
            }
        };
        if let Some(change) = &decision.change {
            self.core.commit(change, None)?;
            self.past.push((change.clone(), self.state()));
            if change.new_tasks.is_empty() {
                assert_eq!(machine::apply(&before, change), self.state(), "apply foretells what is stored");
            }
        }
        Ok(decision.effects)
    }

    pub(crate) fn take(&mut self, fact: Fact) -> Vec<Effect> {
        self.try_take(fact).unwrap()
    }

    /// That a fact is refused, with why.
    pub(crate) fn refused(&mut self, fact: Fact) -> Error {
        let revision = self.state().plan.revision;
        let error = self.try_take(fact).unwrap_err();
        assert_eq!(self.state().plan.revision, revision);
        error
    }

    /// Whether a fact changes anything.
    pub(crate) fn changes(&mut self, fact: Fact) -> bool {
        let revision = self.state().plan.revision;
        self.take(fact);
        self.state().plan.revision != revision
    }

    pub(crate) fn id(&self, position: u32) -> TaskId {
        self.task(position).id
    }

    pub(crate) fn task(&self, position: u32) -> Task {
        self.state().at(position).unwrap().clone()
    }

    pub(crate) fn statuses(&self) -> Vec<TaskStatus> {
        self.state().tasks.iter().map(|task| task.status).collect()
    }

    pub(crate) fn status(&self) -> PlanStatus {
        self.state().plan.status
    }

    pub(crate) fn start(&mut self, slots: u32) -> Vec<Effect> {
        self.take(Fact::SlotsGranted { slots })
    }

    pub(crate) fn finish(&mut self, position: u32, outcome: Outcome) {
        let Task { id: task, attempts: attempt, .. } = self.task(position);
        self.take(Fact::AttemptFinished { task, attempt, outcome, jitter: 1.0 });
    }

    pub(crate) fn complete(&mut self, position: u32) {
        self.finish(position, Outcome::Completed { result: json!({"task": position}) });
    }

    pub(crate) fn fail(&mut self, position: u32) {
        self.finish(position, Outcome::Failed { error: "exit code 1".into(), retryable: true });
    }

    pub(crate) fn pass(&mut self, duration: Duration) {
        self.now = self.now.plus(duration);
        self.take(Fact::TimeReached);
    }

    /// The events so far, one a line.
    pub(crate) fn story(&self) -> Vec<String> {
        let state = self.state();
        self.core
            .events(self.plan)
            .iter()
            .map(|event| {
                let who = event.task_id.and_then(|id| state.task(id));
                let who = who.map_or("plan".to_owned(), |task| format!("task {}", task.position));
                let what = match &event.body {
                    EventBody::PlanUpdated { status, summary } => format!(": {status}, {summary}"),
                    EventBody::TaskStarted { attempt, .. } => format!(" {attempt}"),
                    EventBody::TaskFailed { error, will_retry } => {
                        format!(": {error}, will_retry {will_retry}")
                    }
                    EventBody::TaskRetrying { attempt, delay_ms } => format!(" {attempt} in {delay_ms} ms"),
                    EventBody::TaskSkipped { reason } | EventBody::TaskCancelled { reason } => {
                        format!(": {reason}")
                    }
                    EventBody::ApprovalDecided { decision, by, .. } => format!(": {decision} by {by}"),
                    _ => String::new(),
                };
                format!("{} {who} {}{what}", event.seq, event.body.name())
            })
            .collect()
    }

    /// All questions, answered or not.
    pub(crate) fn questions(&self) -> Vec<Approval> {
        self.core.approvals(&ApprovalFilter::of_plan(TenantId::DEFAULT, self.plan)).0
    }

    /// Why a task did not run.
    pub(crate) fn reason(&self, position: u32) -> String {
        self.task(position).error.unwrap_or_default()
    }
}

//! Drives one plan: advance, commit, see to it that what shall be under way is under way.

use super::attempt::{self, Assignment};
use super::fact::{Effect, Fact, Outcome};
use super::front::{Shared, Signals};
use super::gate::Meter;
use super::{machine, schedule};
use crate::error::{Error, Result};
use crate::ids::TaskId;
use crate::model::Silent;
use crate::plan::{PlanState, TaskSpec, TaskStatus};
use crate::planner;
use crate::ports::{Claim, Fence, StepKind};
use crate::time::Timestamp;
use crate::tool::ToolContext;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Whether the lease is still held when a driver ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    StillOurs,
    Lost,
}

/// One thing under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Job {
    Planning,
    Attempt(TaskId, u32),
}

/// What a job came to; `None` when it was abandoned.
struct Report {
    job: Job,
    fact: Option<Fact>,
    permit: Option<OwnedSemaphorePermit>,
}

pub(super) struct Driver {
    shared: Arc<Shared>,
    state: Arc<PlanState>,
    fence: Fence,
    signals: Arc<Signals>,
    recovered: bool,
    jobs: JoinSet<Report>,
    under_way: HashMap<Job, CancellationToken>,
    resumed: HashSet<Job>,
    free: Vec<OwnedSemaphorePermit>,
    wake_at: Option<Timestamp>,
    meter: Arc<Meter>,
}

impl Driver {
    pub(super) fn new(shared: Arc<Shared>, claim: Claim, signals: Arc<Signals>) -> Self {
        let running = claim.state.tasks.iter().filter(|task| task.status == TaskStatus::Running);
        let resumed = running.map(|task| Job::Attempt(task.id, task.attempts)).collect();
        Self {
            shared,
            state: Arc::new(claim.state),
            fence: claim.fence,
            signals,
            recovered: claim.recovered,
            jobs: JoinSet::new(),
            under_way: HashMap::new(),
            resumed,
            free: Vec::new(),
            wake_at: None,
            meter: Arc::default(),
        }
    }

    /// Works until the plan needs nobody, the lease is lost or the server stops.
    pub(super) async fn run(mut self) -> Ended {
        let plan = self.state.plan.id;
        let ended = match self.drive().await {
            Ok(()) => Ended::StillOurs,
            Err(Error::LeaseLost(_)) => {
                tracing::warn!(%plan, "the lease was lost; another worker goes on");
                Ended::Lost
            }
            Err(error) => {
                tracing::error!(%plan, %error, "the plan cannot be driven on; it is taken up again later");
                Ended::Lost
            }
        };
        self.jobs.shutdown().await;
        ended
    }

    async fn drive(&mut self) -> Result<()> {
        self.load_meter().await?;
        let mut facts = vec![Fact::TimeReached];
        if self.recovered {
            facts.insert(0, Fact::Recovered { generation: self.fence.generation.get() });
        }
        loop {
            self.take(facts).await?;
            self.reconcile();
            let over = !self.state.plan.status.is_live() && self.jobs.is_empty();
            if over || (self.shared.stop.is_cancelled() && self.jobs.is_empty()) {
                return Ok(());
            }
            facts = self.next_facts().await?;
        }
    }

    /// What the plan has used before, where a budget makes it matter.
    async fn load_meter(&mut self) -> Result<()> {
        let budget = &self.state.plan.policy.budget;
        if budget.max_tokens.is_none() && budget.max_model_calls.is_none() {
            return Ok(());
        }
        let steps = self.shared.ports.reader.steps(self.state.plan.id).await?;
        let tokens = steps.iter().filter_map(|step| step.result.as_ref()).map(|r| r.usage.total()).sum();
        let calls = steps.iter().filter(|step| step.intent.kind == StepKind::Model && step.result.is_some());
        self.meter = Arc::new(Meter { tokens: u64::into(tokens), model_calls: (calls.count() as u64).into() });
        Ok(())
    }

    /// Waits until something happened.
    async fn next_facts(&mut self) -> Result<Vec<Fact>> {
        let stopping = self.shared.stop.is_cancelled();
        let room = if stopping { 0 } else { schedule::startable(&self.state) };
        let slots = Arc::clone(&self.shared.slots);
        let pause = self.pause();
        tokio::select! {
            biased;
            () = self.signals.lost.cancelled() => Err(Error::LeaseLost(self.state.plan.id)),
            Some(joined) = self.jobs.join_next(), if !self.jobs.is_empty() => Ok(self.collect(joined)),
            () = self.signals.changed.notified() => {
                self.reload().await?;
                Ok(vec![Fact::TimeReached])
            }
            Ok(permit) = slots.acquire_owned(), if room > 0 => {
                self.free.push(permit);
                self.grab_more(room);
                Ok(vec![Fact::SlotsGranted { slots: u32::try_from(self.free.len()).unwrap_or(u32::MAX) }])
            }
            () = tokio::time::sleep(pause), if self.wake_at.is_some() => Ok(vec![Fact::TimeReached]),
            () = self.shared.stop.cancelled(), if !stopping => Ok(Vec::new()),
        }
    }

    fn pause(&self) -> Duration {
        let now = self.shared.ports.clock.now();
        self.wake_at.map_or(Duration::ZERO, |at| at.since(now).max(Duration::from_millis(1)))
    }

    fn grab_more(&mut self, room: u32) {
        while u32::try_from(self.free.len()).unwrap_or(u32::MAX) < room {
            let Ok(permit) = Arc::clone(&self.shared.slots).try_acquire_owned() else { return };
            self.free.push(permit);
        }
    }

    /// Everything that ended by now becomes facts of one commit; their slots go to what is ready next.
    fn collect(&mut self, joined: std::result::Result<Report, tokio::task::JoinError>) -> Vec<Fact> {
        let mut facts = Vec::new();
        let mut next = Some(joined);
        while let Some(joined) = next {
            match joined {
                Ok(report) => {
                    self.under_way.remove(&report.job);
                    self.resumed.remove(&report.job);
                    self.free.extend(report.permit);
                    facts.extend(report.fact);
                }
                Err(error) => {
                    tracing::error!(plan = %self.state.plan.id, %error, "a job of the plan broke off");
                    self.signals.lost.cancel();
                }
            }
            next = self.jobs.try_join_next();
        }
        if !self.shared.stop.is_cancelled() && !self.free.is_empty() {
            facts.push(Fact::SlotsGranted { slots: u32::try_from(self.free.len()).unwrap_or(u32::MAX) });
        }
        facts
    }

    async fn reload(&mut self) -> Result<()> {
        self.state = Arc::new(self.shared.ports.plans.load(self.state.plan.id).await?);
        Ok(())
    }

    /// Advances by facts and commits, however long the store needs to come back.
    async fn take(&mut self, facts: Vec<Fact>) -> Result<()> {
        let mut patience = Duration::from_millis(50);
        loop {
            let now = self.shared.ports.clock.now();
            let decision = machine::advance_all(&self.state, facts.clone(), now)?;
            let Some(change) = decision.change else { return Ok(()) };
            match self.shared.ports.plans.commit(&change, Some(&self.fence)).await {
                Ok(_) if change.new_tasks.is_empty() => {
                    self.state = Arc::new(machine::apply(&self.state, &change));
                    return Ok(());
                }
                // The store gave the new tasks their ids; and now that they exist, more may follow.
                Ok(_) => {
                    self.reload().await?;
                    return Box::pin(self.take(vec![Fact::TimeReached])).await;
                }
                Err(Error::Conflict { .. }) => self.reload().await?,
                Err(Error::Unavailable(error)) if !self.signals.lost.is_cancelled() => {
                    tracing::warn!(plan = %self.state.plan.id, %error, "the store is away; trying again");
                    tokio::time::sleep(patience).await;
                    patience = (patience * 2).min(Duration::from_secs(5));
                }
                Err(other) => return Err(other),
            }
        }
    }

    /// Starts what shall be under way and is not; cancels what is under way and shall not be.
    fn reconcile(&mut self) {
        self.wake_at = None;
        let mut wanted = HashSet::new();
        for effect in schedule::outstanding(&self.state) {
            match effect {
                Effect::MakePlan => wanted.insert(Job::Planning),
                Effect::RunAttempt { task, attempt } => wanted.insert(Job::Attempt(task, attempt)),
                Effect::WakeAt(at) => {
                    self.wake_at = Some(at);
                    continue;
                }
            };
        }
        for (job, cancel) in &self.under_way {
            if !wanted.contains(job) {
                cancel.cancel();
            }
        }
        self.report_cancelled_leftovers(&wanted);
        for job in wanted {
            if !self.under_way.contains_key(&job) && !self.shared.stop.is_cancelled() {
                self.begin(job);
            }
        }
        self.free.clear();
    }

    /// Attempts that run only in the record (the server that ran them is gone) and shall not go on.
    fn report_cancelled_leftovers(&mut self, wanted: &HashSet<Job>) {
        let leftovers: Vec<Job> = self.resumed.iter().filter(|job| !wanted.contains(job)).copied().collect();
        for job in leftovers {
            let started = self.under_way.contains_key(&job);
            if let (Job::Attempt(task, attempt), false) = (job, started) {
                self.resumed.remove(&job);
                let fact = finished(task, attempt, Outcome::Cancelled, 0.0);
                self.jobs.spawn(async move { Report { job, fact: Some(fact), permit: None } });
            }
        }
    }

    fn begin(&mut self, job: Job) {
        let cancel = CancellationToken::new();
        self.under_way.insert(job, cancel.clone());
        match job {
            Job::Planning => self.begin_planning(cancel),
            Job::Attempt(task, attempt) => self.begin_attempt(task, attempt, cancel),
        }
    }

    fn begin_planning(&mut self, cancel: CancellationToken) {
        let (shared, state) = (Arc::clone(&self.shared), Arc::clone(&self.state));
        self.jobs.spawn(async move {
            let fact = tokio::select! {
                planned = make_plan(&shared, &state) => Some(match planned {
                    Ok(tasks) => Fact::Planned { tasks },
                    Err(error) => Fact::PlanningFailed { error: error.to_string() },
                }),
                () = cancel.cancelled() => None,
            };
            Report { job: Job::Planning, fact, permit: None }
        });
    }

    fn begin_attempt(&mut self, task: TaskId, attempt: u32, cancel: CancellationToken) {
        let job = Job::Attempt(task, attempt);
        let (shared, state, fence) =
            (Arc::clone(&self.shared), Arc::clone(&self.state), self.fence.clone());
        let (permit, meter) = (self.free.pop(), Arc::clone(&self.meter));
        let resumed = self.resumed.contains(&job);
        self.jobs.spawn(async move {
            let permit = match permit {
                Some(permit) => Some(permit),
                None => Arc::clone(&shared.slots).acquire_owned().await.ok(),
            };
            let outcome = match assign(&shared, &state, task, cancel).await {
                Ok(context) => {
                    let assignment = Assignment { state, task, attempt, fence, context, resumed, meter };
                    attempt::run(Arc::clone(&shared.ports), assignment).await
                }
                Err(error) => Some(Outcome::Failed { error: error.to_string(), retryable: false }),
            };
            let jitter = shared.ports.randomness.fraction();
            let fact = outcome.map(|outcome| finished(task, attempt, outcome, jitter));
            Report { job, fact, permit }
        });
    }
}

fn finished(task: TaskId, attempt: u32, outcome: Outcome, jitter: f64) -> Fact {
    Fact::AttemptFinished { task, attempt, outcome, jitter }
}

/// What an attempt works under.
async fn assign(
    shared: &Shared,
    state: &PlanState,
    task: TaskId,
    cancel: CancellationToken,
) -> Result<ToolContext> {
    let workspace = shared.ports.workspaces.open(&state.plan).await?;
    let asked = state.task(task).and_then(|task| task.spec.timeout_ms).map(Duration::from_millis);
    let mut timeout = asked.unwrap_or(shared.settings.task_timeout);
    if let Some(deadline) = schedule::deadline(&state.plan) {
        timeout = timeout.min(deadline.since(shared.ports.clock.now()));
    }
    Ok(ToolContext {
        workspace,
        sandbox: state.plan.policy.sandbox,
        network: state.plan.policy.network,
        timeout,
        cancel,
        idempotency_key: String::new(),
        progress: Arc::new(Silent),
    })
}

async fn make_plan(shared: &Shared, state: &PlanState) -> Result<Vec<TaskSpec>> {
    let planner = shared.planner().ok_or(Error::NoLanguageModel)?;
    let planned = planner.plan(&state.plan.goal, &state.plan.repo_path).await?;
    shared.say(state, "assistant", planner::describe(&planned)).await;
    Ok(planned.tasks)
}

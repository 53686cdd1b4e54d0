//! Drives one plan: advance, commit, see to it that what shall be under way is under way.

mod storage;

use super::fact::{Effect, Fact, Outcome};
use super::gate::Meter;
use super::job::{self, AttemptJob, Job, Report, Workspace};
use super::planning::Books;
use super::shared::{Shared, Signals};
use super::slots::Slot;
use super::{machine, planning, schedule};
use crate::error::{Error, Result};
use crate::failpoint;
use crate::ids::TaskId;
use crate::plan::{PlanState, TaskStatus};
use crate::policy::Budget;
use crate::ports::{Claim, Fence, Step};
use crate::time::Timestamp;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The first and the longest pause while the store is away.
const FIRST_PATIENCE: Duration = Duration::from_millis(50);
const LONGEST_PATIENCE: Duration = Duration::from_secs(5);

/// Whether the lease is still held when a driver ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The plan is no longer live; the commit that ended it gave it back.
    Over,
    /// The server stops.
    StillOurs,
    /// Another worker has it.
    Lost,
    /// Something broke; whoever claims the plan next goes on.
    Broken,
}

/// How a driver comes to its plan.
pub(super) enum Start {
    /// It was just created here, and what is recorded as running is about to begin with these slots.
    Fresh(Vec<Slot>),
    /// It was there before; what is recorded as running was begun by somebody else.
    TakenUp,
}

/// How long what runs may take to end when the driver leaves.
const LAST_MOMENTS: Duration = Duration::from_secs(3);

pub(super) struct Driver {
    shared: Arc<Shared>,
    state: Arc<PlanState>,
    fence: Fence,
    signals: Arc<Signals>,
    recovered: bool,
    fresh: bool,
    jobs: JoinSet<Report>,
    under_way: HashMap<Job, CancellationToken>,
    resumed: HashSet<Job>,
    free: Vec<Slot>,
    /// The time of the latest look at the plan: whatever was due by then is settled.
    looked_at: Timestamp,
    wake_at: Option<Timestamp>,
    meter: Arc<Meter>,
    workspace: Arc<Workspace>,
}

impl Driver {
    pub(super) fn new(shared: Arc<Shared>, claim: Claim, signals: Arc<Signals>, start: Start) -> Self {
        let running = claim.state.tasks.iter().filter(|task| task.status == TaskStatus::Running);
        let running = running.map(|task| Job::Attempt(task.id, task.attempts));
        let (fresh, resumed, free) = match start {
            Start::Fresh(slots) => (true, HashSet::new(), slots),
            Start::TakenUp => (false, running.collect(), Vec::new()),
        };
        let looked_at = if fresh { claim.state.plan.updated_at } else { Timestamp::default() };
        Self {
            shared,
            state: Arc::new(claim.state),
            fence: claim.fence,
            signals,
            recovered: claim.recovered,
            fresh,
            jobs: JoinSet::new(),
            under_way: HashMap::new(),
            resumed,
            free,
            looked_at,
            wake_at: None,
            meter: Arc::default(),
            workspace: Arc::default(),
        }
    }

    /// Works until the plan needs nobody, the lease is lost or the server stops.
    pub(super) async fn run(mut self) -> Ended {
        let plan = self.state.plan.id;
        let ended = match self.drive().await {
            Ok(()) if !self.state.plan.status.is_live() => Ended::Over,
            Ok(()) => Ended::StillOurs,
            Err(Error::LeaseLost(_)) if self.shared.stop.is_cancelled() => {
                tracing::warn!(%plan, "the server stops before the work on the plan has ended");
                Ended::StillOurs
            }
            Err(Error::LeaseLost(_)) => {
                tracing::warn!(%plan, "the lease was lost; another worker goes on");
                Ended::Lost
            }
            Err(error) => {
                tracing::error!(%plan, %error, "the plan cannot be driven on; it is taken up again later");
                Ended::Broken
            }
        };
        self.end_jobs().await;
        ended
    }

    /// Ends what still runs, and waits until it has: whoever takes the plan over must not find it beside theirs.
    async fn end_jobs(&mut self) {
        self.signals.lost.cancel();
        self.under_way.values().for_each(CancellationToken::cancel);
        let ended = async { while self.jobs.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_MOMENTS, ended).await.is_err() {
            self.jobs.shutdown().await;
        }
    }

    async fn drive(&mut self) -> Result<()> {
        // What was just created is settled, and has used nothing yet.
        let mut facts = if self.fresh { Vec::new() } else { self.first_facts().await? };
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

    async fn first_facts(&mut self) -> Result<Vec<Fact>> {
        self.load_meter().await?;
        let mut facts = vec![Fact::TimeReached];
        if self.recovered {
            let max_recoveries = self.shared.settings.max_recoveries;
            facts.insert(0, Fact::Recovered { generation: self.fence.generation.get(), max_recoveries });
        }
        if !self.shared.stop.is_cancelled() {
            self.grab_more(1);
            facts.push(self.granted());
        }
        Ok(facts)
    }

    /// What the plan has used before, where a budget makes it matter.
    async fn load_meter(&mut self) -> Result<()> {
        let budget = &self.state.plan.policy.budget;
        if *budget == (Budget { max_duration_ms: budget.max_duration_ms, ..Budget::default() }) {
            return Ok(());
        }
        let ports = &self.shared.ports;
        let steps = ports.reader.steps(self.state.plan.owner.tenant, self.state.plan.id).await?;
        // The crash that this worker takes over from is not counted yet.
        let crashes = |step: &Step| {
            let recoveries = self.state.task(step.key.task_id).map_or(0, |task| task.recoveries);
            u64::from(recoveries) + u64::from(self.recovered)
        };
        self.meter = Arc::new(Meter::from_record(&steps, &ports.prices, crashes));
        Ok(())
    }

    /// Waits until something happened.
    async fn next_facts(&mut self) -> Result<Vec<Fact>> {
        let stopping = self.shared.stop.is_cancelled();
        let room = if stopping { 0 } else { schedule::startable(&self.state) };
        let (slots, owner, plan) = (self.shared.slots.clone(), self.state.plan.owner, self.state.plan.id);
        let pause = self.pause();
        tokio::select! {
            biased;
            () = self.signals.lost.cancelled() => Err(Error::LeaseLost(self.state.plan.id)),
            Some(joined) = self.jobs.join_next(), if !self.jobs.is_empty() => Ok(self.collect(joined)),
            () = self.signals.changed.notified() => {
                self.reload().await?;
                Ok(vec![Fact::TimeReached])
            }
            slot = slots.acquire(owner, plan, room), if room > 0 => {
                self.free.push(slot);
                self.grab_more(room);
                Ok(vec![self.granted()])
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
            let Some(slot) = self.shared.slots.try_acquire(self.state.plan.owner, self.state.plan.id) else {
                return;
            };
            self.free.push(slot);
        }
    }

    fn granted(&self) -> Fact {
        Fact::SlotsGranted { slots: u32::try_from(self.free.len()).unwrap_or(u32::MAX) }
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
                    // A slot that somebody else has a better right to is given back here.
                    self.free.extend(report.slot.filter(Slot::may_be_kept));
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
            facts.push(self.granted());
        }
        facts
    }

    /// Advances by facts and commits, however long the store needs to come back.
    async fn take(&mut self, facts: Vec<Fact>) -> Result<()> {
        if facts.is_empty() {
            return Ok(());
        }
        let mut patience = FIRST_PATIENCE;
        loop {
            let now = self.shared.ports.clock.now();
            self.looked_at = now;
            let decision = machine::advance_all(&self.state, facts.clone(), now)?;
            let (Some(change), Some(next)) = (decision.change, decision.next) else { return Ok(()) };
            failpoint::reach(failpoint::DRIVER_BEFORE_COMMIT);
            let committed = self.shared.ports.plans.commit(&change, Some(&self.fence)).await;
            failpoint::reach(failpoint::DRIVER_AFTER_COMMIT);
            match committed {
                Ok(_) if change.new_tasks.is_empty() => {
                    self.state = Arc::new(next);
                    return Ok(());
                }
                // The store gave the new tasks their ids; and now that they exist, more may follow.
                Ok(_) => {
                    self.reload().await?;
                    return Box::pin(self.take(vec![Fact::TimeReached])).await;
                }
                Err(Error::Conflict { .. }) => self.reload().await?,
                Err(Error::Unavailable(error) | Error::StorageFull(error)) => {
                    self.wait_for_store(error, &mut patience).await?
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
                Effect::Replan => wanted.insert(Job::Replanning(self.state.plan.version)),
                Effect::RunAttempt { task, attempt } => wanted.insert(Job::Attempt(task, attempt)),
                Effect::WakeAt(at) => {
                    self.wake_at = (at > self.looked_at).then_some(at);
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
        // A task that is to start anew waits for what an edit has just stopped of it.
        let stopping: HashSet<TaskId> =
            self.under_way.keys().filter(|job| !wanted.contains(*job)).filter_map(Job::task).collect();
        wanted.retain(|job| job.task().is_none_or(|task| !stopping.contains(&task)));
        for job in wanted {
            // What is recorded as started counts as running, also when the server stops meanwhile.
            let started = matches!(job, Job::Attempt(..)) && !self.resumed.contains(&job);
            if !self.under_way.contains_key(&job) && (started || !self.shared.stop.is_cancelled()) {
                self.begin(job);
            }
        }
        self.free.clear();
    }

    /// Attempts that run only in the record (nobody works on them any more) and shall not go on.
    fn report_cancelled_leftovers(&mut self, wanted: &HashSet<Job>) {
        let running = self.state.tasks.iter().filter(|task| task.status == TaskStatus::Running);
        let leftovers: Vec<Job> = running
            .map(|task| Job::Attempt(task.id, task.attempts))
            .filter(|job| !wanted.contains(job) && !self.under_way.contains_key(job))
            .collect();
        for job in leftovers {
            self.under_way.insert(job, CancellationToken::new());
            let fact = job::finished(job, Outcome::Cancelled, 0.0);
            self.jobs.spawn(async move { Report { job, fact, slot: None } });
        }
    }

    fn begin(&mut self, job: Job) {
        let cancel = CancellationToken::new();
        self.under_way.insert(job, cancel.clone());
        match job {
            Job::Planning => self.begin_planning(cancel),
            Job::Replanning(_) => {
                let (shared, state) = (Arc::clone(&self.shared), Arc::clone(&self.state));
                self.jobs.spawn(planning::replan(shared, state, self.books(), cancel));
            }
            Job::Attempt(task, attempt) => self.begin_attempt(task, attempt, cancel),
        }
    }

    fn books(&self) -> Books {
        let (meter, signals) = (Arc::clone(&self.meter), Arc::clone(&self.signals));
        Books { fence: self.fence.clone(), meter, signals }
    }

    fn begin_planning(&mut self, cancel: CancellationToken) {
        let (shared, state) = (Arc::clone(&self.shared), Arc::clone(&self.state));
        self.jobs.spawn(planning::plan(shared, state, self.books(), cancel));
    }

    fn begin_attempt(&mut self, task: TaskId, attempt: u32, cancel: CancellationToken) {
        let attempt = AttemptJob {
            shared: Arc::clone(&self.shared),
            state: Arc::clone(&self.state),
            fence: self.fence.clone(),
            signals: Arc::clone(&self.signals),
            meter: Arc::clone(&self.meter),
            workspace: Arc::clone(&self.workspace),
            task,
            attempt,
            cancel,
            slot: self.free.pop(),
            resumed: self.resumed.contains(&Job::Attempt(task, attempt)),
        };
        self.jobs.spawn(attempt.run());
    }
}

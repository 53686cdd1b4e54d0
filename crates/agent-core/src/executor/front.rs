//! The executor as the rest of the program sees it: takes requests, keeps a driver for each live plan.

use super::driver::{self, Driver};
use super::fact::Fact;
use super::machine;
use super::opening;
use super::shared::{Shared, Signals};
use super::slots::{Slot, Slots};
use super::wiring::{ExecutorPorts, ExecutorSettings};
use crate::error::{Defect, Error, Result};
use crate::failpoint;
use crate::ids::{ExecutionId, PlanId};
use crate::plan::{EditOperation, NewPlan, PlanEdit, PlanState, PlanStatus, TaskKind, TaskSpec, graph};
use crate::ports::Claim;
use crate::tool::EffectClass;
use futures_util::FutureExt;
use std::collections::HashSet;
use std::collections::hash_map::Entry;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::RwLock;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What a request led to.
#[derive(Debug, Clone)]
pub struct Submitted {
    /// The plan after it.
    pub state: PlanState,
    /// The id of the execution, when one was asked for.
    pub execution_id: Option<ExecutionId>,
}

/// Runs plans. Cheap to clone; all clones are the same executor.
#[derive(Clone)]
pub struct Executor(Arc<Shared>);

/// The first and the longest pause before a plan is looked at again that could not be driven on.
const REST: Duration = Duration::from_millis(200);
const LONGEST_REST: Duration = Duration::from_secs(5);

/// How often a request is tried again when others change the plan at the same time.
const CONFLICT_RETRIES: u32 = 64;

impl Executor {
    /// An executor that works once [`Executor::start`] was called; requests are taken at once.
    ///
    /// Must be called in a Tokio runtime, which becomes the one that plans are driven on: requests may
    /// come from others, such as those of web workers.
    pub fn new(ports: ExecutorPorts, settings: ExecutorSettings) -> Self {
        let slots = Slots::new(settings.max_parallel);
        Self(Arc::new(Shared {
            ports: Arc::new(ports),
            settings,
            slots,
            stop: CancellationToken::new(),
            drivers: Mutex::default(),
            creations: RwLock::new(()),
            tracker: TaskTracker::new(),
            runtime: Handle::current(),
        }))
    }

    /// Begins to take over plans that nobody works on, now and from time to time, and to renew leases.
    pub fn start(&self) {
        let shared = Arc::clone(&self.0);
        self.0.tracker.spawn_on(async move { shared.keep_watch().await }, &self.0.runtime);
    }

    /// Stores a plan and, where it is to run or to be planned, begins.
    ///
    /// # Errors
    /// `InvalidPlan`, `NoLanguageModel`, `IdempotencyMismatch`, `Stopping`, `Unavailable`.
    pub async fn create(&self, plan: NewPlan) -> Result<PlanState> {
        if self.0.stop.is_cancelled() {
            return Err(Error::Stopping);
        }
        if plan.tasks.is_empty() && self.0.ports.model.is_none() {
            return Err(Error::NoLanguageModel);
        }
        let mut plan = plan;
        if !plan.tasks.is_empty() {
            graph::validate(&plan.tasks)?;
            let tasks = plan.tasks.iter_mut().enumerate();
            self.0.know_tools(tasks.map(|(index, task)| (format!("/tasks/{index}"), task)))?;
        }
        let status = match (plan.tasks.is_empty(), plan.auto_execute) {
            (true, _) => PlanStatus::Planning,
            (false, true) => PlanStatus::Running,
            (false, false) => PlanStatus::Created,
        };
        self.0.create(plan, status).await
    }

    /// Takes a request about a plan: the change is durable when this returns.
    ///
    /// # Errors
    /// `PlanNotFound`, `TaskNotFound`, `IllegalPlanMove`, `IllegalTaskMove`, `Conflict`, `Stopping`, `Unavailable`.
    pub async fn submit(&self, plan: PlanId, fact: Fact) -> Result<Submitted> {
        if self.0.stop.is_cancelled() {
            return Err(Error::Stopping);
        }
        let ports = &self.0.ports;
        let mut fact = fact;
        if let Fact::EditRequested { edit, .. } = &mut fact {
            self.0.know_edited_tools(edit)?;
        }
        for _ in 0..CONFLICT_RETRIES {
            let state = ports.plans.load(plan).await?;
            let decision = machine::advance(&state, fact.clone(), ports.clock.now())?;
            let (Some(change), Some(state)) = (decision.change, decision.next) else {
                // Asked for what is so already: still see to it that somebody works on it.
                if state.plan.status.is_live() {
                    self.0.wake(plan);
                }
                return Ok(Submitted { state, execution_id: None });
            };
            match ports.plans.commit(&change, None).await {
                Ok(committed) => {
                    failpoint::reach(failpoint::SUBMITTED);
                    self.0.wake(plan);
                    return Ok(Submitted { state, execution_id: committed.execution_id });
                }
                Err(Error::Conflict { .. }) => tokio::task::yield_now().await,
                Err(other) => return Err(other),
            }
        }
        let seen = ports.plans.load(plan).await?.plan.revision;
        Err(Error::Conflict { plan, seen })
    }

    /// How many plans this executor has in hand.
    pub fn plans_in_hand(&self) -> usize {
        self.0.registry().len()
    }

    /// Stops: takes no new work, lets what runs finish within the grace period, gives all leases back.
    pub async fn stop(&self, grace: Duration) {
        self.0.stop.cancel();
        self.0.tracker.close();
        if tokio::time::timeout(grace, self.0.tracker.wait()).await.is_err() {
            for signals in self.0.registry().values() {
                signals.lost.cancel();
            }
            self.0.tracker.wait().await;
        }
    }
}

impl Shared {
    /// Stores a plan; one that is to run is ours from its first moment on, and begins with the slots it can get.
    async fn create(self: &Arc<Self>, mut plan: NewPlan, status: PlanStatus) -> Result<PlanState> {
        let idempotency = plan.idempotency.take();
        let runs = status == PlanStatus::Running;
        let slots = if runs { self.first_slots(&plan) } else { Vec::new() };
        let hold = runs.then(|| (self.settings.worker.clone(), self.settings.lease));
        let granted = u32::try_from(slots.len()).unwrap_or(u32::MAX);
        let opening = opening::open(plan, status, granted, hold, self.ports.clock.now())?;
        let _creating = self.creations.read().await;
        let created = self.ports.plans.create(&opening, idempotency.as_ref()).await?;
        failpoint::reach(failpoint::CREATED);
        match created.fence {
            Some(fence) => {
                let claim = Claim { state: created.state.clone(), fence, recovered: false };
                self.adopt(claim, slots);
            }
            None if created.is_new && created.state.plan.status.is_live() => {
                self.wake(created.state.plan.id);
            }
            None => {}
        }
        Ok(created.state)
    }

    /// Slots for the tasks that can begin at once, as far as they are free.
    fn first_slots(&self, plan: &NewPlan) -> Vec<Slot> {
        let ready = plan.tasks.iter().filter(|task| task.depends_on.is_empty()).count();
        let room = plan.policy.max_parallel.map_or(usize::MAX, |most| most.max(1) as usize);
        // The plan has no id yet; its share is counted under the stand-in until these attempts end.
        let slot = || self.slots.try_acquire(plan.owner, PlanId(0));
        std::iter::from_fn(slot).take(ready.min(room)).collect()
    }

    /// Drives a plan that was just created, and is ours.
    fn adopt(self: &Arc<Self>, claim: Claim, slots: Vec<Slot>) {
        let signals = Arc::new(Signals::default());
        let before = self.registry().insert(claim.state.plan.id, Arc::clone(&signals));
        if before.is_some() {
            // Somebody heard of the plan before its driver was in the books; they find this one there.
            signals.changed.notify_one();
        }
        let shared = Arc::clone(self);
        let fresh = driver::Start::Fresh(slots);
        self.tracker
            .spawn_on(async move { shared.drive_claimed(claim, signals, fresh).await }, &self.runtime);
    }

    /// Refuses tasks for tools that are not there; the others get the effect class of their tool.
    fn know_tools<'a>(&self, tasks: impl Iterator<Item = (String, &'a mut TaskSpec)>) -> Result<()> {
        let mut defects = Vec::new();
        for (place, task) in tasks {
            match self.declared_effect(&task.kind, &place) {
                Ok(declared) => task.effect = task.effect.or(declared),
                Err(defect) => defects.push(defect),
            }
        }
        if defects.is_empty() { Ok(()) } else { Err(Error::InvalidPlan(defects)) }
    }

    /// The same for an edit; a task that is to call another tool gets the effect class of that one.
    fn know_edited_tools(&self, edit: &mut PlanEdit) -> Result<()> {
        let mut defects = Vec::new();
        for (number, operation) in edit.operations.iter_mut().enumerate() {
            let place = format!("/operations/{number}/task");
            let declared = match &*operation {
                EditOperation::Add(spec) => self.declared_effect(&spec.kind, &place),
                EditOperation::Update(_, patch) => match &patch.kind {
                    Some(kind) => self.declared_effect(kind, &place),
                    None => Ok(None),
                },
                EditOperation::Remove(_) => Ok(None),
            };
            match (declared, operation) {
                (Err(defect), _) => defects.push(defect),
                (Ok(declared), EditOperation::Add(spec)) => spec.effect = spec.effect.or(declared),
                (Ok(Some(declared)), EditOperation::Update(_, patch)) => {
                    patch.effect.get_or_insert(Some(declared));
                }
                (Ok(_), _) => {}
            }
        }
        if defects.is_empty() { Ok(()) } else { Err(Error::InvalidPlan(defects)) }
    }

    /// The effect class of the tool that a kind of task calls, if it calls one.
    fn declared_effect(
        &self,
        kind: &TaskKind,
        place: &str,
    ) -> std::result::Result<Option<EffectClass>, Defect> {
        let TaskKind::Tool { tool: name, .. } = kind else { return Ok(None) };
        let unknown = || {
            let known = self.ports.tools.names().join(", ");
            Defect::new(format!("{place}/tool"), format!("there is no tool {name:?}; the tools are: {known}"))
        };
        self.ports.tools.get(name).map(|tool| Some(tool.effect())).ok_or_else(unknown)
    }

    /// Makes sure that somebody here looks at the plan again.
    pub(super) fn wake(self: &Arc<Self>, plan: PlanId) {
        let mut registry = self.registry();
        if let Some(signals) = registry.get(&plan) {
            signals.changed.notify_one();
            return;
        }
        if self.stop.is_cancelled() {
            return;
        }
        let signals = Arc::new(Signals::default());
        registry.insert(plan, Arc::clone(&signals));
        drop(registry);
        let shared = Arc::clone(self);
        self.tracker.spawn_on(async move { shared.drive(plan, signals).await }, &self.runtime);
    }

    async fn drive(self: Arc<Self>, plan: PlanId, signals: Arc<Signals>) {
        // What is just being created here is ours by the record, and must not be taken for something left behind.
        drop(self.creations.write().await);
        if !self.registry().get(&plan).is_some_and(|present| Arc::ptr_eq(present, &signals)) {
            return;
        }
        let (worker, lease) = (&self.settings.worker, self.settings.lease);
        match self.ports.plans.claim(worker, lease, Some(plan)).await {
            Ok(Some(claim)) => self.drive_claimed(claim, signals, driver::Start::TakenUp).await,
            Ok(None) => {
                self.registry().remove(&plan);
                // Whoever called between the claim and this line found somebody who was about to leave.
                if signals.changed.notified().now_or_never().is_some() {
                    self.wake(plan);
                }
            }
            Err(error) => {
                tracing::warn!(%plan, %error, "the plan could not be claimed; it is tried again later");
                self.registry().remove(&plan);
                self.rest(REST).await;
                self.look_again(plan).await;
            }
        }
    }

    async fn drive_claimed(self: &Arc<Self>, claim: Claim, signals: Arc<Signals>, start: driver::Start) {
        failpoint::reach(failpoint::CLAIMED);
        let plan = claim.state.plan.id;
        let fence = claim.fence.clone();
        signals.held.store(true, Ordering::Release);
        let driver = Driver::new(Arc::clone(self), claim, Arc::clone(&signals), start);
        let driving = AssertUnwindSafe(driver.run());
        // A plan whose driver broke is taken up again after a rest, rather than held by nobody.
        let ended = driving.catch_unwind().await.unwrap_or(driver::Ended::Broken);
        failpoint::reach(failpoint::BEFORE_RELEASE);
        // A plan that has ended is not renewed, which looks like a loss; what others hold stays with them.
        if !matches!(ended, driver::Ended::Broken | driver::Ended::Over)
            && let Err(error) = self.ports.plans.release(plan, &fence).await
        {
            tracing::warn!(%plan, %error, "the lease could not be given back; it runs out by itself");
        }
        self.registry().remove(&plan);
        match ended {
            // The plan needs nobody, unless somebody here has asked for something since the last look.
            driver::Ended::Over if signals.changed.notified().now_or_never().is_none() => return,
            driver::Ended::Broken => self.rest(REST).await,
            driver::Ended::Over | driver::Ended::StillOurs | driver::Ended::Lost => {}
        }
        self.look_again(plan).await;
    }

    /// A request may have come between the driver's last look and its leaving.
    async fn look_again(self: &Arc<Self>, plan: PlanId) {
        let mut pause = REST;
        while !self.stop.is_cancelled() {
            match self.ports.plans.load(plan).await {
                Ok(state) if state.plan.status.is_live() => return self.wake(plan),
                Err(Error::Unavailable(_) | Error::StorageFull(_)) => self.rest(pause).await,
                Ok(_) | Err(_) => return,
            }
            pause = (pause * 2).min(LONGEST_REST);
        }
    }

    async fn rest(&self, pause: Duration) {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.stop.cancelled() => {}
        }
    }

    async fn keep_watch(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(self.settings.lease / 3);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.stop.cancelled() => return,
            }
            self.renew().await;
            while self.settings.recover && !self.stop.is_cancelled() && self.take_over().await {
                self.renew().await;
            }
            // Whoever changed a plan may have been cut off before it could say so.
            self.registry().values().for_each(|signals| signals.changed.notify_one());
        }
    }

    /// Keeps what is ours. What is ours by the record and driven by nobody was left by a predecessor of the
    /// same name, or by a driver that gave up: it is taken up again. What others took is let go at once.
    async fn renew(self: &Arc<Self>) {
        let mut held = self.registry().clone();
        held.retain(|_, signals| signals.held.load(Ordering::Acquire));
        let ours = match self.ports.plans.renew(&self.settings.worker, self.settings.lease).await {
            Ok(ours) => ours.into_iter().collect::<HashSet<PlanId>>(),
            Err(error) => return tracing::warn!(%error, "leases could not be renewed"),
        };
        // A driver that left meanwhile is told too, and is not there to mind.
        let gone = held.iter().filter(|(plan, _)| !ours.contains(plan));
        gone.for_each(|(_, signals)| signals.lost.cancel());
        if self.settings.recover {
            let undriven: Vec<PlanId> =
                ours.into_iter().filter(|plan| !self.registry().contains_key(plan)).collect();
            undriven.into_iter().for_each(|plan| self.wake(plan));
        }
    }

    /// Takes over some of the plans that nobody holds. True when there may be more: leases are renewed before
    /// those are asked for, since each claim takes a while, and how long a while depends on the disk.
    async fn take_over(self: &Arc<Self>) -> bool {
        let (worker, lease) = (&self.settings.worker, self.settings.lease);
        let renew_at = tokio::time::Instant::now() + lease / 3;
        while tokio::time::Instant::now() < renew_at {
            match self.ports.plans.claim(worker, lease, None).await {
                Ok(Some(claim)) => {
                    let plan = claim.state.plan.id;
                    let signals = match self.registry().entry(plan) {
                        Entry::Vacant(place) => Arc::clone(place.insert(Arc::default())),
                        // Its driver has lost its fence to this claim: it leaves, and claims anew.
                        Entry::Occupied(present) => {
                            present.get().lost.cancel();
                            continue;
                        }
                    };
                    tracing::info!(%plan, generation = %claim.fence.generation, "plan taken over");
                    let shared = Arc::clone(self);
                    let start = driver::Start::TakenUp;
                    self.tracker.spawn_on(
                        async move { shared.drive_claimed(claim, signals, start).await },
                        &self.runtime,
                    );
                }
                Ok(None) => return false,
                Err(error) => {
                    tracing::warn!(%error, "could not look for plans to take over");
                    return false;
                }
            }
        }
        true
    }
}

//! The executor as the rest of the program sees it: takes requests, keeps a driver for each live plan.

use super::driver::{self, Driver};
use super::fact::Fact;
use super::figures::{Attempts, ExecutorFigures};
use super::machine;
use super::shared::{Shared, Signals};
use super::slots::Slots;
use super::wiring::{ExecutorPorts, ExecutorSettings};
use crate::error::{Error, Result};
use crate::failpoint;
use crate::ids::{ExecutionId, PlanId};
use crate::origin::Origin;
use crate::plan::{NewPlan, PlanState, PlanStatus, graph};
use crate::ports::{Claim, Fence, Visibility};
use futures_util::FutureExt;
use std::collections::HashSet;
use std::collections::hash_map::Entry;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{Notify, RwLock};
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
            look: Notify::new(),
            tracker: TaskTracker::new(),
            attempts: Attempts::default(),
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
        // A caller that goes away after the commit must not leave a plan that is held and driven by nobody.
        let shared = Arc::clone(&self.0);
        let origin = Origin::current();
        let creating = async move {
            match origin {
                Some(origin) => origin.scope(shared.create(plan, status)).await,
                None => shared.create(plan, status).await,
            }
        };
        let created = self.0.tracker.spawn_on(creating, &self.0.runtime).await;
        created.unwrap_or_else(|broken| Err(Error::Unavailable(Box::new(broken))))
    }

    /// Takes a request about a plan that is visible to whoever asks: the change is durable when this returns.
    ///
    /// # Errors
    /// `PlanNotFound`, also where it is not visible; `TaskNotFound`, `IllegalPlanMove`, `IllegalTaskMove`, `Conflict`, `Stopping`, `Unavailable`.
    pub async fn submit(&self, visibility: Visibility, plan: PlanId, fact: Fact) -> Result<Submitted> {
        if self.0.stop.is_cancelled() {
            return Err(Error::Stopping);
        }
        let ports = &self.0.ports;
        let mut fact = fact;
        if let Fact::EditRequested { edit, .. } = &mut fact {
            self.0.know_edited_tools(edit)?;
        }
        for _ in 0..CONFLICT_RETRIES {
            let state = ports.plans.load(Some(visibility), plan).await?;
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
                    self.0.tell_neighbours(|neighbours| neighbours.changed(plan));
                    return Ok(Submitted { state, execution_id: committed.execution_id });
                }
                Err(Error::Conflict { .. }) => tokio::task::yield_now().await,
                Err(other) => return Err(other),
            }
        }
        let seen = ports.plans.load(Some(visibility), plan).await?.plan.revision;
        Err(Error::Conflict { plan, seen })
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.0
    }

    /// How many plans this executor has in hand.
    pub fn plans_in_hand(&self) -> usize {
        self.0.registry().len()
    }

    /// What this executor does at this moment, and has done since it was made.
    pub fn figures(&self) -> ExecutorFigures {
        self.0.attempts.read(self.0.slots.occupancy(), self.plans_in_hand())
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
    /// Makes sure that somebody here looks at the plan again.
    pub(super) fn wake(self: &Arc<Self>, plan: PlanId) {
        let mut registry = self.registry();
        if let Some(signals) = registry.get(&plan) {
            signals.asked();
            signals.changed.notify_one();
            return;
        }
        if self.stop.is_cancelled() {
            return;
        }
        let signals = Arc::new(Signals::default());
        signals.asked();
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
        let mut claimed = self.ports.plans.claim(worker, lease, Some(plan)).await;
        while matches!(claimed, Ok(None)) && self.waits_for_holder(plan, &signals).await {
            claimed = self.ports.plans.claim(worker, lease, Some(plan)).await;
        }
        match claimed {
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

    /// Waits a while for whoever holds a plan that was asked for here; false when it need not be asked for again. An
    /// executor that takes over what others leave behind finds it by itself.
    async fn waits_for_holder(&self, plan: PlanId, signals: &Signals) -> bool {
        if self.settings.recover {
            return false;
        }
        tokio::select! {
            () = self.rest(self.settings.lease / 3) => {}
            () = signals.changed.notified() => {}
        }
        !self.stop.is_cancelled()
            && self.ports.plans.load(None, plan).await.map_or(true, |state| state.plan.status.is_live())
    }

    pub(super) async fn drive_claimed(
        self: &Arc<Self>,
        claim: Claim,
        signals: Arc<Signals>,
        start: driver::Start,
    ) {
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
        if !matches!(ended, driver::Ended::Broken | driver::Ended::Over) {
            self.give_back(plan, &fence).await;
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

    async fn give_back(&self, plan: PlanId, fence: &Fence) {
        match self.ports.plans.release(plan, fence).await {
            Ok(()) => self.tell_neighbours(|neighbours| neighbours.free(plan)),
            Err(error) => {
                tracing::warn!(%plan, %error, "the lease could not be given back; it runs out by itself");
            }
        }
    }

    /// A request may have come between the driver's last look and its leaving.
    async fn look_again(self: &Arc<Self>, plan: PlanId) {
        let mut pause = REST;
        while !self.stop.is_cancelled() {
            match self.ports.plans.load(None, plan).await {
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
                () = self.look.notified() => {}
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

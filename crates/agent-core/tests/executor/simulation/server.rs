//! A server as it drives plans: what it has in its memory, and what runs in it.

use super::dice::Dice;
use agent_core::Error;
use agent_core::executor::fact::{Effect, Fact, Outcome};
use agent_core::executor::{machine, schedule};
use agent_core::ids::{PlanId, TaskId, WorkerId};
use agent_core::memory::MemoryCore;
use agent_core::plan::{PlanState, TaskStatus};
use agent_core::ports::{Claim, Fence};
use agent_core::time::Timestamp;
use agent_core::tool::EffectClass;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub(super) const LEASE: Duration = Duration::from_secs(30);

type Attempt = (TaskId, u32);

/// What all servers share, and what is seen from outside.
pub(super) struct World {
    pub(super) core: MemoryCore,
    pub(super) dice: Dice,
    /// The clock of the store, on which leases run.
    pub(super) now: Timestamp,
    /// How often the body of each attempt was started.
    pub(super) bodies: BTreeMap<Attempt, u32>,
}

/// A plan in the memory of a server.
struct Held {
    state: PlanState,
    fence: Fence,
    under_way: BTreeSet<Attempt>,
    /// Told to stop, and not stopped yet.
    stopping: BTreeSet<Attempt>,
    /// Begun by a predecessor.
    resumed: BTreeSet<Attempt>,
}

pub(super) struct Server {
    name: WorkerId,
    /// How far its clock is ahead of the store's, in milliseconds; it may be behind.
    pub(super) ahead_ms: i64,
    held: BTreeMap<PlanId, Held>,
}

impl Server {
    pub(super) fn new(number: usize) -> Self {
        Self { name: WorkerId(format!("server-{number}")), ahead_ms: 0, held: BTreeMap::new() }
    }

    fn now(&self, world: &World) -> Timestamp {
        Timestamp::from_micros(world.now.as_micros() + self.ahead_ms * 1_000)
    }

    pub(super) fn plans(&self) -> Vec<PlanId> {
        self.held.keys().copied().collect()
    }

    /// Dies without a word, and comes back with an empty memory.
    pub(super) fn crash(&mut self) {
        self.held.clear();
    }

    /// Ends what runs without recording it, and gives the plan back.
    pub(super) fn leave(&mut self, world: &mut World, plan: PlanId) {
        if let Some(held) = self.held.remove(&plan) {
            world.core.release(plan, &held.fence);
        }
    }

    /// Keeps its leases, and forgets what others took.
    pub(super) fn renew(&mut self, world: &mut World) {
        let ours = world.core.renew(&self.name, LEASE, world.now);
        self.held.retain(|plan, _| ours.contains(plan));
    }

    pub(super) fn claim(&mut self, world: &mut World, plan: Option<PlanId>) {
        let Some(claim) = world.core.claim(&self.name, LEASE, plan, world.now) else { return };
        let Claim { state, fence, recovered } = claim;
        let (plan, generation) = (state.plan.id, fence.generation.get());
        let running = state.tasks.iter().filter(|task| task.status == TaskStatus::Running);
        let resumed = running.map(|task| (task.id, task.attempts)).collect();
        let (under_way, stopping) = (BTreeSet::new(), BTreeSet::new());
        self.held.insert(plan, Held { state, fence, under_way, stopping, resumed });
        let mut facts = vec![Fact::TimeReached];
        if recovered {
            facts.insert(0, Fact::Recovered { generation, max_recoveries: 3 });
        }
        self.take(world, plan, &facts);
    }

    /// Somebody changed the plan: it is looked at again, and so is the lease where it shows foreign work.
    pub(super) fn look_again(&mut self, world: &mut World, plan: PlanId) {
        if self.held.contains_key(&plan) && self.reload(world, plan) {
            self.take(world, plan, &[Fact::TimeReached]);
        }
    }

    fn reload(&mut self, world: &World, plan: PlanId) -> bool {
        let Some(held) = self.held.get_mut(&plan) else { return false };
        held.state = world.core.load(plan).unwrap();
        let mut running = held.state.tasks.iter().filter(|task| task.status == TaskStatus::Running);
        let unknown = running.any(|task| {
            let attempt = (task.id, task.attempts);
            !held.under_way.contains(&attempt) && !held.resumed.contains(&attempt)
        });
        if unknown && world.core.check_fence(plan, &held.fence).is_err() {
            self.held.remove(&plan);
            return false;
        }
        true
    }

    /// Commits what follows from facts as the driver does it: again after a conflict, silent once the lease is
    /// lost, again when the answer of the store got lost.
    pub(super) fn take(&mut self, world: &mut World, plan: PlanId, facts: &[Fact]) {
        loop {
            let now = self.now(world);
            let Some(held) = self.held.get_mut(&plan) else { return };
            let decision = machine::advance_all(&held.state, facts.to_vec(), now).unwrap();
            let Some(change) = decision.change else { break };
            match world.core.commit(&change, Some(&held.fence)) {
                Ok(_) if world.dice.chance(10) => {}
                Ok(_) => {
                    held.state = machine::apply(&held.state, &change);
                    break;
                }
                Err(Error::Conflict { .. }) => {
                    if !self.reload(world, plan) {
                        return;
                    }
                }
                Err(Error::LeaseLost(_)) => {
                    self.held.remove(&plan);
                    return;
                }
                Err(other) => panic!("{other}"),
            }
        }
        self.reconcile(world, plan);
    }

    /// Starts what shall be under way and is not; stops what is under way and shall not be.
    fn reconcile(&mut self, world: &mut World, plan: PlanId) {
        let Some(held) = self.held.get_mut(&plan) else { return };
        let effects = schedule::outstanding(&held.state).into_iter();
        let wanted: BTreeSet<Attempt> = effects
            .filter_map(|effect| match effect {
                Effect::RunAttempt { task, attempt } => Some((task, attempt)),
                Effect::MakePlan | Effect::Replan | Effect::WakeAt(_) => None,
            })
            .collect();
        held.stopping = held.under_way.difference(&wanted).copied().collect();
        for &attempt in wanted.difference(&held.under_way.clone()) {
            if held.stopping.iter().any(|(task, _)| *task == attempt.0) {
                continue;
            }
            held.under_way.insert(attempt);
            let task = held.state.task(attempt.0).expect("what shall run is part of the plan");
            let again = matches!(task.spec.effect_class(), EffectClass::Pure | EffectClass::Idempotent);
            if held.resumed.contains(&attempt) && !again {
                continue;
            }
            world.core.check_fence(plan, &held.fence).expect("only the holder starts the body of an attempt");
            let times = world.bodies.entry(attempt).or_default();
            *times += 1;
            assert!(again || *times == 1, "an opaque attempt was started {times} times");
        }
        if held.state.plan.cancel_requested {
            self.report_leftovers(world, plan);
        }
    }

    /// Attempts of a cancelled plan that run only in the record.
    fn report_leftovers(&mut self, world: &mut World, plan: PlanId) {
        let Some(held) = self.held.get(&plan) else { return };
        let running = held.state.tasks.iter().filter(|task| task.status == TaskStatus::Running);
        let leftover = running.map(|task| (task.id, task.attempts)).find(|it| !held.under_way.contains(it));
        if let Some((task, attempt)) = leftover {
            let fact = Fact::AttemptFinished { task, attempt, outcome: Outcome::Cancelled, jitter: 0.0 };
            self.take(world, plan, &[fact]);
        }
    }

    /// One of the attempts that run here comes to its end; the report may be doubled. False when none runs.
    pub(super) fn end_an_attempt(&mut self, world: &mut World, plan: PlanId) -> bool {
        let Some(held) = self.held.get_mut(&plan) else { return false };
        let under_way: Vec<Attempt> = held.under_way.iter().copied().collect();
        let Some(ended) = world.dice.pick(&under_way) else { return false };
        let stopped = held.stopping.remove(&ended);
        held.under_way.remove(&ended);
        let resumed = held.resumed.remove(&ended);
        let opaque =
            held.state.task(ended.0).is_some_and(|task| task.spec.effect_class() == EffectClass::Opaque);
        let outcome = match world.dice.roll(8) {
            _ if resumed && opaque => Outcome::Unknown { detail: "the server stopped.".into() },
            0..=5 if stopped => Outcome::Cancelled,
            0 | 1 => Outcome::Failed { error: "exit code 1".into(), retryable: world.dice.chance(80) },
            _ => Outcome::Completed { result: json!(world.dice.roll(3)) },
        };
        let (task, attempt) = ended;
        let mut facts = vec![Fact::AttemptFinished { task, attempt, outcome, jitter: 0.5 }];
        if world.dice.chance(50) {
            facts.push(Fact::SlotsGranted { slots: 1 });
        }
        self.take(world, plan, &facts);
        if world.dice.chance(30) {
            self.take(world, plan, &facts[..1]);
        }
        true
    }
}

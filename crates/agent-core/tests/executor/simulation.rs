//! Thousands of short histories with several workers: crashes, stale leases, lost and doubled messages,
//! conflicts and clock jumps. Everything follows from a seed, which a failure names.

use crate::memory::{Bench, command, plan_of, policy, scan};
use agent_core::executor::fact::{Fact, Outcome};
use agent_core::executor::machine;
use agent_core::ids::{TaskId, WorkerId};
use agent_core::plan::{
    Attempt, OnUnknown, PlanState, PlanStatus, RetryPolicy, TaskKind, TaskSpec, TaskStatus,
};
use agent_core::policy::OnFailure;
use agent_core::ports::{Claim, Fence};
use agent_core::{Error, Result};
use serde_json::json;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(30);
const HISTORIES: u64 = 4_000;

/// A small generator of numbers (SplitMix64, Steele et al. 2014).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }
}

/// What one server has in its memory about the plan.
struct Worker {
    name: WorkerId,
    memory: Option<(PlanState, Fence)>,
}

struct History {
    bench: Bench,
    dice: Dice,
    workers: Vec<Worker>,
    /// Attempts that were seen to have ended, as they ended.
    ended: BTreeMap<(TaskId, u32), Attempt>,
}

fn some_task(dice: &mut Dice, position: u32) -> TaskSpec {
    let after: Vec<u32> = (1..position).filter(|_| dice.chance(40)).collect();
    let mut task = match dice.roll(6) {
        0 => TaskSpec::new("Shall it go on?", TaskKind::Approval).after(&after),
        1 | 2 => scan(&after),
        _ => command(&after),
    };
    let max_attempts = u32::try_from(1 + dice.roll(3)).unwrap();
    task.retry = RetryPolicy { max_attempts, backoff_ms: 500, max_backoff_ms: 4_000 };
    task.requires_approval = dice.chance(10);
    task.on_unknown = [None, Some(OnUnknown::Retry), Some(OnUnknown::Ask)][dice.roll(3) as usize];
    task
}

impl History {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let count = u32::try_from(1 + dice.roll(6)).unwrap();
        let tasks = (1..=count).map(|position| some_task(&mut dice, position)).collect();
        let rules = policy(|policy| {
            policy.max_parallel = dice.chance(50).then(|| 1 + u32::try_from(dice.roll(3)).unwrap());
            policy.on_failure = if dice.chance(50) { OnFailure::Stop } else { OnFailure::Continue };
        });
        let bench = Bench::at(&plan_of(tasks, rules), PlanStatus::Running);
        let worker = |number| Worker { name: WorkerId(format!("worker-{number}")), memory: None };
        Self { bench, dice, workers: (0..3).map(worker).collect(), ended: BTreeMap::new() }
    }

    fn run(&mut self) {
        for _ in 0..60 {
            self.step();
            self.check();
        }
        self.finish();
    }

    fn step(&mut self) {
        let index = self.dice.roll(3) as usize;
        match self.dice.roll(12) {
            0 => self.request(),
            1 => self.workers[index].memory = None,
            2 => self.bench.now = self.bench.now.plus(Duration::from_millis(self.dice.roll(3_000))),
            3 if self.dice.chance(30) => self.bench.now = self.bench.now.plus(LEASE),
            _ if self.workers[index].memory.is_none() => self.claim(index),
            4 => {
                let slots = u32::try_from(self.dice.roll(4)).unwrap();
                self.report(index, &Fact::SlotsGranted { slots });
            }
            5 => self.report(index, &Fact::TimeReached),
            6 => {
                // It says goodbye properly.
                let (_, fence) = self.workers[index].memory.take().unwrap();
                self.bench.core.release(self.bench.plan, &fence).unwrap();
            }
            7 => self.bench.core.renew(&self.workers[index].name, LEASE, self.bench.now).truncate(0),
            _ => self.end_an_attempt(index),
        }
    }

    fn claim(&mut self, index: usize) {
        let (name, now) = (self.workers[index].name.clone(), self.bench.now);
        let Some(Claim { state, fence, recovered }) = self.bench.core.claim(&name, LEASE, None, now) else {
            return;
        };
        let generation = fence.generation.get();
        self.workers[index].memory = Some((state, fence));
        if recovered {
            self.report(index, &Fact::Recovered { generation, max_recoveries: 3 });
        }
        self.report(index, &Fact::TimeReached);
    }

    /// One of the attempts that the worker believes to be running comes to its end; the message may be
    /// doubled.
    fn end_an_attempt(&mut self, index: usize) {
        let Some((state, _)) = &self.workers[index].memory else { return };
        let running: Vec<(TaskId, u32)> = state
            .tasks
            .iter()
            .filter(|task| task.status == TaskStatus::Running)
            .map(|task| (task.id, task.attempts))
            .collect();
        if running.is_empty() {
            return self.report(index, &Fact::SlotsGranted { slots: 2 });
        }
        let (task, attempt) = running[self.dice.roll(running.len() as u64) as usize];
        let outcome = match self.dice.roll(8) {
            0 => Outcome::Unknown { detail: "the server stopped.".into() },
            1 | 2 => Outcome::Failed { error: "exit code 1".into(), retryable: self.dice.chance(80) },
            3 => Outcome::Cancelled,
            _ => Outcome::Completed { result: json!(self.dice.roll(1_000)) },
        };
        let fact = Fact::AttemptFinished { task, attempt, outcome, jitter: 0.5 };
        self.report(index, &fact);
        if self.dice.chance(30) {
            self.report(index, &fact);
        }
    }

    /// Commits what follows from a fact as the driver does it: again after a conflict, silent once the lease
    /// is lost, again when the answer of the store got lost.
    fn report(&mut self, index: usize, fact: &Fact) {
        while let Some((state, fence)) = self.workers[index].memory.clone() {
            let decision = machine::advance(&state, fact.clone(), self.bench.now).unwrap();
            let Some(change) = decision.change else { return };
            let before = self.bench.state();
            match self.bench.core.commit(&change, Some(&fence)) {
                Ok(_) if self.dice.chance(10) => {}
                Ok(_) => {
                    let next = machine::apply(&state, &change);
                    self.workers[index].memory = Some((next, fence));
                    return;
                }
                Err(Error::Conflict { .. }) => {
                    let present = self.bench.state();
                    self.workers[index].memory = Some((present, fence));
                }
                Err(Error::LeaseLost(_)) => {
                    assert_eq!(self.bench.state(), before, "a stale worker wrote something");
                    self.workers[index].memory = None;
                }
                Err(other) => panic!("{other}"),
            }
        }
    }

    /// Somebody wants something, from whichever server.
    fn request(&mut self) {
        let state = self.bench.state();
        let waiting = state.tasks.iter().find(|task| task.status == TaskStatus::AwaitingApproval);
        let fact = match (self.dice.roll(8), waiting) {
            (0, _) => Fact::PauseRequested,
            (1 | 2, _) => Fact::ResumeRequested,
            (3, _) if self.dice.chance(20) => Fact::CancelRequested,
            (4, _) => Fact::RetryRequested { task: None, following: false },
            (_, Some(task)) => {
                let approve = self.dice.chance(80);
                Fact::ApprovalDecided { task: task.id, approve, by: "ada".into(), note: None }
            }
            (_, None) => return,
        };
        let refused: Result<_> = self.bench.try_take(fact);
        if let Err(error) = refused {
            let typed = matches!(error, Error::IllegalPlanMove { .. } | Error::IllegalTaskMove { .. });
            assert!(typed, "{error}");
        }
    }

    /// No attempt that ended is lost or changed, and the events have no gap.
    fn check(&mut self) {
        for (key, attempt) in &self.ended {
            assert_eq!(self.bench.core.attempts.get(key), Some(attempt), "a recorded attempt changed");
        }
        let attempts = self.bench.core.attempts.iter();
        let ended = attempts.filter(|(_, attempt)| attempt.finished_at.is_some());
        self.ended.extend(ended.map(|(key, attempt)| (*key, attempt.clone())));
        let events = &self.bench.core.rows[&self.bench.plan].events;
        assert!(events.iter().zip(1..).all(|(event, seq)| event.seq == seq));
        let running =
            self.bench.core.attempts.values().filter(|attempt| attempt.finished_at.is_none()).count();
        let state = self.bench.state();
        let believed = state.tasks.iter().filter(|task| task.status == TaskStatus::Running).count();
        assert_eq!(running, believed, "attempts and tasks tell different stories");
    }

    /// All servers are gone; one comes back and brings the plan to its end.
    fn finish(&mut self) {
        for worker in &mut self.workers {
            worker.memory = None;
        }
        for _ in 0..1_000 {
            self.bench.now = self.bench.now.plus(LEASE);
            let state = self.bench.state();
            if !state.plan.status.is_live() {
                return;
            }
            if state.plan.status == PlanStatus::Paused && !state.plan.cancel_requested {
                self.bench.take(Fact::ResumeRequested);
            }
            if let Some(task) = state.tasks.iter().find(|task| task.status == TaskStatus::AwaitingApproval) {
                let task = task.id;
                // The question may have lapsed with the jump of the clock; then it is settled already.
                let _ = self.bench.try_take(Fact::ApprovalDecided {
                    task,
                    approve: true,
                    by: "ada".into(),
                    note: None,
                });
            }
            self.workers[0].memory = None;
            self.claim(0);
            self.report(0, &Fact::SlotsGranted { slots: 2 });
            self.end_an_attempt(0);
            self.check();
        }
        panic!("the plan does not come to an end: {:#?}", self.bench.state());
    }
}

#[test]
fn whatever_crashes_no_recorded_attempt_is_lost_and_every_plan_ends() {
    for seed in 0..HISTORIES {
        let told = catch_unwind(AssertUnwindSafe(|| History::new(seed).run()));
        if let Err(panic) = told {
            eprintln!("the history of seed {seed} went wrong");
            resume_unwind(panic);
        }
    }
}

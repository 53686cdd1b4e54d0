//! What an executor counts while it works, for whoever watches it.

use super::fact::Outcome;
use super::slots::Occupancy;
use crate::plan::TaskKind;
use std::sync::atomic::{AtomicU64, Ordering};

/// The kinds of tasks of which there are attempts.
const KINDS: [&str; 5] = ["agent", "command", "patch", "scan", "tool"];
/// How an attempt can end.
const OUTCOMES: [&str; 5] = ["completed", "failed", "outcome_unknown", "asks", "cancelled"];

/// How many attempts of a kind came to an end in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptCount {
    /// The kind of task, as the `kind` field has it.
    pub kind: &'static str,
    /// `completed`, `failed`, `outcome_unknown`, `asks` (it waits for a person, and goes on) or `cancelled`.
    pub outcome: &'static str,
    /// How many.
    pub count: u64,
}

/// What an executor does at this moment, and has done since it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutorFigures {
    /// Attempts and plannings that may run at once.
    pub slots: usize,
    /// Of these, how many are taken.
    pub running: usize,
    /// Tasks that are ready, and wait for a slot.
    pub waiting: usize,
    /// Plans that are driven here.
    pub plans: usize,
    /// Attempts that ended here. Those that were abandoned to another worker are not among them.
    pub attempts: Vec<AttemptCount>,
}

/// Attempts that came to an end, by kind and outcome.
#[derive(Default)]
pub(super) struct Attempts([[AtomicU64; OUTCOMES.len()]; KINDS.len()]);

impl Attempts {
    /// An attempt came to an end.
    pub(super) fn ended(&self, kind: &TaskKind, outcome: &Outcome) {
        let place = KINDS.iter().position(|name| *name == kind.name());
        let end = OUTCOMES.iter().position(|name| *name == outcome.name());
        let count = place.zip(end).and_then(|(kind, outcome)| self.0.get(kind)?.get(outcome));
        if let Some(count) = count {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// All of them so far.
    pub(super) fn read(&self, occupancy: Occupancy, plans: usize) -> ExecutorFigures {
        let Occupancy { slots, running, waiting } = occupancy;
        let attempts = KINDS.iter().zip(&self.0).flat_map(|(kind, ends)| {
            let count = move |(outcome, count): (&&'static str, &AtomicU64)| AttemptCount {
                kind,
                outcome,
                count: count.load(Ordering::Relaxed),
            };
            OUTCOMES.iter().zip(ends).map(count)
        });
        ExecutorFigures { slots, running, waiting, plans, attempts: attempts.collect() }
    }
}

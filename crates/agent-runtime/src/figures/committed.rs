//! Counts what is committed, as the store tells of it.

use agent_core::event::{Event, EventBody};
use agent_core::ports::CommitListener;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Tools that are counted by name; the calls of further ones are counted together.
const MOST_TOOLS: usize = 64;
/// What those are called.
const OTHERS: &str = "other";
/// How a call of a tool can end.
const ENDS: [&str; 3] = ["ok", "error", "outcome_unknown"];

/// How many calls of a tool within attempts ended in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepCount {
    /// The tool.
    pub tool: String,
    /// `ok`, `error` or `outcome_unknown`.
    pub status: &'static str,
    /// How many.
    pub count: u64,
}

/// What this process has committed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommittedFigures {
    /// Events, by name.
    pub events: Vec<(&'static str, u64)>,
    /// Calls of tools that are recorded as steps of an attempt.
    pub steps: Vec<StepCount>,
    /// Plans that were taken over from a worker that vanished.
    pub takeovers: u64,
}

/// Listens to commits and counts.
#[derive(Default)]
pub(crate) struct Committed(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    events: BTreeMap<&'static str, u64>,
    steps: BTreeMap<String, [u64; ENDS.len()]>,
    takeovers: u64,
}

impl Committed {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        // A panic while the counts are held leaves each of them whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was counted so far.
    pub(crate) fn read(&self) -> CommittedFigures {
        let counts = self.counts();
        let steps = counts.steps.iter().flat_map(|(tool, ends)| {
            ENDS.into_iter().zip(*ends).map(|(status, count)| StepCount { tool: tool.clone(), status, count })
        });
        CommittedFigures {
            events: counts.events.iter().map(|(name, count)| (*name, *count)).collect(),
            steps: steps.collect(),
            takeovers: counts.takeovers,
        }
    }
}

impl CommitListener for Committed {
    fn committed(&self, events: &[Event]) {
        let mut counts = self.counts();
        for event in events {
            *counts.events.entry(event.body.name()).or_default() += 1;
            match &event.body {
                EventBody::ToolFinished { tool, status, .. } => counts.step(tool, status),
                EventBody::RunRecovered { .. } => counts.takeovers += 1,
                _ => {}
            }
        }
    }
}

impl Counts {
    fn step(&mut self, tool: &str, status: &str) {
        let Some(end) = ENDS.iter().position(|end| *end == status) else { return };
        let known = self.steps.len() < MOST_TOOLS || self.steps.contains_key(tool);
        let tool = if known { tool } else { OTHERS };
        let ends = match self.steps.get_mut(tool) {
            Some(ends) => ends,
            None => self.steps.entry(tool.to_owned()).or_default(),
        };
        if let Some(count) = ends.get_mut(end) {
            *count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_tools_there_are_a_bounded_number_is_told_apart() {
        let counted = Committed::default();
        for number in 0..1_000 {
            counted.counts().step(&format!("tool-{number}"), "ok");
        }
        counted.counts().step("tool-0", "error");
        let steps = counted.read().steps;
        let of = |tool: &str, status: &str| {
            steps.iter().find(|step| step.tool == tool && step.status == status).map(|step| step.count)
        };
        assert_eq!(steps.len(), (MOST_TOOLS + 1) * ENDS.len());
        assert_eq!((of("tool-0", "ok"), of("tool-0", "error")), (Some(1), Some(1)));
        assert_eq!(of(OTHERS, "ok"), Some(1_000 - MOST_TOOLS as u64));
    }
}

//! What is asked of plans, and what is found.

use super::Visibility;
use crate::ids::{PlanId, Revision};
use crate::model::Usage;
use crate::plan::{Plan, PlanStatus};

/// Which plans to list.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanFilter {
    /// Whose.
    pub visibility: Visibility,
    /// Only these.
    pub status: Option<PlanStatus>,
    /// Only those in whose goal these words are found ([`crate::search`]).
    pub text: Option<String>,
    /// Only those older than this plan (the cursor).
    pub before: Option<PlanId>,
    /// At most so many.
    pub limit: u32,
}

/// A plan in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanSummary {
    /// The plan.
    pub plan: Plan,
    /// How many tasks it has.
    pub tasks: u32,
    /// How many of them are completed.
    pub completed: u32,
}

/// A page of plans, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanPage {
    /// The plans.
    pub plans: Vec<PlanSummary>,
    /// How many match in all.
    pub total: u64,
    /// Pass as `before` to get the next page.
    pub next: Option<PlanId>,
}

/// Counts over all visible plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlanCounts {
    /// All.
    pub total: u64,
    /// Completed ones.
    pub completed: u64,
    /// Live ones: being planned, running, paused or waiting.
    pub live: u64,
}

/// Tells one state of a plan, its tasks and its figures from another without reading them: whatever changes them raises one of
/// the two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlanMark {
    /// How often the plan was changed.
    pub revision: Revision,
    /// The number of its newest event.
    pub seq: i64,
}

/// What calls to one model have used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelUsage {
    /// The model, as it was asked for.
    pub model: String,
    /// Its tokens.
    pub usage: Usage,
}

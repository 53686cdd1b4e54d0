//! The first moment of a plan: what is stored of it, and what begins at once.

use super::draft::Draft;
use super::fact::Fact;
use super::{moves, settle};
use crate::error::Result;
use crate::event::EventBody;
use crate::ids::{PlanId, Revision, TaskId, WorkerId};
use crate::plan::{NewPlan, Plan, PlanState, PlanStatus, Task};
use crate::ports::Opening;
use crate::time::Timestamp;
use std::time::Duration;

/// The opening of a plan in its first status. One that runs is settled and, as far as there are slots for it,
/// begun: so that its creation and its first intents are one commit.
///
/// # Errors
/// None that a plan without a defect leads to: granting slots refuses nothing.
pub fn open(
    plan: NewPlan,
    status: PlanStatus,
    slots: u32,
    hold: Option<(WorkerId, Duration)>,
    now: Timestamp,
) -> Result<Opening> {
    let mut draft = Draft::of(&first_state(plan, status, now), now);
    let summary = match (status, draft.tasks.len()) {
        (PlanStatus::Planning, _) => "planning".to_owned(),
        (_, 1) => "plan created with 1 task".to_owned(),
        (_, count) => format!("plan created with {count} tasks"),
    };
    draft.tell(None, EventBody::PlanUpdated { status, summary });
    settle::settle(&mut draft);
    moves::make(&mut draft, Fact::SlotsGranted { slots })?;
    let (change, state) = draft.into_opening();
    Ok(Opening { state, change, hold })
}

fn first_state(new: NewPlan, status: PlanStatus, now: Timestamp) -> PlanState {
    let plan = Plan {
        id: PlanId(0),
        owner: new.owner,
        goal: new.goal,
        repo_path: new.repo_path,
        status,
        summary: None,
        policy: new.policy,
        auto_execute: new.auto_execute,
        cancel_requested: false,
        template_id: new.template_id,
        version: 1,
        revision: Revision(0),
        created_at: now,
        updated_at: now,
        started_at: None,
        finished_at: None,
    };
    let selected = status == PlanStatus::Running;
    let tasks = (1_u32..).zip(new.tasks).map(|(position, spec)| {
        let id = TaskId(i64::from(position));
        Task { selected, ..Task::new(id, plan.id, position, spec) }
    });
    let tasks = tasks.collect();
    PlanState { plan, tasks }
}

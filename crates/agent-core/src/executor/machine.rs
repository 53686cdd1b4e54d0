//! The heart: every state and edge of plans and tasks as one pure, total function.

use super::draft::Draft;
use super::fact::{Decision, Fact};
use super::{moves, schedule, settle};
use crate::error::Result;
use crate::plan::PlanState;
use crate::ports::Change;
use crate::time::Timestamp;

/// Says what follows from a fact. Pure, synchronous and total.
///
/// A fact about something that is already over (a repeated delivery) changes nothing and is no error.
///
/// # Errors
/// `IllegalPlanMove`, `IllegalTaskMove` and `TaskNotFound` for requests that the present state
/// does not allow; nothing changes then.
pub fn advance(state: &PlanState, fact: Fact, now: Timestamp) -> Result<Decision> {
    advance_all(state, vec![fact], now)
}

/// [`advance`] for several facts that are committed together, in their order.
///
/// # Errors
/// As [`advance`], for the first fact that is refused; none of them is taken then.
pub fn advance_all(state: &PlanState, facts: Vec<Fact>, now: Timestamp) -> Result<Decision> {
    let mut draft = Draft::of(state, now);
    for fact in facts {
        moves::make(&mut draft, fact)?;
        settle::settle(&mut draft);
    }
    let Some((change, next)) = draft.into_change() else {
        return Ok(Decision { change: None, next: None, effects: schedule::outstanding(state) });
    };
    let effects = schedule::outstanding(&next);
    Ok(Decision { change: Some(change), next: Some(next), effects })
}

/// The state after a committed change.
///
/// Tasks that the change adds get their ids from the store; load the plan again after such a one.
pub fn apply(state: &PlanState, change: &Change) -> PlanState {
    let mut next = PlanState { plan: change.plan.clone(), tasks: state.tasks.clone() };
    next.tasks.retain(|task| !change.removed.contains(&task.id));
    // The order of tasks never changes, so both lists are in the same one.
    let mut changed = change.tasks.iter().peekable();
    for slot in &mut next.tasks {
        if let Some(task) = changed.next_if(|task| task.id == slot.id) {
            slot.clone_from(task);
        }
    }
    next
}

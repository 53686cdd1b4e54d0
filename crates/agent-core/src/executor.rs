//! Executes plans: a pure state machine, and the small driver that performs what it decides.
//!
//! [`machine::advance`] takes the state of a plan, a [`fact::Fact`] and the time, and says what
//! changes and what is to be done. It has no clock, no I/O and no async in it. The driver loads,
//! advances, commits, performs the effects and reports them back as facts; after a crash it
//! does the same with whatever has no recorded result yet.

mod agent_loop;
mod assignment;
mod attempt;
mod conversation;
mod creation;
mod draft;
mod driver;
pub mod fact;
mod figures;
mod fingerprint;
mod front;
mod gate;
mod job;
mod known_tools;
pub mod machine;
mod moves;
mod neighbours;
pub mod opening;
mod planning;
pub mod retry;
pub mod schedule;
mod settle;
mod shared;
mod showing;
mod slots;
mod wiring;

pub use figures::{AttemptCount, ExecutorFigures};
pub use front::{Executor, Submitted};
pub use wiring::{ExecutorPorts, ExecutorSettings};

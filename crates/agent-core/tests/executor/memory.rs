//! The outside of the executor, in memory: what the ports promise, and ways to break it on purpose.

mod bench;
mod model;
mod store;
mod tools;
mod world;

pub(crate) use bench::{Bench, answer_to, asks, command, new_plan, plan_of, policy, scan};
pub(crate) use model::Turn;
pub(crate) use store::Fault;
pub(crate) use world::{Server, World, settings, until_at_least};

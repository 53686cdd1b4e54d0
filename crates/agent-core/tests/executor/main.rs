//! The executor and the planner as a specification: the machine alone, the machine among crashing
//! workers, and the real executor over ports in memory.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what tests share fails like a test")]

mod driver;
mod driver_agent;
mod driver_conversation;
mod driver_edit;
mod driver_neighbours;
mod driver_permissions;
mod driver_questions;
mod driver_recovery;
mod driver_sharing;
mod driver_tools;
mod machine;
mod machine_approvals;
mod machine_edit;
mod machine_ends;
mod machine_properties;
mod machine_recovery;
mod memory;
mod memory_store;
mod planner;
mod simulation;

//! Plans, tasks and the rules by which a plan is made and executed, with every port the outside plugs into.
//!
//! Knows the domain: what a plan is, which moves are legal ([`executor::machine::advance`], a pure
//! function), how a goal becomes tasks ([`planner`]), how a task is worked on ([`executor`]).
//! Never knows HTTP, SQL, files, the environment or the wall clock: those come through [`ports`].
//!
//! ```
//! use agent_core::plan::{NewPlan, Priority, TaskKind, TaskSpec, graph};
//!
//! let design = TaskSpec::new("Look at the code", TaskKind::Scan);
//! let build = TaskSpec::new("Build it", TaskKind::shell("make")).after(&[1]);
//! assert!(graph::validate(&[design, build]).is_ok());
//! ```

pub mod approval;
pub mod error;
pub mod event;
pub mod executor;
pub mod failpoint;
pub mod ids;
pub mod memory;
pub mod model;
pub mod origin;
pub mod plan;
pub mod planner;
pub mod policy;
pub mod ports;
pub mod pricing;
pub mod search;
mod text;
pub mod time;
pub mod tool;
pub mod transient;
mod words;

pub use error::{BoxError, Error, Result};

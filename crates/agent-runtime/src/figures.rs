//! What the agent counts while it works, for whoever watches it from outside. Read at any time; nothing of it is kept
//! beyond the process.

mod committed;
mod models;
mod process;

pub(crate) use committed::Committed;
pub use committed::{CommittedFigures, StepCount};
pub use models::ModelFigures;
pub(crate) use models::{MeteredModel, ModelTallies};
pub use process::ProcessFigures;

use agent_core::executor::ExecutorFigures;
use agent_store::CommitFigures;
use agent_webhooks::DeliveryFigures;
use std::time::Duration;

/// What the agent does at this moment, and has done since it was started.
#[derive(Debug, Clone)]
pub struct Figures {
    /// Time since the start.
    pub uptime: Duration,
    /// Attempts, and the room for them.
    pub executor: ExecutorFigures,
    /// What was committed here.
    pub committed: CommittedFigures,
    /// How it was committed.
    pub commits: CommitFigures,
    /// Calls of language models, by model.
    pub models: Vec<ModelFigures>,
    /// Calls of webhooks from here.
    pub deliveries: DeliveryFigures,
    /// What the process uses; none where the system does not tell.
    pub process: Option<ProcessFigures>,
}

//! The front door for embedders: settings in, running agent out.
//!
//! Knows how the crates are wired together, and the process around them: settings, the system
//! clock, the data folder. Never knows HTTP or a terminal.
//!
//! ```
//! use agent_core::plan::{TaskKind, TaskSpec};
//! use agent_runtime::{Agent, CreatePlan, Settings};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let agent = Agent::start(Settings::embedded(folder.path())).await?;
//! let me = agent.local_principal().await?;
//! let task = TaskSpec::new("Say hello", TaskKind::argv(["echo", "hello"]));
//! let plan = agent.plans().create(&me, CreatePlan::new("Greet").with_tasks([task]).execute()).await?;
//! let done = agent.plans().wait(&me, plan.plan.id).await?;
//! println!("{}: {:?}", done.plan.status, done.tasks[0].result);
//! # assert_eq!(done.plan.status.as_str(), "completed");
//! agent.stop().await;
//! # Ok(())
//! # }
//! ```

mod agent;
pub mod backup;
mod data_folder;
mod deliveries;
pub mod doctor;
mod error;
mod figures;
mod policy;
mod repositories;
mod scan_caches;
mod secrets;
mod services;
mod settings;
mod surveys;
mod system;
mod workspaces;

pub use agent::{Agent, AgentBuilder, Health, Part, Readiness};
pub use agent_core::executor::{AttemptCount, ExecutorFigures};
pub use agent_events::BusAddress;
/// Closes the memory and environment of this process to other processes of the same user.
pub use agent_sandbox::protect_own_memory;
/// Why the database could not be opened, for those who tell settings from faults.
pub use agent_store::Error as StoreError;
pub use agent_store::{CommitFigures, Distribution};
pub use agent_webhooks::DeliveryFigures;
pub use error::{Error, Result};
pub use figures::{CommittedFigures, Figures, ModelFigures, ProcessFigures, StepCount};
/// Reads the rules of a server, for those who ask what they say.
pub use policy::read_rules;
pub use repositories::RepositoryRoots;
/// Masks the secrets of these settings, and what looks like one: for logs.
pub use secrets::redactor;
pub use services::{
    ApprovalPage, Approvals, Audit, Conversation, ConversationPage, CreatePlan, CreateWebhook, Decided,
    Edited, EventPage, EventQuery, PersonsAnswer, PlanDetails, Plans, Repositories, Statistics, Stats,
    TemplateEntry, Templates, UpdateWebhook, WantedApprovals, WantedMessages, WebhookPage, Webhooks,
};
pub use settings::{
    AccessSettings, Fallback, LogFormat, ObservingSettings, Overrides, Settings, WebhookSettings,
};
pub use system::SystemClock;
pub use workspaces::Merged;

//! A store without a database: for programs that embed the executor, and for tests.
//!
//! **Nothing survives the process.** Within it everything holds that a store promises: a change is taken whole
//! or not at all, revisions and leases are checked, events are dense, a repeated request finds the first plan.
//!
//! [`MemoryStore`] implements every port of a store over [`MemoryCore`], which keeps the data and neither locks
//! nor waits. [`MemoryStore::ports`] makes of it all that an [`Executor`](crate::executor::Executor) needs; only
//! the time is passed in, because this crate knows no clock:
//!
//! ```
//! use agent_core::executor::{Executor, ExecutorSettings};
//! use agent_core::ids::{Owner, UserId};
//! use agent_core::memory::MemoryStore;
//! use agent_core::plan::{NewPlan, TaskKind, TaskSpec};
//! # use agent_core::policy::Demand;
//! use agent_core::time::Timestamp;
//! use agent_core::tool::Toolbox;
//! # use agent_core::tool::{EffectClass, Tool, ToolContext, ToolError};
//! # struct Greet;
//! # impl Tool for Greet {
//! #     type Input = serde_json::Value;
//! #     type Output = String;
//! #     const NAME: &'static str = "greet";
//! #     const DESCRIPTION: &'static str = "Greets.";
//! #     const EFFECT: EffectClass = EffectClass::Pure;
//! #     fn summary(_input: &Self::Input) -> String { "greet".to_owned() }
//! #     fn demand(_input: &Self::Input, _prepared: &serde_json::Value) -> Demand { Demand::Read }
//! #     async fn call(&self, _input: Self::Input, _context: &ToolContext) -> Result<String, ToolError> {
//! #         Ok("hello".to_owned())
//! #     }
//! # }
//!
//! # #[tokio::main]
//! # async fn main() -> agent_core::Result<()> {
//! let clock = || Timestamp::from_micros(jiff::Timestamp::now().as_microsecond());
//! let store = MemoryStore::new(clock);
//! let ports = store.ports(Toolbox::default().with(Greet));
//! let executor = Executor::new(ports, ExecutorSettings::named("embedded"));
//! let task = TaskSpec::new("Say hello", TaskKind::tool("greet", serde_json::json!({})));
//! let plan = executor.create(NewPlan::new(Owner::in_default_tenant(UserId(1)), "Greet").with_tasks([task]).execute()).await?;
//! let done = store.until_ended(plan.plan.id).await?;
//! assert_eq!(done.tasks[0].result, Some(serde_json::json!("hello").into()));
//! # Ok(())
//! # }
//! ```

mod commit;
mod core;
mod journal;
mod leases;
mod listing;
mod outside;
mod store;

pub use core::MemoryCore;
pub use outside::{BlankSurveyor, EvenSpread, NamedFolders};
pub use store::MemoryStore;

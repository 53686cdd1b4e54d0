//! Keeps everything durably in SQLite or PostgreSQL by implementing the ports.
//!
//! Knows tables, queries, transactions and migrations: [`Store`] implements [`PlanStore`], [`PlanReader`],
//! [`Journal`], [`EventLog`] and [`Conversations`] of `agent-core`, [`UserStore`], [`TenantStore`], [`ApiKeyStore`] and
//! [`RefreshTokenStore`] of `agent-auth`, [`AnalyticsStore`] of `agent-analytics`, [`AuditLog`] of `agent-audit`, and
//! [`WebhookStore`] and [`DeliveryQueue`] of `agent-webhooks`.
//! Never knows which moves of a plan are legal, nor who may see it: it keeps what it is given and finds what it is
//! asked for. But it keeps tenants apart: every row belongs to one, and every statement about rows names it.
//!
//! - A write is answered when it is on the disk: SQLite runs with `synchronous=FULL`, PostgreSQL with
//!   `synchronous_commit` on. One thread writes; all transactions that wait share one commit
//!   ([`Store::statistics`] shows how many), each fails alone. One process writes at a time.
//! - State and events are one transaction. The listener is told after the commit; events that it misses are in the log.
//! - The owner of a plan, message, key or token must be a user of the same store.
//! - Other processes may open the same file or database.
//! - When a server is lost, what was asked fails as `Unavailable` and may be sent again; the store connects again
//!   by itself. Connections are encrypted as `sslmode` says.
//!
//! ```
//! use agent_auth::Role;
//! use agent_auth::ports::{NewUser, UserStore};
//! use agent_core::event::Event;
//! use agent_core::executor::opening;
//! use agent_core::ids::{Owner, TenantId};
//! use agent_core::plan::{NewPlan, PlanStatus, TaskKind, TaskSpec};
//! use agent_core::policy::Policy;
//! use agent_core::ports::{CommitListener, PlanStore, Visibility};
//! use agent_core::time::Timestamp;
//! use agent_store::Store;
//! use std::sync::Arc;
//!
//! struct Quiet;
//! impl CommitListener for Quiet {
//!     fn committed(&self, _events: &[Event]) {}
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let url = format!("sqlite://{}", folder.path().join("agent.db").display());
//! let store = Store::open(&url, Arc::new(Quiet))?;
//!
//! let now = Timestamp::from_micros(1_767_268_800_000_000);
//! let ada = NewUser {
//!     username: "ada".into(),
//!     password_hash: "…".into(),
//!     password_expires_at: None,
//!     tenant: TenantId::DEFAULT,
//!     role: Role::User,
//!     operator: false,
//!     request_key: None,
//! };
//! let ada = UserStore::create(&store, &ada, now).await?.ok_or("the name is taken")?;
//! let owner = Owner { tenant: ada.tenant, user: ada.id };
//! let plan = NewPlan {
//!     owner,
//!     goal: "Say hello".into(),
//!     repo_path: "/srv/repository".into(),
//!     tasks: vec![TaskSpec::new("Greet", TaskKind::shell("echo hello"))],
//!     policy: Policy::default(),
//!     auto_execute: false,
//!     template_id: None,
//!     idempotency: None,
//! };
//! let opening = opening::open(plan, PlanStatus::Created, 0, None, now)?;
//! let made = PlanStore::create(&store, &opening, None).await?.state;
//! assert_eq!(store.load(Some(Visibility::Owner(owner)), made.plan.id).await?, made);
//! store.close().await?;
//! # Ok(())
//! # }
//! ```
//!
//! [`PlanStore`]: agent_core::ports::PlanStore
//! [`PlanReader`]: agent_core::ports::PlanReader
//! [`Journal`]: agent_core::ports::Journal
//! [`EventLog`]: agent_core::ports::EventLog
//! [`Conversations`]: agent_core::ports::Conversations
//! [`UserStore`]: agent_auth::ports::UserStore
//! [`TenantStore`]: agent_auth::ports::TenantStore
//! [`ApiKeyStore`]: agent_auth::ports::ApiKeyStore
//! [`RefreshTokenStore`]: agent_auth::ports::RefreshTokenStore
//! [`AnalyticsStore`]: agent_analytics::ports::AnalyticsStore
//! [`AuditLog`]: agent_audit::AuditLog
//! [`WebhookStore`]: agent_webhooks::WebhookStore
//! [`DeliveryQueue`]: agent_webhooks::DeliveryQueue

#![expect(clippy::duplicate_mod, reason = "the same queries are compiled once for each database")]

mod database;
mod error;
mod glances;
mod location;
mod marks;
mod migrate;
mod pool;
mod postgres;
mod prepared;
mod rows;
mod schema;
mod sqlite;
mod store;
mod writer;

pub use error::Error;
pub use sqlite::backup::Backup;
pub use store::Store;
pub use writer::{CommitFigures, Distribution, WriterStatistics};

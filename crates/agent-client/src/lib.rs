//! A typed client of the server over REST and WebSocket that reconnects and resumes by itself.
//!
//! Knows the wire: paths, credentials, problems, which requests may be sent twice ([`Retries`]), and how a topic is followed
//! over as many connections as it takes ([`Events::follow`]). Never knows what the server does with a request, and nothing
//! of files, terminals or the environment.
//!
//! - A session ([`Client::log_in`]) is renewed near its end, and once when a token is refused.
//! - What reads, and what creates under an idempotency key, is sent again after a lost answer; anything else never is:
//!   [`Error::Unanswered`] says then that it may have been done.
//! - A follower gets every event once and in order, across lost connections, restarts of the server and the end of tokens;
//!   what cannot be resumed is an [`Error::Reset`], never a silent gap.
//!
//! ```
//! use agent_client::{Client, CreatePlan, EventBody, TaskKind, TaskSpec, Topic};
//! use futures_util::TryStreamExt;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = agent_testkit::TestServer::start().await;
//! let client = Client::builder(server.url()).build()?;
//! client.log_in("demo", "demo123").await?;
//! let task = TaskSpec::new("Say hello", TaskKind::argv(["echo", "hello"]));
//! let plan = client.plans().create(&CreatePlan::new("Greet").with_tasks([task]).execute()).await?;
//!
//! let mut events = client.events().topic(Topic::Plan(plan.plan_id)).after(0).until_ended().follow();
//! while let Some(event) = events.try_next().await? {
//!     if let EventBody::PlanUpdated { status, summary } = event.body {
//!         println!("{}: {status}, {summary}", event.seq);
//!     }
//! }
//! # server.stop().await;
//! # Ok(())
//! # }
//! ```

mod accounts;
mod address;
mod analytics;
mod approvals;
mod client;
mod conversation;
mod credential;
mod error;
mod events;
mod follow;
mod http;
mod paging;
mod plans;
mod randomness;
mod retry;
mod session_store;
mod templates;
mod trust;
mod wire;

pub use accounts::{Keys, Users};
pub use agent_core::approval::ApprovalKind;
pub use agent_core::event::{EVENT_NAMES, Event, EventBody};
pub use agent_core::ids::{ApprovalId, ExecutionId, PlanId, TaskId};
pub use agent_core::plan::{CommandLine, PlanStatus, Priority, TaskKind, TaskSpec, TaskStatus};
pub use agent_core::policy::{Policy, Rule};
pub use agent_core::ports::Randomness;
pub use agent_core::time::Timestamp;
pub use analytics::Analytics;
pub use approvals::Approvals;
pub use client::{Client, ClientBuilder};
pub use conversation::Conversation;
pub use error::{Error, FieldProblem, Problem, Result};
pub use events::{
    EventPage, Events, Follow, ListEvents, Reset, ResetReason, Topic, Transient, UnknownEvent, Update,
    Updates,
};
pub use plans::Plans;
pub use retry::Retries;
pub use session_store::{KeptTokens, SessionStore, TakenSession};
pub use templates::Templates;
pub use wire::account::{
    CreateKey, CreateUser, CreatedKey, Key, KeyList, Role, Session, Ticket, UpdateUser, User, UserList,
    Validation,
};
pub use wire::analytics::{
    FailingTask, FailureReason, FiguresBy, FiguresFilter, FiguresPage, Performance, PerformanceReport,
    Period, PlanFigures, SlowTask, SubjectFigures, Summary, TaskFigures, Totals, TrendingTask,
};
pub use wire::approval::{Answer, Approval, ApprovalFilter, ApprovalPage, Decided, Decision};
pub use wire::conversation::{Message, MessageFilter, MessagePage};
pub use wire::create_plan::CreatePlan;
pub use wire::execution::{Execution, Executions, Step};
pub use wire::plan::{
    Accepted, CreatedPlan, Plan, PlanDetails, PlanDiff, PlanFilter, PlanPage, PlanSummary, PlanTasks,
    Statistics, Task,
};
pub use wire::scan::{Scan, ScanRepository};
pub use wire::system::{Health, Stats};
pub use wire::template::{
    Parameter, Template, TemplateFilter, TemplateSearch, TemplateSummary, TemplateTask,
};

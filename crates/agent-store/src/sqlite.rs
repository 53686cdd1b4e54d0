//! SQLite: the connection, the queries compiled for it, and what only it does.

pub(crate) mod dialect;

/// The connection that queries run on.
pub(crate) type Conn = diesel::sqlite::SqliteConnection;
/// The backend that boxed queries are built for.
pub(crate) type Backend = diesel::sqlite::Sqlite;

#[path = "queries/analytics.rs"]
pub(crate) mod analytics;
#[path = "queries/api_keys.rs"]
pub(crate) mod api_keys;
#[path = "queries/approvals.rs"]
pub(crate) mod approvals;
#[path = "queries/attempts.rs"]
pub(crate) mod attempts;
#[path = "queries/blobs.rs"]
pub(crate) mod blobs;
#[path = "queries/commit.rs"]
pub(crate) mod commit;
#[path = "queries/conversation.rs"]
pub(crate) mod conversation;
#[path = "queries/events.rs"]
pub(crate) mod events;
#[path = "queries/idempotency.rs"]
pub(crate) mod idempotency;
#[path = "queries/leases.rs"]
pub(crate) mod leases;
#[path = "queries/listing.rs"]
pub(crate) mod listing;
#[path = "queries/plans.rs"]
pub(crate) mod plans;
#[path = "queries/refresh_tokens.rs"]
pub(crate) mod refresh_tokens;
#[path = "queries/steps.rs"]
pub(crate) mod steps;
#[path = "queries/tasks.rs"]
pub(crate) mod tasks;
#[path = "queries/users.rs"]
pub(crate) mod users;
#[path = "queries/versions.rs"]
pub(crate) mod versions;

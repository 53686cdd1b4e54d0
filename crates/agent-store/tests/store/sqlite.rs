//! The tests, on SQLite.

use crate::world::OnSqlite;

type World = crate::world::World<OnSqlite>;

#[path = "accounts.rs"]
mod accounts;
#[path = "approvals.rs"]
mod approvals;
#[path = "commits.rs"]
mod commits;
#[path = "concurrency.rs"]
mod concurrency;
#[path = "conversation.rs"]
mod conversation;
#[path = "files.rs"]
mod files;
#[path = "journal.rs"]
mod journal;
#[path = "leases.rs"]
mod leases;
#[path = "lists.rs"]
mod lists;
#[path = "opening.rs"]
mod opening;
#[path = "plans.rs"]
mod plans;
#[path = "schema_of_file.rs"]
mod schema;

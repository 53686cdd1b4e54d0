//! The tests, on PostgreSQL.

use crate::world::OnPostgres;

type World = crate::world::World<OnPostgres>;

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
#[path = "journal.rs"]
mod journal;
#[path = "leases.rs"]
mod leases;
#[path = "lists.rs"]
mod lists;
#[path = "opening.rs"]
mod opening;
#[path = "outages.rs"]
mod outages;
#[path = "plans.rs"]
mod plans;
#[path = "schema_of_server.rs"]
mod schema;
#[path = "servers.rs"]
mod servers;

//! The tests, on PostgreSQL.

use crate::world::OnPostgres;

type World = crate::world::World<OnPostgres>;

#[path = "accounts.rs"]
mod accounts;
#[path = "analytics.rs"]
mod analytics;
#[path = "approvals.rs"]
mod approvals;
#[path = "audit.rs"]
mod audit;
#[path = "commits.rs"]
mod commits;
#[path = "concurrency.rs"]
mod concurrency;
#[path = "conversation.rs"]
mod conversation;
#[path = "every_statement.rs"]
mod every_statement;
#[path = "journal.rs"]
mod journal;
#[path = "leases.rs"]
mod leases;
#[path = "lists.rs"]
mod lists;
#[path = "members.rs"]
mod members;
#[path = "opening.rs"]
mod opening;
#[path = "outages.rs"]
mod outages;
#[path = "plans.rs"]
mod plans;
#[path = "row_security.rs"]
mod row_security;
#[path = "schema_of_server.rs"]
mod schema;
#[path = "search.rs"]
mod search;
#[path = "servers.rs"]
mod servers;
#[path = "templates.rs"]
mod templates;
#[path = "tenants.rs"]
mod tenants;
#[path = "tenants_writes.rs"]
mod tenants_writes;
#[path = "webhooks.rs"]
mod webhooks;

//! The store through its ports, on real files.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed, also in what tests share")]

mod accounts;
mod commits;
mod concurrency;
mod conversation;
mod journal;
mod leases;
mod lists;
mod opening;
mod plans;
mod schema;
mod world;

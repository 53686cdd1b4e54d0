//! The store through its ports, on real files and on a real server. Every test runs on both.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed, also in what tests share")]
#![expect(clippy::duplicate_mod, reason = "the same tests are compiled once for each database")]

mod declared;
mod postgres;
mod realm;
mod sqlite;
mod statements;
mod world;

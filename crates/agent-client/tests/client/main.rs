//! The client against the real server; lines that break, and what no real server says, are played.

#![expect(clippy::unwrap_used, reason = "what a test needs and lacks fails the test")]

mod accounts;
mod encrypted;
mod followed;
mod interrupted;
mod looked_up;
mod played;
mod protocol;
mod proxy;
mod repeated;
mod requests;
mod restarted;
mod sessions;
mod shared_sessions;
mod subscriptions;

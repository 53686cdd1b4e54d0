//! Listening to events: on one server, and among several.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what a test needs and lacks fails the test")]

mod half_way;
mod log;
mod sharing;
mod subscriptions;

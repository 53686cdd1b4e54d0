//! The API as its callers see it: the real server on a loopback port, spoken to over HTTP and WebSocket.

#![expect(clippy::unwrap_used, reason = "a test that meets what it did not expect fails, and says where")]

mod approvals;
mod auth;
mod bodies;
mod edits;
mod events;
mod idempotency;
mod isolation;
mod models;
mod openapi;
mod plans;
mod policy;
mod problems;
mod system;
mod templates;
mod unauthorized;
mod websocket;

//! The API as its callers see it: the real server on a loopback port, spoken to over HTTP and WebSocket.

#![expect(clippy::unwrap_used, reason = "a test that meets what it did not expect fails, and says where")]

mod access_matrix;
mod approvals;
mod audit_trail;
mod auth;
mod bodies;
mod browser;
mod clients;
mod credentials;
mod edits;
mod events;
mod every_operation;
mod examples;
mod idempotency;
mod input_bodies;
mod input_heads;
mod input_values;
mod isolation;
mod journey;
mod live_events;
mod metrics;
mod models;
mod openapi;
mod openapi_examples;
mod organisations;
mod pages;
mod plans;
mod policy;
mod problems;
mod representations;
mod request_limits;
mod search;
mod system;
mod template_exchange;
mod templates;
mod tenants;
mod unauthorized;
mod web_safety;
mod webhooks;
mod websocket;

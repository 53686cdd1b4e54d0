//! The API as its callers see it: the real server on a loopback port, spoken to over HTTP and WebSocket.

mod approvals;
mod auth;
mod bodies;
mod events;
mod openapi;
mod plans;
mod problems;
mod system;
mod templates;
mod unauthorized;
mod websocket;

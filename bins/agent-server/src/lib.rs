//! HTTP and WebSocket face of the agent, with its OpenAPI document.
//!
//! Knows requests, answers, status codes and the wire formats. Never knows rules of the domain, SQL or
//! files: each handler makes one call to [`agent_runtime::Agent`].
//!
//! ```
//! use agent_runtime::{Agent, Settings};
//! use agent_server::{ServeOptions, serve};
//! use std::net::TcpListener;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let runtime = tokio::runtime::Runtime::new()?;
//! # runtime.block_on(async {
//! let agent = Agent::start(Settings::embedded(folder.path())).await?;
//! let server = serve(agent.clone(), TcpListener::bind("127.0.0.1:0")?, ServeOptions::default()).await?;
//! println!("listening on {}", server.url());
//! server.stop().await;
//! agent.stop().await;
//! # Ok(())
//! # })
//! # }
//! ```

mod app;
mod asked;
mod auditing;
mod compression;
mod conditional;
mod connection_limits;
mod cors;
mod error;
mod event_stream;
mod every_response;
mod extract;
mod limiting;
mod masked_log;
mod metrics;
mod openapi;
mod plan_answers;
mod program;
mod routes;
mod server;
mod state;
mod traces;
pub mod views;
mod watching;
mod websocket;

pub use agent_websocket::Limits as WebSocketLimits;
pub use connection_limits::ConnectionLimits;
pub use error::{ApiError, ErrorCode};
pub use program::ServerArguments;
pub use server::{Running, ServeOptions, serve};
pub use traces::{SpanFigures, Traces};
pub use websocket::WebSocketSettings;

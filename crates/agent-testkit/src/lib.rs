//! Real parts made easy to start in a test.
//!
//! Knows how to start the real server on a free port with a database and a repository of its own, and how
//! to talk to it. Never replaces a part by something that only looks like it. A dev-dependency, nothing else.
//!
//! ```
//! use agent_testkit::TestServer;
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let server = TestServer::start().await;
//! let demo = server.log_in("demo", "demo123").await;
//! let answer = demo.get("/auth/validate").await;
//! assert_eq!((answer.status, answer.json["username"].as_str()), (200, Some("demo")));
//! server.stop().await;
//! # });
//! ```

#![expect(clippy::expect_used, reason = "a test that cannot set itself up fails, and says so")]

mod client;
mod process;
mod proxy;
mod raw;
mod repository;
mod script;
mod server;
mod socket;

pub use client::{Answer, Client};
pub use process::{Database, Ended, ServerCommand, ServerProcess, Starting};
pub use proxy::{Greeted, Proxy, Seeded, Talk};
pub use raw::RawConnection;
pub use repository::{Repository, RepositoryBuilder};
pub use script::write_script;
pub use server::{TestServer, TestServerBuilder};
pub use socket::{Frame, Socket};

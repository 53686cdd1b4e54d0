//! A real PostgreSQL made easy to start in a test.
//!
//! Knows how to find an installed PostgreSQL, start a private server of it on a free port, give each test a database
//! of its own, kill the server in the middle of its work, and stand between it and its clients. Never pretends: where
//! no PostgreSQL is installed a test is told so, says so and passes. A dev-dependency, nothing else.
//!
//! ```
//! use agent_testkit_postgres::PostgresCluster;
//!
//! if let Some(cluster) = PostgresCluster::shared() {
//!     let database = cluster.create_database(None);
//!     assert_eq!(database.query("SELECT 6 * 7"), ["42"]);
//! }
//! ```

#![expect(clippy::expect_used, reason = "a test that cannot set itself up fails, and says so")]
#![expect(
    clippy::disallowed_methods,
    reason = "it starts the programs of PostgreSQL, as told by the environment"
)]

mod certificates;
mod cluster;
mod database;
mod installation;
mod proxy;

pub use cluster::{ClusterOptions, PostgresCluster};
pub use database::TestDatabase;
pub use proxy::CuttingProxy;

//! One connection over a real server, as its client sees it.

#![expect(
    clippy::disallowed_methods,
    reason = "another program tries the connections, as told by the environment"
)]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what a test needs and lacks fails the test")]

mod conformance;
mod connections;
mod server;

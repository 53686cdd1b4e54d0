//! What survives: the real server, killed, paused, cut off from its disk, and started again on the same data.
//!
//! `docs/durability-cases.md` says which case is which test. Settings of the suite, all from the environment:
//! `AGENT_TEST_KILLS` (random kills, 25 unless said), `AGENT_TEST_SEED` (of what is random; printed),
//! `AGENT_TEST_SOAK` (seconds, 20 unless said), `AGENT_TEST_POWER_CUTS` (rounds, 3 unless said).

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod attempts;
mod clock;
mod dice;
mod disk;
mod effects;
mod failpoints;
mod history;
mod keys;
mod killed;
mod live_events;
mod load;
mod models;
mod pace;
mod random_kills;
mod scene;
mod schema;
mod settings;
mod sharing;
mod soak;
mod storage;
mod two_servers;
mod watch;

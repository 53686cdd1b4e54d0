//! Webhooks: which addresses may be called, how calls are signed, and when they are made again.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what a test needs and lacks fails the test")]

mod addresses;
mod claims;
mod decisions;
mod destinations;
mod dispatching;
mod encrypted;
mod guarded;
mod memory;
mod receiver;
mod secrecy;
mod signatures;
mod webhooks;
mod world;

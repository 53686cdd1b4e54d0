//! What the audit record promises, through its public face.

#![expect(clippy::unwrap_used, reason = "what a test needs and lacks fails the test")]

mod encoding;
mod files;
mod histories;
mod limits;
mod log;
mod verifying;

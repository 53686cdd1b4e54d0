//! The command line as a person uses it: the real program, real repositories, real exit codes.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod approvals;
mod backup;
mod chat;
mod demo;
mod fixture;
mod help;
mod interrupting;
mod patch;
mod plans;
mod run;
mod scan;
mod serve;

//! The command line as a person uses it: the real program, real repositories, real exit codes.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod accounts;
mod approvals;
mod backup;
mod both_ways;
mod chat;
mod demo;
mod fixture;
mod help;
mod hostile;
mod interrupting;
mod login;
mod manual;
mod patch;
mod plans;
mod run;
mod scan;
mod serve;
mod server;
mod terminal;

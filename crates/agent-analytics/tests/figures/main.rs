//! What is said of executions, from counts that were kept before and from attempts that were not.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed, also in what tests share")]

mod history;
mod known;
mod merging;
mod recorded;
mod sketch;

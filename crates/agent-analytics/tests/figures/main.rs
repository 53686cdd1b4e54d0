//! What is said of executions, from counts that were kept before and from attempts that were not.

mod history;
mod known;
mod merging;
mod recorded;
mod sketch;

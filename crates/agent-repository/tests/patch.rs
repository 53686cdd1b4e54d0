//! The patcher as a specification: what applies, what is refused, and that nothing happens in between.

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare its files has failed")]

#[path = "patch/workspace.rs"]
mod workspace;

#[path = "patch/accepted.rs"]
mod accepted;
#[path = "patch/agreement_with_git.rs"]
mod agreement_with_git;
#[path = "patch/in_memory.rs"]
mod in_memory;
#[path = "patch/paths.rs"]
mod paths;
#[path = "patch/properties.rs"]
mod properties;
#[path = "patch/recovery.rs"]
mod recovery;
#[path = "patch/refused.rs"]
mod refused;

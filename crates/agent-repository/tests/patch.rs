//! The patcher as a specification: what applies, what is refused, and that nothing happens in between.

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare its files has failed")]

#[path = "patch/workspace.rs"]
mod workspace;

// The tool that measures the patcher on real histories is tested with the patcher.
#[path = "../examples/patch_corpus/corpus.rs"]
mod corpus_tool;

#[path = "patch/accepted.rs"]
mod accepted;
#[path = "patch/agreement_with_git.rs"]
mod agreement_with_git;
#[path = "patch/as_models_write.rs"]
mod as_models_write;
#[path = "patch/corpus.rs"]
mod corpus;
#[path = "patch/history.rs"]
mod history;
#[path = "patch/in_memory.rs"]
mod in_memory;
#[path = "patch/merging.rs"]
mod merging;
#[path = "patch/never_wrong.rs"]
mod never_wrong;
#[path = "patch/paths.rs"]
mod paths;
#[path = "patch/properties.rs"]
mod properties;
#[path = "patch/recovery.rs"]
mod recovery;
#[path = "patch/refused.rs"]
mod refused;

//! How long an answer may be.

use agent_core::model::ModelError;

/// Longest answer that is taken, in bytes as they come from the provider. No answer that makes sense
/// comes near; it keeps a server that never ends from filling the memory.
pub(crate) const ANSWER_LIMIT: usize = 16 << 20;

/// The answer exceeds [`ANSWER_LIMIT`].
pub(crate) fn too_long() -> ModelError {
    ModelError::Malformed(format!("the answer is longer than {ANSWER_LIMIT} bytes"))
}

//! What can be wrong with rules.

use agent_core::policy::RuleProblem;

/// Rules that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is no TOML of `[[rules]]`, or has a field that nobody knows.
    #[error("the rules cannot be read: {0}")]
    Text(String),
    /// Some of the rules are wrong.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Rules(Vec<RuleProblem>),
}

/// The result of what this crate does.
pub type Result<T, E = Error> = std::result::Result<T, E>;

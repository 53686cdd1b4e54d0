//! Why a template is refused, not found, or not filled in.

use agent_core::error::Defect;

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every way in which templates are refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is no TOML, or has unknown or missing fields.
    #[error("the template cannot be read as TOML")]
    Unreadable(#[source] toml::de::Error),
    /// The template breaks rules; all defects found are listed, with pointers into the template.
    #[error("template {id:?} has {} defect(s): {}", .defects.len(), listed(.defects))]
    Invalid {
        /// The template's id as given.
        id: String,
        /// What is wrong, and where.
        defects: Vec<Defect>,
    },
    /// Two templates of one catalogue have the same id.
    #[error("there are two templates {0:?}; give one of them another id")]
    DuplicateId(String),
    /// No template has this id.
    #[error("template {0:?} does not exist; the list of templates names those that do")]
    NotFound(String),
    /// Parameters are missing, unknown, of the wrong type or hold refused text; all are listed, with
    /// pointers into the request (`/parameters/NAME`).
    #[error("{} parameter(s) cannot be used: {}", .0.len(), listed(.0))]
    Parameters(Vec<Defect>),
}

fn listed(defects: &[Defect]) -> String {
    let lines: Vec<String> = defects.iter().map(|d| format!("{}: {}", d.pointer, d.detail)).collect();
    lines.join("; ")
}

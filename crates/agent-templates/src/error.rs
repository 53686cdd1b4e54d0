//! Why a template is refused, not found, or not filled in.

use crate::text::shortened;
use agent_core::error::{BoxError, Defect};

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every way in which templates are refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is no TOML, or has unknown or missing fields.
    #[error("the template cannot be read as TOML")]
    Unreadable(#[source] toml::de::Error),
    /// The text is no YAML, has unknown or missing fields, or goes beyond what a template needs of YAML. The text of
    /// the error names line and column.
    #[error("the template cannot be read as YAML: {0}")]
    UnreadableYaml(String),
    /// The template breaks rules; the first hundred defects are listed, with pointers into
    /// the template.
    #[error("template {:?} has {} defect(s): {}", shortened(.id), .defects.len(), listed(.defects))]
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
    /// Parameters are missing, unknown, of the wrong type, hold refused text or make a text too long; the first
    /// hundred are listed, with pointers into the request (`/parameters/NAME`).
    #[error("{} parameter(s) cannot be used: {}", .0.len(), listed(.0))]
    Parameters(Vec<Defect>),
    /// The tenant has a template of this id already.
    #[error("there is a template {0:?} already; change that one, or choose another id")]
    Taken(String),
    /// The id is that of a template that comes with the program.
    #[error("{0:?} is built in and cannot be changed; make one of your own under another id")]
    BuiltIn(String),
    /// The template is somebody else's, and the caller does not administer the tenant.
    #[error("template {0:?} is changed and deleted by its author and by administrators only")]
    NotTheAuthor(String),
    /// The tenant has as many templates as one may have.
    #[error("there are {max} templates already, which is the most that a tenant may have; delete one first")]
    TooMany {
        /// How many one may have.
        max: u32,
    },
    /// The templates of the tenant would be larger together than one may have.
    #[error("all templates of a tenant have at most {max} bytes together; delete one, or make some shorter")]
    TooMuch {
        /// How many bytes they may have.
        max: u64,
    },
    /// The template was changed, or made anew under its id, since the caller looked.
    #[error(
        "template {id:?} is at version {present}, and not what was seen as version {seen}; look at it again"
    )]
    VersionMismatch {
        /// Which template.
        id: String,
        /// The version that the caller has seen.
        seen: u32,
        /// The one it is at.
        present: u32,
    },
    /// The template never had this version, or has it no longer.
    #[error("template {id:?} has no version {version}")]
    VersionNotFound {
        /// Which template.
        id: String,
        /// The version that was asked for.
        version: u32,
    },
    /// The store cannot be reached, or what it holds is damaged.
    #[error("the store cannot be reached")]
    Unavailable(#[source] BoxError),
}

impl Error {
    /// No template has this id, of which only so much is repeated as an id may have.
    pub fn not_found(id: &str) -> Self {
        Self::NotFound(id.chars().take(64).collect())
    }
}

/// The first few defects, short enough for a line of a log.
fn listed(defects: &[Defect]) -> String {
    const SHOWN: usize = 3;
    let line = |defect: &Defect| format!("{}: {}", shortened(&defect.pointer), shortened(&defect.detail));
    let lines: Vec<String> = defects.iter().take(SHOWN).map(line).collect();
    let more = defects.len().saturating_sub(SHOWN);
    let rest = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("{}{rest}", lines.join("; "))
}

//! What can go wrong with a scan, a listing or a search as a whole.
//!
//! A single file that cannot be read is not an error: it is listed in the report's `skipped`.

use std::io;
use std::path::PathBuf;

/// Why a scan, a listing or a search could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder to scan cannot be opened.
    #[error("the repository folder {} cannot be opened; check that it exists and may be read", path.display())]
    RootUnreadable {
        /// The folder as the caller named it.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The path names something other than a folder.
    #[error("{} is not a folder; name the folder that holds the repository", .0.display())]
    NotAFolder(PathBuf),
    /// A path inside the repository was asked for that leads out of it.
    #[error("the path {0:?} leads out of the repository; use a path relative to its root, without `..`")]
    OutsideRepository(String),
    /// The search pattern is not a regular expression.
    #[error("the search pattern is not a valid regular expression; correct it or search for plain text")]
    InvalidPattern(#[source] Box<regex::Error>),
    /// The search pattern is empty.
    #[error("the search pattern is empty; name the text to look for")]
    EmptyPattern,
    /// The glob of a search cannot be read.
    #[error("the glob is not valid; use forms like `*.rs` or `src/**/*.py`")]
    InvalidGlob(#[source] Box<ignore::Error>),
}

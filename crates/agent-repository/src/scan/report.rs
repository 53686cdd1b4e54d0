//! What a scan tells.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::manifests::Manifest;
use crate::git::GitState;
use crate::symbols::Symbol;

/// The figures and the outline of a repository. The same tree gives the same report, but for
/// `duration_ms`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScanReport {
    /// Regular files that are not left out, binary files included.
    pub total_files: u64,
    /// Folders that are not left out, without the root.
    pub total_directories: u64,
    /// Lines of all files in `languages`.
    pub total_lines: u64,
    /// Lines of code of all files in `languages`.
    pub total_code_lines: u64,
    /// Sizes of all files, in bytes.
    pub total_bytes: u64,
    /// Languages, most lines of code first.
    pub languages: Vec<Language>,
    /// The folder tree as text, cut at a depth and a number of lines; where it is cut it says so.
    pub directory_tree: String,
    /// The state of the git repository whose top folder this is; `None` for other folders.
    pub git: Option<GitState>,
    /// What builds and tests the repository, nearest to the root first.
    pub manifests: Vec<Manifest>,
    /// What the files define, in the order of files and lines; `None` if it was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbols: Option<Vec<Symbol>>,
    /// What was left out and why, in the order of paths.
    pub skipped: Vec<Skipped>,
    /// How long the scan took, in milliseconds.
    pub duration_ms: u64,
}

/// The lines of one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Language {
    /// The usual name, such as `C++` or `Rust`.
    pub name: String,
    /// Files of this language.
    pub files: u64,
    /// All lines: code, comments and blanks.
    pub lines: u64,
    /// Lines that hold code.
    pub code: u64,
    /// Lines that hold only comments, or prose.
    pub comments: u64,
    /// Lines of white space.
    pub blanks: u64,
}

/// Something the scan left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Skipped {
    /// Relative to the root, `.` for the scan as a whole; odd bytes are escaped.
    pub path: String,
    /// Why.
    pub reason: SkipReason,
    /// More about it, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Why a path was left out of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// A limit was hit: what is below or after this is missing from the figures.
    Truncated,
    /// Its name begins with a dot.
    Hidden,
    /// A folder of other people's code or of build results.
    Vendored,
    /// A folder that `.gitignore` or `.ignore` rules out.
    Ignored,
    /// It usually holds secrets.
    Sensitive,
    /// A link; links are not followed.
    Symlink,
    /// A named pipe, a socket or a device; never opened.
    SpecialFile,
    /// The operating system refused to read it.
    Unreadable,
    /// Larger than a single file may be: counted in files and bytes, not in lines.
    TooLarge,
    /// Counted, but its symbols are missing: too large to be outlined, or not parsed in time.
    NotOutlined,
}

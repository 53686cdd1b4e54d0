//! Paths inside a workspace, checked once so that nobody has to check them again.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// Longest accepted path in bytes (the operating system's own limit).
const LONGEST_PATH: usize = 4095;
/// Longest accepted path component in bytes.
const LONGEST_COMPONENT: usize = 255;

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PathRefusal {
    /// The path is empty or names the workspace itself.
    #[error("it names no file; give a path relative to the workspace")]
    Empty,
    /// The path starts at the root of the file system or of a drive.
    #[error("it is absolute; give a path relative to the workspace")]
    Absolute,
    /// The path has a `..` component.
    #[error("it has a `..` part; give a path relative to the workspace")]
    Upwards,
    /// The path has a NUL character.
    #[error("it has a NUL character")]
    Nul,
    /// The path or one of its components is longer than the file system takes.
    #[error("it is too long")]
    TooLong,
    /// The path reaches into git's own files, which only git may write.
    #[error("it belongs to git itself; use git commands instead")]
    GitInternal,
    /// The path is one that the workspace's owner protects from writing.
    #[error("it is protected from writing in this workspace")]
    Protected,
    /// The change would make git run programs when files are checked out or compared.
    #[error("it would attach filter, diff or merge programs to files")]
    GitProgram,
}

/// A path inside a workspace: relative, normalised (`a/./b//c` is `a/b/c`), without `..`.
///
/// [`Display`](fmt::Display) shows control and direction characters escaped, so that a file name cannot
/// forge a line of a log or of a diff; [`RelativePath::as_str`] is the name itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RelativePath(String);

impl RelativePath {
    /// Checks and normalises a path.
    ///
    /// # Errors
    /// [`Error::PathRefused`] for a path that is empty, absolute (also in the manner of Windows), too long,
    /// or has a `..` part or a NUL character.
    pub fn new(path: &str) -> Result<Self, Error> {
        match normalise(path) {
            Ok(normal) => Ok(Self(normal)),
            Err(reason) => Err(Error::PathRefused { path: path.to_owned(), reason }),
        }
    }

    /// The path with `/` between its components.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The components from the outermost directory to the file.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// The directory that holds the file; `None` when it stands directly in the workspace.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(parent, _)| Self(parent.to_owned()))
    }

    /// The last component.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit_once('/').map_or(self.0.as_str(), |(_, name)| name)
    }

    /// Refuses paths that belong to git: any component that a file system may take for `.git`, and
    /// `.gitmodules`.
    ///
    /// # Errors
    /// [`Error::PathRefused`] with [`PathRefusal::GitInternal`].
    pub fn check_writable(&self) -> Result<(), Error> {
        if self.components().any(is_git_internal) {
            return Err(self.refused(PathRefusal::GitInternal));
        }
        Ok(())
    }

    /// Whether this path is `other` or stands somewhere beneath it, letter case ignored.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        let (inner, outer) = (self.0.to_lowercase(), other.0.to_lowercase());
        inner == outer || inner.strip_prefix(&outer).is_some_and(|rest| rest.starts_with('/'))
    }

    pub(crate) fn refused(&self, reason: PathRefusal) -> Error {
        Error::PathRefused { path: self.0.clone(), reason }
    }
}

fn normalise(path: &str) -> Result<String, PathRefusal> {
    if path.contains('\0') {
        return Err(PathRefusal::Nul);
    }
    if is_absolute(path) {
        return Err(PathRefusal::Absolute);
    }
    if path.split(['/', '\\']).any(|part| part == "..") {
        return Err(PathRefusal::Upwards);
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let normal = parts.join("/");
    if normal.is_empty() {
        return Err(PathRefusal::Empty);
    }
    // `./C:\x` is relative only as it is written.
    if is_absolute(&normal) {
        return Err(PathRefusal::Absolute);
    }
    if normal.len() > LONGEST_PATH || parts.iter().any(|part| part.len() > LONGEST_COMPONENT) {
        return Err(PathRefusal::TooLong);
    }
    Ok(normal)
}

/// Whether the path starts at a root or a drive, as any system writes that.
fn is_absolute(path: &str) -> bool {
    let bytes = path.as_bytes();
    let drive = bytes.len() >= 3 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':';
    path.starts_with(['/', '\\']) || (drive && matches!(bytes[2], b'/' | b'\\'))
}

/// Letter case, trailing dots and blanks, ignorable characters and short names are how other file systems
/// make a second name of `.git`.
fn is_git_internal(component: &str) -> bool {
    let visible: String = component.chars().filter(|c| !is_ignorable(*c)).collect();
    let lower = visible.trim_end_matches(['.', ' ']).to_ascii_lowercase();
    let lower = lower.split(':').next().unwrap_or_default();
    matches!(lower, ".git" | "git~1" | ".gitmodules" | "gitmod~1")
}

fn is_ignorable(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

impl fmt::Display for RelativePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if c.is_control() || is_ignorable(c) {
                write!(f, "{}", c.escape_default())?;
            } else {
                write!(f, "{c}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for RelativePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl AsRef<str> for RelativePath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RelativePath {
    type Error = Error;

    fn try_from(path: String) -> Result<Self, Error> {
        Self::new(&path)
    }
}

impl From<RelativePath> for String {
    fn from(path: RelativePath) -> Self {
        path.0
    }
}

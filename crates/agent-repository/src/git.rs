//! Asks git about a repository whose configuration may be hostile.
//!
//! Knows: the git program and how to keep a repository's own configuration from running anything.
//! Never knows: plans, models; it never changes a repository, and it never talks to a network.
//!
//! A repository's configuration may name programs in many places (monitors, hooks, filters, diff
//! drivers, transports). All of them are overridden, the environment is empty, transports are off, and
//! the process group is killed when it takes too long.
//!
//! ```
//! let folder = tempfile::tempdir()?;
//! assert_eq!(agent_repository::git::state(folder.path())?, None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub(crate) mod process;
mod status;

use std::io;
use std::path::Path;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How long one git command may take.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Why git did not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The program could not be started.
    #[error("git could not be started; check the installation of git on this machine")]
    NotStarted(#[source] io::Error),
    /// The program was killed because it took too long.
    #[error("git did not answer within {} s and was stopped; check the repository with `git status`", .0.as_secs())]
    TimedOut(Duration),
    /// The answer was longer than is taken.
    #[error(
        "git answered with more than {0} bytes and was stopped; too many files have changed to list them"
    )]
    TooLong(usize),
    /// Git refused.
    #[error("git failed ({status}): {message}; check the repository with `git status`")]
    Failed {
        /// The exit status as text.
        status: String,
        /// The first lines of what git wrote to its error output.
        message: String,
    },
    /// The answer could not be read.
    #[error("the answer of git could not be read; try again")]
    Unreadable(#[source] io::Error),
}

/// Where a repository stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GitState {
    /// The branch; `None` when a commit is checked out directly.
    pub branch: Option<String>,
    /// The commit, in hexadecimal; `None` before the first commit.
    pub head: Option<String>,
    /// Tracked files differ from the commit, or files are neither tracked nor ignored. Submodules are
    /// not looked into.
    pub dirty: bool,
}

/// A file that differs from the commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrackedChange {
    /// Relative to the root; odd bytes are escaped.
    pub path: String,
    /// What happened to it.
    pub kind: ChangeKind,
    /// Where it was before it was moved or copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// What happened to a tracked file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// New in the index.
    Added,
    /// Its content or mode differs.
    Modified,
    /// It is gone.
    Deleted,
    /// It has another name.
    Renamed,
    /// It is a copy of another file.
    Copied,
    /// A merge left it in conflict.
    Conflicted,
}

/// The branch, the commit and whether there are changes.
///
/// `None` when `root` is not the top folder of a repository (a work tree may be the main one or a linked
/// one), or when git is not installed.
///
/// # Errors
///
/// When git is there but fails, does not answer in time, or answers without end.
pub fn state(root: &Path) -> Result<Option<GitState>, Error> {
    let arguments = ["--branch", "--untracked-files=normal"];
    Ok(process::status(root, &arguments, TIME_LIMIT)?.map(|answer| status::state(&answer)))
}

/// The tracked files that differ from the commit, in the order of git. `None` as for [`state`].
///
/// # Errors
///
/// As for [`state`].
pub fn tracked_changes(root: &Path) -> Result<Option<Vec<TrackedChange>>, Error> {
    let arguments = ["--untracked-files=no", "--find-renames"];
    Ok(process::status(root, &arguments, TIME_LIMIT)?.map(|answer| status::changes(&answer)))
}

/// Which of these paths, relative to the root, git keeps track of; of a folder, whether it does of anything in it.
/// `None` as for [`state`].
///
/// # Errors
///
/// As for [`state`].
pub fn tracked(root: &Path, paths: &[&str]) -> Result<Option<Vec<String>>, Error> {
    let Some(git) = process::Git::at(root, TIME_LIMIT)? else { return Ok(None) };
    let arguments: Vec<&str> =
        ["--literal-pathspecs", "ls-files", "-z", "--"].iter().chain(paths).copied().collect();
    let listed = git.ask(&arguments)?.unwrap_or_default();
    let names: Vec<&[u8]> = listed.split(|byte| *byte == 0).filter(|name| !name.is_empty()).collect();
    let is_tracked = |path: &&str| {
        names.iter().any(|name| {
            name.strip_prefix(path.as_bytes()).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
        })
    };
    Ok(Some(paths.iter().filter(|path| is_tracked(path)).map(|path| (*path).to_owned()).collect()))
}

/// The version of git, most significant number first; `None` where git is not installed.
///
/// # Errors
///
/// When git is there and does not answer.
pub fn version() -> Result<Option<Vec<u32>>, Error> {
    let answer = process::version(TIME_LIMIT)?;
    Ok(answer.map(|text| {
        let numbers = text.split_whitespace().nth(2).unwrap_or_default().split('.');
        numbers.map_while(|number| number.parse().ok()).collect()
    }))
}

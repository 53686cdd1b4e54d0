//! What can go wrong with a repository, said so that the reader knows what to do next.

use std::io;
use std::path::PathBuf;

use crate::patch::{ConflictRegion, ParseError, Rejected};
use crate::path_guard::{PathRefusal, RelativePath};

/// A failure of this crate.
///
/// Failures that a language model can correct ([`Error::Rejected`], [`Error::Parse`],
/// [`Error::PathRefused`]) carry everything that is needed to do so in their text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The directory that was named as workspace cannot be opened.
    #[error("the workspace {} cannot be opened; name an existing directory that this user may read", path.display())]
    RootUnavailable {
        /// The directory as it was given.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// A path is not one that may be used inside a workspace.
    #[error("the path {path:?} is refused: {reason}")]
    PathRefused {
        /// The path as it was given.
        path: String,
        /// Why.
        reason: PathRefusal,
    },
    /// Nothing stands at this path.
    #[error("{path} does not exist")]
    NotFound {
        /// Where nothing was found.
        path: RelativePath,
    },
    /// Something stands at this path already.
    #[error("{path} exists already")]
    AlreadyExists {
        /// What is in the way.
        path: RelativePath,
    },
    /// The path is, or leads through, a symbolic link where links are not followed.
    #[error("{path} is or leads through a symbolic link; name the file itself")]
    SymbolicLink {
        /// The path that was asked for.
        path: RelativePath,
    },
    /// The path leads out of the workspace.
    #[error("{path} leads out of the workspace")]
    Outside {
        /// The path that was asked for.
        path: RelativePath,
    },
    /// The path is a directory, device, socket or pipe, or goes through something that is no directory.
    #[error("{path} is not a regular file, or a part of its path is not a directory")]
    NotAFile {
        /// The path that was asked for.
        path: RelativePath,
    },
    /// The file is not UTF-8 text, so a change of it could neither be shown nor undone.
    #[error("{path} is not UTF-8 text; change it with a command instead")]
    NotText {
        /// The file.
        path: RelativePath,
    },
    /// The file is larger than the caller accepts.
    #[error("{path} has {bytes} bytes, more than the limit of {limit}")]
    FileTooLarge {
        /// The file.
        path: RelativePath,
        /// Its size in bytes.
        bytes: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The operating system refused an action on a file.
    #[error("{action} {path} failed")]
    File {
        /// What was being done, for example `reading`.
        action: &'static str,
        /// The file.
        path: RelativePath,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The patch text is larger than accepted.
    #[error("the patch has {bytes} bytes, more than the limit of {limit}; split it")]
    PatchTooLarge {
        /// Size of the patch in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The patch has more hunks or files than accepted.
    #[error("the patch has more than {limit} hunks; split it")]
    TooManyHunks {
        /// The limit.
        limit: usize,
    },
    /// The patch text cannot be understood.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// The patch was understood, but does not fit the files. Nothing was changed.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// A file changed between planning and applying. Nothing was changed.
    #[error("{path} changed since the change was planned; read it again and plan anew")]
    Conflict {
        /// The file that differs from what was planned on.
        path: RelativePath,
    },
    /// Another writer holds the workspace.
    #[error("another change of this workspace is being written; try again")]
    Busy,
    /// Writing failed midway and not everything could be put back.
    #[error(
        "writing failed and these files could not be put back: {paths:?}; restore them from version control"
    )]
    RestoreFailed {
        /// The files that are in neither of the two planned states.
        paths: Vec<RelativePath>,
        /// Why writing failed in the first place.
        #[source]
        source: Box<Error>,
    },
    /// A recorded change cannot be rolled back because a file is in neither of its two recorded states.
    #[error("{path} is neither as it was before the recorded change nor as it was after; restore it by hand")]
    UnknownState {
        /// The file.
        path: RelativePath,
    },
    /// A change cannot be brought to a file, or taken back, without losing what somebody wrote there.
    #[error("{path} cannot be merged: {why}; bring it in line by hand")]
    MergeConflict {
        /// The file.
        path: RelativePath,
        /// What stands against it.
        why: String,
        /// The places that both sides changed, if that is it.
        regions: Vec<ConflictRegion>,
    },
    /// The history of a workspace has no application of this number, or no longer.
    #[error("there is no application {id} in the history of this workspace; list them first")]
    NoSuchApplication {
        /// The number that was asked for.
        id: u64,
    },
    /// The history of a workspace cannot be read or written.
    #[error("the history of the workspace cannot be kept in {}; make sure that the folder can be written", path.display())]
    History {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The folder of a plan cannot be made, read or removed.
    #[error("the workspace {} cannot be kept; make sure that the folder can be written", path.display())]
    Workspace {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// Git could not do what was asked.
    #[error(transparent)]
    Git(#[from] crate::git::Error),
    /// A search, scan or git request that cannot be carried out.
    #[error("{detail}")]
    Request {
        /// What is wrong with it and what to do.
        detail: String,
    },
    /// A program that this crate relies on failed.
    #[error("{program} failed: {detail}")]
    Program {
        /// The program, for example `git`.
        program: &'static str,
        /// What it said.
        detail: String,
    },
}

impl Error {
    /// A short, stable, snake_case name of the situation, for reports that programs read.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::RootUnavailable { .. } => "root_unavailable",
            Self::PathRefused { .. } => "path_refused",
            Self::NotFound { .. } => "not_found",
            Self::AlreadyExists { .. } => "already_exists",
            Self::SymbolicLink { .. } => "symbolic_link",
            Self::Outside { .. } => "outside",
            Self::NotAFile { .. } => "not_a_file",
            Self::NotText { .. } => "not_text",
            Self::FileTooLarge { .. } => "file_too_large",
            Self::File { .. } => "file",
            Self::PatchTooLarge { .. } => "patch_too_large",
            Self::TooManyHunks { .. } => "too_many_hunks",
            Self::Parse(_) => "parse",
            Self::Rejected(_) => "rejected",
            Self::Conflict { .. } => "conflict",
            Self::Busy => "busy",
            Self::RestoreFailed { .. } => "restore_failed",
            Self::UnknownState { .. } => "unknown_state",
            Self::MergeConflict { .. } => "merge_conflict",
            Self::NoSuchApplication { .. } => "no_such_application",
            Self::History { .. } => "history",
            Self::Workspace { .. } => "workspace",
            Self::Git(_) => "git",
            Self::Request { .. } => "request",
            Self::Program { .. } => "program",
        }
    }
}

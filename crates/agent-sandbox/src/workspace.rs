//! Where a command may work and what of the workspace it may change.
#![cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "only Linux confines a command to its workspace")
)]

use std::path::{Path, PathBuf};

use crate::effective::ADVICE;
use crate::{CommandRequest, Error, SandboxLevel};

/// The directories of a command, with all links resolved.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) working_directory: PathBuf,
}

impl Workspace {
    pub(crate) fn resolve(request: &CommandRequest) -> Result<Self, Error> {
        let root = directory(&request.workspace_root)?;
        let working_directory = directory(&request.working_directory)?;
        if root.parent().is_none() {
            return Err(refused(
                &request.workspace_root,
                "the root of the file system cannot be a workspace",
            ));
        }
        if !working_directory.starts_with(&root) {
            return Err(refused(
                &request.working_directory,
                "it is not inside the workspace; choose a directory of the repository",
            ));
        }
        Ok(Self { root, working_directory })
    }

    /// The `.git` of the workspace, which stays read-only.
    pub(crate) fn git(&self, level: SandboxLevel) -> Result<Option<PathBuf>, Error> {
        let git = self.root.join(".git");
        match git.symlink_metadata() {
            Ok(found) if found.is_symlink() => Err(Error::Unavailable {
                asked: level,
                reason: "the .git of the workspace is a symbolic link, which cannot be guarded against replacement"
                    .into(),
                advice: "Make it a directory or a file with a gitdir line".into(),
            }),
            Ok(_) => Ok(Some(git)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::Unavailable {
                asked: level,
                reason: format!("the .git of the workspace cannot be examined ({error})"),
                advice: ADVICE.into(),
            }),
        }
    }
}

fn directory(path: &Path) -> Result<PathBuf, Error> {
    let found = path.canonicalize().map_err(|error| refused(path, &error.to_string()))?;
    if found.is_dir() { Ok(found) } else { Err(refused(path, "it is not a directory")) }
}

fn refused(path: &Path, reason: &str) -> Error {
    Error::WorkingDirectory { path: path.to_owned(), reason: reason.to_owned() }
}

//! Every application of a change to a workspace, kept so that it can be listed, shown and taken back.
//!
//! The record of an application is on the disk before its first file changes, and says that it was finished
//! after the last one has. One that a crash cut off is therefore found and taken back, also by a program that
//! keeps no other journal. Records lie outside of the workspace, in a folder that belongs to it alone.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use agent_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::overlay::sha256;
use super::plan::{ChangeSet, FileFate, file_fates};
use super::record::{ChangeRecord, DiskState};
use super::undo::{FileVersions, plan_merge};
use super::{Applied, FileChange};
use crate::error::Error;
use crate::file_lock::FileLock;
use crate::path_guard::Root;

mod entry;

use entry::Header;

/// How many applications are kept of a workspace; older ones can no longer be taken back.
const MOST_KEPT: usize = 1_000;
/// How many bytes they may take.
const MOST_BYTES: u64 = 256 << 20;
/// Begins the name of a workspace's folder, before the digits that tell workspaces apart.
const DIGITS: usize = 16;

/// The applications of changes to one workspace.
///
/// ```
/// use agent_repository::patch::{History, Origin, PatchSet, plan_changes};
/// use agent_repository::path_guard::Root;
/// use agent_core::time::Timestamp;
///
/// # fn main() -> Result<(), agent_repository::Error> {
/// let (folder, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
/// let file = folder.path().join("greeting.txt");
/// std::fs::write(&file, "hello\nworld\n").unwrap();
/// let root = Root::open(folder.path())?;
/// let history = History::of_workspace(state.path(), &root)?;
///
/// let patch = PatchSet::parse("--- a/greeting.txt\n+++ b/greeting.txt\n@@ ... @@\n-hello\n+Hello\n world\n")?;
/// let change = plan_changes(&root, &patch)?;
/// let applied = history.apply(&root, &change, &Origin::person(), Timestamp::default())?;
/// std::fs::write(&file, "Hello\nworld\nand a later edit\n").unwrap();
///
/// history.undo(&root, applied.id.unwrap(), &Origin::person(), Timestamp::default())?;
/// assert_eq!(std::fs::read_to_string(&file).unwrap(), "hello\nworld\nand a later edit\n");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct History {
    folder: PathBuf,
}

/// Who applied a change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The step of a plan, such as `plan-7/task-12/attempt-1/step-3`; `None` for a person at the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
}

/// One application of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// Its number, counted from 1 within the workspace.
    pub id: u64,
    /// When it was applied.
    pub at: Timestamp,
    /// Who applied it.
    pub origin: Origin,
    /// The application that this one took back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undoes: Option<u64>,
    /// The application that took this one back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undone_by: Option<u64>,
    /// A crash cut it off and it could not be taken back, because files were changed since.
    pub interrupted: bool,
    /// What it changed.
    pub files: Vec<FileChange>,
}

/// A change that is applied and recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Its number in the history; `None` when there was nothing to change.
    pub id: Option<u64>,
    /// What it did.
    pub applied: Applied,
}

impl Origin {
    /// A person at the command line.
    #[must_use]
    pub fn person() -> Self {
        Self::default()
    }
}

impl History {
    /// The history of a workspace, in a folder of its own below `state`, which is made when it is missing.
    ///
    /// # Errors
    /// [`Error::History`] when it cannot be made.
    pub fn of_workspace(state: &Path, root: &Root) -> Result<Self, Error> {
        let place = root.path().as_os_str().as_encoded_bytes();
        let name = root.path().file_name().map_or("root".into(), |name| name.to_string_lossy());
        let readable: String =
            name.chars().filter(|c| c.is_ascii_alphanumeric() || "._-".contains(*c)).take(40).collect();
        let folder = state.join(format!("{readable}-{}", &sha256(place)[..DIGITS]));
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(|source| Error::History { path: folder.clone(), source })?;
        Ok(Self { folder })
    }

    /// One application at a time, also among processes.
    fn lock(&self) -> Result<FileLock, Error> {
        let path = self.folder.join("lock");
        let lock = FileLock::acquire(&path).map_err(|source| Error::History { path, source })?;
        lock.ok_or(Error::Busy)
    }

    /// Applies a change and records it: first the record, then the change.
    ///
    /// # Errors
    /// As [`ChangeSet::apply`]; [`Error::History`] when the record cannot be written, in which case nothing
    /// is changed.
    pub fn apply(
        &self,
        root: &Root,
        change: &ChangeSet,
        origin: &Origin,
        at: Timestamp,
    ) -> Result<Recorded, Error> {
        let _lock = self.lock()?;
        self.apply_locked(root, change, origin, at, None)
    }

    fn apply_locked(
        &self,
        root: &Root,
        change: &ChangeSet,
        origin: &Origin,
        at: Timestamp,
        undoes: Option<u64>,
    ) -> Result<Recorded, Error> {
        if change.is_empty() {
            return Ok(Recorded { id: None, applied: change.report().clone() });
        }
        let id = self.numbers()?.last().map_or(1, |(id, _)| id + 1);
        let header = Header {
            id,
            at,
            origin: origin.clone(),
            undoes,
            changed: change.report().files.clone(),
            record: change.record(),
        };
        self.write(&header, &versions(change))?;
        match change.apply(root) {
            Ok(applied) => {
                self.finish(id)?;
                self.prune()?;
                Ok(Recorded { id: Some(id), applied })
            }
            // What could not be put back is for the recovery of this record to put back.
            Err(error @ Error::RestoreFailed { .. }) => Err(error),
            Err(error) => {
                // A record that stays is found later to speak of nothing that happened.
                let _ = self.forget(id);
                Err(error)
            }
        }
    }

    /// All applications that are kept, newest first.
    ///
    /// # Errors
    /// [`Error::History`] when the records cannot be read.
    pub fn list(&self) -> Result<Vec<Application>, Error> {
        let mut list = Vec::new();
        for (id, interrupted) in self.numbers()? {
            list.push(self.read_header(id, interrupted)?.into_application(interrupted));
        }
        // Newest first: whether an undo still holds is known before what it undoes is reached.
        list.reverse();
        for index in 0..list.len() {
            let Application { id, undoes: Some(undone), undone_by: None, .. } = list[index] else { continue };
            if let Some(earlier) = list.iter_mut().find(|earlier| earlier.id == undone) {
                earlier.undone_by = Some(id);
            }
        }
        Ok(list)
    }

    /// One application.
    ///
    /// # Errors
    /// [`Error::NoSuchApplication`]; [`Error::History`] when the records cannot be read.
    pub fn find(&self, id: u64) -> Result<Application, Error> {
        self.list()?
            .into_iter()
            .find(|application| application.id == id)
            .ok_or(Error::NoSuchApplication { id })
    }

    /// What an application changed, as a git-style unified diff.
    ///
    /// # Errors
    /// As [`History::find`].
    pub fn diff(&self, id: u64) -> Result<String, Error> {
        Ok(self.read(id)?.iter().map(FileVersions::diff).collect())
    }

    /// Works out taking an application back. Nothing is written.
    ///
    /// # Errors
    /// [`Error::Rejected`] naming every file in which somebody's later lines would be lost, else as
    /// [`History::find`].
    pub fn plan_undo(&self, root: &Root, id: u64) -> Result<ChangeSet, Error> {
        let files: Vec<FileVersions> = self.read(id)?.into_iter().map(FileVersions::inverted).collect();
        Ok(plan_merge(root, &files)?)
    }

    /// Takes an application back by a three-way merge onto the present files, and records that as an
    /// application of its own, which can be taken back in turn.
    ///
    /// # Errors
    /// As [`History::plan_undo`] and [`History::apply`]; nothing is changed then.
    pub fn undo(&self, root: &Root, id: u64, origin: &Origin, at: Timestamp) -> Result<Recorded, Error> {
        let _lock = self.lock()?;
        let change = self.plan_undo(root, id)?;
        self.apply_locked(root, &change, origin, at, Some(id))
    }

    /// Takes back what a crash cut off, and completes the record of what it did not. Returns the numbers of
    /// those that were taken back.
    ///
    /// # Errors
    /// [`Error::Rejected`] when somebody's later lines would be lost, in which case nothing is changed and the
    /// application is listed as interrupted; else as [`ChangeSet::apply`] and [`History::find`].
    pub fn recover(&self, root: &Root) -> Result<Vec<u64>, Error> {
        let _lock = self.lock()?;
        let mut taken_back = Vec::new();
        for (id, _) in self.numbers()?.into_iter().filter(|(_, begun)| *begun) {
            let record: ChangeRecord = self.read_header(id, true)?.record;
            record.discard_temporaries(root)?;
            if record.state_on_disk(root)? == DiskState::AllAfter {
                self.finish(id)?;
            } else {
                self.plan_undo(root, id)?.apply(root)?;
                self.forget(id)?;
                taken_back.push(id);
            }
        }
        Ok(taken_back)
    }

    /// Forgets everything: nothing that was applied can be taken back any more.
    ///
    /// # Errors
    /// [`Error::History`] when the folder cannot be removed.
    pub fn remove(self) -> Result<(), Error> {
        fs::remove_dir_all(&self.folder).map_err(|source| Error::History { path: self.folder, source })
    }

    /// Removes the oldest records beyond the limits.
    fn prune(&self) -> Result<(), Error> {
        let mut bytes = 0;
        let mut kept = 0;
        for (id, begun) in self.numbers()?.into_iter().rev() {
            let path = self.path_of(id, begun);
            bytes += fs::metadata(&path).map_or(0, |found| found.len());
            kept += 1;
            let beyond = kept > MOST_KEPT || bytes > MOST_BYTES;
            // The newest stays, however large it is.
            if beyond && kept > 1 && !begun {
                fs::remove_file(&path).map_err(|source| Error::History { path, source })?;
            }
        }
        Ok(())
    }
}

impl Header {
    fn into_application(self, interrupted: bool) -> Application {
        let Self { id, at, origin, undoes, changed, record: _ } = self;
        Application { id, at, origin, undoes, undone_by: None, interrupted, files: changed }
    }
}

/// Every file of a change, before and after.
fn versions(change: &ChangeSet) -> Vec<FileVersions> {
    let versions = file_fates(&change.changes).map(|FileFate { change, source, before }| FileVersions {
        path: change.path.clone(),
        previous_path: source.map(|source| source.path.clone()),
        before: before.cloned(),
        after: change.after.clone(),
    });
    versions.collect()
}

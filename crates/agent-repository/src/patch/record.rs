//! What a journal keeps of a change, so that after a crash one can tell how far it got and undo it.

use serde::{Deserialize, Serialize};

use super::diff::file_diff;
use super::overlay::read;
use super::plan::{Change, ChangeSet};
use super::{PatchFormat, PatchSet, plan_changes};
use crate::error::Error;
use crate::path_guard::{RelativePath, Root};

/// A change as a journal keeps it: written down before it is applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRecord {
    /// Every path that the change touches; a rename touches two.
    pub files: Vec<RecordedFile>,
}

/// One path of a recorded change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedFile {
    /// The path.
    pub path: RelativePath,
    /// The file before the change; `None` if there was none.
    pub before: Option<Fingerprint>,
    /// The file after the change; `None` if there is none.
    pub after: Option<Fingerprint>,
    /// The path that the file is moved from as it is, in one step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<RelativePath>,
    /// The diff that takes this path alone back; empty for a file that is only moved.
    pub undo: String,
}

/// What identifies a version of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Hash of the content in lower-case hexadecimal.
    pub sha256: String,
    /// Whether it may be executed.
    pub executable: bool,
}

/// How far a recorded change got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiskState {
    /// Not begun: every file is as before.
    AllBefore,
    /// Finished: every file is as after.
    AllAfter,
    /// Cut off midway, or changed by somebody else since.
    Mixed,
}

#[derive(PartialEq)]
enum FileState {
    Before,
    After,
    Unknown,
}

impl ChangeSet {
    /// What to write into a journal before applying.
    #[must_use]
    pub fn record(&self) -> ChangeRecord {
        ChangeRecord { files: self.changes.iter().map(|change| self.recorded(change)).collect() }
    }

    fn recorded(&self, change: &Change) -> RecordedFile {
        let source = change.pure_rename_from(&self.changes);
        let moves_on = self.changes.iter().any(|other| {
            other.pure_rename_from(&self.changes).is_some_and(|source| source.path == change.path)
        });
        let old = Change::side(&change.path, change.before.as_ref());
        let new = Change::side(&change.path, change.after.as_ref());
        let is_moved = source.is_some() || moves_on;
        RecordedFile {
            path: change.path.clone(),
            before: change.before.as_ref().map(super::overlay::Snapshot::fingerprint),
            after: change.after.as_ref().map(super::overlay::Snapshot::fingerprint),
            moved_from: source.map(|source| source.path.clone()),
            undo: if is_moved { String::new() } else { file_diff(new, old).text },
        }
    }
}

impl ChangeRecord {
    /// Looks at the disk and tells how far the change got.
    ///
    /// # Errors
    /// [`Error::File`] when a file cannot be read. A path that is now a link or a directory counts as
    /// changed by somebody else.
    pub fn state_on_disk(&self, root: &Root) -> Result<DiskState, Error> {
        let states: Vec<FileState> =
            self.files.iter().map(|file| file.state(root)).collect::<Result<_, _>>()?;
        // A change of nothing is as finished as it will ever be.
        Ok(if states.iter().all(|state| *state == FileState::After) {
            DiskState::AllAfter
        } else if states.iter().all(|state| *state == FileState::Before) {
            DiskState::AllBefore
        } else {
            DiskState::Mixed
        })
    }

    /// Takes every file back to what it was before the change, however far the change got, and removes
    /// temporary files that a killed process left.
    ///
    /// # Errors
    /// [`Error::UnknownState`] when a file is in neither of its two recorded states, in which case nothing
    /// is changed; else as [`ChangeSet::apply`].
    pub fn roll_back(&self, root: &Root) -> Result<(), Error> {
        self.discard_temporaries(root)?;
        let mut undo = String::new();
        let mut moves = Vec::new();
        for file in &self.files {
            match file.state(root)? {
                FileState::Before => {}
                FileState::Unknown => return Err(Error::UnknownState { path: file.path.clone() }),
                FileState::After => {
                    undo.push_str(&file.undo);
                    moves.extend(file.moved_from.as_ref().map(|from| (&file.path, from)));
                }
            }
        }
        if !undo.is_empty() {
            let patch = PatchSet::parse(&undo)?;
            debug_assert_eq!(patch.format, PatchFormat::Unified, "the inverse is a unified diff");
            plan_changes(root, &patch)?.apply(root)?;
        }
        let _lock = root.lock()?;
        for (from, to) in moves {
            root.create_parents(to)?;
            root.rename_file(from, to)?;
        }
        Ok(())
    }

    /// Removes temporary files that a killed process left next to the files of this change. Call it only
    /// when no change of this workspace is being written.
    ///
    /// # Errors
    /// [`Error::File`] when a directory cannot be read or a file not removed.
    pub fn discard_temporaries(&self, root: &Root) -> Result<(), Error> {
        let _lock = root.lock()?;
        self.files.iter().try_for_each(|file| root.discard_temporaries(&file.path))
    }
}

impl RecordedFile {
    fn state(&self, root: &Root) -> Result<FileState, Error> {
        let present = match read(root, &self.path) {
            Ok(present) => present.map(|snapshot| snapshot.fingerprint()),
            Err(error @ Error::File { .. }) => return Err(error),
            Err(_in_the_way) => return Ok(FileState::Unknown),
        };
        Ok(if present == self.before {
            FileState::Before
        } else if present == self.after {
            FileState::After
        } else {
            FileState::Unknown
        })
    }
}

//! Takes a recorded change back, however the files went on since.
//!
//! Each file is merged three ways: from what the change left, to what stood there before it on one side and to
//! what stands there now on the other. What somebody wrote since stays; where it cannot, nothing is undone.

use super::PatchFormat;
use super::merge::{MergeConflict, merge_texts};
use super::overlay::{Snapshot, Source};
use super::plan::{ChangeSet, Planner};
use super::report::Rejected;
use crate::error::Error;
use crate::path_guard::{RelativePath, Root};

/// One file of a change that is to be taken back, or brought elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileVersions {
    /// The file under the name that the change left it with.
    pub(crate) path: RelativePath,
    /// Its name before, when the change renamed it.
    pub(crate) previous_path: Option<RelativePath>,
    /// Its content before; `None` when the change created it.
    pub(crate) before: Option<Snapshot>,
    /// Its content after; `None` when the change deleted it.
    pub(crate) after: Option<Snapshot>,
}

impl FileVersions {
    /// The change that takes this one back.
    pub(crate) fn inverted(self) -> Self {
        let (path, previous_path) = match self.previous_path {
            Some(previous) => (previous, Some(self.path)),
            None => (self.path, None),
        };
        Self { path, previous_path, before: self.after, after: self.before }
    }
}

/// Works out bringing a change to a workspace whose files may differ from those that it was made on.
///
/// # Errors
/// [`Rejected`] naming every file that cannot take it without losing somebody's lines.
pub(crate) fn plan_merge(root: &Root, files: &[FileVersions]) -> Result<ChangeSet, Rejected> {
    let mut planner = Planner::new(Source::Disk(root), PatchFormat::Unified);
    for file in files {
        planner.attempt(&file.path, |planner| planner.bring(file));
    }
    planner.finish()
}

impl Planner<'_> {
    fn bring(&mut self, file: &FileVersions) -> Result<(), Error> {
        let from = file.previous_path.as_ref().unwrap_or(&file.path);
        let present = self.overlay.load(from)?.now.clone();
        if file.previous_path.is_some() && self.is_there_already(file)? {
            return self.leave_old_name(file, present.as_ref());
        }
        let conflict = |path: &RelativePath, why: &str| {
            Err(Error::MergeConflict { path: path.clone(), why: why.to_owned(), regions: Vec::new() })
        };
        match (&file.before, present, &file.after) {
            (None, None, Some(after)) => {
                self.overlay.check_vacant(&file.path)?;
                self.overlay.load(&file.path)?.now = Some(after.clone());
                Ok(())
            }
            (None, Some(present), Some(after)) if after.bytes == present.bytes => Ok(()),
            (None, Some(_), _) => conflict(from, "another file stands there now"),
            (Some(_), None, None) | (None, None, None) => Ok(()),
            (Some(_), None, Some(_)) => conflict(from, "it does not exist any more"),
            (Some(before), Some(present), None) if before.bytes == present.bytes => {
                self.overlay.load(from)?.now = None;
                Ok(())
            }
            (Some(_), Some(_), None) => conflict(from, "it was changed since, and would have to be deleted"),
            (Some(before), Some(present), Some(after)) => {
                let merged = merged(from, before, &present, after)?;
                let target = file.previous_path.is_some().then_some(&file.path);
                if let Some(target) = target {
                    self.overlay.check_vacant(target)?;
                }
                self.put(from, target, merged)
            }
        }
    }

    /// Whether the result of a rename stands under its new name already.
    fn is_there_already(&mut self, file: &FileVersions) -> Result<bool, Error> {
        let target = self.overlay.load(&file.path)?.now.as_ref();
        Ok(file.after.as_ref().zip(target).is_some_and(|(after, target)| after.bytes == target.bytes))
    }

    /// What a rename that a crash cut off after its first step left under the old name goes.
    fn leave_old_name(&mut self, file: &FileVersions, present: Option<&Snapshot>) -> Result<(), Error> {
        let from = file.previous_path.as_ref().unwrap_or(&file.path);
        if present.zip(file.before.as_ref()).is_some_and(|(present, before)| present.bytes == before.bytes) {
            self.overlay.load(from)?.now = None;
        }
        Ok(())
    }
}

/// The present file with the change in it. Whether it may be executed follows the change only where nobody
/// decided on that since.
fn merged(
    path: &RelativePath,
    before: &Snapshot,
    present: &Snapshot,
    after: &Snapshot,
) -> Result<Snapshot, Error> {
    let mut merged = present.clone();
    if present.is_executable() == before.is_executable() {
        merged.set_executable(after.is_executable());
    }
    if present.bytes == after.bytes || before.bytes == after.bytes {
        return Ok(merged);
    }
    if present.bytes == before.bytes {
        merged.bytes.clone_from(&after.bytes);
        return Ok(merged);
    }
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_binary| Error::NotText { path: path.clone() });
    let brought = merge_texts(text(&before.bytes)?, text(&present.bytes)?, text(&after.bytes)?);
    let brought = brought.map_err(|conflict| {
        let why = conflict.to_string();
        let MergeConflict { regions } = conflict;
        Error::MergeConflict { path: path.clone(), why, regions }
    })?;
    merged.bytes = brought.into_bytes();
    Ok(merged)
}

//! A patch of one text that is at hand, worked out exactly as a patch of a workspace is.

use std::collections::BTreeSet;

use super::overlay::Source;
use super::plan::Planner;
use super::{FilePatch, Operation, PatchSet};
use crate::error::Error;
use crate::path_guard::RelativePath;

/// Tells what a patch makes of one file, without a disk: `before` is its content, or `None` when it does not
/// exist, and the answer is the content after, or `None` when the patch deletes it. A file that is renamed
/// is answered with its content under the new name.
///
/// # Errors
/// As [`PatchSet::parse`] and [`plan_changes`](super::plan_changes); [`Error::Request`] when the patch speaks
/// of other files than `path`.
pub fn apply_to_text(
    path: &RelativePath,
    before: Option<&str>,
    patch: &str,
) -> Result<Option<String>, Error> {
    let patch = PatchSet::parse(patch)?;
    let last_name = last_name_of(path, &patch.files)?;
    let mut planner = Planner::new(Source::Memory { path, content: before }, patch.format);
    for file in &patch.files {
        planner.file(file);
    }
    let (changes, _hunks) = planner.changes()?;
    let Some(change) = changes.into_iter().find(|change| change.path == last_name) else {
        return Ok(before.map(str::to_owned));
    };
    // A text with text put into it is text.
    Ok(change.after.map(|after| String::from_utf8_lossy(&after.bytes).into_owned()))
}

/// The name of the file after the patch.
fn last_name_of(path: &RelativePath, files: &[FilePatch]) -> Result<RelativePath, Error> {
    let mut names = BTreeSet::from([path]);
    let mut last = path;
    for file in files {
        if !names.contains(&file.path) {
            let detail = format!("the patch speaks of {}, but the text is that of {path}", file.path);
            return Err(Error::Request { detail });
        }
        if let Operation::Modify { rename_to: Some(target), .. } = &file.operation
            && file.path == *last
        {
            names.insert(target);
            last = target;
        }
    }
    Ok(last.clone())
}

//! What a plan's commits changed, brought to the user's files.

use super::Isolated;
use crate::error::Error;
use crate::patch::{ChangeSet, FileVersions, LARGEST_FILE, Snapshot, plan_merge};
use crate::path_guard::{FileMode, RelativePath, Root};
use crate::scan::escaped;

/// The most files that one merge brings.
const MOST_FILES: usize = 10_000;

impl Isolated {
    /// Works out bringing everything that the plan committed to a folder, by a three-way merge of each file:
    /// what was changed there since the plan began stays. Nothing is written.
    ///
    /// # Errors
    /// [`Error::Rejected`] naming every file in which somebody's lines would be lost; [`Error::Request`] for
    /// links, submodules, file names that are not UTF-8 and more than 10,000 files; [`Error::Git`].
    pub fn plan_merge(&self, root: &Root) -> Result<ChangeSet, Error> {
        Ok(plan_merge(root, &self.changes()?)?)
    }

    fn changes(&self) -> Result<Vec<FileVersions>, Error> {
        let tip = self.tip();
        let listing = self.git.tell(&[
            "diff-tree",
            "-r",
            "-z",
            "--raw",
            "--no-abbrev",
            "--find-renames",
            &self.base,
            &tip,
        ])?;
        let changes = parse(&listing)?;
        if changes.len() > MOST_FILES {
            let detail = format!(
                "the plan changed {} files, more than {MOST_FILES}; merge its branch with git",
                changes.len()
            );
            return Err(Error::Request { detail });
        }
        changes.into_iter().map(|change| self.versions(change)).collect()
    }

    fn versions(&self, change: RawChange) -> Result<FileVersions, Error> {
        let RawChange { old, new, path, previous_path } = change;
        let before_path = previous_path.as_ref().unwrap_or(&path);
        let (before, after) = (self.version(before_path, old)?, self.version(&path, new)?);
        Ok(FileVersions { before, after, path, previous_path })
    }

    fn version(&self, path: &RelativePath, side: Option<RawSide>) -> Result<Option<Snapshot>, Error> {
        let Some(RawSide { mode, object }) = side else { return Ok(None) };
        if mode != 0o100_644 && mode != 0o100_755 {
            let what = if mode == 0o120_000 { "a symbolic link" } else { "a submodule" };
            let detail = format!("{path} is {what}, which is not merged; merge the plan's branch with git");
            return Err(Error::Request { detail });
        }
        let size = self.git.tell(&["cat-file", "-s", &object])?;
        let bytes = String::from_utf8_lossy(&size).trim().parse().unwrap_or(u64::MAX);
        if bytes >= LARGEST_FILE {
            return Err(Error::FileTooLarge { path: path.clone(), bytes, limit: LARGEST_FILE });
        }
        let bytes = self.git.tell(&["cat-file", "blob", &object])?;
        Ok(Some(Snapshot { bytes, mode: FileMode::Exactly(mode & 0o777) }))
    }
}

/// A line of `git diff-tree --raw -z`.
#[derive(Debug, PartialEq, Eq)]
struct RawChange {
    old: Option<RawSide>,
    new: Option<RawSide>,
    path: RelativePath,
    previous_path: Option<RelativePath>,
}

#[derive(Debug, PartialEq, Eq)]
struct RawSide {
    mode: u32,
    object: String,
}

/// Reads `:<mode> <mode> <object> <object> <status>`, then one path, or two for a rename.
fn parse(listing: &[u8]) -> Result<Vec<RawChange>, Error> {
    let mut changes = Vec::new();
    let mut parts = listing.split(|byte| *byte == 0).filter(|part| !part.is_empty());
    while let Some(head) = parts.next() {
        let unreadable = || Error::Request {
            detail: format!("git lists changes in a way that is not understood: {}", escaped(head)),
        };
        let text = std::str::from_utf8(head).ok().and_then(|text| text.strip_prefix(':'));
        let fields: Vec<&str> = text.ok_or_else(unreadable)?.split(' ').collect();
        let [old_mode, new_mode, old_object, new_object, status] = fields[..] else {
            return Err(unreadable());
        };
        let side = |mode: &str, object: &str| {
            let mode = u32::from_str_radix(mode, 8).map_err(|_not_octal| unreadable())?;
            Ok::<_, Error>((mode != 0).then(|| RawSide { mode, object: object.to_owned() }))
        };
        let (old, new) = (side(old_mode, old_object)?, side(new_mode, new_object)?);
        let first = path(parts.next().ok_or_else(unreadable)?)?;
        let (path, previous_path) = if status.starts_with('R') {
            (path(parts.next().ok_or_else(unreadable)?)?, Some(first))
        } else {
            (first, None)
        };
        changes.push(RawChange { old, new, path, previous_path });
    }
    Ok(changes)
}

fn path(bytes: &[u8]) -> Result<RelativePath, Error> {
    let text = std::str::from_utf8(bytes).map_err(|_not_utf8| Error::Request {
        detail: format!("the file name {} is not UTF-8; merge the plan's branch with git", escaped(bytes)),
    })?;
    RelativePath::new(text)
}

//! Lists the files of a repository.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::beneath;
use super::display::escaped;
use super::error::Error;
use super::options::ScanOptions;
use super::report::{SkipReason, Skipped};
use super::walk::{Found, Visitor, walk};

/// The files below a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileList {
    /// Paths relative to the root, in order.
    pub files: Vec<String>,
    /// There are more than are listed.
    pub truncated: bool,
}

#[derive(Default)]
struct Names {
    files: Vec<Vec<u8>>,
    truncated: bool,
    start_unreadable: Option<String>,
}

impl Visitor for Names {
    fn file(&mut self, file: &Found<'_>) {
        self.files.push(file.path.to_vec());
    }

    fn skipped(&mut self, skipped: Skipped) {
        self.truncated |= skipped.reason == SkipReason::Truncated;
        if skipped.reason == SkipReason::Unreadable {
            self.start_unreadable = Some(skipped.path);
        }
    }
}

/// Lists the files below `sub_path` (relative to `root`; empty or `.` for all), at most `max`.
///
/// It leaves out what a scan with the same options leaves out.
///
/// # Errors
///
/// [`Error::OutsideRepository`] for a path that leads out of the root; [`Error::RootUnreadable`] or
/// [`Error::NotAFolder`] when the folder cannot be entered.
pub fn list_files(
    root: &Path,
    sub_path: &str,
    max: usize,
    options: &ScanOptions<'_>,
) -> Result<FileList, Error> {
    let start = relative(sub_path)?;
    let names = walk(root, start.as_bytes(), options, Names::default)?;
    let unreadable =
        names.iter().any(|names| names.start_unreadable.as_deref() == Some(&escaped(start.as_bytes())));
    if unreadable && !start.is_empty() {
        return Err(cannot_enter(root, &start));
    }
    let mut truncated = names.iter().any(|names| names.truncated);
    let mut files: Vec<Vec<u8>> = names.into_iter().flat_map(|names| names.files).collect();
    files.sort_unstable();
    truncated |= files.len() > max;
    files.truncate(max);
    Ok(FileList { files: files.iter().map(|path| escaped(path)).collect(), truncated })
}

fn cannot_enter(root: &Path, start: &str) -> Error {
    let path = root.join(start);
    let opened = beneath::open_root(root)
        .map(|fd| beneath::open_folder(std::os::fd::AsFd::as_fd(&fd), start.as_bytes()));
    match opened {
        Err(error) => error,
        Ok(Err(source)) if source.kind() != std::io::ErrorKind::NotADirectory => {
            Error::RootUnreadable { path, source }
        }
        Ok(_) => Error::NotAFolder(path),
    }
}

/// A path without empty parts and `.`, that does not lead out.
fn relative(path: &str) -> Result<String, Error> {
    let outside = || Error::OutsideRepository(path.to_owned());
    if path.starts_with('/') {
        return Err(outside());
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.iter().any(|part| *part == ".." || part.contains('\0')) {
        return Err(outside());
    }
    Ok(parts.join("/"))
}

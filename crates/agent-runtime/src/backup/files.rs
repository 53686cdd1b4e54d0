//! Files that appear whole or not at all.

use super::Progress;
use crate::error::{Error, Result};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempfile::NamedTempFile;

/// How often is looked how far a copy has come.
const GLANCE: Duration = Duration::from_millis(200);

/// The error of a file that cannot be read or written.
pub(super) fn fails(path: &Path, error: &io::Error) -> Error {
    let folder = path.parent().unwrap_or(Path::new(".")).display().to_string();
    Error::DataFolder { folder, reason: format!("{}: {error}", path.display()) }
}

/// An empty file that only its owner may read, in the folder of the one that it is to become. One that is never given its
/// name is removed; where the process is killed it stays, and says by its name what it is.
pub(super) fn draft(path: &Path) -> Result<NamedTempFile> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = path.parent().unwrap_or(Path::new("/"));
    let made = tempfile::Builder::new().prefix(&format!(".{name}.")).suffix(".partial").tempfile_in(folder);
    made.map_err(|error| fails(path, &error))
}

/// Makes the names in a folder last.
pub(super) fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| fails(folder, &error))
}

/// All files below a folder, in order; none where there is no folder. Links are not followed.
pub(super) fn below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.map_err(|error| fails(&folder, &error))?,
        };
        for entry in entries {
            let entry = entry.map_err(|error| fails(&folder, &error))?;
            let kind = entry.file_type().map_err(|error| fails(&entry.path(), &error))?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Does the work while another thread tells how much of the source the copy has.
pub(super) fn watched<T: Send>(
    source: &Path,
    copy: &Path,
    tell: impl Fn(Progress) + Send,
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let size = |path: &Path| fs::metadata(path).map_or(0, |about| about.len());
    let total = size(source);
    let over = AtomicBool::new(false);
    let ended = &over;
    std::thread::scope(|scope| {
        let watcher = scope.spawn(move || {
            while !ended.load(Ordering::Acquire) {
                std::thread::park_timeout(GLANCE);
                tell(Progress { written: size(copy).min(total), total });
            }
        });
        let done = work();
        over.store(true, Ordering::Release);
        watcher.thread().unpark();
        done
    })
}

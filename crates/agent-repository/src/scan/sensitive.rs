//! Finds the files of a folder that usually hold secrets, by their names.

use super::filter::{is_sensitive_file, is_sensitive_folder, is_vendored_folder};
use std::fs::read_dir;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Entries that are looked at before the search is given up.
const MOST_ENTRIES: usize = 500_000;

/// Files and whole folders that usually hold secrets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SensitiveFiles {
    /// Their paths, beginning with the folder that was searched; a folder stands for all that is in it.
    pub paths: Vec<PathBuf>,
    /// Whether everything was looked at.
    pub is_complete: bool,
}

/// Looks for files such as `.env`, private keys and credential stores below a folder. Links are not followed, and
/// folders of vendored code, build results and `.git` are left out.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// std::fs::write(folder.path().join(".env"), "TOKEN=1\n")?;
/// std::fs::write(folder.path().join("main.rs"), "fn main() {}\n")?;
/// let found = agent_repository::scan::sensitive_files(folder.path())?;
/// assert_eq!(found.paths, [folder.path().join(".env")]);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// When the folder itself cannot be read; folders beneath it that cannot be read hold nothing for a command either.
pub fn sensitive_files(folder: &Path) -> io::Result<SensitiveFiles> {
    let mut found = SensitiveFiles { paths: Vec::new(), is_complete: true };
    let mut open = vec![folder.to_path_buf()];
    let mut seen = 0;
    while let Some(next) = open.pop() {
        let entries = match read_dir(&next) {
            Ok(entries) => entries,
            Err(error) if next == folder => return Err(error),
            Err(_) => continue,
        };
        for entry in entries.flatten() {
            seen += 1;
            if seen > MOST_ENTRIES {
                found.is_complete = false;
                return Ok(found);
            }
            let Ok(kind) = entry.file_type() else { continue };
            let name = entry.file_name();
            let name = name.as_bytes();
            if kind.is_file() && is_sensitive_file(name) || kind.is_dir() && is_sensitive_folder(name) {
                found.paths.push(entry.path());
            } else if kind.is_dir() && name != b".git" && !is_vendored_folder(name) {
                open.push(entry.path());
            }
        }
    }
    found.paths.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn files_and_folders_of_secrets_are_found_at_any_depth_and_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for path in
            ["a/b/.env.local", "a/.ssh/config", "node_modules/x/.env", ".git/credentials", "src/lib.rs"]
        {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), "x").unwrap();
        }
        fs::write(root.join(".env.example"), "x").unwrap();
        std::os::unix::fs::symlink(root.join("a"), root.join("loop")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", root.join("server.key")).unwrap();
        let found = sensitive_files(root).unwrap();
        assert_eq!(found.paths, [root.join("a/.ssh"), root.join("a/b/.env.local")]);
        assert!(found.is_complete);
    }
}

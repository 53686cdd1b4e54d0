//! The `.gitignore` and `.ignore` rules in force at a folder.
//!
//! The files are read here, not by the `ignore` crate, because a hostile repository may put a FIFO, a
//! link or a file without end in their place.

use std::ffi::OsStr;
use std::io::Read;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::beneath::{self, Entry};

/// Larger files of rules are not written by people.
const MAX_BYTES: u64 = 1 << 20;
const MAX_RULES: usize = 10_000;
/// Later ones win over earlier ones.
const FILES: [&[u8]; 2] = [b".gitignore", b".ignore"];

/// The rules of a folder and of every folder above it, nearest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules(Option<Arc<Level>>);

#[derive(Debug)]
struct Level {
    matcher: Gitignore,
    above: Rules,
}

impl Rules {
    /// The rules outside any folder: the repository's own `info/exclude`.
    pub(crate) fn of_repository(root: BorrowedFd<'_>) -> Self {
        let Some(text) = beneath::read_small(root, b".git/info/exclude", MAX_BYTES) else {
            return Self::default();
        };
        Self::default().with(b"", &text)
    }

    /// Adds what the folder's own files say. The second value names a file that could not be used.
    pub(crate) fn enter(
        &self,
        folder: BorrowedFd<'_>,
        path: &[u8],
        entries: &[Entry],
    ) -> (Self, Option<(&'static [u8], String)>) {
        let mut rules = self.clone();
        let mut unusable = None;
        for name in FILES {
            if entries.binary_search_by(|entry| entry.name.as_slice().cmp(name)).is_err() {
                continue;
            }
            match read(folder, name) {
                Ok(text) => rules = rules.with(path, &text),
                Err(error) => unusable = Some((name, error.to_string())),
            }
        }
        (rules, unusable)
    }

    fn with(&self, path: &[u8], text: &[u8]) -> Self {
        let mut builder = GitignoreBuilder::new(absolute(path).as_path());
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        for line in text.split(|byte| *byte == b'\n').take(MAX_RULES) {
            // Git, too, passes over a pattern it cannot read.
            let _ =
                builder.add_line(None, &String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)));
        }
        match builder.build() {
            Ok(matcher) if !matcher.is_empty() => {
                Self(Some(Arc::new(Level { matcher, above: self.clone() })))
            }
            _ => self.clone(),
        }
    }

    /// Whether a path is ignored: the nearest rule that speaks of it decides.
    pub(crate) fn ignores(&self, path: &[u8], is_folder: bool) -> bool {
        let mut level = self.0.as_deref();
        if level.is_none() {
            return false;
        }
        let path = absolute(path);
        while let Some(Level { matcher, above }) = level {
            match matcher.matched(&path, is_folder) {
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
                Match::None => level = above.0.as_deref(),
            }
        }
        false
    }
}

/// Paths are matched as if the repository were the file system's root.
fn absolute(path: &[u8]) -> std::path::PathBuf {
    Path::new("/").join(OsStr::from_bytes(path))
}

fn read(folder: BorrowedFd<'_>, name: &[u8]) -> std::io::Result<Vec<u8>> {
    let (file, size) = beneath::open_file(folder, name)?;
    if size > MAX_BYTES {
        return Err(std::io::Error::other(format!(
            "its rules are not used: it is larger than {MAX_BYTES} bytes"
        )));
    }
    let mut text = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut text)?;
    Ok(text)
}

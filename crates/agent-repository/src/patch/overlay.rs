//! The workspace as it would be: what a patch has changed so far, over what is on the disk.

use std::collections::BTreeMap;
use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::LARGEST_FILE;
use super::record::Fingerprint;
use crate::error::Error;
use crate::path_guard::{FileMode, RelativePath, Root};

/// A version of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) bytes: Vec<u8>,
    pub(crate) mode: FileMode,
}

/// A file before the patch and now.
#[derive(Debug, Default, Clone)]
pub(crate) struct Entry {
    pub(crate) before: Option<Snapshot>,
    pub(crate) now: Option<Snapshot>,
    /// Where the content came from, when the file was renamed.
    pub(crate) origin: Option<RelativePath>,
}

/// Where a file comes from that the patch has not touched yet.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source<'r> {
    /// Beneath a directory.
    Disk(&'r Root),
    /// One text; no other file exists.
    Memory { path: &'r RelativePath, content: Option<&'r str> },
}

pub(crate) struct Overlay<'r> {
    source: Source<'r>,
    pub(crate) entries: BTreeMap<RelativePath, Entry>,
}

impl<'r> Overlay<'r> {
    pub(crate) fn new(source: Source<'r>) -> Self {
        Self { source, entries: BTreeMap::new() }
    }

    /// The file as it is now, read at first sight. A path that may not be written is an error.
    pub(crate) fn load(&mut self, path: &RelativePath) -> Result<&mut Entry, Error> {
        if !self.entries.contains_key(path) {
            let before = self.source.read(path)?;
            let entry = Entry { now: before.clone(), before, origin: None };
            self.entries.insert(path.clone(), entry);
        }
        Ok(self.entries.entry(path.clone()).or_default())
    }

    /// Refuses a path where nothing may be created: taken, or beneath or above another file of the patch.
    pub(crate) fn check_vacant(&mut self, path: &RelativePath) -> Result<(), Error> {
        if self.load(path)?.now.is_some() {
            return Err(Error::AlreadyExists { path: path.clone() });
        }
        let prefix = format!("{}/", path.as_str());
        let beneath = |other: &RelativePath| other.as_str().starts_with(&prefix);
        let above = |other: &RelativePath| {
            path.as_str().strip_prefix(other.as_str()).is_some_and(|r| r.starts_with('/'))
        };
        let clash =
            self.entries.iter().any(|(other, entry)| entry.now.is_some() && (beneath(other) || above(other)));
        if clash {
            return Err(Error::NotAFile { path: path.clone() });
        }
        Ok(())
    }
}

impl Source<'_> {
    fn read(self, path: &RelativePath) -> Result<Option<Snapshot>, Error> {
        match self {
            Self::Disk(root) => read(root, path),
            Self::Memory { path: named, content } => {
                path.check_writable()?;
                let Some(content) = content.filter(|_| path == named) else { return Ok(None) };
                let bytes = content.len() as u64;
                if bytes > LARGEST_FILE {
                    return Err(Error::FileTooLarge { path: path.clone(), bytes, limit: LARGEST_FILE });
                }
                let mode = FileMode::Exactly(0o644);
                Ok(Some(Snapshot { bytes: content.as_bytes().to_vec(), mode }))
            }
        }
    }
}

/// The file on the disk, or `None`; anything but a regular file that may be written is an error.
pub(crate) fn read(root: &Root, path: &RelativePath) -> Result<Option<Snapshot>, Error> {
    if !root.replaceable(path)? {
        return Ok(None);
    }
    let content = root.read_unlinked(path, LARGEST_FILE)?;
    Ok(Some(Snapshot { bytes: content.bytes, mode: FileMode::Exactly(content.mode) }))
}

impl Snapshot {
    pub(crate) fn text(&self, path: &RelativePath) -> Result<&str, Error> {
        std::str::from_utf8(&self.bytes).map_err(|_not_utf8| Error::NotText { path: path.clone() })
    }

    pub(crate) fn is_executable(&self) -> bool {
        match self.mode {
            FileMode::Fresh { executable } => executable,
            FileMode::Exactly(mode) => mode & 0o100 != 0,
        }
    }

    /// The permission bits; for a file that is new the usual ones.
    pub(crate) fn permissions(&self) -> u32 {
        match self.mode {
            FileMode::Exactly(mode) => mode,
            FileMode::Fresh { executable: true } => 0o755,
            FileMode::Fresh { executable: false } => 0o644,
        }
    }

    pub(crate) fn set_executable(&mut self, wanted: bool) {
        self.mode = match self.mode {
            FileMode::Fresh { .. } => FileMode::Fresh { executable: wanted },
            // Whoever may read it may execute it.
            FileMode::Exactly(mode) if wanted => FileMode::Exactly(mode | ((mode & 0o444) >> 2)),
            FileMode::Exactly(mode) => FileMode::Exactly(mode & !0o111),
        };
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint { sha256: sha256(&self.bytes), executable: self.is_executable() }
    }
}

/// The hash of a content in lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let mut hexadecimal = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(hexadecimal, "{byte:02x}");
    }
    hexadecimal
}

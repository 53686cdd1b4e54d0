//! One record on the disk: a line of JSON, then the contents of the files it speaks of, one after the other.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;

use agent_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FileChange, FileVersions, History, Origin};
use crate::error::Error;
use crate::file_store::replace_file;
use crate::patch::diff::file_diff;
use crate::patch::overlay::Snapshot;
use crate::patch::plan::Change;
use crate::patch::record::ChangeRecord;
use crate::path_guard::{FileMode, RelativePath};

const BEGUN: &str = "begun";
const APPLIED: &str = "applied";
/// The longest line of JSON that is taken for one, in bytes.
const LONGEST_HEADER: u64 = 256 << 20;

/// What is known of an application without the contents.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) id: u64,
    pub(super) at: Timestamp,
    pub(super) origin: Origin,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) undoes: Option<u64>,
    /// For people: the paths with their sizes.
    pub(super) changed: Vec<FileChange>,
    /// For the recovery after a crash.
    pub(super) record: ChangeRecord,
}

#[derive(Serialize, Deserialize)]
struct Stored<H> {
    #[serde(flatten)]
    header: H,
    contents: Vec<StoredFile>,
}

#[derive(Serialize, Deserialize)]
struct StoredFile {
    path: RelativePath,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous_path: Option<RelativePath>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<StoredVersion>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<StoredVersion>,
}

#[derive(Serialize, Deserialize)]
struct StoredVersion {
    mode: u32,
    bytes: u64,
}

impl History {
    /// The numbers of all records, oldest first, and whether each was only begun.
    pub(super) fn numbers(&self) -> Result<Vec<(u64, bool)>, Error> {
        let fails = |source| Error::History { path: self.folder.clone(), source };
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(fails)? {
            let name = entry.map_err(fails)?.file_name();
            let parts = name.to_str().and_then(|name| name.split_once('.'));
            let Some((number, state)) = parts.and_then(|(n, state)| Some((n.parse().ok()?, state))) else {
                continue;
            };
            if state == BEGUN || state == APPLIED {
                numbers.push((number, state == BEGUN));
            }
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    pub(super) fn path_of(&self, id: u64, begun: bool) -> PathBuf {
        self.folder.join(format!("{id}.{}", if begun { BEGUN } else { APPLIED }))
    }

    /// Puts the record of an application that is about to begin on the disk.
    pub(super) fn write(&self, header: &Header, files: &[FileVersions]) -> Result<(), Error> {
        let path = self.path_of(header.id, true);
        let written = replace_file(&path, &self.folder.join("next"), |file| write_to(file, header, files));
        written.map_err(|source| Error::History { path, source })
    }

    /// Says that an application is finished.
    pub(super) fn finish(&self, id: u64) -> Result<(), Error> {
        let (begun, applied) = (self.path_of(id, true), self.path_of(id, false));
        fs::rename(&begun, applied).map_err(|source| Error::History { path: begun, source })
    }

    /// Removes the record of an application of which nothing is left.
    pub(super) fn forget(&self, id: u64) -> Result<(), Error> {
        let path = self.path_of(id, true);
        fs::remove_file(&path).map_err(|source| Error::History { path, source })
    }

    pub(super) fn read_header(&self, id: u64, begun: bool) -> Result<Header, Error> {
        let (path, reader) = self.open(id, begun)?;
        Ok(read_line(reader).map_err(|source| Error::History { path, source })?.0.header)
    }

    pub(super) fn read(&self, id: u64) -> Result<Vec<FileVersions>, Error> {
        let begun = self.numbers()?.into_iter().find(|(number, _)| *number == id);
        let Some((_, begun)) = begun else { return Err(Error::NoSuchApplication { id }) };
        let (path, reader) = self.open(id, begun)?;
        read_contents(reader).map_err(|source| Error::History { path, source })
    }

    fn open(&self, id: u64, begun: bool) -> Result<(PathBuf, BufReader<File>), Error> {
        let path = self.path_of(id, begun);
        match File::open(&path) {
            Ok(file) => Ok((path, BufReader::new(file))),
            Err(source) => Err(Error::History { path, source }),
        }
    }
}

fn write_to(file: &mut File, header: &Header, files: &[FileVersions]) -> io::Result<()> {
    let stored =
        |version: &Snapshot| StoredVersion { mode: version.permissions(), bytes: version.bytes.len() as u64 };
    let contents = files.iter().map(|file| StoredFile {
        path: file.path.clone(),
        previous_path: file.previous_path.clone(),
        before: file.before.as_ref().map(stored),
        after: file.after.as_ref().map(stored),
    });
    let mut line = serde_json::to_vec(&Stored { header, contents: contents.collect() })?;
    line.push(b'\n');
    file.write_all(&line)?;
    for version in files.iter().flat_map(|file| [&file.before, &file.after]).flatten() {
        file.write_all(&version.bytes)?;
    }
    Ok(())
}

fn read_line(mut reader: BufReader<File>) -> io::Result<(Stored<Header>, BufReader<File>)> {
    let mut line = Vec::new();
    reader.by_ref().take(LONGEST_HEADER).read_until(b'\n', &mut line)?;
    Ok((serde_json::from_slice(&line)?, reader))
}

fn read_contents(reader: BufReader<File>) -> io::Result<Vec<FileVersions>> {
    let (stored, mut reader) = read_line(reader)?;
    let mut version = |stored: Option<StoredVersion>| -> io::Result<Option<Snapshot>> {
        let Some(StoredVersion { mode, bytes: length }) = stored else { return Ok(None) };
        let mut bytes = Vec::new();
        reader.by_ref().take(length).read_to_end(&mut bytes)?;
        if bytes.len() as u64 != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Some(Snapshot { bytes, mode: FileMode::Exactly(mode) }))
    };
    let mut files = Vec::new();
    for StoredFile { path, previous_path, before, after } in stored.contents {
        let (before, after) = (version(before)?, version(after)?);
        files.push(FileVersions { path, previous_path, before, after });
    }
    Ok(files)
}

impl FileVersions {
    /// The change as a git-style unified diff.
    pub(super) fn diff(&self) -> String {
        let old_path = self.previous_path.as_ref().unwrap_or(&self.path);
        let (old, new) =
            (Change::side(old_path, self.before.as_ref()), Change::side(&self.path, self.after.as_ref()));
        file_diff(old, new).text
    }
}

//! Opens files and folders beneath a root without ever following a link or waiting for a device.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, ResolveFlags};
use rustix::io::Errno;

use super::error::Error;
use super::identity::Identity;

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// `NONBLOCK`: opening a FIFO that took a file's place must not wait for a writer.
const FILE: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);
/// What the system fills with names in one call.
const LISTING_BYTES: usize = 32 * 1024;

/// One name in a folder, with what stands behind it (links not followed).
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    pub(crate) file_type: FileType,
}

/// Opens the root itself; here, and only here, links are followed.
pub(crate) fn open_root(path: &Path) -> Result<OwnedFd, Error> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map_err(|error| match error {
        Errno::NOTDIR => Error::NotAFolder(path.to_path_buf()),
        other => Error::RootUnreadable { path: path.to_path_buf(), source: other.into() },
    })
}

/// Opens a folder by its path relative to the root.
pub(crate) fn open_folder(root: BorrowedFd<'_>, path: &[u8]) -> io::Result<OwnedFd> {
    if path.is_empty() {
        return Ok(rustix::fs::openat(root, ".", FOLDER, Mode::empty())?);
    }
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match rustix::fs::openat2(root, path, FOLDER, Mode::empty(), resolve) {
        // A system without the call, a sandbox that forbids it, or a path longer than one call takes.
        Err(Errno::NOSYS | Errno::PERM | Errno::NAMETOOLONG | Errno::AGAIN) => open_by_parts(root, path),
        // A link is no folder here, as it is for `openat`.
        Err(Errno::LOOP) => Err(Errno::NOTDIR.into()),
        opened => Ok(opened?),
    }
}

/// The same, one component at a time.
fn open_by_parts(root: BorrowedFd<'_>, path: &[u8]) -> io::Result<OwnedFd> {
    let mut folder = rustix::fs::openat(root, ".", FOLDER, Mode::empty())?;
    for name in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
        folder = rustix::fs::openat(&folder, name, FOLDER, Mode::empty())?;
    }
    Ok(folder)
}

/// Opens a regular file in an open folder; the size is that of the opened file.
pub(crate) fn open_file(folder: BorrowedFd<'_>, name: &[u8]) -> io::Result<(File, u64)> {
    open_identified(folder, name).map(|(file, identity)| (file, identity.size))
}

/// Opens a regular file in an open folder, and says which file it is before any of it is read.
pub(crate) fn open_identified(folder: BorrowedFd<'_>, name: &[u8]) -> io::Result<(File, Identity)> {
    let file = rustix::fs::openat(folder, name, FILE, Mode::empty())?;
    let stat = rustix::fs::fstat(&file)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(io::Error::other("it is no longer a regular file"));
    }
    Ok((File::from(file), Identity::of(&stat)))
}

/// Reads a small file by its path relative to the root; `None` if it is missing, larger than
/// `max_bytes`, or not a regular file.
pub(crate) fn read_small(root: BorrowedFd<'_>, path: &[u8], max_bytes: u64) -> Option<Vec<u8>> {
    let (folder, name) = split(path);
    let folder = open_folder(root, folder).ok()?;
    let (file, size) = open_file(folder.as_fd(), name).ok()?;
    if size > max_bytes {
        return None;
    }
    let mut text = Vec::new();
    file.take(max_bytes).read_to_end(&mut text).ok()?;
    Some(text)
}

/// Whether a name exists in the root, links not followed.
pub(crate) fn exists(root: BorrowedFd<'_>, path: &[u8]) -> bool {
    let (folder, name) = split(path);
    open_folder(root, folder).is_ok_and(|folder| size(folder.as_fd(), name).is_ok())
}

/// The size of a file without opening it.
pub(crate) fn size(folder: BorrowedFd<'_>, name: &[u8]) -> io::Result<u64> {
    let stat = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(u64::try_from(stat.st_size).unwrap_or(0))
}

/// Which regular file a name stands for, without opening it; `None` for anything else.
pub(crate) fn identity(folder: BorrowedFd<'_>, name: &[u8]) -> io::Result<Option<Identity>> {
    let stat = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    Ok(regular.then(|| Identity::of(&stat)))
}

/// Lists a folder that was just opened in the order of names, up to `limit` of them; the flag says there
/// were more.
pub(crate) fn list(folder: BorrowedFd<'_>, limit: usize) -> io::Result<(Vec<Entry>, bool)> {
    let mut entries = Vec::new();
    let mut cut = false;
    // The handle itself is read, where the standard library would open the folder once more.
    let mut buffer = Vec::with_capacity(LISTING_BYTES);
    let mut listing = RawDir::new(folder, buffer.spare_capacity_mut());
    while let Some(entry) = listing.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        if entries.len() >= limit {
            cut = true;
            break;
        }
        let file_type = match entry.file_type() {
            FileType::Unknown => file_type(folder, name),
            known => known,
        };
        entries.push(Entry { name: name.to_vec(), file_type });
    }
    entries.sort_unstable_by(|left, right| left.name.cmp(&right.name));
    Ok((entries, cut))
}

fn file_type(folder: BorrowedFd<'_>, name: &[u8]) -> FileType {
    rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)
        .map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode))
}

fn split(path: &[u8]) -> (&[u8], &[u8]) {
    path.iter()
        .rposition(|byte| *byte == b'/')
        .map_or((&[], path), |slash| (&path[..slash], &path[slash + 1..]))
}

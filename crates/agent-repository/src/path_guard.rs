//! The one way to the files of a workspace: beneath an opened directory handle.
//!
//! Names are resolved by the kernel beneath the handle (`openat2`), so a directory that is swapped for a
//! symbolic link in mid-flight cannot lead a read or a write out of the workspace. Reads follow links that
//! stay inside; writes follow none. Files are replaced, never written in place, so a hard link to a file
//! elsewhere keeps that file as it was.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use crate::error::Error;

mod relative_path;
mod staging;

pub use relative_path::{PathRefusal, RelativePath};
pub(crate) use staging::{FileMode, Staged};

/// How often a resolution that raced with a rename is tried again before it counts as failed.
const RESOLVE_ATTEMPTS: usize = 256;

const WITHIN: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_MAGICLINKS);
const WITHIN_WITHOUT_LINKS: ResolveFlags = WITHIN.union(ResolveFlags::NO_SYMLINKS);

/// A workspace, held open. Cloning shares the handle.
#[derive(Debug, Clone)]
pub struct Root {
    directory: Arc<OwnedFd>,
    path: PathBuf,
    protected: Arc<[RelativePath]>,
}

/// What stands at a path; links are not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, wherever it leads.
    SymbolicLink,
    /// A pipe, socket or device.
    Other,
}

/// The bytes of a file with its permission bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileContent {
    /// The whole content.
    pub bytes: Vec<u8>,
    /// Permission bits, for example `0o644`.
    pub mode: u32,
}

/// Tells one version of a file from the next without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Root {
    /// Opens a workspace. `path` itself comes from settings and may lead through links.
    ///
    /// # Errors
    /// [`Error::RootUnavailable`] when it is not a readable directory.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let unavailable = |source: io::Error| Error::RootUnavailable { path: path.to_owned(), source };
        let absolute = path.canonicalize().map_err(unavailable)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory =
            rustix::fs::open(&absolute, flags, Mode::empty()).map_err(|errno| unavailable(errno.into()))?;
        Ok(Self { directory: Arc::new(directory), path: absolute, protected: Arc::new([]) })
    }

    /// Protects further paths, and everything beneath them, from writing: policy files for example.
    #[must_use]
    pub fn protecting(mut self, paths: impl IntoIterator<Item = RelativePath>) -> Self {
        self.protected = self.protected.iter().cloned().chain(paths).collect();
        self
    }

    /// Where the workspace stood when it was opened, without links. For showing and for starting programs;
    /// files are reached through the handle.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads a regular file of at most `limit` bytes; links are followed as long as they stay inside.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Outside`], [`Error::NotAFile`], [`Error::FileTooLarge`], or
    /// [`Error::File`] for what else the operating system says.
    pub fn read(&self, path: &RelativePath, limit: u64) -> Result<FileContent, Error> {
        self.read_resolved(path, limit, WITHIN).map(|(content, _)| content)
    }

    /// Reads a regular file without following any link: what a writer reads before it replaces a file.
    ///
    /// # Errors
    /// As [`Root::read`], and [`Error::SymbolicLink`].
    pub fn read_unlinked(&self, path: &RelativePath, limit: u64) -> Result<FileContent, Error> {
        self.read_resolved(path, limit, WITHIN_WITHOUT_LINKS).map(|(content, _)| content)
    }

    pub(crate) fn read_identified(
        &self,
        path: &RelativePath,
        limit: u64,
    ) -> Result<(FileContent, Identity), Error> {
        self.read_resolved(path, limit, WITHIN_WITHOUT_LINKS)
    }

    fn read_resolved(
        &self,
        path: &RelativePath,
        limit: u64,
        resolve: ResolveFlags,
    ) -> Result<(FileContent, Identity), Error> {
        // Non-blocking, so that a pipe without a writer cannot hold the reader for ever.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file =
            self.resolve(path.as_str(), flags, resolve).map_err(|errno| failed("reading", path, errno))?;
        let stat = rustix::fs::fstat(&file).map_err(|errno| failed("reading", path, errno))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Error::NotAFile { path: path.clone() });
        }
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        let mut bytes = Vec::new();
        if size <= limit {
            bytes.reserve_exact(usize::try_from(size).unwrap_or(0));
            // One byte more than allowed, to see that a growing file went over the limit.
            let read = File::from(file).take(limit.saturating_add(1)).read_to_end(&mut bytes);
            read.map_err(|source| Error::File { action: "reading", path: path.clone(), source })?;
        }
        let seen = size.max(bytes.len() as u64);
        if seen > limit {
            return Err(Error::FileTooLarge { path: path.clone(), bytes: seen, limit });
        }
        Ok((FileContent { bytes, mode: stat.st_mode & 0o7777 }, Identity::from(&stat)))
    }

    /// What stands at a path, or `None` when nothing does. Follows no link.
    ///
    /// # Errors
    /// [`Error::SymbolicLink`] when a directory on the way is a link, [`Error::NotAFile`] when a part of the
    /// way is not a directory, [`Error::File`] for what else the operating system says.
    pub fn kind(&self, path: &RelativePath) -> Result<Option<EntryKind>, Error> {
        Ok(self.status(path)?.map(|(kind, _)| kind))
    }

    pub(crate) fn identity(&self, path: &RelativePath) -> Result<Option<Identity>, Error> {
        Ok(self.status(path)?.map(|(_, identity)| identity))
    }

    fn mode(&self, path: &RelativePath) -> Result<Option<u32>, Error> {
        Ok(self.stat(path)?.map(|stat| stat.st_mode & 0o7777))
    }

    fn status(&self, path: &RelativePath) -> Result<Option<(EntryKind, Identity)>, Error> {
        let stat = self.stat(path)?;
        Ok(stat.map(|stat| (kind_of(FileType::from_raw_mode(stat.st_mode)), Identity::from(&stat))))
    }

    fn stat(&self, path: &RelativePath) -> Result<Option<Stat>, Error> {
        let found = self
            .resolve_parent(path)
            .and_then(|parent| rustix::fs::statat(&parent, path.file_name(), AtFlags::SYMLINK_NOFOLLOW));
        match found {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(failed("looking at", path, errno)),
        }
    }

    /// Replaces or creates a file as a whole: readers see the old content or the new, also after a power
    /// cut. Missing parent directories are created. An existing file keeps its mode unless `mode` says
    /// otherwise.
    ///
    /// # Errors
    /// [`Error::PathRefused`] for protected paths, [`Error::SymbolicLink`] and [`Error::NotAFile`] when
    /// something else stands there, [`Error::File`] when the operating system refuses.
    pub fn write(&self, path: &RelativePath, bytes: &[u8], mode: Option<u32>) -> Result<(), Error> {
        let kept = if self.replaceable(path)? { self.mode(path)? } else { None };
        self.create_parents(path)?;
        let mode = mode.or(kept).map_or(FileMode::Fresh { executable: false }, FileMode::Exactly);
        self.stage(path, bytes, mode)?.commit(path, true)
    }

    /// Removes a file; a link is refused, as is a directory.
    ///
    /// # Errors
    /// As [`Root::write`], and [`Error::NotFound`].
    pub fn remove(&self, path: &RelativePath) -> Result<(), Error> {
        if !self.replaceable(path)? {
            return Err(Error::NotFound { path: path.clone() });
        }
        let parent = self.resolve_parent(path).map_err(|errno| failed("removing", path, errno))?;
        rustix::fs::unlinkat(&parent, path.file_name(), AtFlags::empty())
            .and_then(|()| rustix::fs::fsync(&parent))
            .map_err(|errno| failed("removing", path, errno))
    }

    /// Refuses paths that may not be written: git's own and the protected ones.
    ///
    /// # Errors
    /// [`Error::PathRefused`].
    pub fn check_writable(&self, path: &RelativePath) -> Result<(), Error> {
        path.check_writable()?;
        if self.protected.iter().any(|protected| path.is_within(protected)) {
            return Err(path.refused(PathRefusal::Protected));
        }
        Ok(())
    }

    /// Whether a regular file stands there; anything else that a write would destroy is an error.
    pub(crate) fn replaceable(&self, path: &RelativePath) -> Result<bool, Error> {
        self.check_writable(path)?;
        match self.kind(path)? {
            None => Ok(false),
            Some(EntryKind::File) => Ok(true),
            Some(EntryKind::SymbolicLink) => Err(Error::SymbolicLink { path: path.clone() }),
            Some(EntryKind::Directory | EntryKind::Other) => Err(Error::NotAFile { path: path.clone() }),
        }
    }

    /// Creates the directories above a file and returns those that were missing, outermost first.
    ///
    /// # Errors
    /// [`Error::PathRefused`], [`Error::SymbolicLink`], [`Error::NotAFile`] or [`Error::File`].
    pub fn create_parents(&self, path: &RelativePath) -> Result<Vec<RelativePath>, Error> {
        self.check_writable(path)?;
        let mut missing = Vec::new();
        let mut next = path.parent();
        while let Some(directory) = next {
            match self.kind(&directory)? {
                Some(EntryKind::Directory) => break,
                None => next = directory.parent(),
                Some(EntryKind::SymbolicLink) => return Err(Error::SymbolicLink { path: path.clone() }),
                Some(_) => return Err(Error::NotAFile { path: path.clone() }),
            }
            missing.push(directory);
        }
        missing.reverse();
        for directory in &missing {
            let parent =
                self.resolve_parent(directory).map_err(|errno| failed("creating", directory, errno))?;
            match rustix::fs::mkdirat(&parent, directory.file_name(), Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(errno) => return Err(failed("creating", directory, errno)),
            }
            rustix::fs::fsync(&parent).map_err(|errno| failed("creating", directory, errno))?;
        }
        Ok(missing)
    }

    /// The directory that holds a path, reached without following any link.
    fn resolve_parent(&self, path: &RelativePath) -> Result<OwnedFd, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match path.as_str().rsplit_once('/') {
            Some((parent, _)) => self.resolve(parent, flags, WITHIN_WITHOUT_LINKS),
            None => self.resolve(".", flags, WITHIN_WITHOUT_LINKS),
        }
    }

    fn resolve(&self, path: &str, flags: OFlags, resolve: ResolveFlags) -> Result<OwnedFd, Errno> {
        let mut outcome = Err(Errno::AGAIN);
        for _ in 0..RESOLVE_ATTEMPTS {
            outcome = rustix::fs::openat2(self.directory.as_fd(), path, flags, Mode::empty(), resolve);
            // The kernel asks for another attempt when a rename elsewhere raced with the resolution.
            if !matches!(outcome, Err(Errno::AGAIN | Errno::INTR)) {
                break;
            }
        }
        outcome
    }
}

fn kind_of(file_type: FileType) -> EntryKind {
    match file_type {
        FileType::RegularFile => EntryKind::File,
        FileType::Directory => EntryKind::Directory,
        FileType::Symlink => EntryKind::SymbolicLink,
        _ => EntryKind::Other,
    }
}

impl From<&Stat> for Identity {
    fn from(stat: &Stat) -> Self {
        Self {
            inode: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified: (stat.st_mtime, stat.st_mtime_nsec.cast_signed()),
            changed: (stat.st_ctime, stat.st_ctime_nsec.cast_signed()),
        }
    }
}

/// Gives the operating system's word the meaning it has beneath a root.
pub(crate) fn failed(action: &'static str, path: &RelativePath, errno: Errno) -> Error {
    let path = path.clone();
    match errno {
        Errno::NOENT => Error::NotFound { path },
        Errno::EXIST => Error::AlreadyExists { path },
        Errno::LOOP => Error::SymbolicLink { path },
        Errno::XDEV => Error::Outside { path },
        Errno::NOTDIR | Errno::ISDIR | Errno::NXIO => Error::NotAFile { path },
        errno => Error::File { action, path, source: errno.into() },
    }
}

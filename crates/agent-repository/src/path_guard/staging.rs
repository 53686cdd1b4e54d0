//! Writing in two steps: everything is on the disk under another name before the first file changes.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::thread;
use std::time::Duration;

use rustix::fs::{AtFlags, FlockOperation, Gid, Mode, OFlags, RenameFlags, Uid};
use rustix::io::Errno;

use super::{RelativePath, Root, failed};
use crate::error::Error;

/// How many left-over temporary names are passed over before giving up.
const TEMPORARY_NAMES: u32 = 1000;
const TEMPORARY_PREFIX: &str = ".agent-staged-";
const LOCK_ATTEMPTS: u32 = 500;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// The permission bits that a written file gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileMode {
    /// Those of a new file under the process's mask.
    Fresh { executable: bool },
    /// These.
    Exactly(u32),
}

/// A synced temporary file in the directory of the file it is to become. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct Staged {
    directory: OwnedFd,
    temporary: Option<String>,
}

/// The right to change files of a workspace, shared between threads and processes. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct WriteLock {
    _directory: OwnedFd,
}

impl Root {
    /// Waits a bounded time for the right to change files.
    pub(crate) fn lock(&self) -> Result<WriteLock, Error> {
        let here = RelativePath::new("workspace")?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        // A description of its own: a lock belongs to the description, and `self.directory` is shared.
        let directory = self
            .resolve(".", flags, super::WITHIN_WITHOUT_LINKS)
            .map_err(|errno| failed("locking", &here, errno))?;
        for _ in 0..LOCK_ATTEMPTS {
            match rustix::fs::flock(&directory, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(WriteLock { _directory: directory }),
                Err(Errno::WOULDBLOCK | Errno::INTR) => thread::sleep(LOCK_PAUSE),
                Err(errno) => return Err(failed("locking", &here, errno)),
            }
        }
        Err(Error::Busy)
    }

    /// Writes and syncs the content next to where it is to stand. A file that is replaced there passes its
    /// owner on.
    pub(crate) fn stage(&self, path: &RelativePath, bytes: &[u8], mode: FileMode) -> Result<Staged, Error> {
        self.check_writable(path)?;
        let refused = |errno| failed("writing", path, errno);
        let directory = self.resolve_parent(path).map_err(refused)?;
        let (file, temporary) = create_temporary(&directory, mode).map_err(refused)?;
        let staged = Staged { directory, temporary: Some(temporary) };
        staged.take_over_owner(path, &file).map_err(refused)?;
        if let FileMode::Exactly(mode) = mode {
            rustix::fs::fchmod(&file, Mode::from_raw_mode(mode)).map_err(refused)?;
        }
        let mut file = File::from(file);
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|source| Error::File {
            action: "writing",
            path: path.clone(),
            source,
        })?;
        Ok(staged)
    }

    /// Moves a file to a name that nothing has, in one step.
    pub(crate) fn rename_file(&self, from: &RelativePath, to: &RelativePath) -> Result<(), Error> {
        self.check_writable(from)?;
        self.check_writable(to)?;
        let source = self.resolve_parent(from).map_err(|errno| failed("moving", from, errno))?;
        let target = self.resolve_parent(to).map_err(|errno| failed("moving", to, errno))?;
        rustix::fs::renameat_with(&source, from.file_name(), &target, to.file_name(), RenameFlags::NOREPLACE)
            .map_err(|errno| failed("moving", if errno == Errno::EXIST { to } else { from }, errno))?;
        rustix::fs::fsync(&source)
            .and_then(|()| rustix::fs::fsync(&target))
            .map_err(|errno| failed("moving", to, errno))
    }

    /// Removes a directory that a change created, if it is empty again.
    pub(crate) fn remove_empty_directory(&self, path: &RelativePath) {
        if let Ok(parent) = self.resolve_parent(path) {
            // Not empty means that somebody else uses it by now, which is a reason to keep it.
            let _ = rustix::fs::unlinkat(&parent, path.file_name(), AtFlags::REMOVEDIR);
        }
    }

    /// Removes temporary files that a killed process left in the directory of `path`.
    pub(crate) fn discard_temporaries(&self, path: &RelativePath) -> Result<(), Error> {
        let directory = match self.resolve_parent(path) {
            Ok(directory) => directory,
            Err(Errno::NOENT) => return Ok(()),
            Err(errno) => return Err(failed("cleaning", path, errno)),
        };
        let entries =
            rustix::fs::Dir::read_from(&directory).map_err(|errno| failed("cleaning", path, errno))?;
        for entry in entries.flatten() {
            if entry.file_name().to_bytes().starts_with(TEMPORARY_PREFIX.as_bytes()) {
                rustix::fs::unlinkat(&directory, entry.file_name(), AtFlags::empty())
                    .map_err(|errno| failed("cleaning", path, errno))?;
            }
        }
        Ok(())
    }
}

fn create_temporary(directory: &OwnedFd, mode: FileMode) -> Result<(OwnedFd, String), Errno> {
    let mode = Mode::from_raw_mode(match mode {
        FileMode::Fresh { executable: false } => 0o666,
        FileMode::Fresh { executable: true } => 0o777,
        // Until it has its owner, nobody else reads it.
        FileMode::Exactly(_) => 0o600,
    });
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let process = rustix::process::getpid().as_raw_nonzero();
    for number in 0..TEMPORARY_NAMES {
        let name = format!("{TEMPORARY_PREFIX}{process}-{number}");
        match rustix::fs::openat(directory, &name, flags, mode) {
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
            Ok(file) => return Ok((file, name)),
        }
    }
    Err(Errno::EXIST)
}

impl Staged {
    /// Gives the temporary file, as far as allowed, the owner of the file it replaces.
    fn take_over_owner(&self, path: &RelativePath, file: &OwnedFd) -> Result<(), Errno> {
        let old = match rustix::fs::statat(&self.directory, path.file_name(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(old) => old,
            Err(Errno::NOENT) => return Ok(()),
            Err(errno) => return Err(errno),
        };
        let new = rustix::fs::fstat(file)?;
        if (old.st_uid, old.st_gid) == (new.st_uid, new.st_gid) {
            return Ok(());
        }
        match rustix::fs::fchown(file, Some(Uid::from_raw(old.st_uid)), Some(Gid::from_raw(old.st_gid))) {
            // Only the superuser may give files away; the file then belongs to who changed it.
            Ok(()) | Err(Errno::PERM) => Ok(()),
            Err(errno) => Err(errno),
        }
    }

    /// Puts the file in its place. Without `replace` a file that appeared meanwhile is kept, and an error.
    pub(crate) fn commit(mut self, path: &RelativePath, replace: bool) -> Result<(), Error> {
        let flags = if replace { RenameFlags::empty() } else { RenameFlags::NOREPLACE };
        let temporary = self.temporary.clone().unwrap_or_default();
        rustix::fs::renameat_with(&self.directory, &temporary, &self.directory, path.file_name(), flags)
            .map_err(|errno| failed("writing", path, errno))?;
        self.temporary = None;
        rustix::fs::fsync(&self.directory).map_err(|errno| failed("writing", path, errno))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // A temporary that cannot be removed harms nothing and is cleaned up after a restart.
            let _ = rustix::fs::unlinkat(&self.directory, temporary, AtFlags::empty());
        }
    }
}

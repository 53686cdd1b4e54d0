//! What is kept beside the database: the signing secret, and the lock that says who is at home.

use crate::error::{Error, Result};
use secrecy::SecretString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The folder of the database.
pub(crate) struct DataFolder {
    database: PathBuf,
}

/// Held for the life of the process that is at home in a data folder; the kernel frees it with the process.
pub(crate) struct HomeLock(#[expect(dead_code, reason = "held, never read")] File);

impl DataFolder {
    pub(crate) fn of(database: &Path) -> Self {
        Self { database: database.to_path_buf() }
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.database.file_name().unwrap_or_default().to_os_string();
        name.push(suffix);
        self.database.with_file_name(name)
    }

    /// What nobody but the server itself may read.
    pub(crate) fn private_files(&self) -> Vec<PathBuf> {
        ["", "-wal", "-shm", ".jwt-secret", ".lock"].iter().map(|suffix| self.beside(suffix)).collect()
    }

    fn fails(&self, path: &Path, error: &std::io::Error) -> Error {
        let folder = self.database.parent().unwrap_or(Path::new(".")).display().to_string();
        Error::DataFolder { folder, reason: format!("{}: {error}", path.display()) }
    }

    /// The signing secret, generated at first use with mode 0600.
    ///
    /// # Errors
    /// [`Error::DataFolder`] when it can neither be read nor written.
    pub(crate) fn jwt_secret(&self) -> Result<SecretString> {
        let path = self.beside(".jwt-secret");
        let fails = |error: std::io::Error| self.fails(&path, &error);
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).map_err(|error| fails(std::io::Error::other(error.to_string())))?;
        let fresh: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        // Written aside and linked into place whole: a start that is cut off leaves no empty secret behind.
        let aside = self.beside(&format!(".jwt-secret.{}", std::process::id()));
        let written = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside);
        let written = written.and_then(|mut file| {
            file.write_all(fresh.as_bytes())?;
            file.sync_all()
        });
        let linked = written.and_then(|()| std::fs::hard_link(&aside, &path));
        let removed = std::fs::remove_file(&aside);
        match linked {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(fails(error)),
            Ok(()) | Err(_) => removed.map_err(fails)?,
        }
        let text = std::fs::read_to_string(&path).map_err(fails)?;
        Ok(SecretString::from(text.trim().to_owned()))
    }

    /// The right to call oneself by the folder's lasting name; `None` while another process has it.
    ///
    /// A process that has it may go on at once with what its predecessor left: while the lock was
    /// free, nobody of that name was running.
    ///
    /// # Errors
    /// [`Error::DataFolder`] when the lock file cannot be made.
    pub(crate) fn lock(&self) -> Result<Option<HomeLock>> {
        let path = self.beside(".lock");
        let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = opened.map_err(|error| self.fails(&path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(HomeLock(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(self.fails(&path, &error)),
        }
    }
}

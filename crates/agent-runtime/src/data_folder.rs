//! What is kept beside the database: the signing secret, and the lock that says who is at home.

use crate::error::{Error, Result};
use secrecy::SecretString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
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
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(mut file) => {
                file.write_all(fresh.as_bytes()).and_then(|()| file.sync_all()).map_err(fails)?;
                Ok(SecretString::from(fresh))
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                let mut text = String::new();
                File::open(&path).and_then(|mut file| file.read_to_string(&mut text)).map_err(fails)?;
                Ok(SecretString::from(text.trim().to_owned()))
            }
            Err(error) => Err(fails(error)),
        }
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

//! What is kept beside the database: the signing secret, the lock that says who is at home, and their name.

use crate::error::{Error, Result};
use secrecy::SecretString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often, and how long apart, is looked whether a predecessor has let go.
const GLANCES: u32 = 10;
const GLANCE: Duration = Duration::from_millis(25);

/// The folder of the database, or the one that stands in for it where the database is on a server.
pub(crate) struct DataFolder {
    /// What the other files are named after.
    database: PathBuf,
    /// Whether it is the database itself.
    is_file: bool,
}

/// Held for the life of the process that is at home in a data folder; the kernel frees it with the process.
pub(crate) struct HomeLock(#[expect(dead_code, reason = "held, never read")] File);

impl DataFolder {
    /// The folder of a database file.
    pub(crate) fn of(database: &Path) -> Self {
        Self { database: database.to_path_buf(), is_file: true }
    }

    /// A folder for what stays here while the database is elsewhere; files are named after `agent`.
    pub(crate) fn without_database(folder: &Path) -> Self {
        Self { database: folder.join("agent"), is_file: false }
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.database.file_name().unwrap_or_default().to_os_string();
        name.push(suffix);
        self.database.with_file_name(name)
    }

    /// What nobody but the server itself may read.
    pub(crate) fn private_files(&self) -> Vec<PathBuf> {
        let database: &[&str] = if self.is_file { &["", "-wal", "-shm"] } else { &[] };
        let others = [".jwt-secret", ".lock", ".worker"];
        database.iter().chain(&others).map(|suffix| self.beside(suffix)).collect()
    }

    /// Where the signing secret is kept.
    pub(crate) fn secret_file(&self) -> PathBuf {
        self.beside(".jwt-secret")
    }

    /// The files of the database itself.
    pub(crate) fn database_files(&self) -> [PathBuf; 3] {
        ["", "-wal", "-shm"].map(|suffix| self.beside(suffix))
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
        let mut bytes = [0_u8; 32];
        let filled = getrandom::fill(&mut bytes);
        filled.map_err(|error| {
            self.fails(&self.beside(".jwt-secret"), &std::io::Error::other(error.to_string()))
        })?;
        let fresh: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        self.lasting(".jwt-secret", &fresh).map(SecretString::from)
    }

    /// The lasting name of the process that is at home here. Only one at a time is ([`DataFolder::lock`]), so on a
    /// database of its own any name will do; servers that share a database need different ones.
    ///
    /// # Errors
    /// [`Error::DataFolder`] when it can neither be read nor written.
    pub(crate) fn worker(&self) -> Result<String> {
        if self.is_file {
            return Ok("home".to_owned());
        }
        self.lasting(".worker", &format!("home-{}", uuid::Uuid::new_v4()))
    }

    /// What a private file holds; `fresh` is put there when there is none.
    fn lasting(&self, suffix: &str, fresh: &str) -> Result<String> {
        let path = self.beside(suffix);
        let fails = |error: std::io::Error| self.fails(&path, &error);
        // Written aside and linked into place whole: a start that is cut off leaves no empty file behind.
        let aside = self.beside(&format!("{suffix}.{}", std::process::id()));
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
        Ok(text.trim().to_owned())
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
        for _ in 0..GLANCES {
            match file.try_lock() {
                Ok(()) => return Ok(Some(HomeLock(file))),
                // A predecessor that was killed while it started a command leaves a process that ends in a moment.
                Err(TryLockError::WouldBlock) => std::thread::sleep(GLANCE),
                Err(TryLockError::Error(error)) => return Err(self.fails(&path, &error)),
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_server_lasts_and_differs_from_that_of_another() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let name = |folder: &tempfile::TempDir| DataFolder::without_database(folder.path()).worker().unwrap();
        let first = name(&one);
        assert_eq!(name(&one), first);
        assert_ne!(name(&other), first);
        assert_eq!(DataFolder::of(&one.path().join("agent.db")).worker().unwrap(), "home");
    }

    #[test]
    fn what_only_the_server_may_read_has_no_name_that_others_use() {
        let folder = DataFolder::without_database(Path::new("/srv"));
        let names = ["/srv/agent.jwt-secret", "/srv/agent.lock", "/srv/agent.worker"];
        assert_eq!(folder.private_files(), names.map(PathBuf::from));
    }
}

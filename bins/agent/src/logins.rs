//! The logins that `agent login` stores: one file in the user's configuration folder, for nobody else to read.

mod file;
mod folder;
mod session;

pub(crate) use file::{Credential, Login, Stored};
pub(crate) use session::StoredSession;

use crate::exit::{Exit, Failure};
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;

/// What the file is called.
const NAME: &str = "logins.json";
/// Held by whoever changes the file. A file of its own: the other one is replaced with each change.
const LOCK: &str = "logins.lock";

/// The stored logins of a user.
#[derive(Debug, Clone)]
pub(crate) struct Logins {
    folder: PathBuf,
}

/// The stored logins while nobody else can change them.
pub(crate) struct LockedLogins {
    logins: Logins,
    /// What is stored.
    pub(crate) stored: Stored,
    _lock: File,
}

impl Logins {
    /// What is stored now; nothing where there is no file.
    ///
    /// # Errors
    /// When the file cannot be read, is open to others, or is none of this program's.
    pub(crate) fn read(&self) -> Result<Stored, Failure> {
        let path = self.folder.join(NAME);
        let fails = |reason: String| Failure {
            exit: Exit::NeedsPerson,
            message: format!("the stored logins in {} {reason}", path.display()),
        };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Stored::default()),
            Err(error) => return Err(fails(format!("cannot be read: {error}"))),
        };
        let mode = file.metadata()?.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(fails(format!(
                "may be read by others (mode {mode:o}): `chmod 600` the file, then `agent logout` and log in anew"
            )));
        }
        let text = io::read_to_string(file)?;
        serde_json::from_str(&text)
            .map_err(|error| fails(format!("make no sense ({error}): remove the file and log in again")))
    }

    /// Waits until nobody else changes them, and keeps others from it. Blocks.
    ///
    /// # Errors
    /// As [`Logins::read`], and when the folder cannot be made.
    pub(crate) fn lock(&self) -> Result<LockedLogins, Failure> {
        self.make_folder().map_err(|error| {
            Failure::work(format!("the folder {} cannot be used: {error}", self.folder.display()))
        })?;
        let lock = OpenOptions::new().create(true).append(true).mode(0o600).open(self.folder.join(LOCK))?;
        lock.lock()?;
        Ok(LockedLogins { stored: self.read()?, logins: self.clone(), _lock: lock })
    }

    fn make_folder(&self) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let open_to_others = std::fs::metadata(&self.folder)?.mode() & 0o077 != 0;
        if open_to_others {
            std::fs::set_permissions(&self.folder, Permissions::from_mode(0o700))
        } else {
            Ok(())
        }
    }
}

impl LockedLogins {
    /// Replaces what is stored, durably and as a whole.
    ///
    /// # Errors
    /// When the file cannot be written; what was stored stays.
    pub(crate) fn save(&self) -> io::Result<()> {
        let folder = &self.logins.folder;
        // Made with mode 0600, and renamed when it is on the disk: there is always one whole file.
        let mut file = tempfile::Builder::new().prefix(".logins-").tempfile_in(folder)?;
        serde_json::to_writer_pretty(&mut file, &self.stored)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(folder.join(NAME)).map_err(|error| error.error)?;
        File::open(folder)?.sync_all()
    }
}

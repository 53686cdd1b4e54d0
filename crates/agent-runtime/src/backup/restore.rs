//! A backup becomes the data of a server again.

use super::{HISTORY, SECRET, database_of, files};
use crate::data_folder::DataFolder;
use crate::error::{Error, Result};
use crate::settings::Settings;
use agent_core::event::Event;
use agent_core::ports::{Clock, CommitListener};
use agent_store::{Backup, Store};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The database.
    pub database: PathBuf,
    /// How many files it has beside it.
    pub files: usize,
    /// Where the files that were there before lie now.
    pub kept_aside: Vec<PathBuf>,
}

/// Nobody listens while a backup is tried.
struct Nobody;

impl CommitListener for Nobody {
    fn committed(&self, _: &[Event]) {}
}

/// Puts a backup where the settings say the database is. No server may run there. Where there is something already, it
/// is refused, or with `force` kept aside under another name. The backup itself stays as it is. Blocks while it copies.
///
/// # Errors
/// `Settings` where the database is on a server, a server runs there, or something is there already; `Store` where the
/// backup is damaged, none, or of a newer version; `DataFolder`. Unless the last step fails, nothing was changed then.
pub async fn restore(settings: &Settings, backup: &Path, force: bool, clock: &dyn Clock) -> Result<Restored> {
    let database = database_of(settings)?;
    let folder = database.parent().unwrap_or(Path::new("/")).to_path_buf();
    let data = DataFolder::of(&database);
    let Some(_home) = data.lock()? else {
        let text = format!("a server runs on {}; stop it first", database.display());
        return Err(Error::Settings(text));
    };
    let history = settings.history_folder();
    let present: Vec<PathBuf> =
        data.database_files().into_iter().chain([data.secret_file(), history.clone()]).collect();
    let present: Vec<PathBuf> = present.into_iter().filter(|path| path.symlink_metadata().is_ok()).collect();
    if !present.is_empty() && !force {
        let text = format!(
            "{} is there already; move it away, or restore with --force, which keeps it under another name",
            present.first().map_or(Path::new(""), PathBuf::as_path).display()
        );
        return Err(Error::Settings(text));
    }
    let ready = unpack(backup, &database).await?;
    let kept_aside = set_aside(&present, &clock.now().to_string())?;
    let draft = DataFolder::of(ready.draft.path());
    let files = ready.files.len();
    if let Err(error) = put_in_place(ready, &data, &history, &database) {
        put_back(&present, &kept_aside);
        return Err(error);
    }
    // What SQLite had beside the draft is empty, and may be gone already.
    draft.database_files().iter().for_each(|path| drop(fs::remove_file(path)));
    files::sync_folder(&folder)?;
    Ok(Restored { database, files, kept_aside })
}

/// Writes what stands beside the database, and gives the database its name last: then it has everything it needs.
fn put_in_place(ready: Unpacked, data: &DataFolder, history: &Path, database: &Path) -> Result<()> {
    for (name, content) in &ready.files {
        let path = match name.strip_prefix(HISTORY) {
            Some(below) => history.join(below),
            None => data.secret_file(),
        };
        write_private(&path, content)?;
    }
    ready.draft.persist_noclobber(database).map_err(|error| files::fails(database, &error.error))?;
    Ok(())
}

/// Gives what was set aside its names again, after something went wrong. What was written in its place makes way.
fn put_back(present: &[PathBuf], aside: &[PathBuf]) {
    for (path, aside) in present.iter().zip(aside) {
        let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        if let Err(error) = removed.or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        }) {
            tracing::warn!(path = %path.display(), %error, "what was half restored could not be removed");
        }
        if let Err(error) = fs::rename(aside, path) {
            let aside = aside.display();
            tracing::error!(%aside, path = %path.display(), %error, "what was there before could not be put back");
        }
    }
}

/// A database that is ready to be given its name, and the files that go beside it.
struct Unpacked {
    draft: tempfile::NamedTempFile,
    files: Vec<(String, Vec<u8>)>,
}

/// Takes the backup apart beside its destination, and tries whether this version can open the database.
async fn unpack(backup: &Path, database: &Path) -> Result<Unpacked> {
    let draft = files::draft(database)?;
    fs::copy(backup, draft.path()).map_err(|error| files::fails(backup, &error))?;
    let mut copy = Backup::open(draft.path()).map_err(|error| error.about(backup))?;
    let mut found = Vec::new();
    for name in copy.names()? {
        if !is_known(&name) {
            return Err(agent_store::Error::NotABackup(backup.to_owned()).into());
        }
        let content = copy.content(&name)?;
        found.push((name, content));
    }
    copy.into_database()?;
    let tried = Store::open(&format!("sqlite://{}", draft.path().display()), Arc::new(Nobody))?;
    // Everything is in the file itself then.
    tried.close().await?;
    drop(tried);
    let private = fs::Permissions::from_mode(0o600);
    let kept = fs::set_permissions(draft.path(), private).and_then(|()| draft.as_file().sync_all());
    kept.map_err(|error| files::fails(database, &error))?;
    Ok(Unpacked { draft, files: found })
}

/// Whether a file of a backup has a name that leads nowhere else.
fn is_known(name: &str) -> bool {
    let below = name.strip_prefix(HISTORY);
    name == SECRET
        || below.is_some_and(|below| {
            let mut parts = Path::new(below).components();
            !below.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)))
        })
}

/// Gives what is there other names, all of it or nothing. The log of the database stays with it.
fn set_aside(present: &[PathBuf], at: &str) -> Result<Vec<PathBuf>> {
    let at: String = at.chars().filter(char::is_ascii_alphanumeric).collect();
    let mut kept_aside = Vec::with_capacity(present.len());
    for path in present {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let aside = path.with_file_name(format!("replaced-{at}-{name}"));
        if let Err(error) = fs::rename(path, &aside) {
            put_back(present, &kept_aside);
            return Err(files::fails(path, &error));
        }
        kept_aside.push(aside);
    }
    Ok(kept_aside)
}

fn write_private(path: &Path, content: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    let written = made.and_then(|()| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(content)?;
        file.sync_all()
    });
    written.map_err(|error| files::fails(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_of_a_backup_leads_out_of_its_place() {
        for good in ["jwt-secret", "history/1/state.json", "history/a b"] {
            assert!(is_known(good), "{good}");
        }
        for bad in [
            "",
            "other",
            "history/",
            "history/../x",
            "history//etc/passwd",
            "history/a/../../x",
            "/etc/passwd",
        ] {
            assert!(!is_known(bad), "{bad}");
        }
    }
}

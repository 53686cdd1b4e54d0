//! Backup and restore of what a server keeps in its data folder: the SQLite database, the signing secret and the history
//! of applied patches, in one file.
//!
//! Not in it are the folders of isolated plans, which are work on repositories and belong to their backup, and what the
//! settings hold. A database on a PostgreSQL server has tools of its own for this.

mod files;
mod restore;

pub use restore::{Restored, restore};

use crate::data_folder::DataFolder;
use crate::error::{Error, Result};
use crate::settings::{self, Settings};
use agent_store::Backup;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What is said where the database is on a server.
const ON_A_SERVER: &str = "database_url: the database is on a PostgreSQL server, which has its own tools: \
    back it up with `pg_dump --format=custom --file=FILE DATABASE` as a role with BYPASSRLS, restore it with \
    `pg_restore`, and keep `agent.jwt-secret` and `.agent-history` of the data folder with it";

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackedUp {
    /// Where it is.
    pub path: PathBuf,
    /// Its size, in bytes.
    pub bytes: u64,
    /// How many files it holds beside the database.
    pub files: usize,
}

/// How far a backup has come; asked for from another thread than the one that makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes written so far.
    pub written: u64,
    /// About how many it will be.
    pub total: u64,
}

/// Makes a backup under a name that is not taken, while servers go on. Blocks until it is checked and on the disk: until
/// then it has another name, so that what stands under its own name is always whole. `tell` hears from time to time how far
/// it has come.
///
/// # Errors
/// `Settings` where the database is on a server, or the name is taken; `Store`; `DataFolder`.
pub fn back_up(settings: &Settings, path: &Path, tell: impl Fn(Progress) + Send) -> Result<BackedUp> {
    let database = database_of(settings)?;
    let path = std::path::absolute(path).map_err(|error| files::fails(path, &error))?;
    refuse_taken(&path)?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let draft = files::draft(&path)?;
    let mut backup =
        files::watched(&database, draft.path(), tell, || Ok(Backup::of(&database, draft.path())?))?;
    // After the database: what it speaks of is there, and perhaps a little more.
    let files = add_files(&mut backup, settings, &database)?;
    backup.check().map_err(|error| error.about(&database))?;
    drop(backup);
    let written = File::open(draft.path()).and_then(|file| {
        file.sync_all()?;
        Ok(file.metadata()?.len())
    });
    let bytes = written.map_err(|error| files::fails(draft.path(), &error))?;
    draft.persist_noclobber(&path).map_err(|error| files::fails(&path, &error.error))?;
    files::sync_folder(folder)?;
    Ok(BackedUp { path, bytes, files })
}

fn refuse_taken(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_ok() {
        let text =
            format!("{} is there already; nothing is overwritten, so choose another name", path.display());
        return Err(Error::Settings(text));
    }
    Ok(())
}

/// The file that the settings name.
fn database_of(settings: &Settings) -> Result<PathBuf> {
    let file =
        settings::file_of(&settings.database_url).ok_or_else(|| Error::Settings(ON_A_SERVER.to_owned()))?;
    let absolute = std::path::absolute(&file).map_err(|error| files::fails(&file, &error))?;
    Ok(absolute.canonicalize().unwrap_or(absolute))
}

/// The name of the signing secret in a backup.
const SECRET: &str = "jwt-secret";
/// What the names of the files of the history begin with.
const HISTORY: &str = "history/";
/// How often it is looked for files that got other names meanwhile.
const LOOKS: usize = 10;

/// Adds the files that belong to a database; how many there are. A server that goes on gives records of patches other names
/// and forgets old ones: where one is gone, it is looked again.
fn add_files(backup: &mut Backup, settings: &Settings, database: &Path) -> Result<usize> {
    let mut added = BTreeSet::new();
    for _ in 0..LOOKS {
        let mut is_complete = true;
        for (name, source) in beside(settings, database)? {
            if added.contains(&name) {
                continue;
            }
            match std::fs::read(&source) {
                Ok(content) => backup.add(&name, &content)?,
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    is_complete = false;
                    continue;
                }
                Err(error) => return Err(files::fails(&source, &error)),
            }
            added.insert(name);
        }
        if is_complete {
            break;
        }
    }
    Ok(added.len())
}

/// The files that belong to a database, with their names in a backup.
fn beside(settings: &Settings, database: &Path) -> Result<Vec<(String, PathBuf)>> {
    let secret = DataFolder::of(database).secret_file();
    let mut found: Vec<(String, PathBuf)> =
        secret.is_file().then(|| (SECRET.to_owned(), secret)).into_iter().collect();
    let history = settings.history_folder();
    for path in files::below(&history)? {
        let name = path.strip_prefix(&history).ok().and_then(Path::to_str);
        let name =
            name.ok_or_else(|| files::fails(&path, &std::io::Error::other("its name is not UTF-8")))?;
        found.push((format!("{HISTORY}{name}"), path));
    }
    Ok(found)
}

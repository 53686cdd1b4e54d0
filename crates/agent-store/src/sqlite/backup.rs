//! A backup: one SQLite file that holds a copy of the database as it was at one moment, and files that belong to it.

use super::Conn;
use crate::error::Error;
use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Binary, Text};
use diesel::{Connection, QueryResult, QueryableByName, RunQueryDsl, sql_query};
use std::path::{Path, PathBuf};

/// How long a lock is waited for, in milliseconds.
const PATIENCE: &str = "PRAGMA busy_timeout = 30000";
/// Where the other files are, and by what a backup is told from a database in use.
const FILES: &str = "CREATE TABLE backup_files (name TEXT PRIMARY KEY NOT NULL, content BLOB NOT NULL)";

/// A backup that is being made or read.
pub struct Backup {
    conn: Conn,
    path: PathBuf,
}

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    word: String,
}

#[derive(QueryableByName)]
struct Content {
    #[diesel(sql_type = Binary)]
    content: Vec<u8>,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

impl Backup {
    /// Copies a database as it is at this moment into a file that is there and empty; programs that use the database go
    /// on meanwhile. Blocks until the copy is whole, but not until it is on the disk: that is for the caller to see to.
    ///
    /// # Errors
    /// [`Error::File`] where there is no database, [`Error::Connect`] where it cannot be read or the copy not be written.
    pub fn of(database: &Path, into: &Path) -> Result<Self, Error> {
        let missing = |source| Error::File { path: database.to_owned(), source };
        // SQLite would make a new one.
        std::fs::metadata(database).map_err(missing)?;
        let copied = connect(database).and_then(|mut conn| {
            let target = into.display().to_string();
            // One statement is one read transaction: it sees a single moment, and holds up nobody who writes.
            let copy = sql_query("VACUUM INTO ?").bind::<Text, _>(target);
            run(&mut conn, database, |conn| copy.execute(conn)).map(drop)
        });
        copied?;
        let mut conn = connect(into)?;
        run(&mut conn, into, |conn| conn.batch_execute(&format!("PRAGMA journal_mode = DELETE; {FILES}")))?;
        Ok(Self { conn, path: into.to_owned() })
    }

    /// Reads a backup, having checked that it is a sound one.
    ///
    /// # Errors
    /// [`Error::NotABackup`], [`Error::Damaged`], [`Error::File`], [`Error::Connect`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        let missing = |source| Error::File { path: path.to_owned(), source };
        std::fs::metadata(path).map_err(missing)?;
        let mut backup = Self { conn: connect(path)?, path: path.to_owned() };
        let table = "SELECT count(*) AS count FROM sqlite_schema WHERE name = 'backup_files'";
        let found = sql_query(table).get_result::<Count>(&mut backup.conn);
        match found {
            Ok(Count { count: 1 }) => {}
            Ok(_) | Err(_) => return Err(Error::NotABackup(path.to_owned())),
        }
        backup.check()?;
        Ok(backup)
    }

    /// Adds a file, under a name of its own.
    ///
    /// # Errors
    /// [`Error::Connect`], such as for a disk without room.
    pub fn add(&mut self, name: &str, content: &[u8]) -> Result<(), Error> {
        let insert = sql_query("INSERT INTO backup_files (name, content) VALUES (?, ?)");
        let insert = insert.bind::<Text, _>(name).bind::<Binary, _>(content);
        run(&mut self.conn, &self.path, |conn| insert.execute(conn)).map(drop)
    }

    /// The names of the files, in order.
    ///
    /// # Errors
    /// [`Error::Connect`].
    pub fn names(&mut self) -> Result<Vec<String>, Error> {
        let names = sql_query("SELECT name AS word FROM backup_files ORDER BY name");
        let names = run(&mut self.conn, &self.path, |conn| names.load::<Word>(conn))?;
        Ok(names.into_iter().map(|name| name.word).collect())
    }

    /// What one of them holds.
    ///
    /// # Errors
    /// [`Error::Connect`], also where there is none of that name.
    pub fn content(&mut self, name: &str) -> Result<Vec<u8>, Error> {
        let find = sql_query("SELECT content FROM backup_files WHERE name = ?").bind::<Text, _>(name);
        run(&mut self.conn, &self.path, |conn| find.get_result::<Content>(conn)).map(|found| found.content)
    }

    /// Looks at every page and every reference.
    ///
    /// # Errors
    /// [`Error::Damaged`] with what is wrong first.
    pub fn check(&mut self) -> Result<(), Error> {
        let damaged = |reason: String| Error::Damaged { path: self.path.clone(), reason };
        let pages = sql_query("SELECT integrity_check AS word FROM pragma_integrity_check LIMIT 1");
        let pages = pages.get_result::<Word>(&mut self.conn).map_err(|error| damaged(error.to_string()))?;
        if pages.word != "ok" {
            return Err(damaged(pages.word));
        }
        let references = sql_query("SELECT count(*) AS count FROM pragma_foreign_key_check");
        let broken =
            references.get_result::<Count>(&mut self.conn).map_err(|error| damaged(error.to_string()))?;
        match broken.count {
            0 => Ok(()),
            count => Err(damaged(format!("{count} references lead nowhere"))),
        }
    }

    /// Makes the file a database as a server uses it: the other files are taken out of it.
    ///
    /// # Errors
    /// [`Error::Connect`].
    pub fn into_database(mut self) -> Result<(), Error> {
        run(&mut self.conn, &self.path, |conn| conn.batch_execute("DROP TABLE backup_files; VACUUM"))
    }
}

fn connect(path: &Path) -> Result<Conn, Error> {
    let unusable = |source| Error::Connect { path: path.to_owned(), source };
    let address = path.to_str().ok_or_else(|| unusable("the path is not UTF-8".into()))?;
    let mut conn = Conn::establish(address).map_err(|error| unusable(Box::new(error)))?;
    run(&mut conn, path, |conn| conn.batch_execute(PATIENCE))?;
    Ok(conn)
}

fn run<T>(conn: &mut Conn, path: &Path, work: impl FnOnce(&mut Conn) -> QueryResult<T>) -> Result<T, Error> {
    work(conn).map_err(|error| Error::Connect { path: path.to_owned(), source: Box::new(error) })
}

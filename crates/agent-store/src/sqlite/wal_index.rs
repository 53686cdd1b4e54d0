//! Whether anything was committed, told by the head of the index of SQLite's write-ahead log.
//!
//! Programs that share a database share this index, and whichever commits writes the head anew: SQLite itself looks there to
//! know whether what it has in its cache still holds (<https://www.sqlite.org/walformat.html#the_wal_index_file_format>). To
//! look costs a few reads of memory; to ask by a query takes and gives back a lock, two system calls under a mutex
//! that all connections of a process share.
#![expect(unsafe_code, reason = "SQLite shows its shared memory through its C interface alone")]

use crate::database::{CommitWatch, LastCommit};
use libsqlite3_sys as ffi;
use std::ffi::{CStr, CString, c_int, c_void};
use std::path::Path;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering, fence};

/// The format that SQLite has had since 3.7.0; of any other nothing is known.
const FORMAT: u32 = 3_007_000;
/// Bytes in which SQLite maps the index.
const REGION_BYTES: c_int = 32 * 1024;
/// The head stands at the beginning, twice, for whoever reads it to see that nobody writes it at the moment.
const WORDS: usize = size_of::<LastCommit>() / size_of::<u32>();
/// The index is there once something was read.
const READ: &CStr = c"PRAGMA busy_timeout = 10000; SELECT count(*) FROM sqlite_schema;";

/// The index of one database, mapped for as long as this lives.
pub(super) struct WalIndex {
    /// Keeps the index mapped.
    _connection: Connection,
    head: *const [[AtomicU32; WORDS]; 2],
}

// SAFETY: the connection is used where it is opened and where it is closed, and not in between; the head is read through
// atomics only.
unsafe impl Send for WalIndex {}
// SAFETY: as above.
unsafe impl Sync for WalIndex {}

/// An open connection.
struct Connection(*mut ffi::sqlite3);

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: it was opened by `sqlite3_open_v2`, and nobody uses it after this.
        unsafe { ffi::sqlite3_close(self.0) };
    }
}

impl Connection {
    fn open(path: &Path) -> Option<Self> {
        let path = CString::new(path.to_str()?).ok()?;
        let mut connection = Self(ptr::null_mut());
        let flags = ffi::SQLITE_OPEN_READWRITE | ffi::SQLITE_OPEN_NOMUTEX;
        // SAFETY: the path ends with a zero and outlives the call. What it yields is closed even where it failed, as SQLite
        // demands.
        let opened =
            unsafe { ffi::sqlite3_open_v2(path.as_ptr(), &raw mut connection.0, flags, ptr::null()) };
        (opened == ffi::SQLITE_OK).then_some(connection)
    }

    fn read(&self) -> Option<()> {
        // SAFETY: the connection is open, the text ends with a zero, and nobody wants rows or messages.
        let read =
            unsafe { ffi::sqlite3_exec(self.0, READ.as_ptr(), None, ptr::null_mut(), ptr::null_mut()) };
        (read == ffi::SQLITE_OK).then_some(())
    }

    /// The first region of the index.
    fn map(&self) -> Option<*const c_void> {
        let mut file: *mut ffi::sqlite3_file = ptr::null_mut();
        // SAFETY: for this operation SQLite writes a pointer to the file of the database, which lives as long as the
        // connection.
        let found = unsafe {
            ffi::sqlite3_file_control(
                self.0,
                c"main".as_ptr(),
                ffi::SQLITE_FCNTL_FILE_POINTER,
                (&raw mut file).cast(),
            )
        };
        if found != ffi::SQLITE_OK || file.is_null() {
            return None;
        }
        let mut region: *mut c_void = ptr::null_mut();
        // SAFETY: an open file has methods; those of the second version and later can map shared memory. The region is asked
        // for as SQLite itself asks for it, and is not made where there is none.
        let mapped = unsafe {
            let methods = (*file).pMethods.as_ref()?;
            let map = methods.xShmMap.filter(|_| methods.iVersion >= 2)?;
            map(file, 0, REGION_BYTES, 0, &raw mut region)
        };
        (mapped == ffi::SQLITE_OK && !region.is_null()).then_some(region.cast_const())
    }
}

impl WalIndex {
    /// The index of this database; `None` where SQLite shows none, or one that is not understood.
    pub(super) fn open(path: &Path) -> Option<Self> {
        let connection = Connection::open(path)?;
        connection.read()?;
        let head = connection.map()?.cast();
        let index = Self { _connection: connection, head };
        index.last().filter(|LastCommit(words)| words.first() == Some(&FORMAT)).map(|_| index)
    }
}

fn read(words: &[AtomicU32; WORDS]) -> LastCommit {
    LastCommit(words.each_ref().map(|word| word.load(Ordering::Relaxed)))
}

impl CommitWatch for WalIndex {
    fn last(&self) -> Option<LastCommit> {
        // SAFETY: the region is mapped, larger than the two heads and aligned to pages as long as the connection lives;
        // whoever writes it writes whole words.
        let [first, second] = unsafe { &*self.head };
        // Writers write the second first: as long as both are the same, nobody is half-way.
        let first = read(first);
        fence(Ordering::Acquire);
        (first == read(second)).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use diesel::connection::SimpleConnection;
    use diesel::{Connection as _, SqliteConnection};

    #[test]
    fn the_head_changes_with_every_commit_and_with_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.db");
        let open = || SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        let (mut writer, mut other) = (open(), open());
        writer.batch_execute("PRAGMA journal_mode = WAL; CREATE TABLE t (n INTEGER);").unwrap();
        let index = WalIndex::open(&path).unwrap();
        let mut seen = vec![index.last().unwrap()];
        for conn in [&mut writer, &mut other] {
            conn.batch_execute("BEGIN IMMEDIATE; INSERT INTO t VALUES (1)").unwrap();
            assert_eq!(index.last(), seen.last().copied(), "nothing is committed");
            conn.batch_execute("COMMIT").unwrap();
            seen.push(index.last().unwrap());
            conn.batch_execute("BEGIN; SELECT * FROM t; COMMIT; BEGIN; INSERT INTO t VALUES (2); ROLLBACK")
                .unwrap();
            assert_eq!(index.last(), seen.last().copied(), "nothing was committed");
        }
        writer.batch_execute("PRAGMA wal_checkpoint(TRUNCATE); INSERT INTO t VALUES (3)").unwrap();
        seen.push(index.last().unwrap());
        for (n, head) in seen.iter().enumerate() {
            assert!(!seen[..n].contains(head), "{n}");
        }
    }

    #[test]
    fn a_database_without_a_write_ahead_log_shows_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.db");
        let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        conn.batch_execute("CREATE TABLE t (n INTEGER)").unwrap();
        assert!(WalIndex::open(&path).is_none());
        assert!(WalIndex::open(&folder.path().join("none.db")).is_none());
    }
}

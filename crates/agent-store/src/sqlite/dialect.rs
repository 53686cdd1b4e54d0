//! What SQLite says in its own way.

use super::{Backend, Conn};
use crate::prepared::Prepared;
use crate::rows::event::NewEventRow;
use crate::rows::like_pattern;
use crate::rows::task::NewTaskRow;
use crate::schema::{events, plans, tasks};
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

// The wait for other processes comes first: switching to WAL takes a lock itself.
const WRITER: &str = "\
    PRAGMA busy_timeout = 10000;\
    PRAGMA journal_mode = WAL;\
    PRAGMA synchronous = FULL;\
    PRAGMA foreign_keys = ON;\
    PRAGMA temp_store = MEMORY;\
    PRAGMA cache_size = -8000;\
    PRAGMA mmap_size = 67108864;\
    PRAGMA journal_size_limit = 67108864;";

const READER: &str = "\
    PRAGMA busy_timeout = 10000;\
    PRAGMA foreign_keys = ON;\
    PRAGMA temp_store = MEMORY;\
    PRAGMA cache_size = -8000;\
    PRAGMA mmap_size = 67108864;\
    PRAGMA query_only = ON;";

/// Prepares the one connection that writes.
pub(crate) fn prepare_writer(conn: &mut Conn) -> QueryResult<()> {
    conn.batch_execute(WRITER)
}

/// Prepares a connection that only reads.
pub(crate) fn prepare_reader(conn: &mut Conn) -> QueryResult<()> {
    conn.batch_execute(READER)
}

/// Runs migrations with foreign keys off: a table that is made anew is dropped under its children for a moment
/// (see "Making Other Kinds Of Table Schema Changes" in SQLite's documentation of ALTER TABLE).
pub(crate) fn without_references<T, E: From<diesel::result::Error>>(
    conn: &mut Conn,
    work: impl FnOnce(&mut Conn) -> Result<T, E>,
) -> Result<T, E> {
    conn.batch_execute("PRAGMA foreign_keys = OFF")?;
    let done = work(conn);
    conn.batch_execute("PRAGMA foreign_keys = ON")?;
    done
}

/// That every reference leads somewhere, after the schema was changed with foreign keys off.
pub(crate) fn check_references(conn: &mut Conn) -> QueryResult<()> {
    let broken = sql::<BigInt>("SELECT count(*) FROM pragma_foreign_key_check").get_result::<i64>(conn)?;
    if broken == 0 { Ok(()) } else { Err(diesel::result::Error::RollbackTransaction) }
}

/// Moves the write-ahead log into the database file and empties it.
pub(crate) fn checkpoint(conn: &mut Conn) -> QueryResult<()> {
    conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")
}

/// The database's clock, in microseconds since the Unix epoch; leases rest on it.
pub(crate) fn now(conn: &mut Conn) -> QueryResult<i64> {
    let milliseconds = sql::<BigInt>("CAST(ROUND(unixepoch('now', 'subsec') * 1000) AS INTEGER)");
    Prepared(diesel::select(milliseconds)).get_result::<i64>(conn).map(|milliseconds| milliseconds * 1_000)
}

/// Adds tasks and yields their ids, in the order given. One row per statement: it stays prepared, and there is no
/// way to go to the database.
pub(crate) fn insert_tasks(conn: &mut Conn, rows: &[NewTaskRow]) -> QueryResult<Vec<i64>> {
    let insert = |row| diesel::insert_into(tasks::table).values(row).returning(tasks::id).get_result(conn);
    rows.iter().map(insert).collect()
}

/// Adds events and yields their cursors, in the order given; one row per statement, as tasks.
pub(crate) fn insert_events(conn: &mut Conn, rows: &[NewEventRow<'_>]) -> QueryResult<Vec<i64>> {
    let insert =
        |row| diesel::insert_into(events::table).values(row).returning(events::cursor).get_result(conn);
    rows.iter().map(insert).collect()
}

/// Whether a plan's goal contains a text, without regard to ASCII case.
pub(crate) fn goal_contains(
    text: &str,
) -> Box<dyn BoxableExpression<plans::table, Backend, SqlType = Bool> + 'static> {
    Box::new(plans::goal.like(like_pattern(text)).escape('\\'))
}

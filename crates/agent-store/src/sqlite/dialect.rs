//! What SQLite says in its own way.

use super::{Backend, Conn};
use crate::database::Ended;
use crate::prepared::{Named, Prepared};
use crate::rows::attempt::AttemptRow;
use crate::rows::event::NewEventRow;
use crate::rows::like_pattern;
use crate::rows::task::NewTaskRow;
use crate::schema::{attempts, events, messages, plans, tasks};
use agent_core::search::Word;
use diesel::connection::SimpleConnection;
use diesel::dsl::{max, sql};
use diesel::prelude::*;
use diesel::query_dsl::LoadQuery;
use diesel::sql_types::{BigInt, Bool, Text};
use std::time::Duration;

const WRITER: &str = "\
    PRAGMA busy_timeout = 10000;\
    PRAGMA synchronous = FULL;\
    PRAGMA foreign_keys = ON;\
    PRAGMA temp_store = MEMORY;\
    PRAGMA cache_size = -8000;\
    PRAGMA mmap_size = 67108864;\
    PRAGMA journal_size_limit = 67108864;\
    PRAGMA wal_autocheckpoint = 0;";

const READER: &str = "\
    PRAGMA busy_timeout = 10000;\
    PRAGMA foreign_keys = ON;\
    PRAGMA temp_store = MEMORY;\
    PRAGMA cache_size = -8000;\
    PRAGMA mmap_size = 67108864;\
    PRAGMA query_only = ON;";

/// How often the switch to WAL is tried, and how long is waited between: as long as for any other lock.
const WAL_ATTEMPTS: usize = 1_000;
const WAL_PAUSE: Duration = Duration::from_millis(10);

/// Prepares the one connection that writes.
pub(crate) fn prepare_writer(conn: &mut Conn) -> QueryResult<()> {
    conn.batch_execute(WRITER)?;
    switch_to_wal(conn)
}

/// Turns the write-ahead log on. Of two programs that switch a new file at once, SQLite refuses one without waiting,
/// since both hold the lock that the other must get; the one that lets go of it can try again.
fn switch_to_wal(conn: &mut Conn) -> QueryResult<()> {
    let mut attempts = 1;
    loop {
        match conn.batch_execute("PRAGMA journal_mode = WAL") {
            Err(error) if attempts < WAL_ATTEMPTS && is_locked(&error) => {
                attempts += 1;
                std::thread::sleep(WAL_PAUSE);
            }
            done => return done,
        }
    }
}

/// Whether this is `SQLITE_BUSY`, of which Diesel keeps only the text.
fn is_locked(error: &diesel::result::Error) -> bool {
    matches!(error, diesel::result::Error::DatabaseError(_, about) if about.message() == "database is locked")
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

/// Moves of the write-ahead log what no reader holds back, so that it can begin anew. Asked for by the writer itself:
/// a checkpoint that SQLite makes on its own may fail without a word, and a failed `fsync` must be heard of.
pub(crate) fn shorten_log(conn: &mut Conn) -> QueryResult<()> {
    conn.batch_execute("PRAGMA wal_checkpoint(PASSIVE)")
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

/// Adds events and yields their cursors, in the order given; one row per statement, as tasks. The cursors follow on
/// the newest: nobody else writes meanwhile, and events are never removed.
pub(crate) fn insert_events(conn: &mut Conn, rows: &[NewEventRow<'_>]) -> QueryResult<Vec<i64>> {
    let newest: Option<i64> = events::table.select(max(events::cursor)).get_result(conn)?;
    let mut cursor = newest.unwrap_or(0);
    let insert = |row| {
        cursor += 1;
        diesel::insert_into(events::table).values((events::cursor.eq(cursor), row)).execute(conn)?;
        Ok(cursor)
    };
    rows.iter().map(insert).collect()
}

/// Keeps an attempt behind the newest of its tenant: nobody else writes meanwhile, and attempts are never removed. One
/// that is kept already stays as it is.
pub(crate) fn insert_attempt(conn: &mut Conn, row: &AttemptRow) -> QueryResult<()> {
    let of_tenant = attempts::table.filter(attempts::tenant_id.eq(row.tenant_id));
    let newest: Option<i64> = of_tenant.select(max(attempts::cursor)).get_result(conn)?;
    let place = attempts::cursor.eq(newest.unwrap_or(0) + 1);
    let attempt = diesel::insert_into(attempts::table).values((place, row));
    attempt.on_conflict_do_nothing().execute(conn).map(drop)
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// How many rows the last change found.
    fn changes() -> BigInt;
}

/// Changes the one row that the statement is about, and yields columns of it as they then are; `None` where the
/// statement found nothing to change. Not with `RETURNING`, for which SQLite makes a table each time: that costs
/// more than the change and a look. The text must be the same at each passage through this place.
macro_rules! update_one {
    ($conn:expr, $statement:expr, $row:expr, $yields:expr) => {
        crate::sqlite::dialect::changed!($conn, $statement).and_then(|changed| match changed {
            false => Ok(None),
            true => diesel::OptionalExtension::optional(diesel::RunQueryDsl::get_result(
                diesel::QueryDsl::select($row, $yields),
                $conn,
            )),
        })
    };
}
pub(crate) use update_one;

/// Changes the one row that the statement is about; false where it found nothing to change. The text must be the
/// same at each passage through this place. (PostgreSQL yields the key to tell.)
macro_rules! changed {
    ($conn:expr, $statement:expr $(, $key:expr)?) => {{
        struct Here;
        crate::sqlite::dialect::update::<Here, _>($conn, $statement)
    }};
}
pub(crate) use changed;

/// Runs a change that has this name; whether it found rows.
pub(crate) fn update<'query, Name, T>(conn: &mut Conn, statement: T) -> QueryResult<bool>
where
    Named<Name, T>: LoadQuery<'query, Conn, i64>,
{
    let _none: Vec<i64> = Named::<Name, T>::new(statement).load(conn)?;
    diesel::select(changes()).get_result(conn).map(|changed: i64| changed > 0)
}

/// Ends one transaction of a group and begins the next, with statements that stay prepared.
pub(crate) fn next_savepoint(conn: &mut Conn, last: Ended) -> QueryResult<()> {
    struct Begin;
    struct Keep;
    struct Undo;
    match last {
        Ended::NotBegun => {}
        Ended::Kept => run::<Keep>(conn, "RELEASE job")?,
        // What is taken back stays open as it began.
        Ended::Undone => return run::<Undo>(conn, "ROLLBACK TO job"),
    }
    run::<Begin>(conn, "SAVEPOINT job")
}

fn run<Name: 'static>(conn: &mut Conn, statement: &str) -> QueryResult<()> {
    let _none: Vec<i64> = Named::<Name, _>::new(sql::<BigInt>(statement)).load(conn)?;
    Ok(())
}

/// What must hold of a plan whose goal has this word.
pub(crate) fn goal_has(
    word: &Word,
) -> Box<dyn BoxableExpression<plans::table, Backend, SqlType = Bool> + 'static> {
    match word {
        Word::Anywhere(text) => Box::new(plans::goal.like(like_pattern(text)).escape('\\')),
        Word::Whole(_) | Word::Beginning(_) => Box::new(
            sql::<Bool>("plans.id IN (SELECT rowid FROM plan_words WHERE plan_words MATCH ")
                .bind::<Text, _>(phrase(word))
                .sql(")"),
        ),
    }
}

/// What must hold of a message that has this word.
pub(crate) fn content_has(
    word: &Word,
) -> Box<dyn BoxableExpression<messages::table, Backend, SqlType = Bool> + 'static> {
    match word {
        Word::Anywhere(text) => Box::new(messages::content.like(like_pattern(text)).escape('\\')),
        Word::Whole(_) | Word::Beginning(_) => Box::new(
            sql::<Bool>("messages.id IN (SELECT rowid FROM message_words WHERE message_words MATCH ")
                .bind::<Text, _>(phrase(word))
                .sql(")"),
        ),
    }
}

/// A word as FTS5 reads it: in quotes, where nothing but a quote has a meaning; with a star, as a beginning.
fn phrase(word: &Word) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    match word {
        Word::Beginning(text) => format!("{} *", quoted(text)),
        Word::Whole(text) | Word::Anywhere(text) => quoted(text),
    }
}

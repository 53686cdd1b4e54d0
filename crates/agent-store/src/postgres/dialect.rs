//! What PostgreSQL says in its own way.

use super::{Backend, Conn};
use crate::prepared::Prepared;
use crate::rows::attempt::AttemptRow;
use crate::rows::event::NewEventRow;
use crate::rows::like_pattern;
use crate::rows::task::NewTaskRow;
use crate::schema::{attempts, events, messages, plans, tasks};
use agent_core::BoxError;
use agent_core::search::Word;
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

// Whoever holds the lock of writers and vanishes is thrown out by the server: idle in a transaction for so long
// means gone, because between two statements there is nothing but a few lines of this program. A commit is on the
// disk when it is answered, whatever the database's default is.
const SESSION: &str = "\
    SET statement_timeout = '30s';\
    SET lock_timeout = '10s';\
    SET idle_in_transaction_session_timeout = '5s';\
    SET tcp_user_timeout = '4s';\
    SELECT set_config('synchronous_commit', 'on', false)\
     WHERE current_setting('synchronous_commit') = 'off'";

/// Whoever writes looks rows up by their keys, also in a table so young that the server knows nothing of its size and
/// would keep to reading all of it. What it writes for the executor, and changes of the schema, are about all tenants.
const WRITER: &str = "SET enable_seqscan = off; SET agent.tenant = '*'";

/// Prepares the one connection that writes.
pub(super) fn prepare_writer(conn: &mut Conn) -> Result<(), BoxError> {
    conn.batch_execute(WRITER)?;
    prepare(conn)
}

/// Waits until no other program changes the schema, and lets large tables take their time.
pub(super) const LOCK_SCHEMA: &str = "\
    SET LOCAL statement_timeout = 0;\
    SET LOCAL lock_timeout = 0;\
    SELECT pg_advisory_xact_lock(7018690069354342759)";

/// Prepares a connection, and refuses a database that cannot keep every text.
pub(super) fn prepare(conn: &mut Conn) -> Result<(), BoxError> {
    conn.batch_execute(SESSION)?;
    let encoding: String =
        diesel::select(sql::<Text>("current_setting('server_encoding')")).get_result(conn)?;
    if encoding == "UTF8" {
        return Ok(());
    }
    Err(format!("the database is encoded in {encoding}; create it with ENCODING 'UTF8' TEMPLATE template0")
        .into())
}

/// The database's clock, in microseconds since the Unix epoch; leases rest on it.
pub(crate) fn now(conn: &mut Conn) -> QueryResult<i64> {
    let microseconds = sql::<BigInt>("(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint");
    Prepared(diesel::select(microseconds)).get_result(conn)
}

/// Rows per statement; sixteen columns each stay well below the 65,535 values that a statement may have.
const CHUNK: usize = 500;
/// Inserts of so many rows, one statement for each number, are kept prepared.
const FEW: usize = 20;

/// Adds tasks and yields their ids, in the order given. Many rows per statement: each is a journey to the server.
pub(crate) fn insert_tasks(conn: &mut Conn, rows: &[NewTaskRow]) -> QueryResult<Vec<i64>> {
    let mut ids = Vec::with_capacity(rows.len());
    for chunk in rows.chunks(CHUNK) {
        let insert = diesel::insert_into(tasks::table).values(chunk).returning((tasks::position, tasks::id));
        let mut added: Vec<(Option<i64>, i64)> = if chunk.len() <= FEW {
            Prepared(insert).get_results(conn)?
        } else {
            insert.get_results(conn)?
        };
        // No database promises to answer in the order of the rows.
        added.sort_unstable();
        ids.extend(added.into_iter().map(|(_, id)| id));
    }
    Ok(ids)
}

/// Adds events and yields their cursors, in the order given; many rows per statement, as tasks.
pub(crate) fn insert_events(conn: &mut Conn, rows: &[NewEventRow<'_>]) -> QueryResult<Vec<i64>> {
    let mut cursors = Vec::with_capacity(rows.len());
    for chunk in rows.chunks(CHUNK) {
        let insert =
            diesel::insert_into(events::table).values(chunk).returning((events::seq, events::cursor));
        let mut added: Vec<(i64, i64)> = if chunk.len() <= FEW {
            Prepared(insert).get_results(conn)?
        } else {
            insert.get_results(conn)?
        };
        added.sort_unstable();
        cursors.extend(added.into_iter().map(|(_, cursor)| cursor));
    }
    Ok(cursors)
}

/// Keeps an attempt; its place among the others is given by the database, in order since writers take turns. One that is
/// kept already stays as it is.
pub(crate) fn insert_attempt(conn: &mut Conn, row: &AttemptRow) -> QueryResult<()> {
    diesel::insert_into(attempts::table).values(row).on_conflict_do_nothing().execute(conn).map(drop)
}

/// Changes the one row that the statement is about, and yields columns of it as they then are; `None` where the
/// statement found nothing to change.
macro_rules! update_one {
    ($conn:expr, $statement:expr, $row:expr, $yields:expr) => {
        diesel::OptionalExtension::optional(diesel::RunQueryDsl::get_result(
            crate::prepared::Prepared($statement.returning($yields)),
            $conn,
        ))
    };
}
pub(crate) use update_one;

/// Changes the one row that the statement is about; false where it found nothing to change.
macro_rules! changed {
    ($conn:expr, $statement:expr, $key:expr) => {
        crate::postgres::dialect::update_one!($conn, $statement, (), $key)
            .map(|key: Option<i64>| key.is_some())
    };
}
pub(crate) use changed;

/// What must hold of a plan whose goal has this word.
pub(crate) fn goal_has(
    word: &Word,
) -> Box<dyn BoxableExpression<plans::table, Backend, SqlType = Bool> + 'static> {
    match word {
        Word::Anywhere(text) => Box::new(plans::goal.ilike(like_pattern(text)).escape('\\')),
        Word::Whole(_) | Word::Beginning(_) => Box::new(
            sql::<Bool>("plans.words @@ to_tsquery('pg_catalog.simple', ")
                .bind::<Text, _>(lexeme(word))
                .sql(")"),
        ),
    }
}

/// What must hold of a message that has this word.
pub(crate) fn content_has(
    word: &Word,
) -> Box<dyn BoxableExpression<messages::table, Backend, SqlType = Bool> + 'static> {
    match word {
        Word::Anywhere(text) => Box::new(messages::content.ilike(like_pattern(text)).escape('\\')),
        Word::Whole(_) | Word::Beginning(_) => Box::new(
            sql::<Bool>("messages.words @@ to_tsquery('pg_catalog.simple', ")
                .bind::<Text, _>(lexeme(word))
                .sql(")"),
        ),
    }
}

/// A word as `to_tsquery` reads it: in quotes, where only a quote and a backslash have a meaning; with `:*`, as a
/// beginning. Its case is folded here as that of the texts was there.
fn lexeme(word: &Word) -> String {
    let quoted = |text: &str| {
        let folded = text.to_lowercase();
        format!("'{}'", folded.replace('\\', "\\\\").replace('\'', "''"))
    };
    match word {
        Word::Beginning(text) => format!("{}:*", quoted(text)),
        Word::Whole(text) | Word::Anywhere(text) => quoted(text),
    }
}

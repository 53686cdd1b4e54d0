//! Empty databases for tests that reach below the ports.

use super::address::Address;
use super::{Conn, Postgres};
use crate::database::Database as _;
use agent_core::ports::CommitListener;
use agent_testkit_postgres::{PostgresCluster, TestDatabase};
use diesel::prelude::*;
use diesel::sql_types::Text;
use std::sync::Arc;

pub(crate) type Database = Postgres;
pub(crate) type Engine = crate::store::Engine<Postgres>;

/// A statement that succeeds, and makes the commit fail.
pub(crate) const FAILS_AT_THE_COMMIT: &str = "\
    CREATE TEMPORARY TABLE late (n BIGINT UNIQUE DEFERRABLE INITIALLY DEFERRED);\
    INSERT INTO late VALUES (1), (1)";

fn empty() -> Option<(TestDatabase, Postgres)> {
    let database = PostgresCluster::shared()?.create_database(None);
    let postgres = Postgres::at(Address::parse(database.url()).unwrap()).unwrap();
    Some((database, postgres))
}

pub(crate) fn open(listener: Arc<dyn CommitListener>) -> Option<(TestDatabase, Arc<Engine>)> {
    let (place, database) = empty()?;
    Some((place, Arc::new(Engine::open(database, listener).unwrap())))
}

pub(crate) fn connect() -> Option<(TestDatabase, Conn)> {
    let (place, database) = empty()?;
    let conn = database.open_writer().unwrap();
    Some((place, conn))
}

#[derive(QueryableByName)]
struct Definition {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Everything that is defined: columns, constraints and indexes. Not the numbers of columns: those of dropped
/// ones are not given again.
pub(crate) fn schema(conn: &mut Conn) -> Vec<String> {
    let rows: Vec<Definition> = diesel::sql_query(
        "SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, is_identity,
                          collation_name) AS line
         FROM information_schema.columns WHERE table_schema = 'public'
         UNION ALL
         SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
         WHERE connamespace = 'public'::regnamespace
         UNION ALL
         SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
         ORDER BY line",
    )
    .load(conn)
    .unwrap();
    rows.into_iter().map(|row| row.line).collect()
}

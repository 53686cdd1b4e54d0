//! Brings the schema up to date when a store is opened.

use crate::error::Error;
use crate::sqlite::{Backend, Conn};
use agent_core::BoxError;
use agent_core::failpoint;
use diesel::migration::{Migration, MigrationSource};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// Applies what is missing, all or nothing; refuses a database that a newer program has changed.
pub(crate) fn bring_up_to_date(conn: &mut Conn) -> Result<(), Error> {
    // The write lock from the start: two programs that open the same new file must not both create its tables.
    conn.immediate_transaction(|conn| {
        refuse_newer(conn)?;
        let applied = conn.run_pending_migrations(MIGRATIONS).map_err(Stop::Failed)?;
        if !applied.is_empty() {
            failpoint::reach(failpoint::MIGRATED);
        }
        Ok(())
    })
    .map_err(|stop| match stop {
        Stop::Newer(version) => Error::NewerDatabase(version),
        Stop::Failed(source) => Error::Migrate(source),
    })
}

enum Stop {
    Newer(String),
    Failed(BoxError),
}

impl From<diesel::result::Error> for Stop {
    fn from(error: diesel::result::Error) -> Self {
        Self::Failed(Box::new(error))
    }
}

fn refuse_newer(conn: &mut Conn) -> Result<(), Stop> {
    let known: Vec<Box<dyn Migration<Backend>>> = MIGRATIONS.migrations().map_err(Stop::Failed)?;
    let applied = conn.applied_migrations().map_err(Stop::Failed)?;
    let unknown =
        applied.iter().find(|version| known.iter().all(|migration| migration.name().version() != **version));
    match unknown {
        Some(version) => Err(Stop::Newer(version.to_string())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use diesel::prelude::*;
    use diesel::sql_types::Text;

    #[derive(QueryableByName)]
    struct Definition {
        #[diesel(sql_type = Text)]
        sql: String,
    }

    fn schema(conn: &mut Conn) -> Vec<String> {
        let rows: Vec<Definition> = diesel::sql_query(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY name",
        )
        .load(conn)
        .unwrap();
        rows.into_iter().map(|row| row.sql).collect()
    }

    #[test]
    fn every_migration_can_be_reverted_and_applied_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut conn = Conn::establish(folder.path().join("agent.db").to_str().unwrap()).unwrap();
        bring_up_to_date(&mut conn).unwrap();
        let whole = schema(&mut conn);
        let applied = conn.applied_migrations().unwrap().len();
        for n_reverted in 1..=applied {
            for _ in 0..n_reverted {
                conn.revert_last_migration(MIGRATIONS).unwrap();
            }
            assert_eq!(conn.applied_migrations().unwrap().len(), applied - n_reverted);
            bring_up_to_date(&mut conn).unwrap();
            assert_eq!(schema(&mut conn), whole);
        }
        conn.revert_all_migrations(MIGRATIONS).unwrap();
        let left = schema(&mut conn);
        assert!(left.iter().all(|sql| sql.contains("__diesel_schema_migrations")), "{left:?}");
    }
}

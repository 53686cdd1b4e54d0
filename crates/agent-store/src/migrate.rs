//! Brings the schema up to date when a store is opened.

use crate::error::Error;
use agent_core::BoxError;
use agent_core::failpoint;
use diesel::backend::Backend;
use diesel::migration::{Migration, MigrationSource};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};

/// Applies what is missing inside the transaction that is open; refuses a database that a newer program has changed.
pub(crate) fn bring_up_to_date<C, B>(conn: &mut C, migrations: EmbeddedMigrations) -> Result<(), Stop>
where
    C: MigrationHarness<B>,
    B: Backend,
    EmbeddedMigrations: MigrationSource<B>,
{
    refuse_newer(conn, &migrations)?;
    let applied = conn.run_pending_migrations(migrations).map_err(Stop::Failed)?;
    if !applied.is_empty() {
        failpoint::reach(failpoint::MIGRATED);
    }
    Ok(())
}

/// Why the schema was not brought up to date.
pub(crate) enum Stop {
    Newer(String),
    Failed(BoxError),
}

impl From<diesel::result::Error> for Stop {
    fn from(error: diesel::result::Error) -> Self {
        Self::Failed(Box::new(error))
    }
}

impl From<Stop> for Error {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Newer(version) => Self::NewerDatabase(version),
            Stop::Failed(source) => Self::Migrate(source),
        }
    }
}

fn refuse_newer<C, B>(conn: &mut C, migrations: &EmbeddedMigrations) -> Result<(), Stop>
where
    C: MigrationHarness<B>,
    B: Backend,
    EmbeddedMigrations: MigrationSource<B>,
{
    let known: Vec<Box<dyn Migration<B>>> = migrations.migrations().map_err(Stop::Failed)?;
    let applied = conn.applied_migrations().map_err(Stop::Failed)?;
    let unknown =
        applied.iter().find(|version| known.iter().all(|migration| migration.name().version() != **version));
    match unknown {
        Some(version) => Err(Stop::Newer(version.to_string())),
        None => Ok(()),
    }
}

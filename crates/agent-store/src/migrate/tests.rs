//! Migrations there and back.

use super::testing::{self, Database};
use super::{Conn, MIGRATIONS};
use crate::database::Database as _;
use diesel_migrations::MigrationHarness;

fn applied(conn: &mut Conn) -> usize {
    conn.applied_migrations().unwrap().len()
}

#[test]
fn every_migration_can_be_reverted_and_applied_again() {
    let Some((_place, mut conn)) = testing::connect() else { return };
    Database::migrate(&mut conn).unwrap();
    let whole = testing::schema(&mut conn);
    assert!(whole.len() > 20, "{whole:?}");
    let all = applied(&mut conn);
    for n_reverted in 1..=all {
        for _ in 0..n_reverted {
            conn.revert_last_migration(MIGRATIONS).unwrap();
        }
        assert_eq!(applied(&mut conn), all - n_reverted);
        Database::migrate(&mut conn).unwrap();
        assert_eq!(testing::schema(&mut conn), whole);
    }
    conn.revert_all_migrations(MIGRATIONS).unwrap();
    let left = testing::schema(&mut conn);
    assert!(left.iter().all(|line| line.contains("__diesel_schema_migrations")), "{left:?}");
}

//! Rules about the schema itself, as PostgreSQL shows it.

use super::World;
use crate::declared::{Columns, declared};

#[tokio::test]
async fn every_foreign_key_begins_an_index() {
    let Some(world) = World::new().await else { return };
    let keys = world.query("SELECT count(*) FROM pg_constraint WHERE contype = 'f'");
    assert!(keys[0].parse::<u32>().unwrap() > 10, "only {keys:?} foreign keys");
    let without = world.query(
        "SELECT c.conrelid::regclass || '.' || a.attname FROM pg_constraint c
         JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
         WHERE c.contype = 'f' AND NOT EXISTS (
             SELECT FROM pg_index i
             WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1] AND i.indpred IS NULL)",
    );
    assert_eq!(without, Vec::<String>::new(), "begin no index");
}

#[tokio::test]
async fn the_declared_schema_is_what_the_migrations_make() {
    let Some(world) = World::new().await else { return };
    let rows = world.query(
        "SELECT c.table_name || ' ' || c.column_name || ': ' || c.data_type
             || CASE c.is_nullable WHEN 'YES' THEN '?' ELSE '' END
         FROM information_schema.columns c
         WHERE c.table_schema = 'public' AND c.table_name NOT LIKE '\\_\\_diesel\\_%'
         AND c.is_generated = 'NEVER'
         ORDER BY c.table_name, c.ordinal_position",
    );
    let mut migrated = Columns::new();
    for row in rows {
        let (table, column) = row.split_once(' ').unwrap();
        migrated.entry(table.to_owned()).or_default().push(column.to_owned());
    }
    let stored = |kind: &str| match kind {
        "BigInt" => "bigint",
        "Bool" => "boolean",
        "Text" => "text",
        "Binary" => "bytea",
        other => panic!("{other} is no portable type"),
    };
    // A column that a later step adds stands last here, and where it belongs in the declaration.
    let sorted = |mut columns: Columns| {
        columns.values_mut().for_each(|columns| columns.sort_unstable());
        columns
    };
    assert_eq!(sorted(declared(stored)), sorted(migrated));
}

#[tokio::test]
async fn documents_may_hold_what_json_may_hold_and_nothing_else() {
    let Some(world) = World::new().await else { return };
    let state = world.plan(1).await;
    let set = |text: &str| format!("UPDATE plans SET policy = '{text}' WHERE id = {}", state.plan.id.get());
    world.execute(&set(r#"{"nul": "\u0000"}"#));
    let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.execute(&set("{"))));
    assert!(refused.is_err());
}

//! Rules about the schema itself.

use super::World;
use crate::declared::{Columns, declared};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

#[derive(QueryableByName)]
struct ForeignKey {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

#[tokio::test]
async fn every_foreign_key_begins_an_index() {
    let Some(world) = World::new().await else { return };
    let mut conn = world.connection();
    let keys: Vec<ForeignKey> = diesel::sql_query(
        "SELECT m.name AS table_name, f.\"from\" AS column_name
         FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'",
    )
    .load(&mut conn)
    .unwrap();
    assert!(keys.len() > 10, "only {} foreign keys", keys.len());
    for key in keys {
        let found: Found = diesel::sql_query(
            "SELECT count(*) AS n FROM pragma_index_list(?) i, pragma_index_info(i.name) c
             WHERE c.seqno = 0 AND c.name = ? AND i.partial = 0",
        )
        .bind::<Text, _>(&key.table_name)
        .bind::<Text, _>(&key.column_name)
        .get_result(&mut conn)
        .unwrap();
        assert!(found.n > 0, "{}.{} begins no index", key.table_name, key.column_name);
    }
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = BigInt)]
    required: i64,
}

fn migrated(world: &World) -> Columns {
    let columns: Vec<Column> = diesel::sql_query(
        "SELECT m.name AS table_name, c.name AS column_name, c.type AS kind, c.\"notnull\" AS required
         FROM sqlite_master m, pragma_table_info(m.name) c
         WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '__diesel_%'
           AND m.name NOT LIKE '%@_words%' ESCAPE '@'
         ORDER BY m.name, c.cid",
    )
    .load(&mut world.connection())
    .unwrap();
    let mut tables = Columns::new();
    for column in columns {
        let optional = if column.required == 0 { "?" } else { "" };
        let described = format!("{}: {}{optional}", column.column_name, column.kind);
        tables.entry(column.table_name).or_default().push(described);
    }
    tables
}

#[tokio::test]
async fn the_declared_schema_is_what_the_migrations_make() {
    let Some(world) = World::new().await else { return };
    let stored = |kind: &str| match kind {
        "BigInt" | "Bool" => "INTEGER",
        "Text" => "TEXT",
        "Binary" => "BLOB",
        other => panic!("{other} is no portable type"),
    };
    assert_eq!(declared(stored), migrated(&world));
}

#[tokio::test]
async fn every_table_checks_its_types() {
    let Some(world) = World::new().await else { return };
    let loose: Vec<ForeignKey> = diesel::sql_query(
        "SELECT name AS table_name, '' AS column_name FROM pragma_table_list
         WHERE strict = 0 AND type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '__diesel_%'",
    )
    .load(&mut world.connection())
    .unwrap();
    assert!(loose.is_empty(), "{:?}", loose.iter().map(|table| &table.table_name).collect::<Vec<_>>());
}

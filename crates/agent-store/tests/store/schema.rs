//! Rules about the schema itself.

use crate::world::World;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::collections::BTreeMap;

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
    let world = World::new().await;
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

type Columns = BTreeMap<String, Vec<String>>;

fn migrated(world: &World) -> Columns {
    let columns: Vec<Column> = diesel::sql_query(
        "SELECT m.name AS table_name, c.name AS column_name, c.type AS kind, c.\"notnull\" AS required
         FROM sqlite_master m, pragma_table_info(m.name) c
         WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '__diesel_%'
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

/// Reads `name -> Type` lines of the declaration, with types as SQLite stores them.
fn declared() -> Columns {
    let (mut tables, mut table) = (Columns::new(), String::new());
    for line in include_str!("../../src/schema.rs").lines().map(str::trim) {
        if let Some((name, _)) = line.strip_suffix('{').and_then(|head| head.split_once(" (")) {
            table = name.to_owned();
        } else if let Some((name, kind)) = line.trim_end_matches(',').split_once(" -> ")
            && !line.starts_with("diesel::")
        {
            let inner = kind.strip_prefix("Nullable<").and_then(|kind| kind.strip_suffix('>'));
            let stored = match inner.unwrap_or(kind) {
                "BigInt" | "Bool" => "INTEGER",
                "Text" => "TEXT",
                "Binary" => "BLOB",
                other => panic!("{other} is no portable type"),
            };
            let optional = if inner.is_some() { "?" } else { "" };
            tables.entry(table.clone()).or_default().push(format!("{name}: {stored}{optional}"));
        }
    }
    tables
}

#[tokio::test]
async fn the_declared_schema_is_what_the_migrations_make() {
    let world = World::new().await;
    assert_eq!(declared(), migrated(&world));
}

#[tokio::test]
async fn every_table_checks_its_types() {
    let world = World::new().await;
    let loose: Vec<ForeignKey> = diesel::sql_query(
        "SELECT name AS table_name, '' AS column_name FROM pragma_table_list
         WHERE strict = 0 AND type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '__diesel_%'",
    )
    .load(&mut world.connection())
    .unwrap();
    assert!(loose.is_empty(), "{:?}", loose.iter().map(|table| &table.table_name).collect::<Vec<_>>());
}

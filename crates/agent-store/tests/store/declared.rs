//! The tables as `schema.rs` declares them.

use std::collections::BTreeMap;

/// Tables with their columns, such as `id: BIGINT` and `error: TEXT?`.
pub(crate) type Columns = BTreeMap<String, Vec<String>>;

/// Reads `name -> Type` lines of the declaration, with types as the database names them.
pub(crate) fn declared(stored: impl Fn(&str) -> &'static str) -> Columns {
    let (mut tables, mut table) = (Columns::new(), String::new());
    for line in include_str!("../../src/schema.rs").lines().map(str::trim) {
        if let Some((name, _)) = line.strip_suffix('{').and_then(|head| head.split_once(" (")) {
            table = name.to_owned();
        } else if let Some((name, kind)) = line.trim_end_matches(',').split_once(" -> ")
            && !line.starts_with("diesel::")
        {
            let inner = kind.strip_prefix("Nullable<").and_then(|kind| kind.strip_suffix('>'));
            let stored = stored(inner.unwrap_or(kind));
            let optional = if inner.is_some() { "?" } else { "" };
            tables.entry(table.clone()).or_default().push(format!("{name}: {stored}{optional}"));
        }
    }
    tables
}

//! What a request that was never recorded has in common with one that was.

use crate::cassette::{Exchange, steady};
use serde_json::Value;
use std::collections::BTreeMap;

/// In words: the nearest recorded exchange, and where the request first differs from it.
pub(crate) fn told(recorded: &[Exchange], path: &str, body: &Value) -> String {
    let asked = leaves(&steady(body));
    let nearest = recorded
        .iter()
        .map(|exchange| (exchange, differing(&leaves(&steady(&exchange.request.body)), &asked)))
        .min_by_key(|(exchange, pointers)| (exchange.request.path != path, pointers.len()));
    let Some((exchange, pointers)) = nearest else {
        return format!("nothing is recorded, {path} was asked");
    };
    if exchange.request.path != path {
        return format!("{path} was never asked; the nearest is {}", exchange.request.path);
    }
    let Some(pointer) = pointers.first() else {
        return format!("exchange {} was asked once more than recorded", exchange.seq);
    };
    let at = |body: &Value| body.pointer(pointer).map_or_else(|| "nothing".to_owned(), Value::to_string);
    format!(
        "never recorded; the nearest is exchange {}, which first differs at {pointer}: recorded {}, asked {} \
         ({} differences)",
        exchange.seq,
        at(&exchange.request.body),
        at(body),
        pointers.len()
    )
}

/// Everything in a value that is no container (or an empty one), by its JSON pointer.
fn leaves(value: &Value) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    collect(value, String::new(), &mut found);
    found
}

fn collect(value: &Value, pointer: String, found: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                collect(value, format!("{pointer}/{name}"), found);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (place, value) in items.iter().enumerate() {
                collect(value, format!("{pointer}/{place}"), found);
            }
        }
        leaf => {
            found.insert(pointer, leaf.clone());
        }
    }
}

fn differing(one: &BTreeMap<String, Value>, other: &BTreeMap<String, Value>) -> Vec<String> {
    let mut pointers: Vec<String> = one
        .keys()
        .chain(other.keys())
        .filter(|pointer| one.get(*pointer) != other.get(*pointer))
        .cloned()
        .collect();
    pointers.sort();
    pointers.dedup();
    pointers
}

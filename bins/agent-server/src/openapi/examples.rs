//! An example for every schema: the one that its view gives, else one that is put together from those of its parts.

use serde_json::{Map, Value, json};

const SCHEMAS: &str = "/components/schemas";
/// No view is nested deeper.
const MAX_DEPTH: usize = 12;
const INSTANT: &str = "2026-01-01T12:00:00.000Z";

/// Gives an example to every schema that has none.
pub(super) fn complete(document: &mut Value) {
    let Some(schemas) = document.pointer(SCHEMAS).and_then(Value::as_object).cloned() else { return };
    let Some(finished) = document.pointer_mut(SCHEMAS).and_then(Value::as_object_mut) else { return };
    for (name, schema) in &schemas {
        if let Some(Value::Object(fields)) = finished.get_mut(name) {
            fields.entry("example").or_insert_with(|| Composer(&schemas).compose(schema, name, MAX_DEPTH));
        }
    }
}

struct Composer<'a>(&'a Map<String, Value>);

impl Composer<'_> {
    /// An example of a schema that is found under this name.
    fn compose(&self, schema: &Value, name: &str, depth: usize) -> Value {
        if let Some(given) = schema.get("example") {
            return given.clone();
        }
        if let Some(given) = ["examples", "enum"].iter().find_map(|words| schema.get(words)?.get(0)) {
            return given.clone();
        }
        if depth == 0 {
            return Value::Null;
        }
        if let Some(named) = self.referenced(schema) {
            return self.compose(named, name, depth - 1);
        }
        for choice in ["oneOf", "anyOf"] {
            let choices = schema.get(choice).and_then(Value::as_array);
            let chosen = choices.and_then(|all| all.iter().find(|one| one["type"] != "null"));
            if let Some(chosen) = chosen {
                return self.compose(chosen, name, depth - 1);
            }
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            return self.merged(parts, name, depth - 1);
        }
        self.of_type(schema, name, depth - 1)
    }

    fn referenced(&self, schema: &Value) -> Option<&Value> {
        self.0.get(schema.get("$ref")?.as_str()?.rsplit('/').next()?)
    }

    fn merged(&self, parts: &[Value], name: &str, depth: usize) -> Value {
        let mut all = Map::new();
        for part in parts {
            if let Value::Object(fields) = self.compose(part, name, depth) {
                all.extend(fields);
            }
        }
        Value::Object(all)
    }

    fn of_type(&self, schema: &Value, name: &str, depth: usize) -> Value {
        match kind(schema) {
            Some("object") => self.object(schema, depth),
            Some("array") => match schema.get("items") {
                Some(items) => json!([self.compose(items, name, depth)]),
                None => json!([]),
            },
            Some("string") if schema["format"] == "date-time" => json!(INSTANT),
            Some("string") => json!(name.replace('_', " ")),
            Some("integer") => {
                schema.get("minimum").filter(|least| **least != 0).cloned().unwrap_or(json!(1))
            }
            Some("number") => json!(1.5),
            Some("boolean") => json!(true),
            _ => Value::Null,
        }
    }

    fn object(&self, schema: &Value, depth: usize) -> Value {
        let properties = schema.get("properties").and_then(Value::as_object);
        let fields = properties.into_iter().flatten();
        fields
            .map(|(name, part)| (name.clone(), self.compose(part, name, depth)))
            .collect::<Map<_, _>>()
            .into()
    }
}

/// The type of a value that is there, where the schema allows it to be absent.
fn kind(schema: &Value) -> Option<&str> {
    match schema.get("type")? {
        Value::String(kind) => Some(kind),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_is_put_together_from_those_of_the_parts() {
        let mut document = json!({"components": {"schemas": {
            "Page": {"type": "object", "properties": {
                "plans": {"type": "array", "items": {"$ref": "#/components/schemas/Plan"}},
                "next_cursor": {"type": ["string", "null"], "example": "7"},
                "status": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Status"}]},
                "made_at": {"type": "string", "format": "date-time"},
            }},
            "Plan": {"type": "object", "example": {"id": 3}, "properties": {"id": {"type": "integer"}}},
            "Status": {"type": "string", "enum": ["created", "running"]},
        }}});
        complete(&mut document);
        let of = |name: &str| document["components"]["schemas"][name]["example"].clone();
        let page = json!({"plans": [{"id": 3}], "next_cursor": "7", "status": "created", "made_at": INSTANT});
        assert_eq!((of("Page"), of("Status")), (page, json!("created")));
    }

    #[test]
    fn a_schema_within_itself_comes_to_an_end() {
        let tree = json!({"type": "object", "properties": {"child": {"$ref": "#/components/schemas/Tree"}}});
        let mut document = json!({"components": {"schemas": {"Tree": tree}}});
        complete(&mut document);
        assert!(document["components"]["schemas"]["Tree"]["example"]["child"].is_object());
    }
}

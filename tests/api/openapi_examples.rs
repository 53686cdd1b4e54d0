//! The examples of the document: one for every schema, and each as its schema says.

use agent_testkit::TestServer;
use serde_json::Value;

/// What is said of a field that no schema knows.
const UNKNOWN: &str = "is not in the schema";

/// What is wrong with a value that should be as a schema says; empty where nothing is.
fn faults(value: &Value, schema: &Value, document: &Value, place: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return faults(value, document.pointer(&reference[1..]).unwrap(), document, place);
    }
    let mut found = Vec::new();
    for choice in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[choice].as_array() {
            let fits = |one: &Value| faults(value, one, document, place).is_empty();
            if !choices.iter().any(fits) {
                found.push(format!("{place}: {value} is none of {choice}"));
            }
        }
    }
    if let Some(parts) = schema["allOf"].as_array() {
        // Each part knows only its own fields.
        let known = |fault: &String| !fault.ends_with(UNKNOWN);
        found.extend(parts.iter().flat_map(|part| faults(value, part, document, place)).filter(known));
        return found;
    }
    if !is_of_type(value, &schema["type"]) {
        found.push(format!("{place}: {value} is not of type {}", schema["type"]));
    }
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        found.push(format!("{place}: {value} is not in the list"));
    }
    found.extend(faults_of_parts(value, schema, document, place));
    found
}

fn faults_of_parts(value: &Value, schema: &Value, document: &Value, place: &str) -> Vec<String> {
    let mut found = Vec::new();
    match value {
        Value::Object(fields) => {
            for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                if !fields.contains_key(name) {
                    found.push(format!("{place}: {name} is missing"));
                }
            }
            for (name, field) in fields {
                match &schema["properties"][name] {
                    Value::Null
                        if schema["properties"].is_object() && schema["additionalProperties"].is_null() =>
                    {
                        found.push(format!("{place}: {name} {UNKNOWN}"));
                    }
                    known => found.extend(faults(field, known, document, &format!("{place}/{name}"))),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                found.extend(faults(item, &schema["items"], document, &format!("{place}/{index}")));
            }
        }
        Value::Number(number) => {
            let number = number.as_f64().unwrap();
            if schema["minimum"].as_f64().is_some_and(|least| number < least)
                || schema["maximum"].as_f64().is_some_and(|most| number > most)
            {
                found.push(format!("{place}: {number} is out of bounds"));
            }
        }
        _ => {}
    }
    found
}

fn is_of_type(value: &Value, kind: &Value) -> bool {
    match kind {
        Value::Array(kinds) => kinds.iter().any(|kind| is_of_type(value, kind)),
        Value::String(kind) => match kind.as_str() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "null" => value.is_null(),
            other => panic!("{other} is no type"),
        },
        _ => true,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_schema_has_an_example_that_fits_it() {
    let server = TestServer::start().await;
    let document = server.anonymous().get("/openapi.json").await.expect(200).json;
    let schemas = document["components"]["schemas"].as_object().unwrap();
    assert!(schemas.len() > 100);
    let mut complaints = Vec::new();
    for (name, schema) in schemas {
        match schema.get("example") {
            None => complaints.push(format!("{name} has no example")),
            Some(example) => complaints.extend(faults(example, schema, &document, name)),
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_body_sent_or_answered_has_an_example() {
    let server = TestServer::start().await;
    let document = server.anonymous().get("/openapi.json").await.expect(200).json;
    let mut bodies = 0;
    for (path, method, operation) in crate::openapi::operations(&document) {
        let answers = operation["responses"].as_object().unwrap().values();
        for body in answers.chain([&operation["requestBody"]]) {
            let Some(schema) = body.pointer("/content/application~1json/schema") else { continue };
            let item = if schema["items"].is_object() { &schema["items"] } else { schema };
            let named = item["$ref"].as_str().map(|reference| document.pointer(&reference[1..]).unwrap());
            let is_document = path == "/openapi.json";
            let has_example = named.is_some_and(|schema| !schema["example"].is_null());
            assert!(is_document || has_example, "{method} {path}: {body}");
            bodies += 1;
        }
    }
    assert!(bodies > 60, "only {bodies}");
}

#[test]
fn an_example_that_does_not_fit_is_noticed() {
    let schema = serde_json::json!({"type": "object", "required": ["id"], "properties": {
        "id": {"type": "integer", "minimum": 1}, "status": {"enum": ["on", "off"]},
        "tags": {"type": ["array", "null"], "items": {"type": "string"}}
    }});
    let count = |value: Value| faults(&value, &schema, &Value::Null, "").len();
    assert_eq!(count(serde_json::json!({"id": 1, "status": "on", "tags": null})), 0);
    assert_eq!(count(serde_json::json!({"id": 0, "status": "maybe", "tags": [1], "more": 1})), 4);
    assert_eq!(count(serde_json::json!({"status": "on"})), 1);
    assert_eq!(count(serde_json::json!([])), 1);
}

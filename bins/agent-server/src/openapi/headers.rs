//! What the document says about headers that many operations have in common.

use crate::conditional::TAGGED;
use serde_json::{Value, json};

/// Says of every header what it may be, and of every tagged answer how not to get it again.
pub(super) fn complete(document: &mut Value) {
    let items = document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flatten();
    for (_, item) in items {
        let operations = item.as_object_mut().into_iter().flatten();
        for (_, operation) in operations {
            bound(operation);
            let id = operation["operationId"].as_str().unwrap_or_default();
            if TAGGED.contains(&id) {
                tag(operation);
            }
        }
    }
}

/// A header that is there is a text; none can be null.
fn bound(operation: &mut Value) {
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten();
    for parameter in parameters.filter(|parameter| parameter["in"] == "header") {
        if let Value::Array(kinds) = &parameter["schema"]["type"] {
            let present = kinds.iter().find(|kind| **kind != "null").cloned();
            parameter["schema"]["type"] = present.unwrap_or_default();
        }
        if parameter["name"] == "Idempotency-Key" {
            // Blanks at the ends are taken off on the way.
            parameter["schema"] = json!({
                "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\t -~]*[!-~][\\t -~]*$"
            });
            parameter["example"] = json!("1f6b2c1e-order-7");
        }
    }
}

fn tag(operation: &mut Value) {
    let seen = json!({
        "name": "If-None-Match", "in": "header", "required": false, "schema": {"type": "string"},
        "description": "The `ETag` of an answer that the client has: where it is still that, the answer is 304 without a body"
    });
    match operation.get_mut("parameters").and_then(Value::as_array_mut) {
        Some(parameters) => parameters.push(seen),
        None => operation["parameters"] = json!([seen]),
    }
    let header = json!({"ETag": {"description": "Names what was answered", "schema": {"type": "string"}}});
    operation["responses"]["304"] = json!({"description": "The client has it already", "headers": header});
    if let Value::Object(headers) = &mut operation["responses"]["200"]["headers"] {
        headers.insert("ETag".to_owned(), header["ETag"].clone());
    } else {
        operation["responses"]["200"]["headers"] = header;
    }
}

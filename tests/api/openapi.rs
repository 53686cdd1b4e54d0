//! The API's own document: complete, sound, and the same as the one in `docs/`.

use agent_testkit::TestServer;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

async fn document() -> Value {
    let server = TestServer::start().await;
    server.anonymous().get("/openapi.json").await.expect(200).json
}

/// Every operation with its path and method.
pub(crate) fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            found.push((path.clone(), method.to_uppercase(), operation.clone()));
        }
    }
    found
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                found.insert(reference.clone());
            }
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_openapi_3_1_and_names_every_promised_operation() {
    let document = document().await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let found: BTreeSet<String> =
        operations(&document).into_iter().map(|(path, method, _)| format!("{method} {path}")).collect();
    let promised = "GET / | GET /health | GET /ready | GET /metrics | POST /auth/login | POST /auth/token | GET /auth/validate | \
        POST /plans | GET /plans | GET /plans/{plan_id} | PATCH /plans/{plan_id} | GET /plans/{plan_id}/tasks | POST /plans/{plan_id}/execute | \
        GET /templates | GET /templates/{id} | GET /templates/search/{query} | GET /analytics | \
        GET /analytics/tasks/{id} | GET /analytics/performance | GET /ws/{client_id} | GET /conversation | \
        POST /conversation | POST /scan | GET /stats | GET /docs | GET /redoc | GET /openapi.json | \
        POST /auth/refresh | POST /auth/logout | GET /auth/keys | DELETE /auth/keys/{key_id} | PUT /auth/password | \
        GET /users | POST /users | PATCH /users/{id} | POST /plans/{plan_id}/pause | POST /plans/{plan_id}/resume | \
        POST /plans/{plan_id}/cancel | POST /plans/{plan_id}/retry | POST /plans/{plan_id}/merge | POST /plans/{plan_id}/discard | GET /plans/{plan_id}/events | \
        GET /plans/{plan_id}/events/stream | GET /events | GET /events/stream | POST /ws/ticket | GET /plans/{plan_id}/diff | \
        GET /plans/{plan_id}/tasks/{task_id}/executions | GET /approvals | GET /approvals/{id} | POST /approvals/{id} | POST /policy/check | \
        DELETE /users/{id} | GET /auth/tenants | GET /tenants | POST /tenants | GET /tenants/{tenant_id}/members | \
        POST /tenants/{tenant_id}/members | PUT /tenants/{tenant_id}/members/{user_id} | \
        DELETE /tenants/{tenant_id}/members/{user_id} | GET /tenants/{tenant_id}/repository-roots | \
        PUT /tenants/{tenant_id}/repository-roots | GET /audit | GET /audit/chain | GET /audit/export | \
        GET /analytics/plans/{id} | GET /analytics/by/{dimension} | GET /plans/{plan_id}/versions | GET /plans/{plan_id}/versions/{version} | \
        GET /webhooks | POST /webhooks | GET /webhooks/{webhook_id} | PATCH /webhooks/{webhook_id} | \
        DELETE /webhooks/{webhook_id} | POST /webhooks/{webhook_id}/secret | \
        POST /templates | PUT /templates/{id} | DELETE /templates/{id} | GET /templates/{id}/export | \
        GET /templates/{id}/versions | GET /templates/{id}/versions/{version}";
    let promised: BTreeSet<String> = promised.split(" | ").map(|line| line.trim().to_owned()).collect();
    assert_eq!(found, promised);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_says_what_it_does_and_how_it_fails() {
    let document = document().await;
    let tags: Vec<&str> =
        document["tags"].as_array().unwrap().iter().filter_map(|tag| tag["name"].as_str()).collect();
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let place = format!("{method} {path}");
        assert!(operation["summary"].as_str().is_some_and(|text| text.ends_with('.')), "summary of {place}");
        let tag = operation["tags"][0].as_str().unwrap_or_default();
        assert!(tags.contains(&tag), "tag of {place}: {tag:?}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "operation id of {place}");
        let responses = operation["responses"].as_object().unwrap();
        assert!(
            responses.keys().any(|status| status.starts_with('2') || status == "101"),
            "success of {place}"
        );
        let problems = responses.iter().filter(|(status, _)| status.starts_with(['4', '5']));
        for (status, response) in problems {
            let is_readiness = path == "/ready" && status == "503";
            let content = &response["content"]["application/problem+json"]["schema"]["$ref"];
            assert!(
                is_readiness || content == "#/components/schemas/Problem",
                "{status} of {place}: {response}"
            );
        }
        assert!(responses.contains_key("500"), "faults of {place}");
        if path.contains('{') {
            assert!(responses.contains_key("404"), "404 of {place}");
        }
        if operation["requestBody"].is_object() {
            for status in ["400", "413", "415", "422"] {
                assert!(responses.contains_key(status), "{status} of {place}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reference_leads_somewhere() {
    let document = document().await;
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 20);
    for reference in found {
        let pointer =
            reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leads out of the document"));
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ways_to_authenticate_are_declared() {
    let document = document().await;
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(
        (&schemes["bearer"]["type"], &schemes["bearer"]["scheme"]),
        (&"http".into(), &"bearer".into())
    );
    assert_eq!(
        (&schemes["api_key"]["in"], &schemes["api_key"]["name"]),
        (&"header".into(), &"X-API-Key".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_body_that_is_sent_has_an_example() {
    let document = document().await;
    for (path, method, operation) in operations(&document) {
        let reference = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        let Some(pointer) = reference.as_str().and_then(|reference| reference.strip_prefix('#')) else {
            continue;
        };
        let schema = document.pointer(pointer).unwrap();
        assert!(!schema["example"].is_null(), "{method} {path}: {pointer} has no example");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_copy_in_docs_is_the_document() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let text = format!("{}\n", serde_json::to_string_pretty(&document().await).unwrap());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let copy = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        copy == text,
        "docs/openapi.json is stale: run UPDATE_DOCS=1 cargo test -p agent-tests --test api"
    );
}

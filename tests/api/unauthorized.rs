//! Loops over the API's own document: who may do what.

use crate::openapi::operations;
use agent_testkit::{Answer, Client, TestServer};
use serde_json::{Value, json};

/// The scrape token of `/metrics` is nobody's credential.
const PUBLIC: [&str; 9] = [
    "GET /",
    "GET /health",
    "GET /ready",
    "GET /metrics",
    "GET /docs",
    "GET /redoc",
    "GET /openapi.json",
    "POST /auth/login",
    "POST /auth/refresh",
];

async fn ask(client: &Client, method: &str, path: &str) -> Answer {
    ask_with(client, method, path, None).await
}

async fn ask_with(client: &Client, method: &str, path: &str, body: Option<Value>) -> Answer {
    let path = path
        .replace("{plan_id}", "999")
        .replace("{task_id}", "999")
        .replace("{key_id}", "999")
        .replace("{webhook_id}", "999")
        .replace("{version}", "999")
        .replace("{query}", "test")
        .replace("{client_id}", "me")
        .replace("{tenant_id}", "999")
        .replace("{user_id}", "999")
        .replace("{id}", "999");
    let request = client.request(method, &path).header("If-Match", "*");
    let request = if method == "GET" { request } else { request.json(&body.unwrap_or(json!({}))) };
    client.send(request).await
}

fn scopes(operation: &Value) -> Vec<String> {
    let bearer = operation["security"]
        .as_array()
        .and_then(|list| list.iter().find(|entry| entry["bearer"].is_array()));
    let scopes = bearer.and_then(|entry| entry["bearer"].as_array());
    scopes.into_iter().flatten().filter_map(|scope| Some(scope.as_str()?.to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_nobody_is_refused_exactly_where_the_document_says_so() {
    let server = TestServer::start().await;
    let client = server.anonymous();
    let document = client.get("/openapi.json").await.json;
    for (path, method, operation) in operations(&document) {
        let place = format!("{method} {path}");
        if path.starts_with("/ws/") {
            continue;
        }
        let is_secured = operation["security"].is_array();
        assert_eq!(is_secured, !PUBLIC.contains(&place.as_str()), "{place}");
        let answer = ask(&client, &method, &path).await;
        if is_secured {
            answer.expect_problem(401, "unauthenticated");
        } else {
            assert_ne!(answer.code(), "unauthenticated", "{place}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_the_declared_scope_is_refused() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let document = admin.get("/openapi.json").await.json;
    let all = admin.get("/auth/validate").await.json["scopes"].as_array().unwrap().clone();
    for (path, method, operation) in operations(&document) {
        let [needed] = &scopes(&operation)[..] else { continue };
        let others: Vec<&Value> = all.iter().filter(|scope| *scope != needed).collect();
        let created = admin.post("/auth/token", json!({"scopes": others})).await.expect(201).json;
        let limited = admin.with_api_key(created["api_key"].as_str().unwrap());
        let refused = ask(&limited, &method, &path).await.expect_problem(403, "forbidden");
        assert!(
            refused.json["detail"].as_str().unwrap().contains(needed.as_str()),
            "{method} {path}: {}",
            refused.text
        );
        let path = format!("/auth/keys/{}", created["key_id"]);
        admin.delete(&path).await.expect(204);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_a_404_for_whoever_may_ask() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let document = admin.get("/openapi.json").await.json;
    for (path, method, _) in operations(&document) {
        if !path.contains('{') || path.starts_with("/ws/") || path.starts_with("/templates/search/") {
            continue;
        }
        // The body is judged first where it has required fields.
        if method == "POST" && path == "/approvals/{id}" {
            let answer = admin.post("/approvals/999", json!({"decision": "approve"})).await;
            answer.expect_problem(404, "approval_not_found");
            continue;
        }
        let body = match (method.as_str(), path.as_str()) {
            ("PUT", "/tenants/{tenant_id}/members/{user_id}") => Some(json!({"role": "user"})),
            ("PUT", "/tenants/{tenant_id}/repository-roots") => Some(json!({"repository_roots": []})),
            ("POST", "/tenants/{tenant_id}/members") => {
                Some(json!({"username": "ada", "password": "lovely analytical engine", "role": "user"}))
            }
            ("PUT", "/templates/{id}") => {
                let task = json!({"phase": "Look", "description": "Look around."});
                Some(json!({"id": "own", "name": "n", "description": "d", "goal": "g", "tasks": [task]}))
            }
            _ => None,
        };
        let answer = ask_with(&admin, &method, &path, body).await;
        assert_eq!(answer.status, 404, "{method} {path}: {}", answer.text);
        let code = answer.code().to_owned();
        answer.expect_problem(404, &code);
    }
}

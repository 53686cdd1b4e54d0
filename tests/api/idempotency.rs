//! Repeated requests: each POST that creates makes one thing under one key.

use agent_testkit::{Client, TestServer};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The same request, so often at once.
const AT_ONCE: usize = 50;

/// All answers to the same request sent many times are the same creation, and so is a later one.
async fn one_creation(client: &Client, path: &str, body: Value) -> Value {
    let requests = (0..AT_ONCE).map(|_| client.post(path, body.clone()));
    let answers = futures_util::future::join_all(requests).await;
    let bodies: BTreeSet<String> = answers.into_iter().map(|answer| answer.expect(201).text).collect();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    let again = client.post(path, body).await.expect(201);
    assert!(bodies.contains(&again.text), "{bodies:?}: {}", again.text);
    again.json
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_kept_once() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let plan = demo.create_shell_plan("Talk", &["true"]).await;
    let keyed = demo.with_header("Idempotency-Key", "line-1");
    let message = json!({"role": "user", "content": "hello", "plan_id": plan});
    one_creation(&keyed, "/conversation", message).await;
    assert_eq!(demo.get("/conversation").await.json["total"], 1);
    let events = demo.get(&format!("/plans/{plan}/events")).await.json["events"].clone();
    let told = events.as_array().unwrap().iter().filter(|event| event["event"] == "message_added");
    assert_eq!(told.count(), 1);
    let other = json!({"role": "user", "content": "hello!"});
    keyed.post("/conversation", other).await.expect_problem(409, "idempotency_mismatch");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_made_once() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let keyed = admin.with_header("Idempotency-Key", "hire-1");
    let ada = |password: &str| json!({"username": "ada", "password": password, "role": "user"});
    let made = one_creation(&keyed, "/users", ada("four words are plenty")).await;
    assert_eq!(admin.get("/users").await.json["total"], 3);
    let other = keyed.post("/users", ada("five words are more plenty")).await;
    other.expect_problem(409, "idempotency_mismatch");
    admin.post("/users", ada("four words are plenty")).await.expect_problem(409, "username_taken");
    let message = json!({"role": "user", "content": "hello"});
    keyed.post("/conversation", message).await.expect_problem(409, "idempotency_mismatch");
    let ada = server.log_in("ada", "four words are plenty").await;
    assert_eq!(ada.get("/auth/validate").await.json["user_id"], made["user_id"]);
    let own = ada.with_header("Idempotency-Key", "hire-1");
    own.post("/conversation", json!({"role": "user", "content": "mine"})).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_key_is_made_once_and_shown_again_to_the_same_request() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let keyed = demo.with_header("Idempotency-Key", "ci-1");
    let body = json!({"name": "ci", "scopes": ["plans:read"], "expires_at": "2099-01-01T00:00:00Z"});
    let made = one_creation(&keyed, "/auth/token", body.clone()).await;
    assert_eq!(demo.get("/auth/keys").await.json["total"], 1);
    let by_key = server.anonymous().with_api_key(made["api_key"].as_str().unwrap());
    assert_eq!(by_key.get("/auth/validate").await.expect(200).json["scopes"], json!(["plans:read"]));
    for (field, value) in [
        ("name", json!("cd")),
        ("scopes", json!(["keys:manage"])),
        ("expires_at", json!("2098-01-01T00:00:00Z")),
    ] {
        let mut other = body.clone();
        other[field] = value;
        keyed.post("/auth/token", other).await.expect_problem(409, "idempotency_mismatch");
    }
    let fresh = demo.post("/auth/token", body).await.expect(201).json;
    assert_ne!(fresh["api_key"], made["api_key"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_made_once() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let keyed = demo.with_header("Idempotency-Key", "order-1");
    let plan = json!({"goal": "Once", "tasks": [{"description": "a", "kind": "scan"}]});
    one_creation(&keyed, "/plans", plan).await;
    assert_eq!(demo.get("/plans").await.json["total"], 1);
}

//! Bad requests: each is refused with a problem, and none leaves anything behind.

use agent_testkit::{Answer, Client, TestServer};
use serde_json::{Value, json};

pub(crate) async fn post_raw(
    client: &Client,
    path: &str,
    content_type: Option<&str>,
    body: impl Into<Vec<u8>>,
) -> Answer {
    let request = client.request("POST", path).body(body.into());
    let request = match content_type {
        Some(kind) => request.header("Content-Type", kind),
        None => request,
    };
    client.send(request).await
}

/// A plan of one command task with these fields in place of its own.
pub(crate) fn with_task(fields: Value) -> Value {
    let mut task = json!({"description": "a", "kind": "command", "command": ["true"]});
    if let (Some(task), Value::Object(fields)) = (task.as_object_mut(), fields) {
        task.extend(fields);
    }
    json!({"goal": "g", "tasks": [task]})
}

/// Each plan is refused with this code at this place.
pub(crate) async fn all_are_refused(plans: &[(Value, &str, &str)]) {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    for (body, code, pointer) in plans {
        let refused = demo.post("/plans", body.clone()).await;
        assert_eq!((refused.status, refused.code()), (422, *code), "{body}: {}", refused.text);
        assert!(refused.expect_problem(422, code).pointers().contains(pointer), "{body}: {pointer}");
    }
    assert_eq!(demo.get("/plans").await.json["total"], 0, "nothing was created");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_makes_no_sense_is_refused_at_the_place_of_the_fault() {
    let scan = json!({"description": "a", "kind": "scan"});
    all_are_refused(&[
        (json!({}), "invalid_request", "/goal"),
        (json!({"goal": 7}), "invalid_request", "/goal"),
        (json!({"goal": null}), "invalid_request", "/goal"),
        (json!({"goal": "g", "gaol": "h"}), "invalid_request", "/gaol"),
        (json!({"goal": "  ", "tasks": [scan]}), "invalid_plan", "/goal"),
        (json!({"goal": "g", "tasks": []}), "invalid_plan", "/tasks"),
        (json!({"goal": "g", "tasks": {}}), "invalid_request", "/tasks"),
        (json!({"goal": "g", "policy": {"sandbox": "none"}}), "invalid_request", "/policy/sandbox"),
        (json!({"goal": "g", "policy": {"max_parallel": 0}}), "invalid_plan", "/policy/max_parallel"),
        (
            json!({"goal": "g", "policy": {"budget": {"max_eggs": 1}}}),
            "invalid_request",
            "/policy/budget/max_eggs",
        ),
        (json!({"goal": "g", "parameters": {"a": 1}}), "invalid_plan", "/parameters"),
        (json!({"goal": "g", "tasks": [scan], "repo_path": "/etc"}), "repository_refused", "/repo_path"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_makes_no_sense_is_refused_at_the_place_of_the_fault() {
    all_are_refused(&[
        (json!({"goal": "g", "tasks": [{"kind": "scan"}]}), "invalid_request", "/tasks/0/description"),
        (
            json!({"goal": "g", "tasks": [{"description": "a", "kind": "dance"}]}),
            "invalid_request",
            "/tasks/0/kind",
        ),
        (
            json!({"goal": "g", "tasks": [{"description": "a", "kind": "command"}]}),
            "invalid_plan",
            "/tasks/0/command",
        ),
        (with_task(json!({"patch": "x"})), "invalid_plan", "/tasks/0/patch"),
        (with_task(json!({"command": 7})), "invalid_request", "/tasks/0/command"),
        (with_task(json!({"command": []})), "invalid_plan", "/tasks/0/command"),
        (with_task(json!({"retry": {"tries": 3}})), "invalid_request", "/tasks/0/retry/tries"),
        (with_task(json!({"tool": "x"})), "invalid_plan", "/tasks/0/tool"),
        (
            json!({"goal": "g", "tasks": [{"description": "a", "kind": "tool", "tool": "dance"}]}),
            "invalid_plan",
            "/tasks/0/tool",
        ),
        (
            json!({"goal": "g", "tasks": [{"description": "a", "kind": "tool", "input": {}}]}),
            "invalid_plan",
            "/tasks/0/tool",
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_caller_is_judged_before_the_body() {
    let server = TestServer::start().await;
    let anonymous = server.anonymous();
    let refused = post_raw(&anonymous, "/plans", Some("text/plain"), "{").await;
    refused.expect_problem(401, "unauthenticated");
    let stranger = anonymous.with_token("not.a.token");
    let refused = post_raw(&stranger, "/plans", Some("text/plain"), "{").await;
    refused.expect_problem(401, "invalid_token");
    let demo = server.demo().await;
    let refused = post_raw(&demo, "/users", Some("text/plain"), "{").await;
    refused.expect_problem(403, "forbidden");
    demo.get("/analytics/tasks/x").await.expect_problem(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_needs_a_known_speaker_and_words() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let table = [
        (json!({"role": "king", "content": "hi"}), "/role"),
        (json!({"role": "user", "content": " "}), "/content"),
        (json!({"role": "user", "content": "a\u{0}b"}), "/content"),
    ];
    for (body, pointer) in table {
        let refused = demo.post("/conversation", body).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
        assert_eq!(refused.pointers(), [pointer]);
    }
    assert_eq!(demo.get("/conversation").await.json["total"], 0);
    let saved =
        demo.post("/conversation", json!({"role": "user", "content": "hello"})).await.expect(201).json;
    assert_eq!(saved["status"], "saved");
    let messages = demo.get("/conversation").await.expect(200).json;
    assert_eq!(messages["messages"][0]["id"], saved["message_id"]);
}

//! Bad requests: each is refused with a problem, and none leaves anything behind.

use agent_testkit::{Answer, Client, TestServer};
use serde_json::{Value, json};

async fn post_raw(
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
fn with_task(fields: Value) -> Value {
    let mut task = json!({"description": "a", "kind": "command", "command": ["true"]});
    if let (Some(task), Value::Object(fields)) = (task.as_object_mut(), fields) {
        task.extend(fields);
    }
    json!({"goal": "g", "tasks": [task]})
}

/// Each plan is refused with this code at this place.
async fn all_are_refused(plans: &[(Value, &str, &str)]) {
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
        (json!({"goal": "a\u{0}b", "tasks": [scan]}), "invalid_plan", "/goal"),
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
        (with_task(json!({"depends_on": [1]})), "invalid_plan", "/tasks/0/depends_on"),
        (with_task(json!({"depends_on": [2]})), "invalid_plan", "/tasks/0/depends_on"),
        (with_task(json!({"depends_on": [-1]})), "invalid_request", "/tasks/0/depends_on/0"),
        (with_task(json!({"timeout_ms": 0})), "invalid_plan", "/tasks/0/timeout_ms"),
        (with_task(json!({"timeout_ms": -1})), "invalid_request", "/tasks/0/timeout_ms"),
        (with_task(json!({"timeout_ms": 1e18})), "invalid_request", "/tasks/0/timeout_ms"),
        (with_task(json!({"retry": {"max_attempts": 0}})), "invalid_plan", "/tasks/0/retry/max_attempts"),
        (
            with_task(json!({"retry": {"max_attempts": 1_000_000}})),
            "invalid_plan",
            "/tasks/0/retry/max_attempts",
        ),
        (with_task(json!({"retry": {"tries": 3}})), "invalid_request", "/tasks/0/retry/tries"),
        (with_task(json!({"priority": 256})), "invalid_request", "/tasks/0/priority"),
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
async fn a_cycle_is_named_and_a_huge_plan_refused_quickly() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let scan = |after: Vec<usize>| json!({"description": "a", "kind": "scan", "depends_on": after});
    let cycle = json!({"goal": "g", "tasks": [scan(vec![3]), scan(vec![1]), scan(vec![2])]});
    let refused = demo.post("/plans", cycle).await.expect_problem(422, "invalid_plan");
    assert!(refused.json["errors"][0]["detail"].as_str().unwrap().contains("->"), "{}", refused.text);
    let many: Vec<_> = (0..10_001).map(|_| scan(Vec::new())).collect();
    let refused = demo.post("/plans", json!({"goal": "g", "tasks": many})).await;
    assert_eq!(refused.expect_problem(422, "invalid_plan").pointers(), ["/tasks"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_json_is_malformed() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let deep = "[".repeat(10_000);
    let bodies: [&[u8]; 8] = [
        b"",
        b"{",
        b"goal=g",
        b"{\"goal\": \"\xff\"}",
        b"{\"goal\": NaN}",
        b"{\"goal\": \"\\ud800\"}",
        b"{\"goal\": \"a\"} trailing",
        deep.as_bytes(),
    ];
    for body in bodies {
        let refused = post_raw(&demo, "/plans", Some("application/json"), body).await;
        refused.expect_problem(400, "malformed_json");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_must_say_that_it_is_json() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    for kind in
        [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("application/jsonp")]
    {
        let refused = post_raw(&demo, "/plans", kind, r#"{"goal": "g"}"#).await;
        refused.expect_problem(415, "unsupported_media_type");
    }
    for kind in ["application/json; charset=utf-8", "Application/JSON", "application/vnd.agent+json"] {
        let body = r#"{"goal": "g", "tasks": [{"description": "a", "kind": "scan"}]}"#;
        post_raw(&demo, "/plans", Some(kind), body).await.expect(201);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_the_limit_is_refused() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let padding = " ".repeat(1024 * 1024);
    let body = format!(r#"{{"goal": "g"}}{padding}"#);
    let refused = post_raw(&demo, "/plans", Some("application/json"), body).await;
    refused.expect_problem(413, "body_too_large");
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
async fn lists_refuse_limits_cursors_and_filters_that_cannot_be() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let table = [
        ("/plans?limit=0", "?limit"),
        ("/plans?limit=-1", "?limit"),
        ("/plans?limit=1000000000", "?limit"),
        ("/plans?cursor=garbage", "?cursor"),
        ("/plans?status=sleeping", "?status"),
        ("/conversation?limit=201", "?limit"),
        ("/conversation?plan_id=x", "?plan_id"),
        ("/templates?difficulty=extreme", "?difficulty"),
    ];
    for (path, pointer) in table {
        let refused = demo.get(path).await.expect_problem(422, "invalid_request");
        assert_eq!(refused.pointers(), [pointer], "{path}");
    }
    for path in ["/plans?stauts=failed", "/approvals?include_decided=perhaps"] {
        demo.get(path).await.expect_problem(422, "invalid_request");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_are_kept_as_they_are_and_searched_literally() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let goals = ["100% sure", "a_b", "Robert'); DROP TABLE plans;--", "back\\slash", "🙂 grüße"];
    for goal in goals {
        let plan = demo.create_shell_plan(goal, &["true"]).await;
        assert_eq!(demo.get(&format!("/plans/{plan}")).await.json["plan"]["goal"], goal);
    }
    for (query, found) in [("%25", 1), ("_", 1), ("'", 1), ("%5C", 1), ("%F0%9F%99%82", 1), ("a", 3)] {
        let listed = demo.get(&format!("/plans?q={query}")).await.expect(200).json;
        assert_eq!(listed["total"], found, "{query}: {listed}");
    }
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

//! I08 to I12 and I14: values that mean something elsewhere, make no sense, or ask for too much.

use crate::bodies::{all_are_refused, with_task};
use crate::openapi::operations;
use agent_testkit::{Client, TestServer};
use serde_json::{Value, json};

/// Texts that mean something to SQL, to patterns or to a shell.
const HOSTILE: [&str; 9] = [
    "Robert'); DROP TABLE plans;--",
    "' OR '1'='1",
    "\" OR 1=1 --",
    "100% sure",
    "a_b",
    "back\\slash",
    "$(reboot) `id` ; true",
    "{{goal}} ${PATH} %s %n",
    "🙂 grüße",
];

fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn i08_what_is_searched_for_is_taken_literally() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let long = "a".repeat(10 * 1024);
    let mut queries: Vec<&str> = HOSTILE.to_vec();
    queries.extend([
        "%",
        "_____",
        "';--",
        "\\",
        "(a+)+$",
        ".*",
        "^",
        "[a-z",
        "*",
        "\u{0}",
        "🙂",
        "ẞ\u{301}\u{202e}",
        &long,
    ]);
    for query in queries {
        let found = demo.get(&format!("/templates/search/{}", percent_encoded(query))).await.expect(200);
        assert_eq!(
            (&found.json["query"], &found.json["results"]),
            (&json!(query), &json!([])),
            "{query:.20}"
        );
    }
    let words = format!("/templates/search/{}", percent_encoded("FAILING  test"));
    assert_eq!(demo.get(&words).await.expect(200).json["results"][0]["id"], "fix_failing_test");
    let all = demo.get("/templates/search/a").await.expect(200).json["results"].as_array().unwrap().len();
    let many = vec!["a"; 2_000].join(" ");
    let found = demo.get(&format!("/templates/search/{}", percent_encoded(&many))).await.expect(200);
    assert_eq!(found.json["results"].as_array().unwrap().len(), all, "the same word again narrows nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn i09_texts_are_kept_as_they_are() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for text in HOSTILE {
        let task =
            json!({"description": text, "kind": "command", "command": ["echo", text], "env": {"A": text}});
        let plan = admin.create_plan(json!({"goal": text, "tasks": [task]})).await;
        let found = admin.get(&format!("/plans/{plan}")).await.expect(200).json;
        assert_eq!((&found["plan"]["goal"], &found["tasks"][0]["description"]), (&json!(text), &json!(text)));
        let said = json!({"role": "user", "content": text, "plan_id": plan});
        admin.post("/conversation", said).await.expect(201);
        let messages = admin.get(&format!("/conversation?plan_id={plan}")).await.expect(200).json;
        assert_eq!(messages["messages"][0]["content"], text);
        let key = admin.post("/auth/token", json!({"name": text})).await.expect(201).json;
        let keys = admin.get("/auth/keys").await.expect(200).json;
        let keys = keys["keys"].as_array().unwrap();
        assert!(keys.iter().any(|kept| kept["key_id"] == key["key_id"] && kept["name"] == text), "{text}");
        let login = json!({"username": text, "password": text});
        server.anonymous().post("/auth/login", login).await.expect_problem(401, "invalid_credentials");
    }
    assert_eq!(admin.get("/plans").await.expect(200).json["total"], HOSTILE.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn i09_filters_are_taken_literally() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    for text in HOSTILE {
        let plan = demo.create_shell_plan(text, &["true"]).await;
        let said = json!({"role": "user", "content": text, "plan_id": plan});
        demo.post("/conversation", said).await.expect(201);
    }
    let mut table: Vec<(&str, usize)> = HOSTILE.iter().map(|text| (*text, 1)).collect();
    table.extend([("%", 2), ("_", 1), ("\\", 1), ("'", 2), ("🙂", 1), ("**", 0), ("a%b", 0)]);
    for (text, found) in table {
        for list in ["plans", "conversation"] {
            let listed = demo.get(&format!("/{list}?q={}", percent_encoded(text))).await.expect(200).json;
            assert_eq!(listed["total"], found, "{list} {text}: {listed}");
        }
    }
    for list in ["plans", "conversation"] {
        for query in ["sort=id;DROP TABLE plans", "order=(SELECT 1)", "sort=goal", "order_by=1--"] {
            demo.get(&format!("/{list}?{query}")).await.expect_problem(422, "invalid_request");
        }
    }
}

fn scan(after: &[usize]) -> Value {
    json!({"description": "a", "kind": "scan", "depends_on": after})
}

fn plan(tasks: impl IntoIterator<Item = Value>) -> Value {
    json!({"goal": "g", "tasks": tasks.into_iter().collect::<Vec<_>>()})
}

#[tokio::test(flavor = "multi_thread")]
async fn i10_a_graph_that_cannot_be_is_refused_at_the_task() {
    let long_cycle = (1..=5_000).map(|n: usize| scan(&[if n == 1 { 5_000 } else { n - 1 }]));
    all_are_refused(&[
        (plan([scan(&[1])]), "invalid_plan", "/tasks/0/depends_on"),
        (plan([scan(&[2])]), "invalid_plan", "/tasks/0/depends_on"),
        (plan([scan(&[0])]), "invalid_plan", "/tasks/0/depends_on"),
        (plan([scan(&[]), scan(&[1, 1])]), "invalid_plan", "/tasks/1/depends_on"),
        (with_task(json!({"depends_on": [-1]})), "invalid_request", "/tasks/0/depends_on/0"),
        (with_task(json!({"depends_on": [4_294_967_296_u64]})), "invalid_request", "/tasks/0/depends_on/0"),
        (plan([]), "invalid_plan", "/tasks"),
        (plan((0..10_001).map(|_| scan(&[]))), "invalid_plan", "/tasks"),
        (plan(long_cycle), "invalid_plan", "/tasks/0/depends_on"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn i10_a_cycle_is_named_and_a_deep_plan_is_no_cycle() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let cycle = plan([scan(&[3]), scan(&[1]), scan(&[2])]);
    let refused = demo.post("/plans", cycle).await.expect_problem(422, "invalid_plan");
    assert!(refused.json["errors"][0]["detail"].as_str().unwrap().contains("->"), "{}", refused.text);
    let chain = (1..=5_000).map(|n: usize| if n == 1 { scan(&[]) } else { scan(&[n - 1]) });
    assert_eq!(demo.post("/plans", plan(chain)).await.expect(201).json["tasks"], 5_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn i11_times_retries_and_priorities_that_make_no_sense_are_refused() {
    let attempts = |n: u64| with_task(json!({"retry": {"max_attempts": n}}));
    all_are_refused(&[
        (with_task(json!({"timeout_ms": 0})), "invalid_plan", "/tasks/0/timeout_ms"),
        (with_task(json!({"timeout_ms": -1})), "invalid_request", "/tasks/0/timeout_ms"),
        (with_task(json!({"timeout_ms": 1e18})), "invalid_request", "/tasks/0/timeout_ms"),
        (
            with_task(json!({"timeout_ms": 1_000_000_000_000_000_000_u64})),
            "invalid_plan",
            "/tasks/0/timeout_ms",
        ),
        (attempts(0), "invalid_plan", "/tasks/0/retry/max_attempts"),
        (attempts(1_000_000_000), "invalid_plan", "/tasks/0/retry/max_attempts"),
        (attempts(5_000_000_000), "invalid_request", "/tasks/0/retry/max_attempts"),
        (with_task(json!({"priority": 256})), "invalid_request", "/tasks/0/priority"),
        (with_task(json!({"priority": "urgent"})), "invalid_request", "/tasks/0/priority"),
        (json!({"goal": "g", "policy": {"max_parallel": 0}}), "invalid_plan", "/policy/max_parallel"),
        (json!({"goal": "g", "policy": {"max_parallel": 1e9}}), "invalid_request", "/policy/max_parallel"),
    ])
    .await;
}

/// Paths of all lists with one of these parameters.
async fn lists_with(client: &Client, parameter: &str) -> Vec<String> {
    let document = client.get("/openapi.json").await.expect(200).json;
    let has = |operation: &Value| {
        let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
        parameters.iter().any(|known| known["name"] == parameter)
    };
    let found =
        operations(&document).into_iter().filter(|(_, method, operation)| method == "GET" && has(operation));
    found.map(|(path, ..)| path.replace("{plan_id}", "1").replace("{dimension}", "users")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn i12_every_list_refuses_limits_and_cursors_that_cannot_be() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    admin.create_shell_plan("Listed", &["true"]).await;
    let limited = lists_with(&admin, "limit").await;
    assert!(limited.len() >= 3, "{limited:?}");
    for path in limited {
        for limit in ["0", "-1", "201", "1000000000", "99999999999999999999", "1e2", "ten", "", "%00", "1%3B"]
        {
            let refused =
                admin.get(&format!("{path}?limit={limit}")).await.expect_problem(422, "invalid_request");
            assert_eq!(refused.pointers(), ["?limit"], "{path} {limit}");
        }
        admin.get(&format!("{path}?limit=200")).await.expect(200);
        admin.get(&format!("{path}?limit=1&limit=2")).await.expect_problem(422, "invalid_request");
    }
    for path in lists_with(&admin, "cursor").await {
        for cursor in ["garbage", "-1", "9223372036854775808", "", "%27", "1%00", "%F0%9F%99%82"] {
            let refused =
                admin.get(&format!("{path}?cursor={cursor}")).await.expect_problem(422, "invalid_request");
            assert_eq!(refused.pointers(), ["?cursor"], "{path} {cursor}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i12_filters_take_only_what_can_be() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let table = [
        ("/plans?status=sleeping", "?status"),
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
async fn i14_a_plan_over_its_budget_fails_and_says_so() {
    let look = json!({"tool_calls": [{"name": "list_files", "arguments": {}}],
        "usage": {"input_tokens": 9_000, "output_tokens": 900}});
    let turns = json!([look, look, look, look, look, look]);
    let server = TestServer::builder().script(turns).start().await;
    let demo = server.demo().await;
    let table = [
        (json!({"max_model_calls": 1}), "budget_exceeded: max_model_calls is 1"),
        (json!({"max_tokens": 12_000}), "budget_exceeded: max_tokens is 12000"),
    ];
    for (budget, told) in table {
        let tasks = json!([{"description": "Look around", "kind": "agent"}]);
        let body = json!({"goal": "g", "auto_execute": true, "tasks": tasks, "policy": {"budget": budget}});
        let id = demo.create_plan(body).await;
        let failed = demo.wait_for_plan(id, &["failed", "completed"]).await;
        assert_eq!(failed["plan"]["status"], "failed", "{budget}");
        let error = failed["tasks"][0]["error"].as_str().unwrap();
        assert!(error.contains(told), "{budget}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i14_a_plan_that_takes_too_long_fails_and_says_so() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let tasks = json!([{"description": "Wait", "kind": "command", "command": "sleep 600"}]);
    let policy = json!({"budget": {"max_duration_ms": 200}});
    let body = json!({"goal": "g", "auto_execute": true, "tasks": tasks, "policy": policy});
    let id = demo.create_plan(body).await;
    let failed = demo.wait_for_plan(id, &["failed", "completed", "cancelled"]).await;
    assert_eq!(failed["plan"]["status"], "failed", "{failed:#}");
    // The executor and the sandbox both watch the time; either may be first.
    assert!(failed["tasks"][0]["error"].as_str().unwrap().contains("timed out after"), "{failed:#}");
}

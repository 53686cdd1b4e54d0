//! I01, I02, I05, I06: bodies that are too large, too slow, or no JSON that anybody meant.

use crate::bodies::post_raw;
use agent_server::{ConnectionLimits, ServeOptions};
use agent_testkit::{Client, RawConnection, TestServer};
use serde_json::{Value, json};
use std::time::Duration;

const JSON: Option<&str> = Some("application/json");
const LIMIT: usize = 1024 * 1024;
/// As long as a body may take where a test waits for it.
const SHORT: Duration = Duration::from_millis(300);

async fn impatient() -> TestServer {
    let limits = ConnectionLimits {
        body_deadline: SHORT,
        head_deadline: SHORT * 6,
        keep_alive: SHORT,
        ..ConnectionLimits::default()
    };
    TestServer::builder().options(ServeOptions { limits, ..ServeOptions::default() }).start().await
}

/// The head of a request with the credential of this client.
fn head(client: &Client, first_line: &str, headers: &str) -> String {
    let token = client.token().map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    format!(
        "{first_line} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{token}{headers}\r\n"
    )
}

/// A plan that is exactly this long.
fn plan_of(bytes: usize) -> String {
    let plan = r#"{"goal": "g", "tasks": [{"description": "a", "kind": "scan"}]}"#;
    format!("{plan}{}", " ".repeat(bytes - plan.len()))
}

#[tokio::test(flavor = "multi_thread")]
async fn i01_a_body_over_the_limit_is_refused_and_one_at_the_limit_is_not() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    post_raw(&demo, "/plans", JSON, plan_of(LIMIT)).await.expect(201);
    post_raw(&demo, "/plans", JSON, plan_of(LIMIT + 1)).await.expect_problem(413, "body_too_large");
    assert_eq!(demo.get("/plans").await.json["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn i01_a_body_of_unknown_length_is_read_no_further_than_the_limit() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let mut connection = RawConnection::open(server.url()).await;
    connection.say(head(&demo, "POST /plans", "Transfer-Encoding: chunked\r\n")).await;
    // No last chunk: a server that waited for more than the limit would wait for ever.
    connection.say(format!("{:x}\r\n{}\r\n", LIMIT + 1, " ".repeat(LIMIT + 1))).await;
    let answer = connection.head().await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn i02_a_body_that_is_announced_too_large_is_refused_at_once() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let huge = "Content-Length: 10000000000\r\n";
    for (client, status) in [(&demo, "413"), (&server.anonymous(), "401")] {
        let mut connection = RawConnection::open(server.url()).await;
        connection.say(head(client, "POST /plans", huge)).await;
        let answer = connection.rest().await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains("\"request_id\""), "{answer}");
    }
    let mut connection = RawConnection::open(server.url()).await;
    connection.say(head(&demo, "GET /health", huge)).await;
    assert!(
        connection.rest().await.starts_with("HTTP/1.1 200 "),
        "a body that nobody wants is not waited for"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn i02_a_body_that_does_not_come_is_a_408_and_the_end_of_the_connection() {
    let server = impatient().await;
    let demo = server.demo().await;
    for announced in ["Content-Length: 100000\r\n", "Transfer-Encoding: chunked\r\n"] {
        let mut connection = RawConnection::open(server.url()).await;
        connection.say(head(&demo, "POST /plans", announced)).await;
        let answer = connection.rest().await;
        assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("request_timeout"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i02_a_body_that_trickles_in_is_ended_by_one_deadline_for_all_of_it() {
    let server = impatient().await;
    let demo = server.demo().await;
    let chunked = "Transfer-Encoding: chunked\r\n";
    let table = [
        (demo.clone(), "POST /plans", "408"),
        // Nobody reads these bodies; the server must not read them for ever either.
        (server.anonymous(), "POST /plans", "401"),
        (server.anonymous(), "GET /health", "200"),
        (demo, "POST /plans/999/pause", "404"),
    ];
    let all = table.map(|(client, first_line, status)| {
        let server = &server;
        async move {
            let mut connection = RawConnection::open(server.url()).await;
            connection.say(head(&client, first_line, chunked)).await;
            let answer = connection.trickle(b"1\r\n \r\n", SHORT / 30).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{first_line}: {answer}");
        }
    });
    futures_util::future::join_all(all).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn i05_what_is_no_json_is_malformed() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let lists = "[".repeat(10_000);
    let closed = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let objects = format!(r#"{{"goal": {}"#, r#"{"a":"#.repeat(10_000));
    let bodies: [&[u8]; 13] = [
        b"",
        b"{",
        b"goal=g",
        b"{\"goal\": NaN}",
        b"{\"goal\": Infinity}",
        b"{\"goal\": 1e400}",
        b"{\"goal\": -1e400}",
        b"{\"goal\": \"\\ud800\"}",
        b"{\"goal\": \"a\0b\"}",
        b"{\"goal\": \"a\"} trailing",
        lists.as_bytes(),
        closed.as_bytes(),
        objects.as_bytes(),
    ];
    for body in bodies {
        let refused = post_raw(&demo, "/plans", JSON, body).await;
        refused.expect_problem(400, "malformed_json");
    }
    assert_eq!(demo.get("/plans").await.json["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn i05_a_body_of_as_many_keys_as_fit_is_refused_in_few_words() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let keys: Vec<String> = (0..80_000).map(|key| format!("\"{key}\":0")).collect();
    let keys = keys.join(",");
    let unknown = format!("{{{keys}}}");
    let parameters =
        format!(r#"{{"goal": "g", "template_id": "fix_failing_test", "parameters": {{{keys}}}}}"#);
    let repeated = format!(r#"{{"goal": "g"{}}}"#, r#","goal":"g""#.repeat(80_000));
    for body in [unknown, parameters, repeated] {
        let refused = post_raw(&demo, "/plans", JSON, body).await;
        assert_eq!(refused.status, 422, "{:.300}", refused.text);
        assert!(refused.text.len() < 32 * 1024, "{} bytes", refused.text.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i05_numbers_that_no_field_can_hold_are_refused() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let fields = [
        (r#""tasks": [{"description": "a", "kind": "scan", "timeout_ms": N}]"#, "/tasks/0/timeout_ms"),
        (r#""tasks": [{"description": "a", "kind": "scan", "retry": {"backoff_ms": N}}]"#, "/tasks/0/retry"),
        (r#""policy": {"max_parallel": N}"#, "/policy/max_parallel"),
        (r#""policy": {"approval_timeout_ms": N}"#, "/policy/approval_timeout_ms"),
    ];
    for (field, place) in fields {
        for number in
            ["9223372036854775808", "18446744073709551615", "18446744073709551616", "-1", "1.5", "1e300"]
        {
            let body = format!(r#"{{"goal": "g", {}}}"#, field.replace('N', number));
            let refused = post_raw(&demo, "/plans", JSON, body).await;
            assert_eq!(refused.status, 422, "{place} {number}: {}", refused.text);
            assert!(
                refused.pointers().iter().all(|named| named.starts_with(place)),
                "{place}: {}",
                refused.text
            );
        }
    }
    assert_eq!(demo.get("/plans").await.json["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn i05_ceilings_beyond_all_reason_are_refused_or_kept_and_never_a_fault() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    for field in ["max_tokens", "max_model_calls", "max_duration_ms"] {
        for number in [u64::MAX, i64::MAX as u64 + 1, i64::MAX as u64] {
            let tasks = json!([{"description": "a", "kind": "scan"}]);
            let body = json!({"goal": "g", "tasks": tasks, "policy": {"budget": {field: number}}});
            let answer = demo.post("/plans", body).await;
            assert!([201, 422].contains(&answer.status), "{field} {number}: {}", answer.text);
            if answer.status == 201 {
                let plan = demo.get(&format!("/plans/{}", answer.json["plan_id"])).await.expect(200).json;
                assert_eq!(plan["plan"]["policy"]["budget"][field], number, "{field}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i05_nul_is_refused_wherever_a_text_may_stand() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let nul = "a\u{0}b";
    let task = |field: &str, value: Value| {
        let mut task = json!({"description": "a", "kind": "command", "command": ["true"]});
        task[field] = value;
        json!({"goal": "g", "tasks": [task]})
    };
    let table = [
        ("/plans", json!({"goal": nul}), "/goal"),
        ("/plans", json!({"goal": "g", "repo_path": nul}), "/repo_path"),
        ("/plans", json!({"goal": "g", "template_id": "x", "parameters": {"p": [nul]}}), "/parameters/p/0"),
        ("/plans", task("description", json!(nul)), "/tasks/0/description"),
        ("/plans", task("env", json!({nul: "1"})), "/tasks/0/env/a\u{0}b"),
        ("/plans", task("working_directory", json!(nul)), "/tasks/0/working_directory"),
        ("/plans", task("reads", json!([nul])), "/tasks/0/reads/0"),
        ("/conversation", json!({"role": "user", "content": nul}), "/content"),
        (
            "/users",
            json!({"username": nul, "password": "long enough for anybody", "role": "user"}),
            "/username",
        ),
        ("/auth/token", json!({"name": nul}), "/name"),
        ("/auth/login", json!({"username": nul, "password": "x"}), "/username"),
        ("/scan", json!({"repo_path": nul}), "/repo_path"),
    ];
    for (path, body, place) in table {
        let refused = admin.post(path, body).await.expect_problem(422, "invalid_request");
        assert_eq!(refused.pointers(), [place], "{path}: {}", refused.text);
    }
    for path in ["/plans?q=a%00b", "/conversation?q=%00", "/templates?tag=%00"] {
        let refused = admin.get(path).await.expect_problem(422, "invalid_request");
        let place = if path.contains("tag") { "?tag" } else { "?q" };
        assert_eq!(refused.pointers(), [place], "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i06_a_body_must_be_utf_8() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let utf_16: Vec<u8> = r#"{"goal": "g"}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let bodies: [&[u8]; 4] =
        [b"{\"goal\": \"\xff\"}", b"{\"goal\": \"\xc0\xaf\"}", b"{\"goal\": \"\xed\xa0\x80\"}", &utf_16];
    for body in bodies {
        let refused = post_raw(&demo, "/plans", JSON, body).await;
        refused.expect_problem(400, "malformed_json");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i06_a_body_must_say_that_it_is_json() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    for kind in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("application/jsonp"),
        Some("json"),
    ] {
        let refused = post_raw(&demo, "/plans", kind, r#"{"goal": "g"}"#).await;
        refused.expect_problem(415, "unsupported_media_type");
    }
    for kind in ["application/json; charset=utf-8", "Application/JSON", "application/vnd.agent+json"] {
        let body = r#"{"goal": "g", "tasks": [{"description": "a", "kind": "scan"}]}"#;
        post_raw(&demo, "/plans", Some(kind), body).await.expect(201);
    }
}

//! I03, I04, I07: heads of requests that do not end, are too large, or name what cannot be.

use agent_server::{ConnectionLimits, ServeOptions};
use agent_testkit::{RawConnection, TestServer};
use serde_json::json;
use std::time::Duration;

const HALF: &str = "GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ";

async fn serving(limits: ConnectionLimits) -> TestServer {
    TestServer::builder().options(ServeOptions { limits, ..ServeOptions::default() }).start().await
}

#[tokio::test(flavor = "multi_thread")]
async fn i03_many_heads_that_do_not_end_keep_nobody_else_waiting() {
    let server = TestServer::start().await;
    let mut half_open = Vec::new();
    for _ in 0..500 {
        let mut connection = RawConnection::open(server.url()).await;
        connection.say(HALF).await;
        half_open.push(connection);
    }
    let client = server.anonymous();
    for _ in 0..50 {
        client.get("/health").await.expect(200);
    }
    let demo = server.demo().await;
    demo.create_shell_plan("Served all the same", &["true"]).await;
    drop(half_open);
}

#[tokio::test(flavor = "multi_thread")]
async fn i03_a_head_that_does_not_end_is_a_408() {
    let head_deadline = Duration::from_millis(300);
    let server = serving(ConnectionLimits { head_deadline, ..ConnectionLimits::default() }).await;
    let mut half_open = Vec::new();
    for _ in 0..100 {
        let mut connection = RawConnection::open(server.url()).await;
        connection.say(HALF).await;
        half_open.push(connection);
    }
    for mut connection in half_open {
        let answer = connection.rest().await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
    let silent = RawConnection::open(server.url()).await.rest().await;
    assert!(silent.starts_with("HTTP/1.1 408 ") || silent.is_empty(), "{silent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn i03_a_head_may_not_trickle_in_after_a_first_request_either() {
    let short = Duration::from_millis(300);
    let limits = ConnectionLimits { head_deadline: short, keep_alive: short, ..ConnectionLimits::default() };
    let server = serving(limits).await;
    let mut connection = RawConnection::open(server.url()).await;
    connection.say("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(connection.head().await.starts_with("HTTP/1.1 200 "));
    connection.say(HALF).await;
    connection.trickle(b"x", short / 30).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn i03_a_connection_that_is_in_use_stays() {
    let short = Duration::from_millis(300);
    let limits = ConnectionLimits { head_deadline: short, keep_alive: short, ..ConnectionLimits::default() };
    let server = serving(limits).await;
    let mut socket = server.demo().await.connect("patient").await;
    let mut pace = tokio::time::interval(short);
    // Several times as long as a connection without work may last.
    for _ in 0..6 {
        pace.tick().await;
        socket.say(json!({"action": "ping"})).await;
        assert_eq!(socket.next_json().await["type"], "pong");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i03_connections_beyond_the_bound_wait_for_their_turn() {
    let limits = ConnectionLimits {
        connections: 2,
        head_deadline: Duration::from_secs(600),
        ..ConnectionLimits::default()
    };
    let server =
        TestServer::builder().options(ServeOptions { limits, workers: 1, ..ServeOptions::default() }).start();
    let server = server.await;
    let mut first = Vec::new();
    for _ in 0..2 {
        let mut connection = RawConnection::open(server.url()).await;
        connection.say(HALF).await;
        first.push(connection);
    }
    let mut third = RawConnection::open(server.url()).await;
    third.say("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let early = tokio::time::timeout(Duration::from_millis(300), third.head()).await;
    assert!(early.is_err(), "{early:?}");
    drop(first.pop());
    assert!(third.head().await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn i04_too_many_headers_or_too_large_a_head_are_refused() {
    let server = TestServer::start().await;
    let many: String = (0..97).map(|number| format!("X-{number}: 1\r\n")).collect();
    let large = format!("X-Large: {}\r\n", "x".repeat(129 * 1024));
    for headers in [many, large] {
        let mut connection = RawConnection::open(server.url()).await;
        connection.say(format!("GET /health HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")).await;
        let answer = connection.rest().await;
        assert!(answer.starts_with("HTTP/1.1 431 ") || answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
    let fits: String = (0..90).map(|number| format!("X-{number}: {}\r\n", "y".repeat(1_000))).collect();
    let mut connection = RawConnection::open(server.url()).await;
    connection.say(format!("GET /health HTTP/1.1\r\nHost: localhost\r\n{fits}\r\n")).await;
    assert!(connection.head().await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn i04_what_is_no_request_is_refused() {
    let server = TestServer::start().await;
    let table = [
        "\r\n\r\nnonsense\r\n\r\n",
        "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "GET /health HTTP/9.9\r\nHost: localhost\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: localhost\r\nA b: c\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\u{0}b\r\n\r\n",
        "GET health HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        "POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        "POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        "POST /auth/login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, gzip\r\n\r\n{}",
    ];
    for request in table {
        let mut connection = RawConnection::open(server.url()).await;
        connection.say(request).await;
        let answer = connection.rest().await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{request}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i07_ids_that_cannot_be_name_nothing() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    demo.create_shell_plan("The only plan", &["true"]).await;
    let long = "9".repeat(8 * 1024);
    let ids = [
        "x",
        "0",
        "-1",
        "1.0",
        "1e0",
        "01x",
        "0x1",
        "%00",
        "1%00",
        "%2e%2e%2f",
        "..;",
        "..%2f1",
        "%252e%252e",
        "%ff",
        "%EF%BC%91",
        "1;",
        "1%20",
        "99999999999999999999",
        "9223372036854775808",
        &long,
    ];
    for id in ids {
        for path in
            [format!("/plans/{id}"), format!("/plans/{id}/tasks"), format!("/plans/1/tasks/{id}/executions")]
        {
            let answer = demo.get(&path).await;
            assert!([400, 404].contains(&answer.status), "{path:.60}: {} {}", answer.status, answer.text);
            let (status, code) = (answer.status, answer.code().to_owned());
            answer.expect_problem(status, &code);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i07_no_path_leads_out_of_the_pages_or_around_the_check_of_the_caller() {
    let server = TestServer::start().await;
    let paths = [
        "/docs/../health",
        "/docs/%2e%2e/%2e%2e/etc/passwd",
        "/docs/..%2f..%2fetc%2fpasswd",
        "/docs/..;/plans",
        "/docs//etc/passwd",
        "/docs/%00",
        "/docs/index.html%00.js",
        "//plans",
        "/plans//1",
        "/./plans",
        "/PLANS",
        "/plans;x=1",
        "/plans%2f1",
        "/health/../plans",
        "/health/..;/plans",
    ];
    for path in paths {
        let mut connection = RawConnection::open(server.url()).await;
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        connection.say(request).await;
        let answer = connection.rest().await;
        let status = answer.get(9..12).unwrap_or_default();
        assert!(["400", "404"].contains(&status), "{path}: {answer}");
        assert!(!answer.contains("root:"), "{path}");
    }
}

//! Live monitoring over WebSocket.

use crate::live_events::without_topic;
use agent_server::{ServeOptions, WebSocketSettings};
use agent_testkit::{Frame, Socket, TestServer};
use serde_json::{Value, json};
use std::time::Duration;

fn impatient(settings: WebSocketSettings) -> ServeOptions {
    ServeOptions { websocket: settings, ..ServeOptions::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_watched_live_from_its_first_event_to_its_last() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let plan = demo.create_shell_plan("Watch me", &["true", "true"]).await;
    let topic = format!("plan_{plan}");
    let mut socket = demo.connect("dashboard").await;
    assert_eq!(socket.subscribe(&topic, Some(0)).await, 0);
    demo.post_nothing(&format!("/plans/{plan}/execute")).await.expect(202);
    let seen = socket.events_to_the_end().await;
    assert!(seen.iter().all(|event| event["topic"] == topic.as_str()));
    let seen: Vec<Value> = seen.into_iter().map(without_topic).collect();
    assert_eq!(seen, demo.events_of(plan).await, "the same envelopes, without gap or repeat");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_comes_back_and_gets_only_what_it_missed() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let plan = demo.create_shell_plan("Again", &["true"]).await;
    let topic = format!("plan_{plan}");
    let mut first = demo.connect("phone").await;
    first.subscribe(&topic, Some(0)).await;
    demo.post_nothing(&format!("/plans/{plan}/execute")).await.expect(202);
    let seen = first.events_to_the_end().await;
    drop(first);
    let half = seen[seen.len() / 2]["seq"].as_i64().unwrap();
    let mut second = demo.connect("phone").await;
    assert_eq!(second.subscribe(&topic, Some(half)).await, half);
    let rest = second.events_to_the_end().await;
    assert_eq!(rest, seen[seen.len() / 2 + 1..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_means_one_s_own_plans_and_for_administrators_everybody_s() {
    let server = TestServer::start().await;
    let (demo, admin) = (server.demo().await, server.admin().await);
    let mut own = demo.connect("own").await;
    let mut every = admin.connect("every").await;
    own.subscribe("all", None).await;
    every.subscribe("all", None).await;
    let theirs = admin.create_shell_plan("Theirs", &["true"]).await;
    let mine = demo.create_shell_plan("Mine", &["true"]).await;
    assert_eq!(own.next_event().await["plan_id"], mine);
    assert_eq!(every.next_event().await["plan_id"], theirs);
    assert_eq!(every.next_event().await["plan_id"], mine);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_somebody_else_is_as_unknown_as_none() {
    let server = TestServer::start().await;
    let plan = server.admin().await.create_shell_plan("Private", &["true"]).await;
    let mut socket = server.demo().await.connect("curious").await;
    for topic in [format!("plan_{plan}"), "plan_999".to_owned()] {
        socket.say(json!({"action": "subscribe", "topic": topic})).await;
        let answer = socket.next_json().await;
        assert_eq!(
            (&answer["type"], &answer["code"]),
            (&json!("error"), &json!("plan_not_found")),
            "{answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_message_gets_an_error_and_the_connection_goes_on() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let plan = demo.create_shell_plan("Quiet", &["true"]).await;
    let mut socket = demo.connect("clumsy").await;
    let topic = format!("plan_{plan}");
    let table = [
        ("nonsense".to_owned(), "malformed_message"),
        (json!({"action": "dance"}).to_string(), "malformed_message"),
        (json!({"action": "subscribe"}).to_string(), "malformed_message"),
        (json!({"action": "subscribe", "topic": "weather"}).to_string(), "unknown_topic"),
        (json!({"action": "subscribe", "topic": topic, "events": ["weather"]}).to_string(), "unknown_event"),
        (json!({"action": "unsubscribe", "topic": topic}).to_string(), "not_subscribed"),
        (json!({"action": "authenticate", "token": "nonsense"}).to_string(), "invalid_token"),
    ];
    for (message, code) in table {
        socket.say_text(&message).await;
        let answer = socket.next_json().await;
        assert_eq!(
            (&answer["type"], &answer["code"]),
            (&json!("error"), &json!(code)),
            "{message}: {answer}"
        );
    }
    socket.say_binary(vec![1, 2, 3]).await;
    assert_eq!(socket.next_json().await["code"], "malformed_message");
    socket.say(json!({"action": "ping"})).await;
    assert_eq!(socket.next_json().await["type"], "pong");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_comes_from_a_topic_after_it_was_unsubscribed() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let mut socket = demo.connect("fickle").await;
    socket.subscribe("all", None).await;
    socket.say(json!({"action": "unsubscribe", "topic": "all"})).await;
    assert_eq!(socket.next_json().await, json!({"type": "unsubscribed", "topic": "all"}));
    demo.create_shell_plan("Unheard", &["true"]).await;
    socket.say(json!({"action": "ping"})).await;
    assert_eq!(socket.next_json().await["type"], "pong");
}

#[tokio::test(flavor = "multi_thread")]
async fn w05_a_client_says_who_it_is_in_one_of_three_ways() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let token = demo.token().unwrap();
    let authorization = format!("Bearer {token}");
    let mut by_header = Socket::open(server.url(), "a", &[("Authorization", &authorization)]).await.unwrap();
    by_header.subscribe("all", None).await;
    assert_eq!(by_header.protocol, None);

    let protocols = format!("agent.v1, bearer.{token}");
    let mut by_protocol =
        Socket::open(server.url(), "b", &[("Sec-WebSocket-Protocol", &protocols)]).await.unwrap();
    assert_eq!(by_protocol.protocol.as_deref(), Some("agent.v1"), "the token is never echoed");
    by_protocol.subscribe("all", None).await;

    let mut by_message = server.anonymous().connect("c").await;
    by_message.say(json!({"action": "subscribe", "topic": "all"})).await;
    assert_eq!(by_message.next_json().await["code"], "unauthenticated");
    by_message.say(json!({"action": "authenticate", "token": token})).await;
    assert_eq!(by_message.next_json().await["username"], "demo");
    by_message.subscribe("all", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn w02_a_bad_token_is_refused_before_the_connection_is_open() {
    let server = TestServer::start().await;
    let open = |headers: Vec<(&'static str, &'static str)>| async move { headers };
    for headers in [
        open(vec![("Authorization", "Bearer nonsense")]).await,
        open(vec![("Sec-WebSocket-Protocol", "agent.v1, bearer.nonsense")]).await,
        open(vec![("X-API-Key", "nonsense")]).await,
    ] {
        assert_eq!(Socket::open(server.url(), "x", &headers).await.err(), Some(401), "{headers:?}");
    }
    let mut socket = server.anonymous().connect("x").await;
    socket.say(json!({"action": "authenticate", "token": "nonsense"})).await;
    assert!(matches!(socket.next().await, Frame::Closed(4401, _)));
}

#[tokio::test(flavor = "multi_thread")]
async fn w02_whoever_never_says_who_they_are_is_sent_away() {
    let settings = WebSocketSettings {
        authentication_deadline: Duration::from_millis(50),
        ..WebSocketSettings::default()
    };
    let server = TestServer::builder().options(impatient(settings)).start().await;
    let mut socket = server.anonymous().connect("silent").await;
    assert!(matches!(socket.next().await, Frame::Closed(4401, _)));
}

#[tokio::test(flavor = "multi_thread")]
async fn w08_a_token_that_is_ended_ends_its_connections() {
    let settings =
        WebSocketSettings { recheck_every: Duration::from_millis(50), ..WebSocketSettings::default() };
    let server = TestServer::builder().options(impatient(settings)).start().await;
    let demo = server.demo().await;
    let mut socket = demo.connect("loyal").await;
    socket.subscribe("all", None).await;
    demo.post_nothing("/auth/logout").await.expect(204);
    assert!(matches!(socket.next().await, Frame::Closed(4401, _)));
}

#[tokio::test(flavor = "multi_thread")]
async fn w04_pages_of_other_sites_may_not_connect() {
    let server = TestServer::start().await;
    for origin in ["https://evil.example", "null"] {
        assert_eq!(Socket::open(server.url(), "x", &[("Origin", origin)]).await.err(), Some(403), "{origin}");
    }
    assert!(Socket::open(server.url(), "x", &[("Origin", server.url())]).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_request_is_told_to_upgrade() {
    let server = TestServer::start().await;
    server.anonymous().get("/ws/me").await.expect_problem(426, "upgrade_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn w14_a_message_that_is_too_large_ends_the_connection() {
    let server = TestServer::start().await;
    let mut socket = server.demo().await.connect("loud").await;
    socket.say_text(&"x".repeat(64 * 1024 + 1)).await;
    let end = socket.next().await;
    assert!(matches!(end, Frame::Closed(1009, _) | Frame::Lost), "{end:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn w11_a_client_that_takes_nothing_is_told_where_it_stopped() {
    let settings =
        WebSocketSettings { write_deadline: Duration::from_millis(200), ..WebSocketSettings::default() };
    let server = TestServer::builder().options(impatient(settings)).start().await;
    let demo = server.demo().await;
    let plan = demo.create_shell_plan("Loud", &["head -c 60000 /dev/zero | tr '\\0' x; true"]).await;
    let topic = format!("plan_{plan}");
    let mut lazy = demo.connect("lazy").await;
    lazy.subscribe(&topic, Some(0)).await;
    let mut watcher = demo.connect("watcher").await;
    for _ in 0..400 {
        let talk = json!({"role": "user", "content": "x".repeat(32_000), "plan_id": plan});
        demo.post("/conversation", talk).await.expect(201);
        lazy.say(json!({"action": "subscribe", "topic": topic, "after": 0})).await;
    }
    watcher.subscribe(&topic, None).await;
    let mut last = 0;
    loop {
        match lazy.next().await {
            Frame::Json(event) => last = event["seq"].as_i64().unwrap_or(last),
            Frame::Closed(code, words) => {
                assert_eq!(code, 4408, "{words}");
                assert!(words.contains(&topic), "{words} after {last}");
                break;
            }
            Frame::Lost => panic!("no last words"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn w15_a_stopping_server_says_so() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let mut socket = demo.connect("faithful").await;
    socket.subscribe("all", None).await;
    let stopped = tokio::spawn(server.stop());
    assert!(matches!(socket.next().await, Frame::Closed(1012, _)));
    drop(socket);
    stopped.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_open_connections_still_stops_in_time() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let plan = demo.create_shell_plan("Still", &["true"]).await;
    let _socket = demo.connect("idle").await;
    let stream = demo.request("GET", &format!("/plans/{plan}/events/stream")).send().await.unwrap();
    tokio::time::timeout(Duration::from_secs(10), server.stop()).await.expect("stopped within ten seconds");
    drop(stream);
}

//! What is shown, and for how long it counts.

use crate::organisations::{Organisations, PASSWORD, looking};
use agent_server::{ServeOptions, WebSocketSettings};
use agent_testkit::{Frame, TestServer};
use serde_json::json;
use std::time::Duration;

/// A server that looks often whether whoever listens still may.
fn watchful() -> ServeOptions {
    let websocket =
        WebSocketSettings { recheck_every: Duration::from_millis(50), ..WebSocketSettings::default() };
    ServeOptions { websocket, ..ServeOptions::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a02_without_a_credential_the_challenge_names_no_error() {
    let server = TestServer::start().await;
    let refused = server.anonymous().get("/plans").await.expect_problem(401, "unauthenticated");
    assert_eq!(refused.header("www-authenticate"), "Bearer");
    let wrong = server.anonymous().with_token("no-token").get("/plans").await;
    let wrong = wrong.expect_problem(401, "invalid_token");
    assert_eq!(wrong.header("www-authenticate"), "Bearer error=\"invalid_token\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn a04_two_credentials_are_none() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let token = demo.token().unwrap().to_owned();
    let twice = demo.with_header("Authorization", &format!("Bearer {token}"));
    twice.get("/plans").await.expect_problem(400, "ambiguous_credentials");
    let both = demo.with_header("X-API-Key", "ak_live_x");
    both.get("/plans").await.expect_problem(400, "ambiguous_credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn a05_a_token_counts_only_in_its_header() {
    let server = TestServer::start().await;
    let token = server.demo().await.token().unwrap().to_owned();
    let nobody = server.anonymous();
    nobody.get(&format!("/plans?access_token={token}")).await.expect_problem(401, "unauthenticated");
    let cookie = nobody.with_header("Cookie", &format!("access_token={token}; token={token}"));
    cookie.get("/plans").await.expect_problem(401, "unauthenticated");
    let body = nobody.post("/plans", json!({"access_token": token, "goal": "x"})).await;
    body.expect_problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn z11_guessing_ids_finds_nothing_and_meets_the_limit() {
    let quota = "300/hour".parse().unwrap();
    let builder = TestServer::builder().adjust(move |s| s.access.quotas.key = Some(quota));
    let world = Organisations::start_as(builder).await;
    for n in 0..20 {
        world.bob.create_plan(looking(&format!("Theirs {n}"))).await;
    }
    let mut statuses = Vec::new();
    for id in 1..=400 {
        statuses.push(world.alice.get(&format!("/plans/{id}")).await.status);
    }
    assert!(statuses[..300].iter().all(|status| *status == 404), "{statuses:?}");
    assert!(statuses[300..].iter().all(|status| *status == 429), "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn z20_a_stream_ends_when_its_reader_may_see_less() {
    let world = Organisations::start_as(TestServer::builder().options(watchful())).await;
    let plan = world.alice.create_plan(looking("Look")).await;
    let mut socket = world.adam.connect("watching").await;
    socket.subscribe(&format!("plan_{plan}"), None).await;
    let stream = world.adam.request("GET", &format!("/plans/{plan}/events/stream")).send().await.unwrap();
    let adam = world.adam.get("/auth/validate").await.json["user_id"].clone();
    world.operator.patch(&format!("/users/{adam}"), json!({"role": "user"})).await.expect(200);
    let ended = loop {
        if let Frame::Closed(code, _) = socket.next().await {
            break code;
        }
    };
    assert_eq!(ended, 4401);
    let rest = tokio::time::timeout(Duration::from_secs(20), stream.text()).await;
    assert!(rest.unwrap().is_ok(), "the stream of events ends, too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a25_a26_a_logout_and_a_new_password_end_what_was_shown_before() {
    let world = Organisations::start().await;
    let (one, other) =
        (world.server.log_in("alice", PASSWORD).await, world.server.log_in("alice", PASSWORD).await);
    one.post_nothing("/auth/logout").await.expect(204);
    other.get("/plans").await.expect_problem(401, "invalid_token");
    let third = world.server.log_in("alice", PASSWORD).await;
    let change = json!({"current_password": PASSWORD, "new_password": "another analytical engine"});
    third.put("/auth/password", change).await.expect(204);
    third.get("/plans").await.expect_problem(401, "invalid_token");
    world.alice.get("/plans").await.expect(200);
}

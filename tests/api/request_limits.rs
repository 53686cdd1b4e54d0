//! How often somebody may ask.

use crate::organisations::looking;
use agent_limits::{Quota, TrustedProxies};
use agent_testkit::{Client, TestServer};
use serde_json::json;

fn quota(text: &str) -> Option<Quota> {
    Some(text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn i13_one_request_more_than_the_limit_is_told_when_to_come_back() {
    let server = TestServer::builder().adjust(|s| s.access.quotas.user = quota("5/hour")).start().await;
    let demo = server.demo().await;
    for left in (0..5).rev() {
        let answer = demo.get("/plans").await.expect(200);
        assert_eq!(answer.header("ratelimit-remaining"), left.to_string());
        assert_eq!(answer.header("ratelimit-limit"), "5");
    }
    let refused = demo.get("/plans").await.expect_problem(429, "rate_limited");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
    assert_eq!(refused.header("ratelimit-remaining"), "0");
    server.admin().await.get("/plans").await.expect(200);
    server.anonymous().get("/health").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_tenants_and_addresses_have_limits_of_their_own() {
    let server = TestServer::builder().adjust(|s| s.access.quotas.key = quota("2/hour")).start().await;
    let demo = server.demo().await;
    let key = demo.post("/auth/token", json!({})).await.expect(201).json;
    let program = demo.with_api_key(key["api_key"].as_str().unwrap());
    let statuses = |client: Client| async move {
        let mut all = Vec::new();
        for _ in 0..3 {
            all.push(client.get("/plans").await.status);
        }
        all
    };
    assert_eq!(statuses(program).await, [200, 200, 429]);
    assert_eq!(statuses(demo).await, [200, 200, 200]);
    let server = TestServer::builder().adjust(|s| s.access.quotas.tenant = quota("2/hour")).start().await;
    let (demo, admin) = (server.demo().await, server.admin().await);
    assert_eq!(statuses(demo).await, [200, 200, 429]);
    assert_eq!(statuses(admin).await, [429, 429, 429]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a33_only_a_trusted_proxy_says_for_whom_it_asks() {
    let limited = |trusted: &'static str| {
        TestServer::builder().adjust(move |s| {
            s.access.quotas.login = quota("3/hour");
            s.access.trusted_proxies = TrustedProxies::parse([trusted]).unwrap();
        })
    };
    let log_in = |client: Client, n: u32| async move {
        let spoofed = client.with_header("X-Forwarded-For", &format!("198.51.100.{n}"));
        spoofed.post("/auth/login", json!({"username": "demo", "password": "demo123"})).await.status
    };
    let server = limited("192.0.2.1").start().await;
    let mut statuses = Vec::new();
    for n in 0..5 {
        statuses.push(log_in(server.anonymous(), n).await);
    }
    assert_eq!(
        statuses,
        [200, 200, 200, 429, 429],
        "whoever asks directly cannot change where they ask from"
    );
    let server = limited("127.0.0.1").start().await;
    for n in 0..5 {
        assert_eq!(
            log_in(server.anonymous(), n).await,
            200,
            "behind the proxy everybody counts for themselves"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i14_more_live_plans_than_the_settings_allow_are_refused() {
    let server = TestServer::builder().adjust(|s| s.access.user_active_plans = Some(2)).start().await;
    let demo = server.demo().await;
    let waits = json!({"goal": "Wait", "auto_execute": true, "tasks": [{"description": "Decide", "kind": "approval"}]});
    for _ in 0..2 {
        let plan = demo.create_plan(waits.clone()).await;
        demo.wait_for_plan(plan, &["awaiting_approval"]).await;
    }
    let refused = demo.post("/plans", waits.clone()).await.expect_problem(429, "too_many_active_plans");
    assert!(!refused.header("retry-after").is_empty());
    let idle = demo.create_plan(looking("Later")).await;
    let run = demo.post_nothing(&format!("/plans/{idle}/execute")).await;
    run.expect_problem(429, "too_many_active_plans");
    server.admin().await.post("/plans", waits).await.expect(201);
}

//! Paths and methods that do not exist.

use agent_testkit::TestServer;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_path_is_a_problem_too() {
    let server = TestServer::start().await;
    let client = server.anonymous();
    for path in ["/nowhere", "/plans/1/dance", "/plans/", "/auth", "/audit", "/metrics", "/docs%2F"] {
        client.get(path).await.expect_problem(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_cannot_be_name_nothing() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let long = "9".repeat(8_000);
    for id in ["x", "0", "-1", "1.5", "%00", "%2e%2e%2f", "..;", "99999999999999999999", "1e3", &long] {
        let answer = demo.get(&format!("/plans/{id}")).await;
        assert_eq!(answer.status, 404, "{id:.20}: {}", answer.text);
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_method_is_refused_and_the_possible_ones_are_named() {
    let server = TestServer::start().await;
    let client = server.anonymous();
    let document: Value = client.get("/openapi.json").await.expect(200).json;
    for (path, item) in document["paths"].as_object().unwrap() {
        let known: Vec<String> =
            item.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
        let concrete = path.replace(['{', '}'], "");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"] {
            if known.iter().any(|known| known == method) {
                continue;
            }
            let refused = client.send(client.request(method, &concrete)).await;
            let refused = refused.expect_problem(405, "method_not_allowed");
            let allowed: Vec<&str> = refused.header("allow").split(", ").collect();
            assert!(
                known.iter().all(|method| allowed.contains(&method.as_str())),
                "{method} {path}: {allowed:?}"
            );
            assert!(!allowed.contains(&method), "{method} {path}: {allowed:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_of_another_site_gets_no_permission() {
    let server = TestServer::start().await;
    let client = server.anonymous().with_header("Origin", "https://evil.example");
    let answer = client
        .send(client.request("OPTIONS", "/plans").header("Access-Control-Request-Method", "POST"))
        .await;
    assert_eq!(answer.status, 405);
    assert!(answer.headers.keys().all(|name| !name.starts_with("access-control")), "{:?}", answer.headers);
}

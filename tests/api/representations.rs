//! How answers are sent: with tags, compressed, as heads, and which methods a path has.

use agent_testkit::{Answer, Client, TestServer};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use std::io::Read;

/// What an answer's body is, whatever it was sent as.
async fn body(client: &Client, path: &str, accepted: &str) -> (String, String, Vec<u8>, usize) {
    // A client that unpacks nothing by itself.
    let http = reqwest::Client::builder().no_gzip().no_brotli().build().unwrap();
    let request = http.get(client.address(path)).bearer_auth(client.token().unwrap());
    let request = request.header("Accept-Encoding", accepted);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    let header = |name: &str| {
        let lines = response.headers().get_all(name);
        lines.iter().map(|value| value.to_str().unwrap()).collect::<Vec<_>>().join(", ")
    };
    let (coding, vary) = (header("content-encoding"), header("vary"));
    let sent = response.bytes().await.unwrap();
    let mut plain = Vec::new();
    match coding.as_str() {
        "gzip" => drop(GzDecoder::new(&*sent).read_to_end(&mut plain).unwrap()),
        "br" => brotli::BrotliDecompress(&mut &*sent, &mut plain).unwrap(),
        _ => plain.extend_from_slice(&sent),
    }
    (coding, vary, plain, sent.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn long_answers_are_compressed_for_those_who_can_read_that() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let lines = vec!["true"; 40];
    let plan = demo.create_shell_plan("Many tasks", &lines).await;
    let stated = demo.get(&format!("/plans/{plan}")).await.expect(200);
    for path in
        [format!("/plans/{plan}"), "/openapi.json".into(), "/docs/swagger-ui.css".into(), "/redoc.js".into()]
    {
        let plain = body(&demo, &path, "identity").await;
        assert_eq!((plain.0.as_str(), plain.1.as_str()), ("", "Accept-Encoding"), "{path}");
        for (accepted, coding) in
            [("gzip", "gzip"), ("br", "br"), ("gzip, br", "br"), ("br;q=0.1, gzip", "gzip")]
        {
            // Twice: what is kept compressed is the same.
            for _ in 0..2 {
                let packed = body(&demo, &path, accepted).await;
                assert_eq!((packed.0.as_str(), packed.1.as_str()), (coding, "Accept-Encoding"), "{path}");
                assert!(packed.2 == plain.2 && packed.3 * 2 < plain.3, "{path} {accepted}: {}", packed.3);
            }
        }
    }
    assert_eq!(body(&demo, &format!("/plans/{plan}"), "gzip").await.2, stated.text.into_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn short_answers_secrets_and_streams_are_not_compressed() {
    let server = TestServer::start().await;
    let demo = server.demo().await.with_header("Accept-Encoding", "gzip, br");
    let plain = |answer: Answer| {
        assert!(answer.status < 300, "{}", answer.text);
        assert_eq!((answer.header("content-encoding"), answer.header("vary")), ("", ""), "{}", answer.text);
        answer
    };
    plain(demo.get("/health").await);
    plain(demo.post("/auth/login", json!({"username": "demo", "password": "demo123"})).await);
    for number in 0..12 {
        let key = plain(demo.post("/auth/token", json!({"name": format!("key {number}")})).await);
        assert!(key.json["api_key"].is_string());
    }
    assert!(plain(demo.get("/auth/keys").await).text.len() > 2_000);
    let plan = demo.create_shell_plan("Quiet", &["true"]).await;
    let stream = demo.request("GET", &format!("/plans/{plan}/events/stream?after=0")).send().await.unwrap();
    assert_eq!((stream.status().as_u16(), stream.headers().get("content-encoding")), (200, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_has_already_is_not_sent_again() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let plan = demo.create_shell_plan("Tag me", &["true"]).await;
    let mine = format!("/plans/{plan}");
    for path in
        [mine.as_str(), "/templates", "/openapi.json", "/docs", "/docs/index.css", "/redoc", "/redoc.js"]
    {
        for accepted in ["identity", "gzip", "br"] {
            let client = demo.with_header("Accept-Encoding", accepted);
            let first = client.request("GET", path).send().await.unwrap();
            let tag = first.headers()["etag"].to_str().unwrap().to_owned();
            let again =
                client.send(client.request("GET", path).header("If-None-Match", &tag)).await.expect(304);
            assert_eq!((again.text.as_str(), again.header("etag")), ("", tag.as_str()), "{path}");
            assert!(!again.header("cache-control").contains("no-store"), "{path}");
            assert!(!again.header("x-request-id").is_empty() && again.header("content-encoding").is_empty());
            let head = client.send(client.request("HEAD", path).header("If-None-Match", &tag)).await;
            assert_eq!(head.status, 304, "{path}");
            let other = client.request("GET", path).header("If-None-Match", "\"other\"");
            assert_eq!(other.send().await.unwrap().status(), 200, "{path}");
        }
    }
    let nobody = server.anonymous().request("GET", &mine).header("If-None-Match", "*");
    server.anonymous().send(nobody).await.expect_problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tag_of_a_plan_changes_with_whatever_is_told_of_it_and_is_good_for_edits() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let plan = demo.create_shell_plan("Tag me", &["true"]).await;
    let path = format!("/plans/{plan}");
    let tag = async || demo.get(&path).await.expect(200).header("etag").to_owned();
    let created = tag().await;
    assert!(created.starts_with("\"1-"), "{created}");
    assert_eq!(created, tag().await);
    let edit = async |seen: &str, goal: &str| {
        let request = demo.request("PATCH", &path).header("If-Match", seen);
        demo.send(request.json(&json!({"goal": goal}))).await
    };
    edit(&created, "Another goal").await.expect(200);
    edit(&created, "A third goal").await.expect_problem(412, "version_mismatch");
    let edited = tag().await;
    assert!(edited.starts_with("\"2-"), "{edited}");
    demo.post_nothing(&format!("{path}/execute")).await.expect(202);
    let done = demo.wait_for_plan(plan, &["completed"]).await;
    let executed = tag().await;
    assert!(executed.starts_with("\"2-") && executed != edited, "{executed}");
    let seen = demo.request("GET", &path).header("If-None-Match", &edited);
    assert_eq!(demo.send(seen).await.expect(200).json["plan"]["status"], done["plan"]["status"]);
    edit(&executed, "A fourth goal").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_get_has_a_head_and_every_path_says_which_methods_it_has() {
    let server = TestServer::start().await;
    let (nobody, admin) = (server.anonymous(), server.admin().await);
    let plan = admin.create_shell_plan("Head", &["true"]).await;
    let document = nobody.get("/openapi.json").await.expect(200).json;
    for (path, item) in document["paths"].as_object().unwrap() {
        let concrete = path.replace("{plan_id}", &plan.to_string()).replace(['{', '}'], "");
        let options = nobody.send(nobody.request("OPTIONS", &concrete)).await.expect(204);
        let mut expected: Vec<String> =
            item.as_object().unwrap().keys().map(|key| key.to_uppercase()).collect();
        expected.push("OPTIONS".into());
        if expected.contains(&"GET".into()) && !path.starts_with("/ws/") {
            expected.push("HEAD".into());
            let (head, get) = (admin.request("HEAD", &concrete), admin.request("GET", &concrete));
            let (head, get) = (head.send().await.unwrap(), get.send().await.unwrap());
            assert_eq!(head.status(), get.status(), "{path}");
            assert_eq!(head.headers().get("content-type"), get.headers().get("content-type"), "{path}");
            assert_eq!(head.bytes().await.unwrap().len(), 0, "{path}");
        }
        let mut allowed: Vec<&str> = options.header("allow").split(", ").collect();
        allowed.sort_unstable();
        expected.sort_unstable();
        assert_eq!(allowed, expected, "{path}");
    }
    nobody.send(nobody.request("OPTIONS", "/nowhere")).await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_packed_body_is_refused_before_it_is_unpacked() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    for coding in ["gzip", "br", "identity, gzip", "nonsense"] {
        let request =
            demo.request("POST", "/plans").header("Content-Encoding", coding).json(&json!({"goal": "g"}));
        let refused = demo.send(request).await.expect_problem(415, "unsupported_encoding");
        assert_eq!(refused.header("accept-encoding"), "identity");
    }
    let task: Value = json!({"goal": "g", "tasks": [{"description": "a", "kind": "scan"}]});
    let plain = demo.request("POST", "/plans").header("Content-Encoding", "Identity").json(&task);
    demo.send(plain).await.expect(201);
}

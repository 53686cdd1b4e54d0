//! How the server presents itself.

use agent_testkit::TestServer;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_root_names_the_program_and_its_documents() {
    let server = TestServer::start().await;
    let root = server.anonymous().get("/").await.expect(200).json;
    let expected = json!({
        "name": "agent", "version": env!("CARGO_PKG_VERSION"), "docs": "/docs", "redoc": "/redoc",
        "openapi": "/openapi.json"
    });
    assert_eq!(root, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn health_says_which_language_model_answers() {
    let server = TestServer::start().await;
    let health = server.anonymous().get("/health").await.expect(200).json;
    assert_eq!((&health["status"], &health["llm_provider"]), (&json!("healthy"), &json!("none")));
    assert!(health["uptime_ms"].is_u64());

    let scripted = TestServer::builder().script(json!([{"text": "hello"}])).start().await;
    assert_eq!(scripted.anonymous().get("/health").await.json["llm_provider"], "scripted");
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_tells_of_each_part() {
    let server = TestServer::start().await;
    let ready = server.anonymous().get("/ready").await.expect(200).json;
    let names: Vec<&str> =
        ready["parts"].as_array().unwrap().iter().filter_map(|part| part["name"].as_str()).collect();
    for part in ["database", "events", "workers"] {
        assert!(names.contains(&part), "{part} is missing in {names:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_count_plans_messages_and_open_connections() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    demo.create_shell_plan("Count me", &["true"]).await;
    demo.post("/conversation", json!({"role": "user", "content": "hello"})).await.expect(201);
    let _socket = demo.connect("one").await;
    let stats = demo.get("/stats").await.expect(200).json;
    let expected = json!({
        "total_plans": 1, "completed_plans": 0, "active_sessions": 1, "total_messages": 1, "llm_provider": "none"
    });
    assert_eq!(stats, expected);
    let admin = server.admin().await.get("/stats").await.json;
    assert_eq!(admin["total_plans"], 1, "administrators see everybody's plans");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_harmless_request_id_is_taken_over_and_any_other_replaced() {
    let server = TestServer::start().await;
    let client = server.anonymous().with_header("X-Request-Id", "trace-7");
    assert_eq!(client.get("/health").await.header("x-request-id"), "trace-7");
    let client = server.anonymous().with_header("X-Request-Id", "not a good id");
    assert_ne!(client.get("/health").await.header("x-request-id"), "not a good id");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_pages_need_nothing_from_elsewhere() {
    let server = TestServer::start().await;
    let client = server.anonymous();
    for path in ["/docs", "/docs/", "/redoc", "/redoc/"] {
        let page = client.get(path).await.expect(200);
        assert!(page.header("content-type").starts_with("text/html"), "{path}");
        assert!(!page.text.contains("//cdn") && !page.text.contains("https://"), "{path}: {}", page.text);
        let base = if path.starts_with("/docs") { "/docs/" } else { "/" };
        for script in page.text.split("<script src=\"").skip(1) {
            let script = script.split('"').next().unwrap().trim_start_matches("./");
            let script = if script.starts_with('/') { script.to_owned() } else { format!("{base}{script}") };
            let loaded = client.get(&script).await.expect(200);
            assert!(loaded.header("content-type").contains("javascript"), "{script}");
        }
    }
    let starter = client.get("/docs/swagger-initializer.js").await.expect(200);
    assert!(starter.text.contains("/openapi.json"), "{}", starter.text);
    client.get("/docs/nothing.js").await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_is_a_get_without_its_body() {
    let server = TestServer::start().await;
    let client = server.anonymous();
    let head = client.send(client.request("HEAD", "/health")).await.expect(200);
    assert_eq!(head.text, "");
    assert!(head.header("content-length").parse::<u64>().unwrap() > 0);
}

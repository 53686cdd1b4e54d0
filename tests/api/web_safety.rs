//! I18 and I19: what browsers are told, and what nobody is told.

use agent_server::ServeOptions;
use agent_testkit::{Answer, Client, Socket, TestServer};
use serde_json::json;
use std::path::Path;

const LISTED: &str = "https://app.example:8443";
const FOREIGN: [&str; 8] = [
    "https://evil.example",
    "null",
    "*",
    "https://app.example:8443.evil.example",
    "https://app.example",
    "http://app.example:8443",
    "https://app.example:8443/",
    "HTTPS://APP.EXAMPLE:8443",
];

async fn listing(origins: &[&str]) -> TestServer {
    let cors_origins = origins.iter().map(|&origin| origin.to_owned()).collect();
    TestServer::builder().options(ServeOptions { cors_origins, ..ServeOptions::default() }).start().await
}

async fn preflight(client: &Client, path: &str, method: &str) -> Answer {
    let request = client.request("OPTIONS", path).header("Access-Control-Request-Method", method);
    client.send(request.header("Access-Control-Request-Headers", "authorization,content-type")).await
}

fn says_nothing(answer: &Answer, about: &str) {
    let said: Vec<&String> =
        answer.headers.keys().filter(|name| name.starts_with("access-control")).collect();
    assert!(said.is_empty(), "{about}: {said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn i18_a_page_of_another_site_gets_no_permission() {
    for server in [listing(&[]).await, listing(&[LISTED]).await] {
        for origin in FOREIGN {
            let client = server.anonymous().with_header("Origin", origin).with_header("Cookie", "session=1");
            let asked = preflight(&client, "/plans", "POST").await;
            says_nothing(&asked, origin);
            asked.expect(204);
            says_nothing(&client.get("/health").await.expect(200), origin);
            says_nothing(&client.get("/plans").await.expect(401), origin);
            says_nothing(&client.get("/nowhere").await.expect(404), origin);
        }
        let twice =
            server.anonymous().with_header("Origin", LISTED).with_header("Origin", "https://evil.example");
        says_nothing(&twice.get("/health").await, "two origins");
        server.stop().await;
    }
    let server = listing(&[]).await;
    let client = server.anonymous().with_header("Origin", LISTED);
    says_nothing(&client.get("/health").await, "nothing is listed");
    assert_eq!(client.get("/health").await.header("vary"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn i18_a_listed_page_is_told_what_it_may_send_and_read() {
    let server = listing(&["http://localhost:3000", LISTED]).await;
    let page = server.anonymous().with_header("Origin", LISTED);
    let asked = preflight(&page, "/plans/7", "PATCH").await.expect(204);
    assert_eq!(asked.header("access-control-allow-origin"), LISTED);
    assert_eq!(asked.header("access-control-allow-methods"), "GET, HEAD, PATCH");
    let sent = asked.header("access-control-allow-headers");
    for name in ["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "X-API-Key", "X-Request-Id"]
    {
        assert!(sent.split(", ").any(|allowed| allowed == name), "{name}: {sent}");
    }
    assert_eq!(asked.header("access-control-allow-credentials"), "");
    assert_eq!(asked.header("vary"), "Origin");
    assert!(!asked.header("x-request-id").is_empty() && asked.header("x-content-type-options") == "nosniff");
    preflight(&page, "/nowhere", "GET").await.expect_problem(404, "not_found");

    let demo = server.demo().await.with_header("Origin", LISTED);
    let created =
        demo.post("/plans", json!({"goal": "g", "tasks": [{"description": "a", "kind": "scan"}]})).await;
    for answer in
        [created.expect(201), demo.get("/plans/999").await.expect(404), page.get("/plans").await.expect(401)]
    {
        assert_eq!(answer.header("access-control-allow-origin"), LISTED);
        assert_eq!(answer.header("access-control-allow-credentials"), "");
        assert_eq!(answer.header("vary"), "Origin");
        let read = answer.header("access-control-expose-headers");
        for name in ["X-Request-Id", "Location", "ETag", "Retry-After", "RateLimit-Limit"] {
            assert!(read.split(", ").any(|exposed| exposed == name), "{name}: {read}");
        }
    }
    assert_eq!(server.anonymous().get("/health").await.header("vary"), "Origin", "caches tell pages apart");
}

#[tokio::test(flavor = "multi_thread")]
async fn i18_only_listed_pages_and_the_server_s_own_open_a_websocket() {
    let server = listing(&[LISTED]).await;
    for origin in FOREIGN {
        assert_eq!(Socket::open(server.url(), "x", &[("Origin", origin)]).await.err(), Some(403), "{origin}");
    }
    for origin in [LISTED, server.url()] {
        assert!(Socket::open(server.url(), "x", &[("Origin", origin)]).await.is_ok(), "{origin}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i18_every_answer_protects_browsers_whatever_it_is() {
    let server = TestServer::start().await;
    let (nobody, demo) = (server.anonymous(), server.demo().await);
    let too_large =
        demo.request("POST", "/plans").header("Content-Type", "application/json").body("x".repeat(1 << 21));
    let answers = [
        nobody.get("/").await.expect(200),
        nobody.get("/docs").await.expect(200),
        nobody.get("/docs/swagger-ui.css").await.expect(200),
        nobody.get("/redoc.js").await.expect(200),
        nobody.get("/nowhere").await.expect(404),
        nobody.get("/plans").await.expect(401),
        nobody.get("/ws/me").await.expect(426),
        nobody.send(nobody.request("BREW", "/plans")).await.expect(405),
        nobody.send(nobody.request("HEAD", "/health")).await.expect(200),
        demo.get("/users").await.expect(403),
        demo.get("/plans?limit=0").await.expect(422),
        demo.post_nothing("/plans").await.expect(415),
        demo.send(too_large).await.expect(413),
    ];
    for answer in answers {
        let about = format!("{} {:.100}", answer.status, answer.text);
        assert!(!answer.header("x-request-id").is_empty(), "{about}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{about}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{about}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{about}");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{about}");
        assert!(!answer.header("cache-control").is_empty(), "{about}");
        assert!(answer.header("server").is_empty() && answer.header("x-powered-by").is_empty(), "{about}");
    }
}

/// Does something to the database from outside of the server.
#[expect(clippy::disallowed_methods, reason = "the test breaks the database behind the server's back")]
fn break_database(file: &Path, statements: &str) {
    let script =
        "import sqlite3, sys\ndb = sqlite3.connect(sys.argv[1], timeout=20)\ndb.executescript(sys.argv[2])";
    let done = std::process::Command::new("python3")
        .args(["-c", script])
        .arg(file)
        .arg(statements)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// A problem that tells nothing of what is inside.
fn assert_reserved(answer: &Answer, folder: &Path) {
    let code = answer.code().to_owned();
    let text = answer.clone().expect_problem(answer.status, &code).text.to_lowercase();
    let folder = folder.display().to_string();
    let inside = [
        "select",
        "insert into",
        "update ",
        "no such table",
        "sqlite",
        "diesel",
        ".rs",
        "panicked",
        "backtrace",
    ];
    for word in inside.into_iter().chain([folder.as_str(), "agent.db", "src/"]) {
        assert!(!text.contains(word), "{word}: {}", answer.text);
    }
}

async fn with_database(folder: &Path) -> (TestServer, std::path::PathBuf) {
    let file = folder.join("agent.db");
    let server = TestServer::builder().database_url(&format!("sqlite://{}", file.display())).start().await;
    (server, file)
}

#[tokio::test(flavor = "multi_thread")]
async fn i19_a_fault_of_the_store_tells_nothing_of_what_is_inside() {
    let folder = tempfile::tempdir().unwrap();
    let (server, file) = with_database(folder.path()).await;
    let admin = server.admin().await;
    admin.create_shell_plan("Lost", &["true"]).await;
    let tables = [
        "events",
        "messages",
        "approvals",
        "steps",
        "attempts",
        "executions",
        "tasks",
        "plan_versions",
        "plans",
    ];
    let statements: Vec<String> = tables.iter().map(|table| format!("DROP TABLE {table};")).collect();
    break_database(&file, &format!("PRAGMA foreign_keys=OFF; {}", statements.join(" ")));
    let mut faults = 0;
    for path in [
        "/plans",
        "/plans/1",
        "/plans/1/tasks",
        "/plans/1/events",
        "/approvals",
        "/conversation",
        "/stats",
        "/analytics",
    ] {
        let answer = admin.get(path).await;
        assert!(answer.status >= 500, "{path}: {} {}", answer.status, answer.text);
        assert_reserved(&answer, folder.path());
        faults += 1;
    }
    let plan = json!({"goal": "g", "tasks": [{"description": "a", "kind": "scan"}]});
    for answer in [admin.post("/plans", plan).await, admin.post_nothing("/plans/1/execute").await] {
        assert!(answer.status >= 500, "{}", answer.text);
        assert_reserved(&answer, folder.path());
    }
    assert_eq!(faults, 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn i19_a_fault_of_the_accounts_tells_nothing_of_what_is_inside() {
    let folder = tempfile::tempdir().unwrap();
    let (server, file) = with_database(folder.path()).await;
    let admin = server.admin().await;
    break_database(
        &file,
        "PRAGMA foreign_keys=OFF; DROP TABLE refresh_tokens; DROP TABLE api_keys; DROP TABLE users;",
    );
    let login = json!({"username": "demo", "password": "demo123"});
    let answers = [
        server.anonymous().post("/auth/login", login).await,
        admin.get("/users").await,
        admin.get("/auth/keys").await,
        admin.get("/plans").await,
    ];
    for answer in answers {
        assert!(answer.status >= 500, "{} {}", answer.status, answer.text);
        assert_reserved(&answer, folder.path());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i19_damaged_rows_are_a_fault_that_tells_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (server, file) = with_database(folder.path()).await;
    let demo = server.demo().await;
    demo.create_shell_plan("Damaged", &["true"]).await;
    break_database(&file, "PRAGMA ignore_check_constraints=ON; UPDATE plans SET policy = 'canary{';");
    for answer in [demo.get("/plans/1").await, demo.post_nothing("/plans/1/execute").await] {
        assert!(answer.status >= 500 && !answer.text.contains("canary"), "{} {}", answer.status, answer.text);
        assert_reserved(&answer, folder.path());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i19_a_repository_that_is_gone_tells_nothing_of_what_is_inside() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _) = with_database(folder.path()).await;
    let demo = server.demo().await;
    std::fs::remove_dir_all(server.repository().path()).unwrap();
    let answer = demo.post_nothing("/scan").await;
    assert!(answer.status >= 400, "{}", answer.text);
    assert_reserved(&answer, folder.path());
}

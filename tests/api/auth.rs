//! Logging in, tokens, keys and accounts.

use agent_testkit::TestServer;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_login_opens_a_session_that_names_its_user() {
    let server = TestServer::start().await;
    let credentials = json!({"username": "demo", "password": "demo123"});
    let session = server.anonymous().post("/auth/login", credentials).await.expect(200).json;
    assert_eq!((&session["token_type"], &session["expires_in"]), (&json!("bearer"), &json!(3600)));
    assert_eq!(session["username"], "demo");
    assert!(session["user_id"].is_i64() && session["refresh_token"].is_string());
    let demo = server.anonymous().with_token(session["access_token"].as_str().unwrap());
    let valid = demo.get("/auth/validate").await.expect(200).json;
    assert_eq!((&valid["valid"], &valid["roles"]), (&json!(true), &json!(["user"])));
    assert_eq!(valid["expires_at"], session["expires_at"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_an_unknown_name_are_refused_alike() {
    let server = TestServer::start().await;
    let mut texts = Vec::new();
    for username in ["demo", "nobody"] {
        let credentials = json!({"username": username, "password": "wrong"});
        let refused = server.anonymous().post("/auth/login", credentials).await;
        let refused = refused.expect_problem(401, "invalid_credentials");
        assert_eq!(refused.header("www-authenticate"), "Bearer");
        texts.push(refused.json["detail"].clone());
    }
    assert_eq!(texts[0], texts[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slowed_down() {
    let server = TestServer::start().await;
    for _ in 0..50 {
        let credentials = json!({"username": "demo", "password": "wrong"});
        let answer = server.anonymous().post("/auth/login", credentials).await;
        if answer.status == 429 {
            let answer = answer.expect_problem(429, "too_many_attempts");
            assert!(answer.header("retry-after").parse::<u64>().unwrap() > 0);
            return;
        }
        answer.expect(401);
    }
    panic!("fifty guesses were looked at");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_works_once() {
    let server = TestServer::start().await;
    let client = server.anonymous();
    let credentials = json!({"username": "demo", "password": "demo123"});
    let first = client.post("/auth/login", credentials).await.expect(200).json;
    let body = json!({"refresh_token": first["refresh_token"]});
    let second = client.post("/auth/refresh", body.clone()).await.expect(200).json;
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    client.post("/auth/refresh", body).await.expect_problem(401, "invalid_token");
    let descendant = json!({"refresh_token": second["refresh_token"]});
    client.post("/auth/refresh", descendant).await.expect_problem(401, "invalid_token");
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_out_ends_the_session_at_once() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    demo.post_nothing("/auth/logout").await.expect(204);
    demo.get("/auth/validate").await.expect_problem(401, "invalid_token");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_key_is_shown_once_works_in_both_headers_and_can_be_revoked() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let created =
        demo.post("/auth/token", json!({"name": "ci", "scopes": ["plans:read"]})).await.expect(201).json;
    let key = created["api_key"].as_str().unwrap();
    for field in ["key_id", "prefix", "created_at"] {
        assert!(!created[field].is_null(), "{field}");
    }
    assert!(created["expires_at"].is_null());
    demo.with_api_key(key).get("/plans").await.expect(200);
    demo.with_token(key).get("/plans").await.expect(200);
    let refused = demo.with_api_key(key).post("/plans", json!({"goal": "x"})).await;
    assert!(
        refused.expect_problem(403, "forbidden").json["detail"].as_str().unwrap().contains("plans:write")
    );
    let listed = demo.get("/auth/keys").await.expect(200);
    assert!(!listed.text.contains(key));
    assert_eq!(listed.json["keys"][0]["name"], "ci");
    let path = format!("/auth/keys/{}", created["key_id"]);
    server.admin().await.delete(&path).await.expect_problem(404, "key_not_found");
    demo.delete(&path).await.expect(204);
    demo.with_api_key(key).get("/plans").await.expect_problem(401, "invalid_token");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_key_needs_no_body_and_never_does_more_than_its_maker() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    demo.post_nothing("/auth/token").await.expect(201);
    let above = demo.post("/auth/token", json!({"scopes": ["users:manage"]})).await;
    assert_eq!(above.expect_problem(422, "invalid_request").pointers(), ["/scopes"]);
    let unknown = demo.post("/auth/token", json!({"scopes": ["plans:fly"]})).await;
    assert_eq!(unknown.expect_problem(422, "invalid_request").pointers(), ["/scopes"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_credentials_at_once_are_refused() {
    let server = TestServer::start().await;
    let demo = server.demo().await.with_header("X-API-Key", "whatever");
    demo.get("/plans").await.expect_problem(400, "ambiguous_credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_password_is_the_only_one() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let wrong = json!({"current_password": "wrong", "new_password": "a long and unusual phrase"});
    demo.put("/auth/password", wrong).await.expect_problem(401, "invalid_credentials");
    let weak = json!({"current_password": "demo123", "new_password": "short"});
    demo.put("/auth/password", weak).await.expect_problem(422, "weak_password");
    let right = json!({"current_password": "demo123", "new_password": "a long and unusual phrase"});
    demo.put("/auth/password", right).await.expect(204);
    demo.get("/auth/validate").await.expect(401);
    let old = json!({"username": "demo", "password": "demo123"});
    server.anonymous().post("/auth/login", old).await.expect(401);
    server.log_in("demo", "a long and unusual phrase").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_look_after_accounts() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let ada = json!({"username": "ada", "password": "lovely analytical engine", "role": "viewer"});
    let created = admin.post("/users", ada.clone()).await.expect(201).json;
    assert_eq!((&created["username"], &created["role"]), (&json!("ada"), &json!("viewer")));
    admin.post("/users", ada).await.expect_problem(409, "username_taken");
    let names: Vec<String> = admin.get("/users").await.expect(200).json["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["username"].as_str().unwrap().to_owned())
        .collect();
    assert!(names.contains(&"ada".to_owned()), "{names:?}");

    let viewer = server.log_in("ada", "lovely analytical engine").await;
    viewer.get("/plans").await.expect(200);
    viewer.post("/plans", json!({"goal": "x"})).await.expect_problem(403, "forbidden");
    let path = format!("/users/{}", created["user_id"]);
    admin.patch(&path, json!({"role": "user"})).await.expect(200);
    viewer.post("/scan", json!({})).await.expect(200);
    admin.patch(&path, json!({"disabled": true})).await.expect(200);
    viewer.get("/plans").await.expect(401);
    admin.patch("/users/999", json!({"disabled": true})).await.expect_problem(404, "user_not_found");
    server.demo().await.get("/users").await.expect_problem(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_can_always_administer() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let me = admin.get("/auth/validate").await.json["user_id"].clone();
    let demoted = admin.patch(&format!("/users/{me}"), json!({"role": "user"})).await;
    demoted.expect_problem(409, "last_admin");
}

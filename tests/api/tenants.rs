//! What belongs to one tenant is nobody else's.

use crate::organisations::{Organisations, PASSWORD, looking};
use agent_testkit::{Answer, TestServer};
use serde_json::{Value, json};

/// What a body says beside the name of its request.
fn without_request_id(answer: &Answer, id: i64) -> String {
    let mut body = answer.json.clone();
    body["request_id"] = Value::Null;
    body.to_string().replace(&id.to_string(), "ID")
}

#[tokio::test(flavor = "multi_thread")]
async fn z02_what_is_anothers_reads_like_what_does_not_exist() {
    let world = Organisations::start().await;
    let theirs = world.bob.create_plan(looking("A secret of the second tenant")).await;
    for path in ["", "/tasks", "/events", "/events/stream", "/diff", "/versions", "/versions/1"] {
        for reader in [&world.alice, &world.adam, &world.operator] {
            let found =
                reader.get(&format!("/plans/{theirs}{path}")).await.expect_problem(404, "plan_not_found");
            let missing = reader.get(&format!("/plans/9{theirs}9{path}")).await;
            let missing_id = format!("9{theirs}9").parse().unwrap();
            assert_eq!(
                without_request_id(&found, theirs),
                without_request_id(&missing, missing_id),
                "{path}"
            );
        }
    }
    world.adam.get(&format!("/analytics/plans/{theirs}")).await.expect_problem(404, "plan_not_found");
    world.boss.get(&format!("/plans/{theirs}")).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn z03_z17_what_is_anothers_cannot_be_changed_by_administrators_either() {
    let world = Organisations::start().await;
    let asks = json!({"goal": "Ask", "auto_execute": true, "tasks": [{"description": "Decide", "kind": "approval"}]});
    let theirs = world.bob.create_plan(asks).await;
    world.bob.wait_for_plan(theirs, &["awaiting_approval"]).await;
    let before = world.bob.get(&format!("/plans/{theirs}")).await.expect(200).json;
    let question = world.bob.get("/approvals").await.json["approvals"][0]["id"].clone();
    for stranger in [&world.alice, &world.adam, &world.operator] {
        for action in ["execute", "pause", "resume", "cancel", "retry", "merge", "discard"] {
            let path = format!("/plans/{theirs}/{action}");
            stranger.post_nothing(&path).await.expect_problem(404, "plan_not_found");
        }
        let edit = stranger.with_header("If-Match", "*");
        edit.patch(&format!("/plans/{theirs}"), json!({"goal": "Mine"}))
            .await
            .expect_problem(404, "plan_not_found");
        let answer = stranger.post(&format!("/approvals/{question}"), json!({"decision": "approve"})).await;
        answer.expect_problem(404, "approval_not_found");
        assert_eq!(stranger.get("/approvals").await.json["total"], 0);
    }
    assert_eq!(world.bob.get(&format!("/plans/{theirs}")).await.json, before, "nothing was changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn z04_a_task_is_found_only_in_its_plan() {
    let world = Organisations::start().await;
    let (mine, theirs) =
        (world.alice.create_plan(looking("Mine")).await, world.bob.create_plan(looking("Theirs")).await);
    let task = world.bob.get(&format!("/plans/{theirs}/tasks")).await.json["tasks"][0]["id"].clone();
    let path = format!("/plans/{mine}/tasks/{task}/executions");
    world.alice.get(&path).await.expect_problem(404, "task_not_found");
    let run = world.alice.post(&format!("/plans/{mine}/execute"), json!({"task_id": task})).await;
    run.expect_problem(404, "task_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn z05_filters_that_name_somebody_else_are_refused() {
    let world = Organisations::start().await;
    for filter in ["user_id=1", "tenant_id=2", "owner=*", "owner_id=1"] {
        let refused = world.alice.get(&format!("/plans?{filter}")).await;
        assert!((400..=422).contains(&refused.status), "{filter}: {}", refused.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn z06_the_figures_of_a_tenant_are_about_its_own_work() {
    let world = Organisations::start().await;
    let mine = world.alice.create_plan(looking("Mine")).await;
    world.alice.post_nothing(&format!("/plans/{mine}/execute")).await.expect(202);
    world.alice.wait_for_plan(mine, &["completed"]).await;
    let figures = async || {
        let mut all = Vec::new();
        for path in
            ["/analytics", "/analytics/performance", "/stats", "/plans", "/plans?q=goal", "/conversation"]
        {
            all.push(world.adam.get(path).await.expect(200).json);
        }
        all
    };
    let before = figures().await;
    for n in 0..50 {
        let theirs = looking(&format!("Their goal {n}"));
        let plan = world.bob.create_plan(theirs).await;
        world
            .bob
            .post("/conversation", json!({"role": "user", "content": "psst", "plan_id": plan}))
            .await
            .expect(201);
    }
    let last = world.bob.get("/plans?limit=1").await.json["plans"][0]["id"].as_i64().unwrap();
    world.bob.post_nothing(&format!("/plans/{last}/execute")).await.expect(202);
    world.bob.wait_for_plan(last, &["completed", "failed"]).await;
    let mut after = figures().await;
    // How long ago something was is told anew with each answer, and connections are counted over the whole server.
    let report = |all: &mut Vec<Value>| {
        for one in all {
            (one["performance_report"], one["active_sessions"]) = (Value::Null, Value::Null);
        }
    };
    let mut before = before;
    report(&mut before);
    report(&mut after);
    assert_eq!((&before[0], &before[2..]), (&after[0], &after[2..]));
    assert_eq!(world.boss.get("/plans").await.json["total"], 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn z07_nobody_sets_what_is_not_theirs_to_set() {
    let world = Organisations::start().await;
    for field in ["tenant_id", "owner_id", "id", "created_at", "is_admin", "role"] {
        let mut plan = looking("Mine");
        plan[field] = json!(1);
        let refused = world.alice.post("/plans", plan).await.expect_problem(422, "invalid_request");
        assert_eq!(refused.pointers(), [format!("/{field}")]);
        let mut user = json!({"username": "mallory", "password": PASSWORD, "role": "user"});
        if field != "role" {
            user[field] = json!(1);
            world.adam.post("/users", user).await.expect_problem(422, "invalid_request");
        }
    }
    let me = world.adam.get("/auth/validate").await.json["user_id"].clone();
    let raised = world.adam.patch(&format!("/users/{me}"), json!({"operator": true})).await;
    raised.expect_problem(403, "operator_only");
    assert_eq!(world.alice.get("/plans").await.json["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn z08_other_methods_are_no_way_around() {
    let world = Organisations::start().await;
    for path in ["/users", "/analytics", "/audit", "/tenants"] {
        world.alice.get(path).await.expect_problem(403, "forbidden");
        let head = world.alice.send(world.alice.request("HEAD", path)).await;
        assert_eq!(head.status, 403, "HEAD {path}");
        let hidden = world.alice.with_header("X-HTTP-Method-Override", "GET").post(path, json!({})).await;
        assert!([403, 405].contains(&hidden.status), "{path}: {}", hidden.text);
    }
    world.adam.get("/tenants").await.expect_problem(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn z09_answers_to_users_hold_no_secrets_of_others() {
    let world = Organisations::start().await;
    let plan = world.alice.create_plan(looking("Mine")).await;
    let mut seen = String::new();
    for path in [
        "/auth/validate",
        "/auth/keys",
        "/auth/tenants",
        "/plans",
        "/stats",
        "/health",
        "/ready",
        "/templates",
    ] {
        seen += &world.alice.get(path).await.text;
    }
    seen += &world.alice.get(&format!("/plans/{plan}")).await.text;
    for secret in ["argon2", "password", "secret_hash", "boss", "adam", "jwt", "agent.db"] {
        assert!(!seen.contains(secret), "{secret} is in an answer to alice");
    }
    // As a word: it is short enough to turn up within an identifier made at random.
    let mut words = seen.split(|letter: char| !letter.is_ascii_alphanumeric());
    assert!(words.all(|word| word != "bob"), "bob is in an answer to alice: {seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn z10_the_cursor_of_another_tenant_leads_to_ones_own_things() {
    let world = Organisations::start().await;
    for n in 0..3 {
        world.alice.create_plan(looking(&format!("Mine {n}"))).await;
        world.bob.create_plan(looking(&format!("Theirs {n}"))).await;
    }
    let cursor = world.bob.get("/plans?limit=1").await.json["next_cursor"].as_str().unwrap().to_owned();
    let page = world.alice.get(&format!("/plans?cursor={cursor}")).await.expect(200).json;
    let goals: Vec<&str> =
        page["plans"].as_array().unwrap().iter().filter_map(|plan| plan["goal"].as_str()).collect();
    assert!(!goals.is_empty() && goals.iter().all(|goal| goal.starts_with("Mine")), "{goals:?}");
    world.alice.get(&format!("/plans?cursor={cursor}x")).await.expect_problem(422, "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn z12_the_same_idempotency_key_of_somebody_else_is_another_key() {
    let world = Organisations::start().await;
    let asked = async |client: &agent_testkit::Client| {
        client.with_header("Idempotency-Key", "k1").post("/plans", looking("Same")).await.expect(201).json
    };
    let (mine, theirs) = (asked(&world.alice).await, asked(&world.bob).await);
    assert_ne!(mine["plan_id"], theirs["plan_id"]);
    assert_eq!(asked(&world.alice).await["plan_id"], mine["plan_id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn z15_a_repository_of_another_tenant_cannot_be_worked_on() {
    let world = Organisations::start().await;
    let root = world.server.repository().path().to_path_buf();
    let theirs = root.join("second");
    let changed = std::fs::metadata(&theirs).unwrap().modified().unwrap();
    let at = |path: &std::path::Path| {
        let mut plan = looking("Look around");
        plan["repo_path"] = json!(path);
        plan
    };
    for path in [theirs.clone(), root.join("second/none"), root.join("x/../second")] {
        world.alice.post("/plans", at(&path)).await.expect_problem(422, "repository_refused");
        let scan = world.alice.post("/scan", json!({"repo_path": path})).await;
        scan.expect_problem(422, "repository_refused");
    }
    world.bob.post("/plans", at(&root)).await.expect_problem(422, "repository_refused");
    world.bob.post("/plans", at(&theirs)).await.expect(201);
    assert_eq!(std::fs::metadata(&theirs).unwrap().modified().unwrap(), changed);
}

#[tokio::test(flavor = "multi_thread")]
async fn z16_a_key_for_reading_writes_nothing_and_none_is_above_its_owner() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let key = demo.post("/auth/token", json!({"scopes": ["plans:read"]})).await.expect(201).json;
    let reading = demo.with_api_key(key["api_key"].as_str().unwrap());
    reading.post("/plans", looking("Mine")).await.expect_problem(403, "forbidden");
    let above = demo.post("/auth/token", json!({"scopes": ["users:manage"]})).await;
    assert_eq!(above.expect_problem(422, "invalid_request").pointers(), ["/scopes"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn z18_the_plans_of_whoever_is_removed_are_cancelled() {
    let world = Organisations::start().await;
    let session = world.server.log_in("alice", PASSWORD).await;
    let waits = json!({"goal": "Wait", "auto_execute": true, "tasks": [
        {"description": "Sleep", "kind": "command", "command": ["sleep", "600"]}]});
    let plan = world.alice.create_plan(waits).await;
    world.alice.wait_for_plan(plan, &["running"]).await;
    let id = world.alice.get("/auth/validate").await.json["user_id"].clone();
    world.adam.delete(&format!("/users/{id}")).await.expect(204);
    for client in [&world.alice, &session] {
        client.get("/plans").await.expect(401);
    }
    let ended = world.adam.wait_for_plan(plan, &["cancelled"]).await;
    assert_eq!(ended["tasks"][0]["status"], "cancelled");
    world.adam.delete(&format!("/users/{id}")).await.expect_problem(404, "user_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_in_two_tenants_works_in_the_one_they_log_in_to() {
    let world = Organisations::start().await;
    let alice = world.alice.get("/auth/validate").await.json["user_id"].clone();
    let path = format!("/tenants/{}/members/{alice}", world.second);
    world.operator.put(&path, json!({"role": "viewer"})).await.expect(200);
    let login = json!({"username": "alice", "password": PASSWORD, "tenant": "second"});
    let session = world.server.anonymous().post("/auth/login", login.clone()).await.expect(200).json;
    assert_eq!((&session["tenant_id"], &session["roles"]), (&json!(world.second), &json!(["viewer"])));
    let there = world.alice.with_token(session["access_token"].as_str().unwrap());
    there.post("/plans", looking("x")).await.expect_problem(403, "forbidden");
    assert_eq!(there.get("/auth/tenants").await.json["total"], 2);
    assert_eq!(world.alice.get("/auth/validate").await.json["roles"], json!(["user"]));
    world.operator.delete(&path).await.expect(204);
    there.get("/plans").await.expect_problem(401, "invalid_token");
    let refused = world.server.anonymous().post("/auth/login", login).await;
    refused.expect_problem(401, "invalid_credentials");
    world.alice.get("/plans").await.expect(200);
}

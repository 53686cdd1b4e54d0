//! Questions to people.

use agent_testkit::{Client, Socket, TestServer};
use serde_json::{Value, json};

async fn waiting_plan(client: &Client) -> (i64, Value) {
    let plan = json!({"goal": "Ask me", "auto_execute": true, "tasks": [
        {"description": "May I?", "kind": "approval"},
        {"description": "Then go", "kind": "command", "command": ["true"], "depends_on": [1]}
    ]});
    let plan = client.create_plan(plan).await;
    client.wait_for_plan(plan, &["awaiting_approval"]).await;
    let open = client.get("/approvals").await.expect(200).json;
    (plan, open["approvals"][0].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_listed_answered_and_the_plan_goes_on() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let (plan, asked) = waiting_plan(&demo).await;
    assert_eq!((&asked["plan_id"], &asked["decision"]), (&json!(plan), &Value::Null));
    let path = format!("/approvals/{}", asked["id"]);
    let answer = demo.post(&path, json!({"decision": "approve", "note": "go"})).await.expect(200).json;
    assert_eq!(answer["decision"], "approve");
    demo.wait_for_plan(plan, &["completed"]).await;
    assert_eq!(demo.get("/approvals").await.json["total"], 0);
    let decided = demo.get("/approvals?include_decided=true").await.json;
    assert_eq!(
        (&decided["approvals"][0]["decided_by"], &decided["approvals"][0]["note"]),
        (&json!("demo"), &json!("go"))
    );
    let again = demo.post(&path, json!({"decision": "reject"})).await.expect_problem(409, "approval_closed");
    assert_eq!((&again.json["decision"], &again.json["decided_by"]), (&json!("approve"), &json!("demo")));
    let seen = demo.get(&path).await.expect(200).json;
    assert_eq!((&seen["decision"], &seen["note"]), (&json!("approve"), &json!("go")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_question_ends_the_plan() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let (plan, asked) = waiting_plan(&demo).await;
    let path = format!("/approvals/{}", asked["id"]);
    demo.post(&path, json!({"decision": "reject"})).await.expect(200);
    let ended = demo.wait_for_plan(plan, &["failed"]).await;
    assert_ne!(ended["tasks"][1]["status"], "completed");
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_of_somebody_else_do_not_exist() {
    let server = TestServer::start().await;
    let (_, asked) = waiting_plan(&server.admin().await).await;
    let demo = server.demo().await;
    assert_eq!(demo.get("/approvals").await.json["total"], 0);
    let path = format!("/approvals/{}", asked["id"]);
    demo.post(&path, json!({"decision": "approve"})).await.expect_problem(404, "approval_not_found");
}

fn call(command: &[&str]) -> Value {
    json!({"tool_calls": [{"name": "run_command", "arguments": {"command": command}}]})
}

fn finish() -> Value {
    json!({"tool_calls": [{"name": "finish", "arguments": {"summary": "done"}}]})
}

/// A plan whose model asks before each command, and the first question.
async fn asking_model(client: &Client, policy: Value) -> (i64, Value) {
    let task = json!({"description": "Work", "kind": "agent"});
    let plan = json!({"goal": "Ask me", "auto_execute": true, "tasks": [task], "policy": policy});
    let plan = client.create_plan(plan).await;
    client.wait_for_plan(plan, &["awaiting_approval"]).await;
    (plan, first_open(client, plan).await)
}

async fn first_open(client: &Client, plan: i64) -> Value {
    client.get(&format!("/approvals?plan_id={plan}")).await.expect(200).json["approvals"][0].clone()
}

fn commands() -> Value {
    json!({"approval": "commands"})
}

fn path_of(asked: &Value) -> String {
    format!("/approvals/{}", asked["id"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_of_a_model_is_asked_about_with_all_that_a_person_needs_to_decide() {
    let turns = json!([call(&["git", "push", "origin"]), finish()]);
    let server = TestServer::builder().script(turns).start().await;
    let demo = server.demo().await;
    let (plan, asked) = asking_model(&demo, commands()).await;
    assert_eq!((&asked["kind"], &asked["risk"]), (&json!("command"), &json!("high")));
    assert_eq!(asked["subject"], "run_command: git push origin");
    assert_eq!(asked["reason"], "the plan's approval mode is commands");
    assert_eq!(asked["covers"]["input"], json!({"command": ["git", "push", "origin"]}));
    assert!(asked["args_hash"].as_str().unwrap().starts_with("sha256:"));
    let offered = json!(["approve", "approve_for_plan", "approve_with_rule", "reject", "cancel"]);
    assert_eq!(asked["available_decisions"], offered);
    let answer = json!({"decision": "approve", "args_hash": asked["args_hash"]});
    demo.post(&path_of(&asked), answer).await.expect(200);
    demo.wait_for_plan(plan, &["completed"]).await;
    let events = demo.get(&format!("/plans/{plan}/events?limit=200")).await.json["events"].clone();
    let events = events.as_array().unwrap();
    let told = |name: &str| events.iter().find(|event| event["event"] == name).cloned().unwrap();
    let (requested, decided) = (told("approval_requested"), told("approval_decided"));
    assert_eq!((&requested["approval_id"], &requested["args_hash"]), (&asked["id"], &asked["args_hash"]));
    assert_eq!((&decided["approval_id"], &decided["by"]), (&asked["id"], &json!("demo")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_other_bytes_is_refused_and_changes_nothing() {
    let server = TestServer::builder().script(json!([call(&["true"]), finish()])).start().await;
    let demo = server.demo().await;
    let (_, asked) = asking_model(&demo, commands()).await;
    let wrong = json!({"decision": "approve", "args_hash": format!("sha256:{}", "0".repeat(64))});
    demo.post(&path_of(&asked), wrong).await.expect_problem(409, "approval_mismatch");
    assert_eq!(demo.get(&path_of(&asked)).await.json["decision"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_too_late_says_so() {
    let server = TestServer::builder().script(json!([call(&["true"]), finish()])).start().await;
    let demo = server.demo().await;
    let task = json!({"description": "Work", "kind": "agent"});
    let policy = json!({"approval": "commands", "approval_timeout_ms": 1});
    let plan = json!({"goal": "Ask me", "auto_execute": true, "tasks": [task], "policy": policy});
    let plan = demo.create_plan(plan).await;
    // Nothing waits for ever: the model is told, and goes on without the call.
    demo.wait_for_plan(plan, &["completed"]).await;
    let all = demo.get(&format!("/approvals?plan_id={plan}&include_decided=true")).await.json;
    let late = demo.post(&path_of(&all["approvals"][0]), json!({"decision": "approve"})).await;
    let late = late.expect_problem(409, "approval_closed");
    assert_eq!((&late.json["decision"], &late.json["decided_by"]), (&json!("expired"), &json!("expiry")));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_people_at_once_one_decides_and_the_other_learns_who() {
    let server = TestServer::builder().script(json!([call(&["true"]), finish()])).start().await;
    let (demo, admin) = (server.demo().await, server.admin().await);
    let (plan, asked) = asking_model(&demo, commands()).await;
    let path = path_of(&asked);
    let answers = tokio::join!(
        demo.post(&path, json!({"decision": "approve"})),
        admin.post(&path, json!({"decision": "reject", "note": "no"})),
    );
    let (won, lost) = if answers.0.status == 200 { answers } else { (answers.1, answers.0) };
    let won = won.expect(200).json;
    let lost = lost.expect_problem(409, "approval_closed");
    let kept = demo.get(&path).await.expect(200).json;
    assert_eq!((&kept["decision"], &lost.json["decision"]), (&won["decision"], &won["decision"]));
    assert_eq!(lost.json["decided_by"], kept["decided_by"]);
    demo.wait_for_plan(plan, &["completed"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_not_the_right_decides_nothing() {
    let server = TestServer::builder().script(json!([call(&["true"]), finish()])).start().await;
    let (demo, admin) = (server.demo().await, server.admin().await);
    let (_, asked) = asking_model(&demo, commands()).await;
    let viewer = json!({"username": "vera", "password": "lovely analytical engine", "role": "viewer"});
    admin.post("/users", viewer).await.expect(201);
    let vera = server.log_in("vera", "lovely analytical engine").await;
    let yes = json!({"decision": "approve"});
    vera.post(&path_of(&asked), yes.clone()).await.expect_problem(403, "forbidden");
    let user = json!({"username": "bob", "password": "lovely analytical engine", "role": "user"});
    admin.post("/users", user).await.expect(201);
    let bob = server.log_in("bob", "lovely analytical engine").await;
    bob.post(&path_of(&asked), yes.clone()).await.expect_problem(404, "approval_not_found");
    let key = demo.post("/auth/token", json!({"scopes": ["plans:read"]})).await.expect(201).json;
    let reader = demo.without_credential().with_api_key(key["api_key"].as_str().unwrap());
    reader.post(&path_of(&asked), yes.clone()).await.expect_problem(403, "forbidden");
    server.anonymous().post(&path_of(&asked), yes).await.expect_problem(401, "unauthenticated");
    assert_eq!(demo.get(&path_of(&asked)).await.json["decision"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_of_a_cancelled_plan_takes_no_answer() {
    let server = TestServer::builder().script(json!([call(&["true"]), finish()])).start().await;
    let demo = server.demo().await;
    let (plan, asked) = asking_model(&demo, commands()).await;
    demo.post(&format!("/plans/{plan}/cancel"), json!({})).await.expect(202);
    demo.wait_for_plan(plan, &["cancelled"]).await;
    let late = demo.post(&path_of(&asked), json!({"decision": "approve"})).await;
    let late = late.expect_problem(409, "approval_closed");
    assert_eq!((&late.json["decision"], &late.json["decided_by"]), (&json!("withdrawn"), &json!("plan")));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_and_cancel_ends_the_plan() {
    let server = TestServer::builder().script(json!([call(&["true"]), finish()])).start().await;
    let demo = server.demo().await;
    let (plan, asked) = asking_model(&demo, commands()).await;
    demo.post(&path_of(&asked), json!({"decision": "cancel", "note": "not today"})).await.expect(200);
    demo.wait_for_plan(plan, &["cancelled"]).await;
    assert_eq!(demo.get(&path_of(&asked)).await.json["note"], "not today");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_is_accepted_with_a_call_must_cover_it_and_holds_for_the_plan() {
    let turns =
        json!([call(&["sh", "-c", "true && echo a"]), call(&["echo", "b"]), call(&["touch", "c"]), finish()]);
    let server = TestServer::builder().script(turns).start().await;
    let demo = server.demo().await;
    let (plan, asked) = asking_model(&demo, commands()).await;
    let with = |rule: Value| json!({"decision": "approve_with_rule", "rule": rule});
    let other = with(json!({"command": ["make"], "permission": "allow"}));
    let refused = demo.post(&path_of(&asked), other).await.expect_problem(422, "invalid_plan");
    assert_eq!(refused.pointers(), ["/rule"]);
    let denies = with(json!({"command": ["sh"], "permission": "deny"}));
    demo.post(&path_of(&asked), denies).await.expect_problem(422, "invalid_plan");
    demo.post(&path_of(&asked), json!({"decision": "approve_with_rule"}))
        .await
        .expect_problem(422, "invalid_request");
    let rule = json!({"command": [["true", "echo"]], "permission": "allow"});
    demo.post(&path_of(&asked), with(rule.clone())).await.expect(200);
    demo.wait_for_plan(plan, &["awaiting_approval"]).await;
    let next = first_open(&demo, plan).await;
    assert_eq!(next["subject"], "run_command: touch c", "echo is covered by the rule");
    assert_eq!(demo.get(&path_of(&asked)).await.json["rule"], rule);
    demo.post(&path_of(&next), json!({"decision": "reject"})).await.expect(200);
    demo.wait_for_plan(plan, &["completed"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_are_listed_in_pages() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let tasks: Vec<Value> =
        (0..3).map(|n| json!({"description": format!("May I {n}?"), "kind": "approval"})).collect();
    let plan = demo.create_plan(json!({"goal": "Ask", "auto_execute": true, "tasks": tasks})).await;
    demo.wait_for_plan(plan, &["awaiting_approval"]).await;
    let first = demo.get(&format!("/approvals?plan_id={plan}&limit=2")).await.expect(200).json;
    assert_eq!((first["approvals"].as_array().unwrap().len(), &first["total"]), (2, &json!(3)));
    let next = first["next_cursor"].as_str().unwrap();
    let rest = demo.get(&format!("/approvals?plan_id={plan}&limit=2&cursor={next}")).await.expect(200).json;
    assert_eq!((rest["approvals"].as_array().unwrap().len(), &rest["next_cursor"]), (1, &Value::Null));
    demo.get("/approvals?limit=0").await.expect_problem(422, "invalid_request");
    demo.get("/approvals?plan_id=x").await.expect_problem(422, "invalid_request");
}

async fn until(socket: &mut Socket, wanted: impl Fn(&Value) -> bool) -> Value {
    loop {
        let frame = socket.next_json().await;
        if wanted(&frame) {
            return frame;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_over_the_socket_that_told_of_it() {
    let server = TestServer::builder().script(json!([call(&["true"]), finish()])).start().await;
    let demo = server.demo().await;
    let (plan, asked) = asking_model(&demo, commands()).await;
    let mut socket = demo.connect("dashboard").await;
    socket.say(json!({"action": "subscribe", "topic": format!("plan_{plan}"), "after": 0})).await;
    until(&mut socket, |frame| frame["event"] == "approval_requested").await;
    let wrong = json!({"decision": "approve", "args_hash": "sha256:0"});
    socket.say(json!({"action": "decide", "approval_id": asked["id"], "answer": wrong})).await;
    let refused = until(&mut socket, |frame| frame["type"] == "error").await;
    assert_eq!(refused["code"], "approval_mismatch");
    let yes = json!({"decision": "approve", "args_hash": asked["args_hash"]});
    socket.say(json!({"action": "decide", "approval_id": asked["id"], "answer": yes})).await;
    let decided = until(&mut socket, |frame| frame["type"] == "decided").await;
    assert_eq!((&decided["approval_id"], &decided["decision"]), (&asked["id"], &json!("approve")));
    demo.wait_for_plan(plan, &["completed"]).await;
}

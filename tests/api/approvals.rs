//! Questions to people.

use agent_testkit::{Client, TestServer};
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
    let again = demo.post(&path, json!({"decision": "reject"})).await;
    again.expect_problem(409, "illegal_move");
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

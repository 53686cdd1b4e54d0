//! Models at work, as a caller sees them: questions, remarks, conversations, costs.

use agent_core::pricing::{Price, PriceList};
use agent_testkit::{TestServer, TestServerBuilder};
use serde_json::{Value, json};

fn serving(turns: Value) -> TestServerBuilder {
    TestServer::builder().script(turns)
}

fn agent_task() -> Value {
    json!({"description": "Tidy up", "kind": "agent", "reads": ["README.md"], "writes": ["README.md"]})
}

fn finish() -> Value {
    json!({"tool_calls": [{"name": "finish", "arguments": {"summary": "tidy"}}],
        "usage": {"input_tokens": 1000, "output_tokens": 100}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_of_a_model_is_answered_like_any_other_and_the_work_goes_on() {
    let question = json!({"tool_calls": [{"name": "ask_person", "arguments": {"question": "Which file?"}}]});
    let answered = json!({"when": {"last_message_contains": "The person says: the readme"},
        "tool_calls": [{"name": "finish", "arguments": {"summary": "tidy"}}]});
    let server = serving(json!([question, answered])).start().await;
    let demo = server.demo().await;
    let plan = demo.create_plan(json!({"goal": "Tidy", "auto_execute": true, "tasks": [agent_task()]})).await;
    demo.wait_for_plan(plan, &["awaiting_approval"]).await;
    let open = demo.get("/approvals").await.expect(200).json;
    assert_eq!(open["approvals"][0]["subject"], "Which file?");
    let path = format!("/approvals/{}", open["approvals"][0]["id"]);
    demo.post(&path, json!({"decision": "approve", "note": "the readme"})).await.expect(200);
    let done = demo.wait_for_plan(plan, &["completed"]).await;
    assert_eq!(
        (&done["tasks"][0]["attempts"], &done["tasks"][0]["writes"]),
        (&json!(1), &json!(["README.md"]))
    );
    let task = done["tasks"][0]["id"].as_i64().unwrap();
    let path = format!("/plans/{plan}/tasks/{task}/executions");
    let executions = demo.get(&path).await.expect(200).json;
    let steps = executions["executions"][0]["steps"].as_array().unwrap();
    let names: Vec<&str> = steps.iter().map(|step| step["name"].as_str().unwrap()).collect();
    assert_eq!(names[1], "ask_person", "{executions:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_about_a_plan_is_found_by_role_and_text() {
    let server = serving(json!([{"text": "I look at the README first."}, finish()])).start().await;
    let demo = server.demo().await;
    let remark = json!({"role": "user", "content": "Mind the README, please"});
    let plan = demo.create_plan(json!({"goal": "Tidy", "tasks": [agent_task()]})).await;
    let mut said = remark.clone();
    said["plan_id"] = json!(plan);
    demo.post("/conversation", said).await.expect(201);
    demo.post(&format!("/plans/{plan}/execute"), json!({})).await.expect(202);
    demo.wait_for_plan(plan, &["completed"]).await;
    let found = async |query: &str| {
        let page = demo.get(&format!("/conversation?plan_id={plan}&{query}")).await.expect(200).json;
        let messages = page["messages"].as_array().unwrap().clone();
        messages.iter().map(|message| message["content"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found("role=user").await, ["Mind the README, please"]);
    assert_eq!(found("role=assistant&q=readme").await, ["I look at the README first."]);
    assert_eq!(found("role=system").await.len(), 1);
    demo.get("/conversation?role=nobody").await.expect_problem(422, "invalid_plan");
}

#[tokio::test(flavor = "multi_thread")]
async fn costs_are_told_where_prices_are_known_and_kept_to() {
    let price = Price { input: 2.0, output: 10.0 };
    let prices = PriceList::known().with("script", price);
    let builder = serving(json!([finish(), finish()])).adjust(|settings| settings.llm_prices = prices);
    let server = builder.start().await;
    let demo = server.demo().await;
    let plan = demo.create_plan(json!({"goal": "Tidy", "auto_execute": true, "tasks": [agent_task()]})).await;
    let done = demo.wait_for_plan(plan, &["completed"]).await;
    assert_eq!(done["statistics"]["tokens"], 1100);
    assert_eq!(done["statistics"]["cost"], json!(0.003));
    let events = demo.get(&format!("/plans/{plan}/events")).await.expect(200).json;
    let events = events["events"].as_array().unwrap();
    assert!(events.iter().any(|event| event["event"] == "model_called" && event["cost"] == json!(0.003)));
    let policy = json!({"budget": {"max_cost": 0.001}});
    let dear = json!({"goal": "Tidy", "auto_execute": true, "policy": policy, "tasks": [agent_task()]});
    let dear = demo.create_plan(dear).await;
    let failed = demo.wait_for_plan(dear, &["failed"]).await;
    let error = failed["tasks"][0]["error"].as_str().unwrap();
    assert!(error.contains("budget_exceeded: max_cost is 0.001 USD"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cost_that_nobody_can_know_is_not_promised_to_be_kept_to() {
    let server = serving(json!([finish()])).start().await;
    let demo = server.demo().await;
    let policy = json!({"budget": {"max_cost": 1.0}});
    let body = json!({"goal": "Tidy", "policy": policy, "tasks": [agent_task()]});
    let refused = demo.post("/plans", body).await.expect_problem(422, "invalid_plan");
    assert_eq!(refused.json["errors"][0]["pointer"], "/policy/budget/max_cost");
    let plan = demo.create_plan(json!({"goal": "Tidy", "auto_execute": true, "tasks": [agent_task()]})).await;
    let done = demo.wait_for_plan(plan, &["completed"]).await;
    assert_eq!((&done["statistics"]["tokens"], &done["statistics"]["cost"]), (&json!(1100), &Value::Null));
}

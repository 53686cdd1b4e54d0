//! The catalogue, and plans made from it.

use agent_testkit::TestServer;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn templates_are_listed_filtered_found_and_searched() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let all = demo.get("/templates").await.expect(200).json;
    let all = all.as_array().unwrap();
    assert!(all.len() >= 8);
    for field in ["id", "name", "description", "difficulty", "tags", "task_count"] {
        assert!(all.iter().all(|template| !template[field].is_null()), "{field}");
    }
    let difficulty = all[0]["difficulty"].as_str().unwrap();
    let some = demo.get(&format!("/templates?difficulty={difficulty}")).await.expect(200).json;
    assert!(some.as_array().unwrap().iter().all(|template| template["difficulty"] == difficulty));
    let tag = all[0]["tags"][0].as_str().unwrap();
    let tagged = demo.get(&format!("/templates?tag={tag}")).await.expect(200).json;
    assert!(tagged.as_array().unwrap().iter().any(|template| template["id"] == all[0]["id"]));
    let one = demo.get(&format!("/templates/{}", all[0]["id"].as_str().unwrap())).await.expect(200).json;
    assert_eq!(json!(one["tasks"].as_array().unwrap().len()), one["task_count"]);
    assert!(one["parameters"].is_array());
    let found = demo.get("/templates/search/failing%20test").await.expect(200).json;
    assert_eq!(found["query"], "failing test");
    assert_eq!(found["results"][0]["id"], "fix_failing_test");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_gives_a_plan_its_tasks() {
    let server = TestServer::builder().script(json!([{"text": "unused"}])).start().await;
    let demo = server.demo().await;
    let template = demo.get("/templates/fix_failing_test").await.expect(200).json;
    let body = json!({
        "goal": "Mend it", "template_id": "fix_failing_test", "parameters": {"test_command": "cargo test"}
    });
    let created = demo.post("/plans", body).await.expect(201).json;
    assert_eq!(created["tasks"], template["task_count"]);
    let wrong =
        json!({"goal": "Mend it", "template_id": "fix_failing_test", "parameters": {"colour": "red"}});
    let refused = demo.post("/plans", wrong).await.expect_problem(422, "invalid_parameters");
    assert!(refused.pointers().contains(&"/parameters/colour"), "{}", refused.text);
    let unknown = json!({"goal": "Mend it", "template_id": "nothing"});
    demo.post("/plans", unknown).await.expect_problem(404, "template_not_found");
    let plans: Value = demo.get("/plans").await.json;
    assert_eq!(plans["total"], 1);
}

//! Templates as YAML: out, in again, and within bounds.

use crate::templates::tidying;
use agent_testkit::{Answer, Client, TestServer};
use serde_json::json;

async fn send_yaml(client: &Client, method: &str, path: &str, text: String) -> Answer {
    let request =
        client.request(method, path).header("Content-Type", "application/yaml").header("If-Match", "*");
    client.send(request.body(text)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_is_imported_again_as_the_same_template() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    demo.post("/templates", tidying("tidy_up")).await.expect(201);
    for id in ["tidy_up", "rest_api", "web_scraper", "fix_failing_test"] {
        let exported = demo.get(&format!("/templates/{id}/export")).await.expect(200);
        assert_eq!(exported.header("content-type"), "application/yaml");
        let copy = format!("{id}_copy");
        let text = exported.text.replacen(&format!("id: {id}"), &format!("id: {copy}"), 1);
        let imported = send_yaml(&demo, "POST", "/templates", text).await.expect(201).json;
        let original = demo.get(&format!("/templates/{id}")).await.expect(200).json;
        for field in ["name", "description", "tags", "goal", "parameters", "tasks", "difficulty"] {
            assert_eq!(imported[field], original[field], "{id}: {field}");
        }
    }
    let exported = demo.get("/templates/tidy_up/export").await.expect(200).text;
    let same = send_yaml(&demo, "PUT", "/templates/tidy_up", exported.clone()).await.expect(200);
    assert_eq!(same.json["version"], 1);
    let changed = exported.replace("Removes what nobody uses.", "Removes much.");
    let changed = send_yaml(&demo, "PUT", "/templates/tidy_up", changed).await.expect(200);
    assert_eq!(
        (&changed.json["version"], &changed.json["description"]),
        (&json!(2), &json!("Removes much."))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn yaml_is_judged_like_json_and_kept_within_bounds() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let exported = demo.get("/templates/fix_failing_test/export").await.expect(200).text;
    let own = exported.replacen("id: fix_failing_test", "id: own", 1);
    let with = |line: &str| format!("{line}\n{own}");
    let colour = send_yaml(&demo, "POST", "/templates", with("colour: red")).await;
    assert_eq!(colour.expect_problem(422, "invalid_request").pointers(), ["/colour"]);
    let hidden = own.replacen("name: Fix a failing test", "name: \"\\u202eFix\"", 1);
    let hidden = send_yaml(&demo, "POST", "/templates", hidden).await.expect_problem(422, "invalid_template");
    assert_eq!(hidden.pointers(), ["/name"]);
    let levels: Vec<String> =
        (1..12).map(|n| format!("l{n}: &l{n} [{}]", vec![format!("*l{}", n - 1); 10].join(", "))).collect();
    let laughs = format!("l0: &l0 [lol]\n{}\n{own}", levels.join("\n"));
    let deep = format!("tags: {}{}\n", "[".repeat(5_000), "]".repeat(5_000));
    let cases = [
        laughs,
        deep,
        with("name: twice"),
        format!("{own}\n---\n{own}"),
        "\t- x: [".to_owned(),
        "a: *b".to_owned(),
    ];
    for text in cases {
        send_yaml(&demo, "POST", "/templates", text).await.expect_problem(400, "malformed_yaml");
    }
    send_yaml(&demo, "POST", "/templates", "- a\n- b\n".to_owned())
        .await
        .expect_problem(422, "invalid_request");
    let plain = demo.request("POST", "/templates").header("Content-Type", "text/plain").body(own.clone());
    demo.send(plain).await.expect_problem(415, "unsupported_media_type");
    send_yaml(&demo, "POST", "/templates", own).await.expect(201);
}

//! Looking for plans and messages by their words.

use agent_testkit::{Client, TestServer};
use serde_json::{Value, json};

/// What a search is answered with, the words sent as they are.
async fn search(client: &Client, path: &str, words: &str) -> agent_testkit::Answer {
    client.send(client.request("GET", path).query(&[("q", words)])).await
}

async fn goals(client: &Client, words: &str) -> Vec<String> {
    let page = search(client, "/plans", words).await.expect(200).json;
    let text = |plan: &Value| plan["goal"].as_str().unwrap().to_owned();
    page["plans"].as_array().unwrap().iter().map(text).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_are_found_by_the_words_of_their_goal_as_it_is_now() {
    let server = TestServer::start().await;
    let (demo, admin) = (server.demo().await, server.admin().await);
    for goal in ["Mend the date parser", "Reach 100% coverage", "日本語のテスト"] {
        demo.create_shell_plan(goal, &["true"]).await;
    }
    admin.create_shell_plan("Mend the roof", &["true"]).await;
    assert_eq!(goals(&demo, "mend PARS").await, ["Mend the date parser"]);
    assert_eq!(goals(&demo, "mend").await, ["Mend the date parser"], "only one's own");
    assert_eq!(goals(&admin, "mend").await, ["Mend the roof", "Mend the date parser"]);
    assert_eq!(goals(&demo, "100%").await, ["Reach 100% coverage"]);
    assert_eq!(goals(&demo, "テスト").await, ["日本語のテスト"]);
    assert_eq!(goals(&demo, "").await.len(), 3);
    let edit =
        demo.request("PATCH", "/plans/1").header("If-Match", "*").json(&json!({"goal": "Write a lexer"}));
    demo.send(edit).await.expect(200);
    assert_eq!((goals(&demo, "parser").await.len(), goals(&demo, "lexer").await.len()), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_words_break_a_search() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    demo.create_shell_plan("Mend the parser", &["true"]).await;
    demo.post("/conversation", json!({"role": "user", "content": "Mend the parser"})).await.expect(201);
    let strange = [
        "\"",
        "*",
        "-",
        "%",
        "_",
        "NEAR(a b)",
        "(a+)+$",
        "a AND",
        "goal:x",
        "🎉",
        "'; DROP TABLE plans; --",
        "\\",
    ];
    for words in strange {
        for (path, entries) in [("/plans", "plans"), ("/conversation", "messages")] {
            let found = search(&demo, path, words).await.expect(200).json;
            assert_eq!((&found["total"], &found[entries]), (&json!(0), &json!([])), "{path} {words}");
        }
    }
    for words in ["x".repeat(10 * 1024), (0..40).map(|n| format!("w{n} ")).collect::<String>()] {
        for path in ["/plans", "/conversation"] {
            let refused = search(&demo, path, &words).await.expect_problem(422, "invalid_request");
            assert_eq!(refused.pointers(), ["?q"]);
        }
    }
    let nul = demo.get("/plans?q=a%00b").await.expect_problem(422, "invalid_request");
    assert_eq!(nul.pointers(), ["?q"]);
}

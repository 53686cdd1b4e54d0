//! What the rules say, and that they hold.

use agent_testkit::{Client, TestServer};
use serde_json::{Value, json};

const RULES: &str = r#"
[[rules]]
command = ["git", "push"]
permission = "deny"
reason = "releases go through the pipeline"
match = ["git push origin main", "git -C . push"]
not_match = ["git pull"]

[[rules]]
domain = "crates.io"
permission = "allow"
"#;

/// A server whose rules forbid pushing.
async fn strict() -> (TestServer, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.toml");
    std::fs::write(&file, RULES).unwrap();
    let server = TestServer::builder().adjust(move |settings| settings.policy_file = Some(file));
    (server.start().await, folder)
}

async fn verdict(client: &Client, call: Value) -> Value {
    client.post("/policy/check", call).await.expect(200).json
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_judged_before_anybody_makes_it() {
    let (server, _folder) = strict().await;
    let demo = server.demo().await;
    let denied = verdict(&demo, json!({"command": "make && nohup env git -C . push &"})).await;
    assert_eq!((&denied["permission"], &denied["layer"]), (&json!("deny"), &json!("server")));
    assert_eq!(denied["reason"], "releases go through the pipeline");
    let allowed = verdict(&demo, json!({"command": ["cargo", "test"]})).await;
    assert_eq!((&allowed["permission"], &allowed["risk"]), (&json!("allow"), &json!("low")));
    let asked = verdict(&demo, json!({"command": "cargo test", "policy": {"approval": "commands"}})).await;
    assert_eq!(asked["permission"], "ask");
    for path in [".git/hooks/pre-commit", "sub/.GIT/config", "agent.toml", "a/../.git/config"] {
        let denied = verdict(&demo, json!({"write": [path]})).await;
        assert_eq!((&denied["permission"], &denied["layer"]), (&json!("deny"), &json!("builtin")), "{path}");
    }
    demo.post("/policy/check", json!({})).await.expect_problem(422, "invalid_request");
    let both = json!({"command": "ls", "domain": "crates.io"});
    demo.post("/policy/check", both).await.expect_problem(422, "invalid_request");
    let broken = json!({"command": "ls", "policy": {"rules": [{"permission": "deny"}]}});
    demo.post("/policy/check", broken).await.expect_problem(422, "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_whose_rules_or_hosts_cannot_be_had_is_refused_and_not_made() {
    let (server, _folder) = strict().await;
    let demo = server.demo().await;
    let plan = |policy: Value| json!({"goal": "x", "policy": policy, "tasks": [{"description": "x", "kind": "scan"}]});
    let cases = [
        (json!({"rules": [{"command": ["a"], "permission": "deny", "match": ["b"]}]}), "/policy/rules/0"),
        (json!({"rules": [{"permission": "deny"}]}), "/policy/rules/0"),
        (json!({"network": true}), "/policy/network"),
        (json!({"domains": ["crates.io", "evil.example"]}), "/policy/domains/1"),
        (json!({"approval_timeout_ms": 2_592_000_001_u64}), "/policy/approval_timeout_ms"),
    ];
    for (policy, pointer) in cases {
        let refused = demo.post("/plans", plan(policy.clone())).await.expect_problem(422, "invalid_plan");
        assert_eq!(refused.pointers(), [pointer], "{policy}");
    }
    assert_eq!(demo.get("/plans").await.json["total"], 0);
    demo.post("/plans", plan(json!({"domains": ["crates.io"]}))).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_task_that_the_rules_forbid_fails_and_says_why() {
    let (server, _folder) = strict().await;
    let demo = server.demo().await;
    let push = json!({"description": "Push", "kind": "command", "command": "git push origin main"});
    let plan = demo.create_plan(json!({"goal": "Push", "auto_execute": true, "tasks": [push]})).await;
    let failed = demo.wait_for_plan(plan, &["failed"]).await;
    assert_eq!(failed["tasks"][0]["error"], "policy_denied: releases go through the pipeline");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_of_gits_own_files_is_denied_by_the_rules_that_hold_everywhere() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let patch = "*** Begin Patch\n*** Add File: .agent/rules.toml\n+x = 1\n*** End Patch\n";
    let task = json!({"description": "Patch it", "kind": "patch", "patch": patch});
    let plan = demo.create_plan(json!({"goal": "x", "auto_execute": true, "tasks": [task]})).await;
    let failed = demo.wait_for_plan(plan, &["failed"]).await;
    let error = failed["tasks"][0]["error"].as_str().unwrap();
    assert!(error.starts_with("policy_denied: "), "{error}");
    assert!(!server.repository().path().join(".agent").exists());
}

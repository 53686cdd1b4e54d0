//! Who did what.

use crate::organisations::{Organisations, PASSWORD, looking};
use agent_audit::{ChainId, Expected, verify_json_lines};
use agent_core::ids::TenantId;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn actions(page: &Value) -> Vec<(String, String)> {
    let records = page["records"].as_array().unwrap().iter();
    let words = |record: &Value, field: &str| record[field].as_str().unwrap_or_default().to_owned();
    records.map(|record| (words(record, "action"), words(record, "outcome"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_and_every_denial_is_recorded_with_who_and_where() {
    let world = Organisations::start().await;
    let asked = world.alice.with_header("X-Request-Id", "made-by-alice");
    let plan = asked.create_plan(looking("Look")).await;
    world.vera.post("/plans", looking("Not mine")).await.expect(403);
    world.alice.get("/plans").await.expect(200);
    let page = world.adam.get("/audit?limit=2").await.expect(200).json;
    assert_eq!(
        actions(&page),
        [("create_plan".to_owned(), "denied".to_owned()), ("create_plan".to_owned(), "success".to_owned()),]
    );
    let made = &page["records"][1];
    assert_eq!((&made["username"], &made["actor"]), (&json!("alice"), &json!("api_key")));
    assert_eq!(made["resource"], format!("/plans/{plan}"));
    assert_eq!((&made["request_id"], &made["source"]), (&json!("made-by-alice"), &json!("127.0.0.1")));
    assert_eq!((&made["status"], &page["records"][0]["code"]), (&json!(201), &json!("forbidden")));
    let by_request = world.adam.get("/audit?request_id=made-by-alice").await.expect(200).json;
    assert_eq!(by_request["total"], 1);
    let denied = world.adam.get("/audit?outcome=denied&action=create_plan").await.expect(200).json;
    assert_eq!(denied["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_of_a_tenant_is_for_its_administrators_and_that_of_the_server_for_operators() {
    let world = Organisations::start().await;
    world.bob.create_plan(looking("Theirs")).await;
    for reader in [&world.vera, &world.alice, &world.bob] {
        reader.get("/audit").await.expect_problem(403, "forbidden");
    }
    assert!(!world.adam.get("/audit").await.expect(200).text.contains("bob"));
    assert!(world.boss.get("/audit").await.expect(200).text.contains("bob"));
    for chain in ["server", &world.second.to_string()] {
        world.adam.get(&format!("/audit?chain={chain}")).await.expect_problem(422, "invalid_plan");
        world.operator.get(&format!("/audit?chain={chain}")).await.expect(200);
    }
    let guess = json!({"username": "nobody-known", "password": "Not-A-Password-1"});
    world.server.anonymous().post("/auth/login", guess).await.expect(401);
    let refused = world.operator.get("/audit?chain=server&action=log_in&outcome=denied").await.expect(200);
    assert_eq!(refused.json["records"][0]["username"], "nobody-known");
    assert!(!refused.text.contains("Not-A-Password-1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_whole_and_proves_itself() {
    let world = Organisations::start().await;
    for n in 0..20 {
        world.alice.create_plan(looking(&format!("Look {n}"))).await;
    }
    let chain = world.adam.get("/audit/chain").await.expect(200).json;
    let export = world.adam.get("/audit/export").await.expect(200);
    assert_eq!(export.header("content-type"), "application/x-ndjson");
    let lines: Vec<&str> = export.text.lines().collect();
    assert_eq!(json!(lines.len()), chain["head_sequence"]);
    let id = ChainId::from(TenantId::DEFAULT);
    let state = world.server.agent().audit().state(id).await.unwrap();
    let expected = BTreeMap::from([(id, Expected::from(state))]);
    let summaries = verify_json_lines(export.text.as_bytes(), &expected).unwrap();
    assert_eq!(summaries[0].records as usize, lines.len());
    let altered = export.text.replacen("alice", "mallo", 1);
    let broken = verify_json_lines(altered.as_bytes(), &expected).unwrap_err().to_string();
    let first = lines.iter().position(|line| line.contains("alice")).unwrap() + 1;
    assert!(broken.contains(&first.to_string()), "{broken}");
    let removed: String = lines
        .iter()
        .filter(|line| !line.contains("\"sequence\":5,"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(verify_json_lines(removed.as_bytes(), &expected).unwrap_err().to_string().contains('5'));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_recorded() {
    let world = Organisations::start().await;
    let session = world.server.log_in("alice", PASSWORD).await;
    let key = session.post("/auth/token", json!({"name": "ci"})).await.expect(201).json;
    let change = json!({"current_password": PASSWORD, "new_password": "another analytical engine"});
    session.put("/auth/password", change).await.expect(204);
    let trail = world.adam.get("/audit/export").await.expect(200).text;
    let server = world.operator.get("/audit/export?chain=server").await.expect(200).text;
    for secret in [PASSWORD, "another analytical engine", key["api_key"].as_str().unwrap()] {
        assert!(!trail.contains(secret) && !server.contains(secret), "{secret}");
    }
    assert!(trail.contains("create_key") && trail.contains("change_password"));
}

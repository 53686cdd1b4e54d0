//! D18: a repeated request finds the plan of the first, also among fifty at once and after a crash.

use crate::load::command;
use crate::scene::{Scene, begin, until_over};
use agent_testkit::{Answer, Client};
use serde_json::{Value, json};
use tokio::task::JoinSet;

const AT_ONCE: usize = 50;

fn plan(goal: &str) -> Value {
    json!({"goal": goal, "tasks": [command("true", "idempotent", &[])]})
}

async fn create(caller: Client, key: &str, body: Value) -> Answer {
    caller.send(caller.request("POST", "/plans").header("Idempotency-Key", key).json(&body)).await
}

/// The one answer to many requests at once.
async fn the_one_answer(caller: &Client, key: &'static str, body: &Value) -> Value {
    let mut asking = JoinSet::new();
    for _ in 0..AT_ONCE {
        asking.spawn(create(caller.clone(), key, body.clone()));
    }
    let answers: Vec<Value> =
        asking.join_all().await.into_iter().map(|answer| answer.expect(201).json).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    answers[0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_stands_for_one_plan_however_often_it_is_sent_and_after_a_crash() {
    let mut scene = Scene::new();
    let (server, caller) = begin(&mut scene).await;
    let first = the_one_answer(&caller, "the key", &plan("one")).await;
    create(caller.clone(), "the key", plan("other")).await.expect_problem(409, "idempotency_mismatch");
    assert_eq!(caller.get("/plans").await.expect(200).json["total"], 1);
    server.kill();

    let (server, caller) = begin(&mut scene).await;
    assert_eq!(the_one_answer(&caller, "the key", &plan("one")).await, first);
    create(caller.clone(), "the key", plan("other")).await.expect_problem(409, "idempotency_mismatch");
    let id = first["plan_id"].as_i64().unwrap();
    caller.post(&format!("/plans/{id}/execute"), json!({})).await.expect(202);
    let done = until_over(&caller, id).await;
    server.kill();

    let (_server, caller) = begin(&mut scene).await;
    let again = create(caller.clone(), "the key", plan("one")).await.expect(201).json;
    assert_eq!(again["plan_id"], id);
    assert_eq!(caller.get("/plans").await.expect(200).json["total"], 1);
    let task = done["tasks"][0]["id"].as_i64().unwrap();
    assert_eq!(scene.effects().begins_of_task(id, task), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_requests_for_a_plan_that_starts_at_once_run_it_once() {
    let mut scene = Scene::new();
    let (_server, caller) = begin(&mut scene).await;
    let mut body = plan("at once");
    body["auto_execute"] = json!(true);
    let mut asking = JoinSet::new();
    for _ in 0..AT_ONCE {
        asking.spawn(create(caller.clone(), "started", body.clone()));
    }
    let answers: Vec<Value> = asking.join_all().await.into_iter().map(|a| a.expect(201).json).collect();
    let id = answers[0]["plan_id"].as_i64().unwrap();
    assert!(answers.iter().all(|answer| answer["plan_id"] == id), "{answers:#?}");
    let done = until_over(&caller, id).await;
    let task = done["tasks"][0]["id"].as_i64().unwrap();
    assert_eq!(scene.effects().begins_of_task(id, task), 1);
}

//! A server that is killed while a plan runs, and started again, finishes the plan without a person.

use crate::scene::{Scene, begin, events, until_over, until_written};
use serde_json::{Value, json};

/// A task that says when it begins, and ends once it is let go.
fn held_task(effect: &str) -> Value {
    let script = "echo middle >> log; while [ ! -e release ]; do sleep 0.02; done; echo released >> log";
    json!({"description": "wait to be released", "kind": "command", "command": script, "effect": effect, "depends_on": [1]})
}

fn logging(line: &str, depends_on: &[u32]) -> Value {
    let command = format!("echo {line} >> log");
    json!({"description": line, "kind": "command", "command": command, "depends_on": depends_on})
}

async fn run_until_held(scene: &mut Scene, effect: &str) -> i64 {
    let (server, caller) = begin(scene).await;
    let tasks = json!([logging("first", &[]), held_task(effect), logging("last", &[2])]);
    let plan = caller.create_plan(json!({"goal": "survive", "tasks": tasks, "auto_execute": true})).await;
    until_written(&scene.repository.join("log"), "middle").await;
    server.kill();
    scene.write("release", "");
    plan
}

fn lines(scene: &Scene) -> Vec<String> {
    scene.read("log").lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_killed_server_finishes_its_plan_when_it_is_started_again() {
    let mut scene = Scene::new();
    let plan = run_until_held(&mut scene, "idempotent").await;

    let (_server, caller) = begin(&mut scene).await;
    let found = until_over(&caller, plan).await;

    assert_eq!(found["plan"]["status"], "completed", "{found:#}");
    let log = lines(&scene);
    assert_eq!(log.iter().filter(|line| *line == "first").count(), 1, "a recorded step ran again: {log:?}");
    assert_eq!(log.iter().filter(|line| *line == "middle").count(), 2, "{log:?}");
    assert_eq!(log.last().map(String::as_str), Some("last"));

    let events = events(&caller, plan).await;
    let positions: Vec<i64> = events.iter().map(|event| event["seq"].as_i64().unwrap()).collect();
    assert_eq!(positions, (1..=positions.len() as i64).collect::<Vec<_>>(), "gaps in the log");
    assert_eq!(events.iter().filter(|event| event["event"] == "run_recovered").count(), 1);
}

#[tokio::test]
async fn an_opaque_command_caught_in_flight_is_not_run_again_and_the_plan_says_so() {
    let mut scene = Scene::new();
    let plan = run_until_held(&mut scene, "opaque").await;

    let (_server, caller) = begin(&mut scene).await;
    let found = until_over(&caller, plan).await;

    assert_eq!(found["plan"]["status"], "failed", "{found:#}");
    assert!(found["tasks"][1]["error"].as_str().unwrap().contains("unverified"), "{found:#}");
    assert_eq!(lines(&scene), ["first", "middle"]);
}

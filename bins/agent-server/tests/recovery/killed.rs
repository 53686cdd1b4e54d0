//! A server that is killed while a plan runs, and started again, finishes the plan without a person.

use crate::scene::{Scene, begin, events, now, until, until_nothing_runs, until_over, until_written};
use agent_testkit::ServerCommand;
use agent_testkit_postgres::{ClusterOptions, PostgresCluster};
use serde_json::{Value, json};
use std::time::Duration;

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
    until_nothing_runs(scene).await;
    scene.write("release", "");
    plan
}

fn lines(scene: &Scene) -> Vec<String> {
    scene.read("log").lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_killed_server_finishes_its_plan_when_it_is_started_again() {
    finishes_after_a_restart(Scene::new()).await;
}

#[tokio::test]
async fn a_killed_server_with_its_data_elsewhere_finishes_its_plan_when_it_is_started_again() {
    let Some(cluster) = PostgresCluster::shared() else { return };
    let database = cluster.create_database(None);
    finishes_after_a_restart(Scene::on_database(&database)).await;
}

async fn finishes_after_a_restart(mut scene: Scene) {
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

#[tokio::test]
async fn a_plan_of_a_killed_server_is_finished_by_another_that_shares_its_database() {
    let Some(cluster) = PostgresCluster::shared() else { return };
    let database = cluster.create_database(None);
    let mut scene = Scene::on_database(&database);
    let other_data = scene.data.with_file_name("other");
    std::fs::create_dir(&other_data).unwrap();
    let program = env!("CARGO_BIN_EXE_agent-server");
    let other = ServerCommand::new(program, &other_data, &scene.repository, &scene.database).start();
    let caller = other.demo().await;
    let plan = run_until_held(&mut scene, "idempotent").await;
    // It is not this server's before the lease is over, and then it is.
    let found = until_over(&caller, plan).await;
    assert_eq!(found["plan"]["status"], "completed", "{found:#}");
    let log = lines(&scene);
    assert_eq!(log.iter().filter(|line| *line == "first").count(), 1, "{log:?}");
    assert_eq!(log.last().map(String::as_str), Some("last"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_database_is_away_requests_are_told_to_come_back_and_then_are_served() {
    const SOON: Duration = Duration::from_secs(5);
    let Some(mut cluster) = PostgresCluster::start(ClusterOptions::default()) else { return };
    let database = cluster.create_database(None);
    let mut scene = Scene::on_database(&database);
    let (server, caller) = begin(&mut scene).await;
    let plan = caller.create_plan(json!({"goal": "stay", "tasks": [logging("first", &[])]})).await;
    tokio::task::block_in_place(|| cluster.kill());
    for path in ["/plans", "/ready"] {
        let asked = now();
        let answer = caller.get(path).await.expect(503);
        assert!(path == "/ready" || !answer.header("retry-after").is_empty(), "{path}");
        assert!(asked.elapsed() < SOON, "{path} took {:?}", asked.elapsed());
    }
    tokio::task::block_in_place(|| cluster.restart());
    let back = now();
    until("readiness", async || {
        let answer = caller.get("/ready").await;
        if answer.status == 200 { Ok(()) } else { Err(answer.text) }
    })
    .await;
    assert!(back.elapsed() < SOON, "ready {:?} after the database", back.elapsed());
    caller.post(&format!("/plans/{plan}/execute"), json!({})).await.expect(202);
    assert_eq!(until_over(&caller, plan).await["plan"]["status"], "completed");
    assert_eq!(lines(&scene), ["first"]);
    drop((server, scene));
}

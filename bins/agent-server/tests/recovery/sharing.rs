//! D14: two servers on one database that wake each other through NATS, and go on without it.

use crate::load::command;
use crate::scene::{Scene, events, until, until_over};
use crate::two_servers::{HELD, until_begun};
use agent_testkit::{Client, Database, ServerProcess};
use agent_testkit_nats::NatsServer;
use agent_testkit_postgres::PostgresCluster;
use serde_json::json;

/// So long that nobody looks by themselves before the test has given up: a look is due at every third of it.
const LOOKS_TOO_LATE: &str = "3600s";
/// A look every second.
const LOOKS_SOON: &str = "3s";
/// What is told of the events where the other servers hear of them.
const JOINED: &str = "through NATS";

async fn start(scene: &Scene, nats: &NatsServer, lease: &str) -> (ServerProcess, Client) {
    let server = scene.server().env("AGENT_LEASE", lease).env("AGENT_NATS_URL", nats.url()).start();
    let caller = server.demo().await;
    (server, caller)
}

/// Waits until the server says of its events what is wanted.
async fn until_told(caller: &Client, wanted: &str) {
    until(wanted, async || {
        let ready = caller.get("/ready").await.expect(200).json;
        let parts = ready["parts"].as_array().unwrap();
        let told = parts.iter().find(|part| part["name"] == "events").unwrap()["detail"].as_str().unwrap();
        if told.contains(wanted) { Ok(()) } else { Err(told.to_owned()) }
    })
    .await;
}

/// A plan whose first task is held, under way at the server of this caller; answers plan and task.
async fn held(scene: &Scene, caller: &Client) -> (i64, i64) {
    let tasks = json!([command(HELD, "idempotent", &[]), command("true", "idempotent", &[1])]);
    let plan = caller.create_plan(json!({"goal": "shared", "tasks": tasks, "auto_execute": true})).await;
    let details = caller.get(&format!("/plans/{plan}")).await.expect(200).json;
    let task = details["tasks"][0]["id"].as_i64().unwrap();
    until_begun(scene, plan, task, 1).await;
    (plan, task)
}

/// Cancels a plan of one server through the other; both tell the same of it afterwards.
async fn cancel_through_another(scene: &Scene, driver: &Client, other: &Client) {
    let (plan, _) = held(scene, driver).await;
    other.post(&format!("/plans/{plan}/cancel"), json!({})).await.expect(202);
    let done = until_over(other, plan).await;
    assert_eq!(done["plan"]["status"], "cancelled", "{done:#}");
    let told = events(driver, plan).await;
    assert_eq!(told, events(other, plan).await);
    let positions: Vec<i64> = told.iter().map(|event| event["seq"].as_i64().unwrap()).collect();
    assert_eq!(positions, (1..=i64::try_from(told.len()).unwrap()).collect::<Vec<_>>());
}

async fn cancel_at_once(database: Database) {
    let Some(nats) = NatsServer::start(&[]) else { return };
    let scene = Scene::on(database);
    let (_one, of_one) = start(&scene, &nats, LOOKS_TOO_LATE).await;
    let (_two, of_two) = start(&scene, &nats, LOOKS_TOO_LATE).await;
    until_told(&of_one, JOINED).await;
    until_told(&of_two, JOINED).await;
    cancel_through_another(&scene, &of_one, &of_two).await;
    cancel_through_another(&scene, &of_two, &of_one).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_through_another_server_takes_effect_at_once() {
    cancel_at_once(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_through_another_server_takes_effect_at_once_on_postgres() {
    let Some(cluster) = PostgresCluster::shared() else { return };
    let database = cluster.create_database(None);
    cancel_at_once(Database::At(database.url().to_owned())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_start_and_work_without_their_nats_and_join_when_it_is_there() {
    let Some(mut nats) = NatsServer::start(&[]) else { return };
    nats.kill();
    let scene = Scene::new();
    let (_one, of_one) = start(&scene, &nats, LOOKS_SOON).await;
    let (_two, of_two) = start(&scene, &nats, LOOKS_SOON).await;
    until_told(&of_one, "NATS cannot be reached").await;
    cancel_through_another(&scene, &of_one, &of_two).await;
    nats.restart();
    until_told(&of_one, JOINED).await;
    until_told(&of_two, JOINED).await;
    cancel_through_another(&scene, &of_two, &of_one).await;
    nats.kill();
    until_told(&of_two, "NATS cannot be reached").await;
    cancel_through_another(&scene, &of_one, &of_two).await;
    let log = scene.server().log();
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("NATS cannot be reached") && log.contains("shared with other servers"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_a_stopping_server_gives_back_goes_on_at_another_at_once() {
    let Some(nats) = NatsServer::start(&[]) else { return };
    let scene = Scene::new();
    let (one, of_one) = start(&scene, &nats, LOOKS_TOO_LATE).await;
    let (_two, of_two) = start(&scene, &nats, LOOKS_TOO_LATE).await;
    until_told(&of_one, JOINED).await;
    until_told(&of_two, JOINED).await;
    let (plan, task) = held(&scene, &of_one).await;
    one.terminate();
    until_begun(&scene, plan, task, 2).await;
    scene.write("release", "");
    let done = until_over(&of_two, plan).await;
    assert_eq!(done["plan"]["status"], "completed", "{done:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_of_nats_appears_nowhere() {
    let Some(nats) = NatsServer::start(&["--user", "ada", "--pass", "canary"]) else { return };
    let scene = Scene::new();
    let server = |login: &str| {
        let address = format!("nats://{login}@{}", nats.place());
        scene.server().env("AGENT_NATS_URL", address).env("AGENT_LOG", "trace,async_nats=trace").start()
    };
    let right = server("ada:canary");
    until_told(&right.demo().await, JOINED).await;
    let wrong = server("ada:canary-of-another");
    until_told(&wrong.demo().await, "NATS cannot be reached").await;
    until("the refusal", async || {
        let log = std::fs::read_to_string(scene.server().log()).unwrap();
        if log.contains("authorization violation") { Ok(()) } else { Err(log) }
    })
    .await;
    let log = std::fs::read_to_string(scene.server().log()).unwrap();
    assert!(log.contains("TRACE async_nats"), "what the client of NATS tells is part of what is searched");
    let found: Vec<&str> = log.lines().filter(|line| line.contains("canary")).collect();
    assert_eq!(found, Vec::<&str>::new());
}

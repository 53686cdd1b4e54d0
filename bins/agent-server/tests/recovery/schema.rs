//! D19: databases of earlier versions with live plans, a crash in a migration, and databases of later versions.

use crate::disk::{left_out, run};
use crate::load::{approve_all, command};
use crate::scene::{Scene, begin, until_over, until_status, until_written};
use agent_core::failpoint::MIGRATED;
use agent_testkit::{Client, ServerProcess};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Stands in a fixture where the path of the repository was.
const REPOSITORY: &str = "@REPOSITORY@";
/// A fixture stands for a server that was stopped a moment ago, however old the file is: what waits for a person still
/// waits, for the next hour.
const STILL_WAITING: &str = "\
    UPDATE approvals SET expires_at = (unixepoch() + 3600) * 1000000 WHERE decision IS NULL; \
    UPDATE tasks SET wake_at = (unixepoch() + 3600) * 1000000 WHERE status = 'awaiting_approval'";
const HELD: &str = "while [ ! -e release ]; do sleep 0.02; done";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

fn database(scene: &Scene) -> String {
    scene.data.join("agent.db").display().to_string()
}

fn live_plan(goal: &str, tasks: &Value, auto_execute: bool) -> Value {
    json!({"goal": goal, "tasks": tasks, "auto_execute": auto_execute})
}

async fn administrator(server: &ServerProcess) -> Client {
    let credentials = json!({"username": "admin", "password": "admin123"});
    let answer = server.anonymous().post("/auth/login", credentials).await.expect(200);
    server.anonymous().with_token(answer.json["access_token"].as_str().unwrap())
}

/// Writes a fixture of the present schema: `cargo test -p agent-server --test recovery -- --ignored fixture`.
/// Once per schema, before it is changed; what is there stays, since it stands for what users have.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes a file of the repository; run it by name"]
async fn a_fixture_of_the_present_schema_is_written() {
    let mut scene = Scene::new();
    let (server, caller) = begin(&mut scene).await;
    let quick = command("true", "idempotent", &[]);
    let held = command(HELD, "idempotent", &[]);
    let done = caller.create_plan(live_plan("completed", &json!([quick]), true)).await;
    until_over(&caller, done).await;
    let chain = json!([quick, command(HELD, "idempotent", &[1]), command("true", "idempotent", &[2])]);
    let in_flight = caller.create_plan(live_plan("in flight", &chain, true)).await;
    let ask = json!([{"description": "go on?", "kind": "approval"}, command("true", "pure", &[1])]);
    let asked = caller.create_plan(live_plan("asked", &ask, true)).await;
    caller.create_plan(live_plan("created", &json!([quick]), false)).await;
    let paused = caller
        .create_plan(live_plan("paused", &json!([held, command("true", "idempotent", &[1])]), true))
        .await;
    until_status(&caller, asked, &["awaiting_approval"]).await;
    for (plan, held) in [(in_flight, 1), (paused, 0)] {
        let details = caller.get(&format!("/plans/{plan}")).await.expect(200).json;
        let begun = format!("plan-{plan}/task-{}/", details["tasks"][held]["id"]);
        until_written(&scene.repository.join("effects.log"), &begun).await;
    }
    caller.post(&format!("/plans/{paused}/pause"), json!({})).await.expect(202);
    let admin = administrator(&server).await;
    let grace = json!({"username": "grace", "password": "a long password of grace", "role": "viewer"});
    admin.post("/users", grace).await.expect(201);
    caller.post("/auth/token", json!({"name": "build server", "scopes": ["plans:read"]})).await.expect(201);
    server.kill();
    let newest =
        run("sqlite3", &[&database(&scene), "SELECT max(version) FROM __diesel_schema_migrations"]).unwrap();
    let dump = run("sqlite3", &[&database(&scene), ".dump"]).unwrap();
    let text = dump.replace(scene.repository.to_str().unwrap(), REPOSITORY);
    std::fs::create_dir_all(fixtures()).unwrap();
    std::fs::write(fixtures().join(format!("live-plans-{newest}.sql")), text + "\n").unwrap();
}

/// The accounts of a fixture that has more than every server for developers, and their keys, are there with their roles.
async fn knows_accounts(server: &ServerProcess, caller: &Client, fixture: &str) {
    if !fixture.contains("'grace'") {
        return;
    }
    let listed = administrator(server).await.get("/users").await.expect(200).json;
    let users = listed["users"].as_array().unwrap().iter();
    let roles: BTreeMap<_, _> =
        users.map(|user| (user["username"].as_str().unwrap(), user["role"].as_str().unwrap())).collect();
    assert_eq!(roles, BTreeMap::from([("admin", "admin"), ("demo", "user"), ("grace", "viewer")]));
    let keys = caller.get("/auth/keys").await.expect(200).json;
    assert_eq!((&keys["total"], &keys["keys"][0]["name"]), (&json!(1), &json!("build server")));
}

async fn goes_on(fixture: &Path) {
    let mut scene = Scene::new();
    let text = std::fs::read_to_string(fixture).unwrap();
    let script = scene.data.join("fixture.sql");
    std::fs::write(&script, text.replace(REPOSITORY, scene.repository.to_str().unwrap())).unwrap();
    run("sqlite3", &[&database(&scene), &format!(".read {}", script.display())]).unwrap();
    run("sqlite3", &[&database(&scene), STILL_WAITING]).unwrap();
    scene.write("release", "");
    let (server, caller) = begin(&mut scene).await;
    knows_accounts(&server, &caller, &text).await;
    let listed = caller.get("/plans").await.expect(200).json["plans"].as_array().unwrap().clone();
    let ids: BTreeMap<&str, i64> = listed
        .iter()
        .map(|p| (p["goal"].as_str().unwrap(), p["plan_id"].as_i64().or(p["id"].as_i64()).unwrap()))
        .collect();
    assert_eq!(ids.len(), 5, "{listed:#?}");
    approve_all(&caller).await.unwrap();
    caller.post(&format!("/plans/{}/execute", ids["created"]), json!({})).await.expect(202);
    caller.post(&format!("/plans/{}/resume", ids["paused"]), json!({})).await.expect(202);
    for plan in ids.values() {
        let done = until_over(&caller, *plan).await;
        assert_eq!(done["plan"]["status"], "completed", "{}: {done:#}", fixture.display());
    }
    let first =
        caller.get(&format!("/plans/{}", ids["in flight"])).await.expect(200).json["tasks"][0]["id"].as_i64();
    let again = scene.effects().begins_of_task(ids["in flight"], first.unwrap());
    assert_eq!(again, 0, "a step that was recorded by the earlier version ran again");
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_of_every_earlier_schema_are_migrated_and_their_plans_go_on() {
    if left_out("D19", run("sqlite3", &["-version"])).is_none() {
        return;
    }
    let files = std::fs::read_dir(fixtures()).unwrap().map(|file| file.unwrap().path());
    let found: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "sql")).collect();
    assert!(!found.is_empty(), "tests/fixtures holds the databases of earlier versions");
    for fixture in found {
        goes_on(&fixture).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_in_a_migration_leaves_a_database_that_the_next_start_migrates() {
    if !cfg!(debug_assertions) {
        return;
    }
    let mut scene = Scene::new();
    let died = scene.server().env("AGENT_FAILPOINT", MIGRATED).spawn().ready();
    assert!(died.is_err_and(|ended| ended.status.code().is_none()), "the migration was not reached");
    let (_server, caller) = begin(&mut scene).await;
    let plan =
        caller.create_plan(live_plan("after", &json!([command("true", "idempotent", &[])]), true)).await;
    assert_eq!(until_over(&caller, plan).await["plan"]["status"], "completed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_later_version_is_refused_in_words() {
    if left_out("D19", run("sqlite3", &["-version"])).is_none() {
        return;
    }
    let mut scene = Scene::new();
    let (server, _) = begin(&mut scene).await;
    server.terminate();
    let later = "INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231235959')";
    run("sqlite3", &[&database(&scene), later]).unwrap();
    let Err(ended) = scene.server().spawn().ready() else { panic!("an older program took a newer database") };
    assert!(ended.status.code().is_some_and(|code| code != 0), "{}", ended.words());
    assert!(ended.log.contains("newer version") && ended.log.contains("29991231235959"), "{}", ended.words());
}

//! D15: the clock of the machine jumps or runs fast, and nothing ends before its time.

use crate::disk::left_out;
use crate::load::command;
use crate::scene::{Scene, begin, until_over, until_written};
use agent_testkit::{Client, ServerProcess};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Where Debian keeps it.
const FOLDER: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

fn library() -> Result<String, String> {
    let found = PathBuf::from(FOLDER);
    found.exists().then(|| FOLDER.to_owned()).ok_or_else(|| format!("{FOLDER} is missing (package faketime)"))
}

async fn begin_at(scene: &mut Scene, library: &str, time: &str) -> (ServerProcess, Client) {
    scene.next_life();
    let command = scene.server().env("LD_PRELOAD", library).env("FAKETIME", time);
    let server = command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").start();
    let caller = server.demo().await;
    (server, caller)
}

/// Two steps, of which the first takes a while and has time enough; the second fails once.
fn plan() -> Value {
    let mut first = command("sleep 0.4", "idempotent", &[]);
    first["timeout_ms"] = json!(2_500);
    let mut second = command("{ [ -e tried ] || { touch tried; false; }; }", "idempotent", &[1]);
    second["retry"] = json!({"max_attempts": 2, "backoff_ms": 100});
    json!({"goal": "keep time", "tasks": [first, second], "auto_execute": true})
}

async fn judge(server: &ServerProcess, caller: &Client, plan: i64, time: &str) {
    let done = until_over(caller, plan).await;
    assert_eq!(done["plan"]["status"], "completed", "at {time}: {done:#}");
    let attempts: Vec<&Value> = done["tasks"].as_array().unwrap().iter().map(|t| &t["attempts"]).collect();
    assert_eq!(attempts[0], 1, "at {time}: {done:#}");
    let credentials = json!({"username": "admin", "password": "admin123"});
    let login = server.anonymous().post("/auth/login", credentials).await.expect(200);
    let admin = server.anonymous().with_token(login.json["access_token"].as_str().unwrap());
    for task in done["tasks"].as_array().unwrap() {
        let figures = admin.get(&format!("/analytics/tasks/{}", task["id"])).await.expect(200).json;
        assert!(figures["min_duration"].as_f64().unwrap() >= 0.0, "at {time}: {figures}");
    }
}

async fn a_jump_to(time: &str) {
    let Some(library) = left_out("D15", library()) else { return };
    let mut scene = Scene::new();
    let (server, caller) = begin(&mut scene).await;
    let caught = caller.create_plan(plan()).await;
    until_written(&scene.repository.join("effects.log"), "begin").await;
    server.kill();
    let (server, caller) = begin_at(&mut scene, &library, time).await;
    judge(&server, &caller, caught, time).await;
    std::fs::remove_file(scene.repository.join("tried")).unwrap();
    let fresh = caller.create_plan(plan()).await;
    judge(&server, &caller, fresh, time).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumped_three_days_back_ends_nothing_early() {
    a_jump_to("-3d").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumped_an_hour_ahead_ends_nothing_early() {
    a_jump_to("+1h").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_runs_ten_times_as_fast_ends_nothing_early() {
    a_jump_to("+0 x10").await;
}

//! D16 and D17: attempts that fail, attempts that take the server with them, and plans that are cancelled.

use crate::load::{command, patch};
use crate::scene::{Scene, begin, events, until, until_over, until_written};
use agent_core::failpoint::JOB_BEFORE_EFFECT;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn five_failures_and_a_success_are_six_attempts_and_a_hopeless_step_is_one() {
    let mut scene = Scene::new();
    let (_server, caller) = begin(&mut scene).await;
    let retry = json!({"max_attempts": 6, "backoff_ms": 20, "max_backoff_ms": 100});
    let mut flaky = command("{ echo x >> tries; [ $(wc -l < tries) -ge 6 ]; }", "idempotent", &[]);
    flaky["retry"] = retry.clone();
    let mut hopeless = patch(
        &["*** Update File: absent.txt".to_owned(), "@@".to_owned(), "-a".to_owned(), "+b".to_owned()],
        &[],
    );
    hopeless["retry"] = retry;
    let policy = json!({"on_failure": "continue"});
    let body = json!({"goal": "try", "tasks": [flaky, hopeless], "policy": policy, "auto_execute": true});
    let plan = caller.create_plan(body).await;
    let done = until_over(&caller, plan).await;
    assert_eq!(
        (&done["tasks"][0]["status"], &done["tasks"][0]["attempts"]),
        (&json!("completed"), &json!(6))
    );
    assert_eq!((&done["tasks"][1]["status"], &done["tasks"][1]["attempts"]), (&json!("failed"), &json!(1)));
    let id = done["tasks"][0]["id"].as_i64().unwrap();
    assert_eq!(scene.effects().begins_of_task(plan, id), 6);
    let events = events(&caller, plan).await;
    let delays: Vec<u64> = events.iter().filter_map(|event| event["delay_ms"].as_u64()).collect();
    assert_eq!(delays.len(), 5, "{delays:?}");
    let limits = [20, 40, 80, 100, 100];
    assert!(delays.iter().zip(limits).all(|(delay, limit)| *delay <= limit), "{delays:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_takes_the_server_with_it_three_times_fails_and_the_server_stays() {
    if !cfg!(debug_assertions) {
        return;
    }
    let mut scene = Scene::new();
    let thrice = scene.server().env("AGENT_MAX_RECOVERIES", "3");
    let (server, caller) = begin(&mut scene).await;
    let tasks = json!([command("true", "idempotent", &[])]);
    let plan = caller.create_plan(json!({"goal": "crash", "tasks": tasks})).await;
    let other = caller.create_plan(json!({"goal": "live", "tasks": tasks})).await;
    server.kill();
    for crash in 0..3 {
        scene.next_life();
        let starting = thrice.clone().env("AGENT_FAILPOINT", JOB_BEFORE_EFFECT).spawn();
        match starting.ready() {
            Ok(server) if crash == 0 => {
                let there = caller.at(server.url());
                let request = there.request("POST", &format!("/plans/{plan}/execute")).json(&json!({}));
                // The server may be gone before it has answered.
                drop(there.try_send(request).await);
                server.wait();
            }
            Ok(server) => drop(server.wait()),
            Err(_) => {}
        }
    }
    scene.next_life();
    let server = thrice.start();
    let caller = server.demo().await;
    let done = until_over(&caller, plan).await;
    assert_eq!(done["plan"]["status"], "failed", "{done:#}");
    assert!(done["tasks"][0]["error"].as_str().unwrap().starts_with("crash_loop"), "{done:#}");
    caller.post(&format!("/plans/{other}/execute"), json!({})).await.expect(202);
    assert_eq!(until_over(&caller, other).await["plan"]["status"], "completed");
}

/// Processes of the machine whose command line holds a text, without those that have ended.
fn alive(text: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(text)).collect()
}

async fn nothing_is_left(marker: &str) {
    until("the end of the processes", async || {
        let left = alive(marker);
        if left.is_empty() { Ok(()) } else { Err(left.join("\n")) }
    })
    .await;
}

/// A command that is more than one process, none of which ends by itself.
fn stubborn(marker: &str) -> Value {
    command(&format!("{{ setsid sleep {marker} & sleep {marker}; }}"), "idempotent", &[])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_plan_stays_cancelled_after_a_crash_and_nothing_of_it_runs() {
    let mut scene = Scene::new();
    let marker = format!("9999.{}", std::process::id());
    let (server, caller) = begin(&mut scene).await;
    let tasks = json!([stubborn(&marker), command("true", "idempotent", &[1])]);
    let plan = caller.create_plan(json!({"goal": "cancel", "tasks": tasks, "auto_execute": true})).await;
    until_written(&scene.repository.join("effects.log"), "begin").await;
    until("both processes", async || {
        if alive(&format!("sleep {marker}")).len() >= 2 { Ok(()) } else { Err(String::new()) }
    })
    .await;
    caller.post(&format!("/plans/{plan}/cancel"), json!({})).await.expect(202);
    server.kill();
    nothing_is_left(&format!("sleep {marker}")).await;

    let (_server, caller) = begin(&mut scene).await;
    let done = until_over(&caller, plan).await;
    assert_eq!(done["plan"]["status"], "cancelled", "{done:#}");
    let id = done["tasks"][0]["id"].as_i64().unwrap();
    assert_eq!(scene.effects().begins_of_task(plan, id), 1, "a cancelled task ran again");
    nothing_is_left(&format!("sleep {marker}")).await;
}

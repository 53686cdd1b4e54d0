//! How soon all plans go again after a crash: forty plans of short steps, killed at a third.

use crate::history::History;
use crate::load::command;
use crate::scene::{Scene, begin, events, until, until_over};
use crate::settings::tell;
use agent_core::time::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

const PLANS: usize = 40;
const STEPS: u32 = 10;
/// What is wanted of a release build on an idle machine; told, and held only within reason here.
const WANTED: Duration = Duration::from_secs(1);

fn steps() -> Vec<Value> {
    (0..STEPS)
        .map(|n| command("sleep 0.05", "idempotent", if n == 0 { vec![] } else { vec![n] }.as_slice()))
        .collect()
}

fn time(text: &str) -> Timestamp {
    serde_json::from_value(json!(text)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_plans_that_were_killed_at_a_third_go_again_within_seconds() {
    let mut scene = Scene::new();
    let (server, caller) = begin(&mut scene).await;
    let mut plans = Vec::new();
    for number in 0..PLANS {
        let body = json!({"goal": format!("paced {number}"), "tasks": steps(), "auto_execute": true});
        plans.push(caller.create_plan(body).await);
    }
    until("a third of the steps", async || {
        let begun = scene.read("effects.log").matches(" end").count();
        if begun >= PLANS * STEPS as usize / 3 { Ok(()) } else { Err(begun.to_string()) }
    })
    .await;
    server.kill();

    let (server, caller) = begin(&mut scene).await;
    let (mut again, mut complaints, mut repeated) = (Vec::new(), Vec::new(), 0);
    let started = time(&scene.lives[1]);
    for &plan in &plans {
        let details = until_over(&caller, plan).await;
        let (effects, events) = (scene.effects(), events(&caller, plan).await);
        let mut later = events.iter().map(|event| event["timestamp"].as_str().unwrap());
        again.extend(later.find(|at| scene.life_at(at) == 2).map(|at| time(at).since(started)));
        for task in details["tasks"].as_array().unwrap() {
            repeated += effects.begins_of_task(plan, task["id"].as_i64().unwrap()) - 1;
        }
        complaints.extend(History { scene: &scene, effects: &effects, details, events }.complaints());
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    let (n, last) = (again.len(), again.into_iter().max().unwrap_or_default());
    tell(&format!(
        "all {n} unfinished plans of {PLANS} go again {} ms after the start (wanted: under {} ms); {repeated} of {} \
         steps ran again, all of them in flight",
        last.as_millis(),
        WANTED.as_millis(),
        PLANS * STEPS as usize
    ));
    assert!(n > PLANS / 2, "only {n} plans were unfinished: this run proves little");
    assert!(last < WANTED * 5, "{last:?}");
    drop(server);
}

//! D03, D05 and D06: several servers on one database, and requests that come while one recovers.

use crate::history::History;
use crate::load::{command, opaque};
use crate::scene::{Scene, begin, events, until, until_over};
use crate::settings::tell;
use agent_testkit::{Client, ServerProcess, Starting};
use serde_json::{Value, json};
use std::fs::File;
use std::time::Duration;

/// Long enough for a busy machine to renew in time, short enough for a test.
const LEASE: &str = "4s";
/// A little more.
const PAST_THE_LEASE: Duration = Duration::from_millis(4_100);
/// Plans that are left behind.
const LEFT: usize = 100;

/// Holds a command until it is let go.
pub(crate) const HELD: &str = "while [ ! -e release ]; do sleep 0.02; done";

async fn start(scene: &Scene) -> (ServerProcess, Client) {
    let server = scene.server().env("AGENT_LEASE", LEASE).start();
    let caller = server.demo().await;
    (server, caller)
}

/// Waits until so many runs of a task have begun.
pub(crate) async fn until_begun(scene: &Scene, plan: i64, task: i64, times: usize) {
    until("the begin of the command", async || {
        let begun = scene.effects().begins_of_task(plan, task);
        if begun == times { Ok(()) } else { Err(format!("{begun} times")) }
    })
    .await;
}

async fn until_logged(scene: &Scene, words: &str) {
    until(words, async || {
        let log = std::fs::read_to_string(scene.server().log()).unwrap_or_default();
        if log.contains(words) { Ok(()) } else { Err(log) }
    })
    .await;
}

async fn judge(scene: &Scene, caller: &Client, plan: i64) -> (Value, Vec<String>) {
    let details = until_over(caller, plan).await;
    let effects = scene.effects();
    let history =
        History { scene, effects: &effects, details: details.clone(), events: events(caller, plan).await };
    (details, history.complaints())
}

/// A held task of the first server, which is then stopped in its tracks; answers plan and task.
async fn caught(scene: &Scene, server: &ServerProcess, caller: &Client, held: Value) -> (i64, i64) {
    let tasks = json!([held, command("true", "idempotent", &[1])]);
    let plan = caller.create_plan(json!({"goal": "zombie", "tasks": tasks, "auto_execute": true})).await;
    let details = caller.get(&format!("/plans/{plan}")).await.expect(200).json;
    let task = details["tasks"][0]["id"].as_i64().unwrap();
    until_begun(scene, plan, task, 1).await;
    server.pause();
    (plan, task)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_slept_past_its_lease_writes_nothing_when_it_wakes() {
    let mut scene = Scene::new();
    scene.next_life();
    let (sleeper, of_sleeper) = start(&scene).await;
    scene.next_life();
    let (_heir, of_heir) = start(&scene).await;
    let (plan, task) = caught(&scene, &sleeper, &of_sleeper, command(HELD, "idempotent", &[])).await;
    until_begun(&scene, plan, task, 2).await;
    scene.write("release", "");
    let (done, complaints) = judge(&scene, &of_heir, plan).await;
    assert_eq!(done["plan"]["status"], "completed", "{done:#}");
    assert_eq!(complaints, Vec::<String>::new());

    sleeper.go_on();
    until_logged(&scene, "lease was lost").await;
    let (after, complaints) = judge(&scene, &of_sleeper, plan).await;
    assert_eq!(after, done, "the sleeper changed what was recorded");
    assert_eq!(complaints, Vec::<String>::new());
    let second = done["tasks"][1]["id"].as_i64().unwrap();
    assert_eq!(scene.effects().begins_of_task(plan, second), 1, "the second task ran again");
    assert_eq!(scene.effects().begins_of_task(plan, task), 2, "once for each who held the lease");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_comes_after_the_lease_is_not_recorded() {
    let mut scene = Scene::new();
    scene.next_life();
    let (sleeper, of_sleeper) = start(&scene).await;
    let (_heir, of_heir) = start(&scene).await;
    let (plan, task) = caught(&scene, &sleeper, &of_sleeper, opaque(HELD, "fail", &[])).await;
    // The command ends well, and the one who would record it sleeps.
    scene.write("release", "");
    let (done, complaints) = judge(&scene, &of_heir, plan).await;
    assert_eq!(done["plan"]["status"], "failed", "{done:#}");
    assert_eq!(complaints, Vec::<String>::new());

    sleeper.go_on();
    until_logged(&scene, "lease was lost").await;
    let (after, complaints) = judge(&scene, &of_sleeper, plan).await;
    assert_eq!(after, done, "the sleeper changed what was recorded");
    assert_eq!(complaints, Vec::<String>::new());
    assert_eq!(scene.effects().begins_of_task(plan, task), 1, "an opaque command ran again");
}

/// A server that is killed with a hundred plans on its hands, some of them in flight.
async fn leave_behind(scene: &mut Scene) -> Vec<i64> {
    scene.next_life();
    let (server, caller) = start(scene).await;
    let mut plans = Vec::new();
    for number in 0..LEFT {
        let tasks = json!([command(HELD, "idempotent", &[]), opaque("true", "retry", &[1])]);
        let plan = json!({"goal": format!("left {number}"), "tasks": tasks, "auto_execute": true});
        plans.push(caller.create_plan(plan).await);
    }
    server.kill();
    scene.write("release", "");
    plans
}

async fn judge_all(scene: &Scene, caller: &Client, plans: &[i64]) {
    let mut all = Vec::new();
    for &plan in plans {
        let (done, complaints) = judge(scene, caller, plan).await;
        assert_eq!(done["plan"]["status"], "completed", "{done:#}");
        all.extend(complaints);
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

/// Two servers that begin in the same moment with what was left, after its leases ran out.
async fn recover_together(scene: &mut Scene) -> usize {
    let plans = leave_behind(scene).await;
    // Nobody's lease is good any more, so each may take every plan.
    tokio::time::sleep(PAST_THE_LEASE).await;
    scene.next_life();
    let command = scene.server().env("AGENT_LEASE", LEASE);
    let (one, other) = (command.spawn(), command.spawn());
    let ready = |starting: Starting| starting.ready().map_err(|ended| ended.words()).unwrap();
    let (one, _other) = (ready(one), ready(other));
    let caller = one.demo().await;
    judge_all(scene, &caller, &plans).await;
    let log = std::fs::read_to_string(scene.server().log()).unwrap();
    log.matches("plan taken over").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_and_a_visitor_that_start_at_once_do_each_step_once() {
    let mut scene = Scene::new();
    let taken = recover_together(&mut scene).await;
    tell(&format!("{taken} of {LEFT} plans were claimed, the others went on under the name they had"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_visitors_that_start_at_once_share_what_was_left_and_do_each_step_once() {
    let mut scene = Scene::new();
    // While this is held neither is at home, and both take plans one by one.
    let home = File::create(scene.data.join("agent.db.lock")).unwrap();
    home.lock().unwrap();
    let taken = recover_together(&mut scene).await;
    tell(&format!("{taken} of {LEFT} plans were claimed by two who looked for them at once"));
    assert!(taken > LEFT / 2, "{taken}");
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_that_come_while_a_server_recovers_run_once() {
    let mut scene = Scene::new();
    let mut plans = leave_behind(&mut scene).await;
    let (_server, caller) = begin(&mut scene).await;
    let mut fresh = Vec::new();
    for number in 0..20 {
        let tasks = json!([command("true", "opaque", &[])]);
        let plan = json!({"goal": format!("fresh {number}"), "tasks": tasks, "auto_execute": true});
        fresh.push(caller.create_plan(plan).await);
    }
    plans.extend(&fresh);
    judge_all(&scene, &caller, &plans).await;
    for plan in fresh {
        let details = caller.get(&format!("/plans/{plan}")).await.expect(200).json;
        let task = details["tasks"][0]["id"].as_i64().unwrap();
        assert_eq!(scene.effects().begins_of_task(plan, task), 1);
        assert_eq!(details["tasks"][0]["attempts"], 1);
    }
}

//! Plans of several tasks each: every effect class, dependencies, patches, limits on what runs at once.

use crate::effects::logged;
use agent_testkit::Client;
use serde_json::{Value, json};

/// A command task that logs what it does.
pub(crate) fn command(work: &str, effect: &str, depends_on: &[u32]) -> Value {
    json!({
        "description": format!("{effect} command"), "kind": "command", "command": logged(work),
        "effect": effect, "depends_on": depends_on
    })
}

/// An opaque command, and what becomes of it when a crash caught it in flight.
pub(crate) fn opaque(work: &str, on_unknown: &str, depends_on: &[u32]) -> Value {
    let mut task = command(work, "opaque", depends_on);
    task["on_unknown"] = json!(on_unknown);
    task["retry"] = json!({"max_attempts": 1, "backoff_ms": 1});
    task
}

/// A patch task.
pub(crate) fn patch(lines: &[String], depends_on: &[u32]) -> Value {
    let patch = format!("*** Begin Patch\n{}\n*** End Patch\n", lines.join("\n"));
    json!({"description": "patch", "kind": "patch", "patch": patch, "depends_on": depends_on})
}

/// The file that the patches of a plan make.
pub(crate) fn patched_file(index: usize) -> String {
    format!("made-{index}.txt")
}

/// What stands in it once both were applied, each once.
pub(crate) const PATCHED: &str = "one\ntwo\n";

/// The two patches of a plan: one makes a file, the other adds to it.
pub(crate) fn patches(index: usize, first_position: u32) -> [Value; 2] {
    let file = patched_file(index);
    let add = [format!("*** Add File: {file}"), "+one".to_owned()];
    let update = [format!("*** Update File: {file}"), "@@".to_owned(), " one".to_owned(), "+two".to_owned()];
    [patch(&add, &[]), patch(&update, &[first_position])]
}

/// The n-th plan; the same request each time it is asked for.
pub(crate) fn mixed_plan(index: usize) -> Value {
    let on_unknown = ["fail", "retry", "ask"][index % 3];
    let [add, update] = patches(index, 4);
    let tasks = json!([
        command("sleep 0.01", "idempotent", &[]),
        command("sleep 0.02", "pure", &[]),
        opaque("sleep 0.02", on_unknown, &[1]),
        add,
        update,
        command("true", "idempotent", &[2, 3, 5]),
    ]);
    let on_failure = ["stop", "continue"][index % 2];
    let mut policy = json!({"on_failure": on_failure});
    if index % 4 != 3 {
        policy["max_parallel"] = json!(index % 4 + 1);
    }
    json!({"goal": format!("mixed {index}"), "tasks": tasks, "policy": policy, "auto_execute": true})
}

/// Answers every open question with yes.
///
/// # Errors
/// When the server is gone.
pub(crate) async fn approve_all(caller: &Client) -> Result<usize, String> {
    let asked = caller.try_send(caller.request("GET", "/approvals")).await.map_err(|e| e.to_string())?;
    let asked = asked.expect(200).json["approvals"].as_array().unwrap().clone();
    for question in &asked {
        let path = format!("/approvals/{}", question["id"]);
        let request = caller.request("POST", &path).json(&json!({"decision": "approve"}));
        let answer = caller.try_send(request).await.map_err(|e| e.to_string())?;
        assert!([200, 409].contains(&answer.status), "{}", answer.text);
    }
    Ok(asked.len())
}

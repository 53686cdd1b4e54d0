//! Edits of plans, the versions they leave behind, and running a task again with all that follows.

use agent_testkit::{Answer, Client, TestServer};
use serde_json::{Value, json};
use std::time::Duration;

async fn edit(client: &Client, plan: i64, seen: &str, body: Value) -> Answer {
    let request = client.request("PATCH", &format!("/plans/{plan}")).header("If-Match", seen);
    client.send(request.json(&body)).await
}

async fn run(client: &Client, plan: i64) -> Value {
    client.post_nothing(&format!("/plans/{plan}/execute")).await.expect(202);
    client.wait_for_plan(plan, &["completed", "failed"]).await
}

fn column<'a>(list: &'a Value, field: &str) -> Vec<&'a Value> {
    list.as_array().unwrap().iter().map(|entry| &entry[field]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_stays_the_same_stays_done_and_the_rest_is_done_again() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let plan = demo.create_shell_plan("Chain", &["echo a >> log", "echo b >> log", "echo c >> log"]).await;
    let done = run(&demo, plan).await;
    let second = done["tasks"][1]["id"].clone();
    let change = json!({"op": "update", "task_id": second, "task": {"command": "echo B >> log"}});
    let edited = edit(&demo, plan, "\"1\"", json!({"operations": [change]})).await.expect(200).json;
    assert_eq!((&edited["version"], &edited["plan"]["version"]), (&json!(2), &json!(2)));
    assert_eq!(edited["plan"]["status"], "created");
    assert_eq!(column(&edited["changes"], "work"), ["kept", "invalidated", "invalidated"]);
    assert_eq!(column(&edited["changes"], "definition"), ["unchanged", "changed", "unchanged"]);
    assert_eq!(edited["changes"][1]["task_id"], second);
    assert_eq!(run(&demo, plan).await["plan"]["status"], "completed");
    // The third task came to the same inputs again, so that its result stands without being run.
    assert_eq!(server.repository().read("log"), "a\nb\nc\nB\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn inputs_that_come_out_otherwise_make_the_work_be_done_again() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let plan = demo.create_shell_plan("Chain", &["echo a", "echo b >> log"]).await;
    let done = run(&demo, plan).await;
    let change = json!({"op": "update", "task_id": done["tasks"][0]["id"], "task": {"command": "echo A"}});
    edit(&demo, plan, "1", json!({"operations": [change]})).await.expect(200);
    assert_eq!(run(&demo, plan).await["plan"]["status"], "completed");
    assert_eq!(server.repository().read("log"), "b\nb\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_plan_is_edited_and_what_no_longer_counts_is_stopped() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let lines = ["sleep 613", "true", "true"];
    let plan = demo.create_shell_plan("Long", &lines).await;
    let tasks = demo.get(&format!("/plans/{plan}/tasks")).await.json["tasks"].clone();
    let mut socket = demo.connect("watching").await;
    socket.subscribe(&format!("plan_{plan}"), Some(0)).await;
    demo.post_nothing(&format!("/plans/{plan}/execute")).await.expect(202);
    while socket.next_event().await["event"] != "task_started" {}
    until(|| is_anybody_running("sleep\u{0}613"), "the command runs").await;
    let operations = json!([
        {"op": "update", "task_id": tasks[0]["id"], "task": {"command": "echo quick"}},
        {"op": "remove", "task_id": tasks[1]["id"]},
        {"op": "add", "task": {"description": "Last", "kind": "command", "command": "echo last", "depends_on": [3]}}
    ]);
    let edited = edit(&demo, plan, "*", json!({"operations": operations})).await.expect(200).json;
    assert_eq!(column(&edited["changes"], "definition"), ["changed", "removed", "unchanged", "added"]);
    assert_eq!(edited["changes"][0]["work"], "cancelled");
    assert_eq!(column(&edited["tasks"], "position"), [1, 2, 3]);
    assert_eq!(edited["changes"][3]["task_id"], edited["tasks"][2]["id"]);
    assert_eq!(edited["tasks"][1]["depends_on"], json!([]), "{edited:#}");
    assert_eq!(edited["tasks"][2]["depends_on"], json!([2]));
    let told = loop {
        let event = socket.next_event().await;
        if event["event"] == "plan_edited" {
            break event;
        }
    };
    assert_eq!((&told["version"], &told["by"]), (&json!(2), &json!("demo")));
    let done = demo.wait_for_plan(plan, &["completed", "failed"]).await;
    assert_eq!(done["plan"]["status"], "completed", "{done:#}");
    assert_eq!(done["tasks"][0]["result"]["stdout"], "quick\n");
    let attempts =
        demo.get(&format!("/plans/{plan}/tasks/{}/executions", tasks[0]["id"])).await.expect(200).json;
    assert_eq!(column(&attempts["executions"], "status"), ["cancelled", "completed"]);
    until(|| !is_anybody_running("sleep\u{0}613"), "the stopped command is gone").await;
}

/// Waits for something that nobody tells of.
async fn until(is_so: impl Fn() -> bool, what: &str) {
    let turned_out = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(15), turned_out).await.is_ok(), "{what}");
}

/// Whether a process with that command line descends from this one.
fn is_anybody_running(command: &str) -> bool {
    let own = std::process::id().to_string();
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    processes.filter(|process| descends_from(&process.path(), &own)).any(|process| {
        std::fs::read_to_string(process.path().join("cmdline")).is_ok_and(|line| line.contains(command))
    })
}

fn descends_from(process: &std::path::Path, ancestor: &str) -> bool {
    let mut at = process.to_path_buf();
    for _ in 0..64 {
        let Ok(status) = std::fs::read_to_string(at.join("status")) else { return false };
        let Some(parent) = status.lines().find_map(|line| line.strip_prefix("PPid:")) else { return false };
        if parent.trim() == ancestor {
            return true;
        }
        at = std::path::Path::new("/proc").join(parent.trim());
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_says_what_its_author_has_seen() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let plan = demo.create_shell_plan("Still", &["true"]).await;
    let body = json!({"goal": "Another goal"});
    demo.patch(&format!("/plans/{plan}"), body.clone()).await.expect_problem(428, "version_required");
    for malformed in ["x", "\"1", "W/\"1\"", "0", "\"1\", \"2\""] {
        edit(&demo, plan, malformed, body.clone()).await.expect_problem(400, "malformed_request");
    }
    edit(&demo, plan, "\"2\"", body.clone()).await.expect_problem(412, "version_mismatch");
    assert_eq!(demo.get(&format!("/plans/{plan}")).await.json["plan"]["goal"], "Still");
    let edited = edit(&demo, plan, "\"1\"", body.clone()).await.expect(200).json;
    assert_eq!((&edited["version"], &edited["plan"]["goal"]), (&json!(2), &json!("Another goal")));
    edit(&demo, plan, "1", body.clone()).await.expect_problem(412, "version_mismatch");
    let same = edit(&demo, plan, "2", body).await.expect(200).json;
    assert_eq!((&same["version"], &same["changes"]), (&json!(2), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_of_whatever_is_there_all_arrive() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let plan = demo.create_shell_plan("Busy", &["true"]).await;
    let add = |number: usize| {
        let task = json!({"description": format!("Task {number}"), "kind": "scan"});
        edit(&demo, plan, "*", json!({"operations": [{"op": "add", "task": task}]}))
    };
    for answer in futures_util::future::join_all((0..4).map(add)).await {
        answer.expect(200);
    }
    let now = demo.get(&format!("/plans/{plan}")).await.json;
    assert_eq!((&now["plan"]["version"], &now["statistics"]["total_tasks"]), (&json!(5), &json!(5)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_makes_no_sense_is_refused_at_the_place_of_the_fault() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let plan = demo.create_shell_plan("Still", &["true", "true"]).await;
    let before = demo.get(&format!("/plans/{plan}")).await.json;
    let id = before["tasks"][0]["id"].clone();
    let update = |task: Value| json!({"operations": [{"op": "update", "task_id": id, "task": task}]});
    let add = |task: Value| json!({"operations": [{"op": "add", "task": task}]});
    let table = [
        (json!({"gaol": "x"}), "invalid_request", "/gaol"),
        (json!({"goal": " "}), "invalid_plan", "/goal"),
        (json!({"policy": {"max_parallel": 0}}), "invalid_plan", "/policy/max_parallel"),
        (json!({"operations": [{"op": "dance"}]}), "invalid_request", "/operations/0/op"),
        (json!({"operations": [{"op": "remove", "task_id": 999}]}), "invalid_plan", "/operations/0/task_id"),
        (json!({"operations": [{"op": "remove"}]}), "invalid_plan", "/operations/0/task_id"),
        (add(json!({"kind": "scan"})), "invalid_plan", "/operations/0/task/description"),
        (add(json!({"description": "a", "kind": "command"})), "invalid_plan", "/operations/0/task/command"),
        (
            add(json!({"description": "a", "kind": "tool", "tool": "dance"})),
            "invalid_plan",
            "/operations/0/task/tool",
        ),
        (
            add(json!({"description": "a", "kind": "scan", "depends_on": [9]})),
            "invalid_plan",
            "/operations/0/task/depends_on",
        ),
        (update(json!({"depends_on": [2]})), "invalid_plan", "/operations/0/task/depends_on"),
        (update(json!({"patch": "x"})), "invalid_plan", "/operations/0/task/patch"),
        (update(json!({"command": []})), "invalid_plan", "/operations/0/task/command"),
        (update(json!({"command": 7})), "invalid_request", "/operations/0/task/command"),
        (update(json!({"description": null})), "invalid_request", "/operations/0/task/description"),
        (update(json!({"timeout_ms": 0})), "invalid_plan", "/operations/0/task/timeout_ms"),
        (update(json!({"retry": {"tries": 1}})), "invalid_request", "/operations/0/task/retry/tries"),
    ];
    for (body, code, pointer) in table {
        let refused = edit(&demo, plan, "1", body.clone()).await.expect_problem(422, code);
        assert!(refused.pointers().contains(&pointer), "{body}: {}", refused.text);
    }
    let all = json!({"operations": [
        {"op": "remove", "task_id": before["tasks"][0]["id"]}, {"op": "remove", "task_id": before["tasks"][1]["id"]}
    ]});
    edit(&demo, plan, "1", all).await.expect_problem(422, "invalid_plan");
    assert_eq!(demo.get(&format!("/plans/{plan}")).await.json, before, "nothing changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_is_taken_away_by_null_and_stays_when_absent() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let task = json!({"description": "a", "kind": "command", "command": ["true"], "timeout_ms": 9000,
        "on_unknown": "fail", "working_directory": "."});
    let plan = demo.create_plan(json!({"goal": "g", "tasks": [task]})).await;
    let id = demo.get(&format!("/plans/{plan}/tasks")).await.json["tasks"][0]["id"].clone();
    let fields = json!({"timeout_ms": null, "working_directory": null, "priority": "high"});
    let body = json!({"operations": [{"op": "update", "task_id": id, "task": fields}]});
    let edited = edit(&demo, plan, "1", body).await.expect(200).json["tasks"][0].clone();
    assert!(edited["timeout_ms"].is_null() && edited["working_directory"].is_null(), "{edited:#}");
    assert_eq!((&edited["on_unknown"], &edited["command"]), (&json!("fail"), &json!(["true"])));
    assert_eq!(edited["priority"], "high");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_version_of_a_plan_is_kept() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let plan = demo.create_shell_plan("First", &["true"]).await;
    let versions = format!("/plans/{plan}/versions");
    let only = demo.get(&versions).await.expect(200).json;
    assert_eq!((&only["total"], &only["versions"][0]["version"]), (&json!(1), &json!(1)));
    let scan = json!({"description": "Look", "kind": "scan", "depends_on": [1]});
    let body = json!({"goal": "Second", "operations": [{"op": "add", "task": scan}]});
    let edited = edit(&demo, plan, "1", body).await.expect(200).json;
    let listed = demo.get(&versions).await.expect(200).json;
    let second = &listed["versions"][1];
    assert_eq!((&listed["total"], &second["by"]), (&json!(2), &json!("demo")));
    assert_eq!((&second["summary"]["added"], &second["summary"]["tasks"]), (&json!(1), &json!(2)));
    assert_eq!(second["changes"], edited["changes"]);
    let first = demo.get(&format!("{versions}/1")).await.expect(200).json;
    assert_eq!((&first["goal"], &first["by"]), (&json!("First"), &Value::Null));
    assert_eq!(first["created_at"], edited["plan"]["created_at"]);
    assert_eq!(column(&first["tasks"], "kind"), ["command"]);
    let removal = json!({"operations": [{"op": "remove", "task_id": edited["tasks"][1]["id"]}]});
    edit(&demo, plan, "2", removal).await.expect(200);
    let second = demo.get(&format!("{versions}/2")).await.expect(200).json;
    assert_eq!(column(&second["tasks"], "task_id"), column(&edited["tasks"], "id"));
    assert_eq!(second["tasks"][1]["depends_on"], json!([1]));
    demo.get(&format!("{versions}/9")).await.expect_problem(404, "version_not_found");
    demo.get("/plans/999/versions").await.expect_problem(404, "plan_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_runs_again_with_all_that_follows_from_it() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let plan = demo.create_shell_plan("Chain", &["echo a >> log", "echo b >> log", "echo c >> log"]).await;
    let done = run(&demo, plan).await;
    let retry = format!("/plans/{plan}/retry");
    let second = done["tasks"][1]["id"].clone();
    demo.post(&retry, json!({"task_id": second})).await.expect_problem(409, "illegal_move");
    demo.post(&retry, json!({"task_id": second, "following": "yes"})).await.expect(422);
    demo.post(&retry, json!({"task_id": second, "following": true})).await.expect(202);
    demo.wait_for_plan(plan, &["completed", "failed"]).await;
    assert_eq!(server.repository().read("log"), "a\nb\nc\nb\nc\n");
}

//! Plans from their creation to their end.

use agent_testkit::{RepositoryBuilder, TestServer};
use serde_json::{Value, json};

const PATCH: &str = "*** Begin Patch\n*** Update File: answer.txt\n@@\n-wrong\n+right\n*** End Patch\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_created_executed_and_answers_for_everything_it_did() {
    let repository = RepositoryBuilder::empty().file("answer.txt", "wrong\n");
    let server = TestServer::builder().repository(repository).start().await;
    let demo = server.demo().await;
    let plan = json!({"goal": "Set it right", "tasks": [
        {"description": "Look around", "kind": "scan"},
        {"description": "Correct the answer", "kind": "patch", "patch": PATCH, "depends_on": [1], "priority": "high"},
        {"description": "Check it", "kind": "command", "command": ["grep", "right", "answer.txt"], "depends_on": [2]}
    ]});
    let created = demo.post("/plans", plan).await.expect(201);
    assert_eq!(created.json, json!({"plan_id": 1, "goal": "Set it right", "tasks": 3, "status": "created"}));
    assert_eq!(created.header("location"), "/plans/1");

    let accepted = demo.post_nothing("/plans/1/execute").await.expect(202).json;
    assert_eq!(accepted["success"], true);
    assert!(accepted["execution_id"].is_i64() && accepted["result"].is_string());
    let done = demo.wait_for_plan(1, &["completed", "failed"]).await;
    assert_eq!(done["plan"]["status"], "completed", "{done:#}");
    let figures = &done["statistics"];
    assert_eq!((&figures["total_tasks"], &figures["completed_tasks"]), (&json!(3), &json!(3)));
    assert_eq!((&figures["total_executions"], &figures["progress"]), (&json!(3), &json!(100.0)));

    let tasks = demo.get("/plans/1/tasks").await.expect(200).json;
    let check = &tasks["tasks"][2];
    assert_eq!((&check["position"], &check["kind"]), (&json!(3), &json!("command")));
    assert_eq!((&check["completed"], &check["result"]["exit_code"]), (&json!(true), &json!(0)));
    assert_eq!(check["depends_on_ids"], json!([tasks["tasks"][1]["id"]]));
    assert_eq!(server.repository().read("answer.txt"), "right\n");

    let diff = demo.get("/plans/1/diff").await.expect(200).json;
    assert!(diff["diff"].as_str().unwrap().contains("-wrong\n+right"), "{diff}");
    let path = format!("/plans/1/tasks/{}/executions", tasks["tasks"][1]["id"]);
    let executions = demo.get(&path).await.expect(200).json;
    let attempt = &executions["executions"][0];
    assert_eq!((&attempt["attempt"], &attempt["status"]), (&json!(1), &json!("completed")));
    let step = &attempt["steps"][0];
    assert_eq!(
        (&step["kind"], &step["name"], &step["status"]),
        (&json!("tool"), &json!("apply_patch"), &json!("ok"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_of_a_finished_plan_reach_the_analytics() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let plan = demo.create_shell_plan("Two of them", &["true", "false"]).await;
    let empty = demo.get(&format!("/analytics/plans/{plan}")).await.expect(200).json;
    assert_eq!(empty["execution_count"], 0);
    demo.post_nothing(&format!("/plans/{plan}/execute")).await.expect(202);
    let done = demo.wait_for_plan(plan, &["completed", "failed"]).await;
    assert_eq!(done["plan"]["status"], "failed");
    let of_plan = demo.get(&format!("/analytics/plans/{plan}")).await.expect(200).json;
    assert_eq!((&of_plan["execution_count"], &of_plan["failure_count"]), (&json!(2), &json!(1)));

    let admin = server.admin().await;
    let all = admin.get("/analytics").await.expect(200).json;
    assert_eq!((&all["total_executions"], &all["tasks_analyzed"]), (&json!(2), &json!(2)));
    assert_eq!(all["average_success_rate"], 50.0);
    assert!(all["performance_report"].is_object());
    let of_task = admin.get(&format!("/analytics/tasks/{}", done["tasks"][0]["id"])).await.expect(200).json;
    assert_eq!((&of_task["success_count"], &of_task["success_rate"]), (&json!(1), &json!(100.0)));
    for field in ["avg_duration", "min_duration", "max_duration", "std_dev", "p50", "p95", "p99"] {
        assert!(of_task[field].is_f64(), "{field}: {of_task}");
    }
    let lately = admin.get("/analytics/performance").await.expect(200).json;
    assert_eq!(lately["trending_tasks"].as_array().unwrap().len(), 2);
    assert!(lately["hourly_summary"].is_array() && lately["daily_summary"].is_array());
    admin.get("/analytics/tasks/999").await.expect_problem(404, "no_executions");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_goal_alone_is_planned_by_the_language_model() {
    let answer = json!({"tasks": [{"description": "Look around", "kind": "scan", "depends_on": []}]});
    let server = TestServer::builder().script(json!([{"json": answer}])).start().await;
    let demo = server.demo().await;
    let created = demo.post("/plans", json!({"goal": "Find out what this is"})).await.expect(201).json;
    assert_eq!(created["status"], "planning");
    let planned = demo.wait_for_plan(1, &["created", "failed"]).await;
    assert_eq!(planned["tasks"][0]["kind"], "scan", "{planned:#}");
    let said = demo.get("/conversation?plan_id=1").await.expect(200).json;
    assert_eq!(said["messages"][0]["content"], "Find out what this is");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_of_the_server_is_called_once() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let input = json!({"path": "README.md"});
    let task = json!({"description": "Read it", "kind": "tool", "tool": "read_file", "input": input});
    let plan = demo.create_plan(json!({"goal": "g", "tasks": [task], "auto_execute": true})).await;
    let done = demo.wait_for_plan(plan, &["completed", "failed"]).await;
    assert_eq!(done["plan"]["status"], "completed", "{done:#}");
    let task = &done["tasks"][0];
    assert_eq!((&task["kind"], &task["tool"], &task["input"]), (&json!("tool"), &json!("read_file"), &input));
    assert!(task["result"].to_string().contains("# Example"), "{task:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_goal_alone_needs_a_language_model() {
    let server = TestServer::start().await;
    let refused = server.demo().await.post("/plans", json!({"goal": "Do something"})).await;
    refused.expect_problem(422, "no_language_model");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_finds_the_same_plan_and_another_body_under_it_is_refused() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let keyed = demo.with_header("Idempotency-Key", "order-7");
    let plan = json!({"goal": "Once", "tasks": [{"description": "a", "kind": "scan"}]});
    let first = keyed.post("/plans", plan.clone()).await.expect(201).json;
    let again = keyed.post("/plans", plan.clone()).await.expect(201).json;
    assert_eq!(first, again);
    let reordered = r#"{ "tasks": [{"kind": "scan", "description": "a"}], "goal": "Once" }"#;
    let request = keyed.request("POST", "/plans").header("Content-Type", "application/json").body(reordered);
    assert_eq!(keyed.send(request).await.expect(201).json, first);
    let other = json!({"goal": "Twice", "tasks": [{"description": "a", "kind": "scan"}]});
    keyed.post("/plans", other).await.expect_problem(409, "idempotency_mismatch");
    let admin = server.admin().await.with_header("Idempotency-Key", "order-7");
    assert_ne!(admin.post("/plans", plan).await.expect(201).json["plan_id"], first["plan_id"]);
    assert_eq!(demo.get("/plans").await.json["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_requests_under_one_key_make_one_plan() {
    let server = TestServer::start().await;
    let demo = server.demo().await.with_header("Idempotency-Key", "race");
    let plan = json!({"goal": "Once", "tasks": [{"description": "a", "kind": "scan"}]});
    let requests = (0..8).map(|_| demo.post("/plans", plan.clone()));
    let answers = futures_util::future::join_all(requests).await;
    let ids: Vec<Value> =
        answers.into_iter().map(|answer| answer.expect(201).json["plan_id"].clone()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_pages_newest_first() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    for number in 1..=5 {
        demo.create_shell_plan(&format!("Plan {number}"), &["true"]).await;
    }
    let first = demo.get("/plans?limit=2").await.expect(200).json;
    assert_eq!((&first["total"], &first["plans"][0]["goal"]), (&json!(5), &json!("Plan 5")));
    let mut seen = 2;
    let mut cursor = first["next_cursor"].clone();
    while let Some(next) = cursor.as_str() {
        let page = demo.get(&format!("/plans?limit=2&cursor={next}")).await.expect(200).json;
        seen += page["plans"].as_array().unwrap().len();
        cursor = page["next_cursor"].clone();
    }
    assert_eq!(seen, 5);
    let found = demo.get("/plans?q=plan%203&status=created").await.expect(200).json;
    assert_eq!(found["total"], 1, "{found}");
    assert_eq!(demo.get("/plans?status=failed").await.json["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_somebody_else_does_not_exist() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let plan = admin.create_shell_plan("Private", &["true"]).await;
    let demo = server.demo().await;
    for path in ["", "/tasks", "/events", "/events/stream", "/diff", "/versions", "/versions/1"] {
        demo.get(&format!("/plans/{plan}{path}")).await.expect_problem(404, "plan_not_found");
    }
    for action in ["execute", "pause", "resume", "cancel", "retry"] {
        let refused = demo.post_nothing(&format!("/plans/{plan}/{action}")).await;
        refused.expect_problem(404, "plan_not_found");
    }
    demo.get(&format!("/analytics/plans/{plan}")).await.expect_problem(404, "plan_not_found");
    let talk = json!({"role": "user", "content": "hi", "plan_id": plan});
    demo.post("/conversation", talk).await.expect_problem(404, "plan_not_found");
    assert_eq!(demo.get("/plans").await.json["total"], 0);
    let theirs = demo.create_shell_plan("Mine", &["true"]).await;
    admin.get(&format!("/plans/{theirs}")).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_the_state_does_not_allow_names_the_state() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let plan = demo.create_shell_plan("Short", &["true"]).await;
    let refused =
        demo.post_nothing(&format!("/plans/{plan}/pause")).await.expect_problem(409, "illegal_move");
    assert_eq!(refused.json["current_state"], "created");
    demo.post_nothing(&format!("/plans/{plan}/execute")).await.expect(202);
    demo.wait_for_plan(plan, &["completed"]).await;
    let refused =
        demo.post_nothing(&format!("/plans/{plan}/cancel")).await.expect_problem(409, "illegal_move");
    assert_eq!(refused.json["current_state"], "completed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_cancelled_while_it_runs_and_nothing_of_it_goes_on() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let plan = demo.create_shell_plan("Long", &["sleep 600", "true"]).await;
    let mut socket = demo.connect("watching").await;
    socket.subscribe(&format!("plan_{plan}"), Some(0)).await;
    demo.post_nothing(&format!("/plans/{plan}/execute")).await.expect(202);
    while socket.next_event().await["event"] != "task_started" {}
    demo.post_nothing(&format!("/plans/{plan}/cancel")).await.expect(202);
    let ended = demo.wait_for_plan(plan, &["cancelled"]).await;
    let statuses: Vec<&str> =
        ended["tasks"].as_array().unwrap().iter().filter_map(|t| t["status"].as_str()).collect();
    assert!(statuses.iter().all(|status| ["cancelled", "skipped"].contains(status)), "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_plan_is_tried_again() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let plan =
        demo.create_shell_plan("Second time lucky", &["test -e lucky || { touch lucky; exit 1; }"]).await;
    demo.post_nothing(&format!("/plans/{plan}/execute")).await.expect(202);
    demo.wait_for_plan(plan, &["failed"]).await;
    demo.post_nothing(&format!("/plans/{plan}/retry")).await.expect(202);
    let done = demo.wait_for_plan(plan, &["completed"]).await;
    assert_eq!(done["tasks"][0]["attempts"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_task_is_executed_with_what_it_needs() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let plan = demo.create_shell_plan("Chain", &["true", "true", "true"]).await;
    let tasks = demo.get(&format!("/plans/{plan}/tasks")).await.json;
    let body = json!({"task_id": tasks["tasks"][1]["id"]});
    demo.post(&format!("/plans/{plan}/execute"), body).await.expect(202);
    let mut socket = demo.connect("watching").await;
    socket.subscribe(&format!("plan_{plan}"), Some(0)).await;
    let mut completed = 0;
    while completed < 2 {
        completed += i32::from(socket.next_event().await["event"] == "task_completed");
    }
    let unknown = demo.post(&format!("/plans/{plan}/execute"), json!({"task_id": 999})).await;
    unknown.expect_problem(404, "task_not_found");
    demo.get(&format!("/plans/{plan}/tasks/999/executions")).await.expect_problem(404, "task_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_is_described_wherever_its_path_is_given() {
    let repository =
        RepositoryBuilder::default().file("src/main.rs", "fn main() {}\n").file("inner/a.py", "x = 1\n");
    let server = TestServer::builder().repository(repository).start().await;
    let demo = server.demo().await;
    let whole = demo.post_nothing("/scan").await.expect(200).json;
    assert_eq!(whole["info"]["total_files"], 3, "{whole:#}");
    assert!(whole["repository"].is_string());
    let inner = demo.post("/scan", json!({"repo_path": "inner"})).await.expect(200).json;
    assert_eq!(inner["info"]["languages"][0]["name"], "Python");
    let outlined = demo.post("/scan", json!({"symbols": true})).await.expect(200).json;
    assert!(outlined["info"]["symbols"].is_array() && whole["info"].get("symbols").is_none());
    let by_query = demo.post_nothing("/scan?repo_path=inner").await.expect(200).json;
    assert_eq!(by_query["info"]["total_files"], 1);
    for outside in ["/etc", "..", "missing"] {
        let refused = demo.post("/scan", json!({"repo_path": outside})).await;
        refused.expect_problem(422, "repository_refused");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_administrator_may_ask_for_full_access() {
    let server = TestServer::start().await;
    let body = json!({
        "goal": "Leave the sandbox", "policy": {"sandbox": "full_access"},
        "tasks": [{"description": "look around", "kind": "command", "command": ["true"]}]
    });
    let refused = server.demo().await.post("/plans", body.clone()).await;
    assert_eq!(refused.expect_problem(422, "invalid_plan").pointers(), ["/policy/sandbox"]);
    server.admin().await.post("/plans", body).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_not_taken_for_the_fields_in_their_order() {
    let server = TestServer::start().await;
    let login = server.anonymous().post("/auth/login", json!(["demo", "demo123"])).await;
    login.expect_problem(422, "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_data_lies_in_the_repository_keeps_its_secret() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let patch = "*** Begin Patch\n*** Add File: agent.db.jwt-secret\n+known\n*** End Patch\n";
    let tasks = json!([{"description": "take over", "kind": "patch", "patch": patch}]);
    let body = json!({"goal": "Forge tokens", "tasks": tasks, "auto_execute": true});
    let plan = demo.post("/plans", body).await.expect(201).json["plan_id"].clone();
    let mut socket = demo.connect("watching").await;
    socket.subscribe(&format!("plan_{plan}"), Some(0)).await;
    let failed = loop {
        let event = socket.next_event().await;
        if event["event"] == "task_failed" {
            break event;
        }
    };
    assert!(failed["error"].as_str().unwrap_or_default().contains("belong to the server"), "{failed:#}");
}

//! The journey of a user of the first system: in by the front door, from a goal and from a template to finished work,
//! watched live, and then the administrator's view of it. Every answer has the status, fields and types of the contract.

mod figures;

use agent_testkit::{Client, RepositoryBuilder, TestServer};
use figures::Attempts;
use serde_json::{Value, json};

/// What the language model answers: a plan for the goal, then its part in each `agent` task.
fn script() -> Value {
    let tasks = json!([
        {"description": "Look around", "kind": "scan", "depends_on": []},
        {"description": "Run the tests", "kind": "command", "command": ["true"], "depends_on": [1]},
        {"description": "Say what was found", "kind": "agent", "depends_on": [2]}
    ]);
    json!([
        {"when": {"structured": true}, "json": {"tasks": tasks}},
        {"repeat": true, "when": {"structured": false}, "usage": {"input_tokens": 900, "output_tokens": 100},
         "tool_calls": [{"name": "finish", "arguments": {"summary": "All is well."}}]}
    ])
}

/// Checks fields and their types: `name:type`, with `?` where it may be null.
fn has(value: &Value, fields: &str) {
    for field in fields.split_whitespace() {
        let (name, kind) = field.split_once(':').unwrap();
        let found = value.get(name).unwrap_or_else(|| panic!("{name} is missing in {value:#}"));
        let (kind, optional) = kind.strip_suffix('?').map_or((kind, false), |kind| (kind, true));
        let fits = match kind {
            "text" => found.is_string(),
            "time" => found.as_str().is_some_and(is_time),
            "id" => found.as_i64().is_some_and(|id| id > 0),
            "count" => found.is_u64(),
            "number" => found.is_number(),
            "yes_or_no" => found.is_boolean(),
            "list" => found.is_array(),
            "object" => found.is_object(),
            other => panic!("{other} is no type"),
        };
        assert!(fits || (optional && found.is_null()), "{name} is no {kind}: {found}");
    }
}

/// RFC 3339 in UTC with milliseconds.
fn is_time(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000-00-00T00:00:00.000Z"
}

fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap_or_else(|| panic!("{name} is no list: {value}"))
}

async fn log_in(server: &TestServer, username: &str, password: &str) -> Client {
    let credentials = json!({"username": username, "password": password});
    let session = server.anonymous().post("/auth/login", credentials).await.expect(200).json;
    has(
        &session,
        "access_token:text token_type:text expires_in:count user_id:id username:text refresh_token:text",
    );
    assert_eq!((&session["token_type"], &session["expires_in"]), (&json!("bearer"), &json!(3600)));
    let client = server.anonymous().with_token(session["access_token"].as_str().unwrap());
    let valid = client.get("/auth/validate").await.expect(200).json;
    has(&valid, "valid:yes_or_no user_id:id username:text roles:list expires_at:time");
    assert_eq!((&valid["valid"], &valid["username"]), (&json!(true), &json!(username)));
    let key = client.post("/auth/token", json!({"name": "journey"})).await.expect(201).json;
    has(&key, "api_key:text key_id:id prefix:text created_at:time expires_at:time?");
    let by_key = server.anonymous().with_api_key(key["api_key"].as_str().unwrap());
    assert_eq!(by_key.get("/auth/validate").await.expect(200).json["username"], username);
    client
}

async fn look_at_the_server(server: &TestServer) {
    let nobody = server.anonymous();
    let root = nobody.get("/").await.expect(200).json;
    has(&root, "name:text version:text docs:text redoc:text openapi:text");
    let health = nobody.get("/health").await.expect(200).json;
    has(&health, "status:text version:text llm_provider:text uptime_ms:count");
    assert_eq!((&health["status"], &health["llm_provider"]), (&json!("healthy"), &json!("scripted")));
    nobody.get("/ready").await.expect(200);
    for page in ["docs", "redoc", "openapi"] {
        nobody.get(root[page].as_str().unwrap()).await.expect(200);
    }
    let document = nobody.get("/openapi.json").await.expect(200).json;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
}

async fn look_at_templates(demo: &Client) {
    let summary = "id:text name:text description:text difficulty:text tags:list task_count:count";
    let all = demo.get("/templates").await.expect(200).json;
    let all = all.as_array().unwrap();
    all.iter().for_each(|template| has(template, summary));
    let ids: Vec<&str> = all.iter().filter_map(|template| template["id"].as_str()).collect();
    for id in [
        "rest_api",
        "web_scraper",
        "machine_learning",
        "react_app",
        "ci_cd_pipeline",
        "mobile_app",
        "database_design",
        "documentation",
    ] {
        assert!(ids.contains(&id), "{id} is missing in {ids:?}");
        let whole = demo.get(&format!("/templates/{id}")).await.expect(200).json;
        has(&whole, summary);
        has(&whole, "tasks:list parameters:list");
        assert_eq!(whole["task_count"], items(&whole, "tasks").len());
        items(&whole, "tasks")
            .iter()
            .for_each(|task| has(task, "id:id description:text priority:text depends_on:list"));
    }
    let hard = demo.get("/templates?difficulty=hard").await.expect(200).json;
    assert!(hard.as_array().unwrap().iter().all(|template| template["difficulty"] == "hard"));
    let found = demo.get("/templates/search/web").await.expect(200).json;
    has(&found, "query:text results:list");
    assert_eq!((&found["query"], &found["results"][0]["id"]), (&json!("web"), &json!("web_scraper")));
    demo.get("/templates/nothing").await.expect_problem(404, "template_not_found");
}

/// Creates a plan and returns its id once it has its tasks.
async fn create(demo: &Client, body: Value) -> i64 {
    let created = demo.post("/plans", body).await.expect(201);
    has(&created.json, "plan_id:id goal:text tasks:count status:text");
    let plan = created.json["plan_id"].as_i64().unwrap();
    assert_eq!(created.header("location"), format!("/plans/{plan}"));
    demo.wait_for_plan(plan, &["created"]).await;
    let listed = demo.get("/plans?status=created").await.expect(200).json;
    has(&listed, "plans:list total:count next_cursor:text?");
    assert!(items(&listed, "plans").iter().any(|listed| listed["id"] == plan));
    plan
}

/// Executes a plan under the eyes of a WebSocket, and returns all that it saw.
async fn watch(demo: &Client, plan: i64) -> Vec<Value> {
    let mut socket = demo.connect("journey").await;
    socket.say(json!({"action": "subscribe", "topic": format!("plan_{plan}"), "after": 0})).await;
    let subscribed = socket.next_json().await;
    assert_eq!(
        (&subscribed["type"], &subscribed["topic"]),
        (&json!("subscribed"), &json!(format!("plan_{plan}")))
    );
    assert!(subscribed["seq"].is_u64());
    let accepted = demo.post(&format!("/plans/{plan}/execute"), json!({})).await.expect(202).json;
    has(&accepted, "success:yes_or_no result:text execution_id:id");
    let mut seen = Vec::new();
    loop {
        let event = socket.next_event().await;
        has(&event, "seq:id event:text plan_id:id timestamp:time topic:text");
        let is_end = event["event"] == "plan_updated" && event["status"] == "completed";
        seen.push(event);
        if is_end {
            break;
        }
    }
    let numbers: Vec<u64> = seen.iter().filter_map(|event| event["seq"].as_u64()).collect();
    assert_eq!(numbers, (1..=seen.len() as u64).collect::<Vec<_>>(), "dense, from the beginning");
    seen
}

/// Each task was told as started and then as completed, and the plan as updated at the end.
fn tells_the_story(events: &[Value], details: &Value) {
    for task in items(details, "tasks") {
        let place = |name: &str| {
            let told = |event: &Value| event["event"] == name && event["task_id"] == task["id"];
            events.iter().position(told).unwrap_or_else(|| panic!("{name} of {} was not told", task["id"]))
        };
        let (started, completed) = (place("task_started"), place("task_completed"));
        assert!(started < completed && completed < events.len() - 1);
        has(&events[started], "task_id:id description:text attempt:count");
        assert!(!events[completed]["result"].is_null());
    }
    has(events.last().unwrap(), "status:text summary:text?");
}

async fn look_at_the_plan(demo: &Client, plan: i64) -> Value {
    let details = demo.get(&format!("/plans/{plan}")).await.expect(200).json;
    has(&details, "plan:object tasks:list statistics:object");
    let figures = &details["statistics"];
    has(
        figures,
        "total_tasks:count completed_tasks:count failed_tasks:count total_executions:count \
        progress:number tokens:count cost:number?",
    );
    let n_tasks = items(&details, "tasks").len();
    assert_eq!((&figures["total_tasks"], &figures["completed_tasks"]), (&json!(n_tasks), &json!(n_tasks)));
    assert_eq!((&figures["failed_tasks"], figures["progress"].as_f64()), (&json!(0), Some(100.0)));
    for (position, task) in (1..).zip(items(&details, "tasks")) {
        has(
            task,
            "id:id plan_id:id position:id description:text kind:text priority:text depends_on:list \
            depends_on_ids:list status:text attempts:count completed:yes_or_no started_at:time finished_at:time",
        );
        assert_eq!((&task["position"], &task["completed"]), (&json!(position), &json!(true)));
    }
    let tasks = demo.get(&format!("/plans/{plan}/tasks")).await.expect(200).json;
    has(&tasks, "plan_id:id tasks:list");
    assert_eq!(tasks["tasks"], details["tasks"]);
    details
}

async fn talk_and_scan(server: &TestServer, demo: &Client, plan: i64) {
    let remark = json!({"role": "user", "content": "Thank you, that was splendid", "plan_id": plan});
    let saved = demo.post("/conversation", remark).await.expect(201).json;
    has(&saved, "status:text message_id:id");
    assert_eq!(saved["status"], "saved");
    let said = demo.get(&format!("/conversation?plan_id={plan}")).await.expect(200).json;
    has(&said, "messages:list total:count");
    items(&said, "messages")
        .iter()
        .for_each(|said| has(said, "id:id role:text content:text plan_id:id created_at:time"));
    assert!(items(&said, "messages").iter().any(|message| message["id"] == saved["message_id"]));
    let found = demo.get("/conversation?q=SPLENDID+than").await.expect(200).json;
    assert_eq!((&found["total"], &found["messages"][0]["id"]), (&json!(1), &saved["message_id"]));

    let path = server.repository().path().to_str().unwrap();
    for scan in [
        demo.post("/scan", json!({"repo_path": path})).await,
        demo.post_nothing(&format!("/scan?repo_path={path}")).await,
    ] {
        let scan = scan.expect(200).json;
        has(&scan, "repository:text info:object");
        has(
            &scan["info"],
            "total_files:count total_directories:count total_lines:count total_code_lines:count \
            total_bytes:count languages:list git:object? manifests:list skipped:list duration_ms:count",
        );
        let language = &scan["info"]["languages"][0];
        has(language, "name:text files:count lines:count code:count comments:count blanks:count");
        assert_eq!((&language["name"], &scan["info"]["git"]["dirty"]), (&json!("Rust"), &json!(false)));
    }
    let stats = demo.get("/stats").await.expect(200).json;
    has(
        &stats,
        "total_plans:count completed_plans:count active_sessions:count total_messages:count llm_provider:text",
    );
    assert_eq!((&stats["total_plans"], &stats["completed_plans"]), (&json!(2), &json!(2)));
    assert_eq!(stats["llm_provider"], "scripted");
}

async fn look_at_the_figures(admin: &Client, attempts: &Attempts) {
    for task in attempts.tasks() {
        let told = admin.get(&format!("/analytics/tasks/{task}")).await.expect(200).json;
        has(
            &told,
            "task_id:id execution_count:count success_count:count failure_count:count success_rate:number \
            avg_duration:number min_duration:number max_duration:number std_dev:number p50:number p95:number \
            p99:number total_results_length:count",
        );
        attempts.compare_task(task, &told);
    }
    let summary = admin.get("/analytics").await.expect(200).json;
    has(
        &summary,
        "total_executions:count average_success_rate:number tasks_analyzed:count performance_report:object",
    );
    attempts.compare_summary(&summary);
    let lately = admin.get("/analytics/performance").await.expect(200).json;
    has(&lately, "performance_report:object trending_tasks:list hourly_summary:list daily_summary:list");
    attempts.compare_performance(&lately);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_the_first_system_finds_everything_again() {
    let repository =
        RepositoryBuilder::default().file("src/lib.rs", "//! A shop.\n\npub fn total() -> u64 {\n    3\n}\n");
    let server = TestServer::builder().repository(repository).script(script()).start().await;
    look_at_the_server(&server).await;
    let demo = log_in(&server, "demo", "demo123").await;
    look_at_templates(&demo).await;

    let planned = create(&demo, json!({"goal": "Find out whether all is well"})).await;
    let parameters = json!({"test_command": "true"});
    let body = json!({"goal": "Mend the test", "template_id": "fix_failing_test", "parameters": parameters});
    let templated = create(&demo, body).await;
    let mut events = Vec::new();
    for plan in [planned, templated] {
        let seen = watch(&demo, plan).await;
        tells_the_story(&seen, &look_at_the_plan(&demo, plan).await);
        events.extend(seen);
    }
    talk_and_scan(&server, &demo, planned).await;

    // One task that fails twice and one that is executed again, so that the figures tell something.
    let retry = json!({"max_attempts": 2, "backoff_ms": 1, "max_backoff_ms": 1});
    let tasks = json!([{"description": "Fail", "kind": "command", "command": ["false"], "retry": retry}]);
    let failing = demo.create_plan(json!({"goal": "Fail", "auto_execute": true, "tasks": tasks})).await;
    demo.wait_for_plan(failing, &["failed"]).await;
    let twice = demo.create_shell_plan("Twice", &["true"]).await;
    for body in [json!({}), json!({"following": true, "task_id": events_task(&demo, twice).await})] {
        let path = if body == json!({}) { "execute" } else { "retry" };
        demo.post(&format!("/plans/{twice}/{path}"), body).await.expect(202);
        demo.wait_for_plan(twice, &["completed"]).await;
    }
    for plan in [failing, twice] {
        events.extend(demo.events_of(plan).await);
    }

    demo.get("/analytics").await.expect_problem(403, "forbidden");
    let admin = log_in(&server, "admin", "admin123").await;
    look_at_the_figures(&admin, &Attempts::of(&events)).await;
}

async fn events_task(client: &Client, plan: i64) -> Value {
    client.get(&format!("/plans/{plan}/tasks")).await.expect(200).json["tasks"][0]["id"].clone()
}

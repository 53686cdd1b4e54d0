//! What Prometheus is told: exactly what happened, in its format, and only to whom it is meant for.

mod page;

use agent_core::pricing::{Price, PriceList};
use agent_testkit::{Client, TestServer, TestServerBuilder};
use page::Page;
use secrecy::SecretString;
use serde_json::json;

const TOKEN: &str = "only-for-scrapes-0123456789";

fn scraped() -> TestServerBuilder {
    TestServer::builder()
        .adjust(|settings| settings.observing.metrics_token = Some(SecretString::from(TOKEN.to_owned())))
}

async fn scrape(server: &TestServer) -> Page {
    let answer = server.anonymous().with_token(TOKEN).get("/metrics").await.expect(200);
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    Page::read(&answer.text)
}

/// How often a route was answered in this way.
fn requests(page: &Page, method: &str, route: &str, status: &str) -> f64 {
    let labels = [("method", method), ("route", route), ("status", status)];
    page.value("agent_http_request_duration_seconds_count", &labels)
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_counted_by_the_pattern_of_their_route() {
    let server = scraped().start().await;
    let demo = server.demo().await;
    let before = scrape(&server).await;
    let plan = demo.create_shell_plan("Count me", &["true"]).await;
    for _ in 0..3 {
        demo.get(&format!("/plans/{plan}")).await.expect(200);
    }
    demo.get("/plans/999").await.expect(404);
    server.anonymous().get("/plans").await.expect(401);
    demo.put("/plans", json!({})).await.expect(405);
    demo.get("/nowhere").await.expect(404);
    let after = scrape(&server).await;
    let more = |method, route, status| {
        requests(&after, method, route, status) - requests(&before, method, route, status)
    };
    assert_eq!(more("POST", "/plans", "2xx"), 1.0);
    assert_eq!(more("GET", "/plans/{plan_id}", "2xx"), 3.0);
    assert_eq!(more("GET", "/plans/{plan_id}", "4xx"), 1.0);
    assert_eq!(more("GET", "/plans", "4xx"), 1.0);
    assert_eq!(more("PUT", "/plans", "4xx"), 1.0);
    assert_eq!(more("GET", "unmatched", "4xx"), 1.0);
    assert_eq!(more("GET", "/metrics", "2xx"), 1.0, "the scrape before is over, this one is not");
    assert_eq!(after.value("agent_http_requests_in_flight", &[]), 1.0, "this very scrape");
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_paths_are_asked_for_the_series_stay_as_few() {
    let server = scraped().start().await;
    let client = server.demo().await;
    let ask = async |from: usize, to: usize| {
        for number in from..to {
            let path = match number % 4 {
                0 => format!("/plans/{number}"),
                1 => format!("/nowhere/{number}"),
                2 => format!("/templates/search/word-{number}"),
                _ => format!("/docs/file-{number}.js"),
            };
            client.get(&path).await;
        }
        let odd = client.request("BREW", &format!("/pots/{from}"));
        client.send(odd).await;
    };
    ask(0, 8).await;
    scrape(&server).await;
    let few = scrape(&server).await;
    ask(8, 10_000).await;
    let many = scrape(&server).await;
    assert_eq!(many.len(), few.len());
    assert_eq!(many.values_of("route"), few.values_of("route"));
    assert!(many.values_of("method").contains("OTHER"));
    let search = requests(&many, "GET", "/templates/search/{query}", "2xx");
    assert_eq!(search, 2_500.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_steps_and_what_models_cost_are_counted_exactly() {
    let usage = json!({"input_tokens": 1000, "output_tokens": 100});
    let look =
        json!({"tool_calls": [{"name": "read_file", "arguments": {"path": "README.md"}}], "usage": usage});
    let miss =
        json!({"tool_calls": [{"name": "read_file", "arguments": {"path": "nothing.md"}}], "usage": usage});
    let done = json!({"tool_calls": [{"name": "finish", "arguments": {"summary": "read"}}], "usage": usage});
    let server = scraped()
        .script(json!([look, miss, done]))
        .adjust(|settings| {
            settings.observing.metrics_token = Some(SecretString::from(TOKEN.to_owned()));
            settings.llm_prices = PriceList::known().with("script", Price { input: 2.0, output: 10.0 });
        })
        .start()
        .await;
    let demo = server.demo().await;
    let before = scrape(&server).await;
    let tasks = json!([
        {"description": "Read", "kind": "agent", "reads": ["README.md"], "writes": ["README.md"]},
        {"description": "Fails twice", "kind": "command", "command": ["false"],
            "retry": {"max_attempts": 2, "backoff_ms": 1}},
        {"description": "Works", "kind": "command", "command": ["true"]},
        {"description": "Look", "kind": "scan"}
    ]);
    let plan =
        json!({"goal": "Count", "auto_execute": true, "tasks": tasks, "policy": {"on_failure": "continue"}});
    let plan = demo.create_plan(plan).await;
    demo.wait_for_plan(plan, &["failed"]).await;
    let after = scrape(&server).await;
    let more = |name: &str, labels: &[(&str, &str)]| after.value(name, labels) - before.value(name, labels);
    let attempts = |kind, outcome| more("agent_attempts_total", &[("kind", kind), ("outcome", outcome)]);
    assert_eq!((attempts("command", "completed"), attempts("command", "failed")), (1.0, 2.0));
    assert_eq!((attempts("agent", "completed"), attempts("scan", "completed")), (1.0, 1.0));
    assert_eq!(after.sum("agent_attempts_total") - before.sum("agent_attempts_total"), 5.0);
    let steps = |status| more("agent_steps_total", &[("tool", "read_file"), ("status", status)]);
    assert_eq!((steps("ok"), steps("error")), (1.0, 1.0));
    let calls = |outcome| more("agent_model_calls_total", &[("model", "script"), ("outcome", outcome)]);
    assert_eq!((calls("ok"), calls("error"), calls("cancelled")), (3.0, 0.0, 0.0));
    let tokens = |way| more("agent_model_tokens_total", &[("model", "script"), ("direction", way)]);
    assert_eq!((tokens("input"), tokens("output")), (3_000.0, 300.0));
    let cost = more("agent_model_cost_dollars_total", &[("model", "script")]);
    assert!((cost - 0.009).abs() < 1e-9, "{cost}");
    assert_eq!(more("agent_events_committed_total", &[("event", "task_retrying")]), 1.0);
    let events = demo.events_of(plan).await.len() as f64;
    assert_eq!(
        after.sum("agent_events_committed_total") - before.sum("agent_events_committed_total"),
        events
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_are_counted_with_how_many_share_them() {
    let server = scraped().start().await;
    let demo = server.demo().await;
    let first = server.agent().store_statistics();
    let before = scrape(&server).await;
    let creations = (0..100).map(|number| {
        let demo = demo.clone();
        async move { demo.create_shell_plan(&format!("Plan {number}"), &["true"]).await }
    });
    futures_util::future::join_all(creations).await;
    let after = scrape(&server).await;
    let last = server.agent().store_statistics();
    let commits = after.value("agent_commits_total", &[]);
    assert!((first.commits as f64..=last.commits as f64).contains(&commits));
    let more = |name| after.value(name, &[]) - before.value(name, &[]);
    let (commits, jobs) = (more("agent_commits_total"), more("agent_commit_batch_size_sum"));
    assert!(jobs >= 100.0 && jobs <= (last.jobs - first.jobs) as f64, "{jobs}");
    assert!(commits >= 1.0 && commits < jobs, "{commits} commits of {jobs} transactions");
    assert!(more("agent_commit_duration_seconds_sum") > 0.0);
}

/// How many events a plan has once it is completed; asked for without listening.
async fn events_to_the_end(client: &Client, plan: i64) -> f64 {
    let mut after = 0;
    loop {
        let path = format!("/plans/{plan}/events?after={after}&wait_ms=5000");
        let page = client.get(&path).await.expect(200).json;
        after = page["next_after"].as_i64().unwrap();
        let events = page["events"].as_array().unwrap();
        if events.iter().any(|event| event["status"] == "completed") {
            return after as f64;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_and_the_time_until_they_know_are_counted() {
    let server = scraped().start().await;
    let demo = server.demo().await;
    let old = demo.create_shell_plan("Before anybody listened", &["true"]).await;
    demo.post(&format!("/plans/{old}/execute"), json!({})).await.expect(202);
    let replayed = events_to_the_end(&demo, old).await;
    let mut socket = demo.connect("one").await;
    socket.subscribe(&format!("plan_{old}"), Some(0)).await;
    for _ in 0..replayed as usize {
        socket.next_event().await;
    }
    let sent = |page: &Page| page.value("agent_events_sent_total", &[("transport", "websocket")]);
    let lags = |page: &Page| page.value("agent_event_lag_seconds_count", &[("transport", "websocket")]);
    let before = scrape(&server).await;
    assert_eq!((sent(&before), lags(&before)), (replayed, 0.0), "a replay is no lag");
    assert_eq!(before.value("agent_websocket_connections", &[]), 1.0);
    let new = demo.create_shell_plan("Heard live", &["true"]).await;
    socket.subscribe(&format!("plan_{new}"), Some(0)).await;
    demo.post(&format!("/plans/{new}/execute"), json!({})).await.expect(202);
    let live = events_to_the_end(&demo, new).await;
    for _ in 0..live as usize {
        socket.next_event().await;
    }
    let after = scrape(&server).await;
    assert_eq!((sent(&after), lags(&after)), (replayed + live, live));
    let lag = after.value("agent_event_lag_seconds_sum", &[("transport", "websocket")]);
    assert!(lag / live < 5.0, "{lag} s for {live} events");
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_logins_and_refused_requests_are_counted() {
    let server = TestServer::builder()
        .adjust(|settings| {
            settings.observing.metrics_token = Some(SecretString::from(TOKEN.to_owned()));
            settings.access.quotas.user = Some("3/hour".parse().unwrap());
        })
        .start()
        .await;
    let demo = server.demo().await;
    let wrong = json!({"username": "demo", "password": "a wrong password"});
    server.anonymous().post("/auth/login", wrong).await.expect(401);
    for _ in 0..3 {
        demo.get("/plans").await.expect(200);
    }
    for _ in 0..2 {
        demo.get("/plans").await.expect(429);
    }
    let page = scrape(&server).await;
    assert_eq!(page.value("agent_login_failures_total", &[]), 1.0);
    assert_eq!(page.value("agent_http_rate_limited_total", &[]), 2.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_process_uses_is_told_under_the_usual_names() {
    let server = scraped().start().await;
    let page = scrape(&server).await;
    for family in ["process_resident_memory_bytes", "process_open_fds", "process_threads"] {
        assert!(page.has(family) && page.value(family, &[]) > 1.0, "{family}");
    }
    assert!(page.value("process_cpu_seconds_total", &[]) > 0.0);
    assert_eq!(page.value("agent_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), 1.0);
    assert_eq!(page.value("agent_slots", &[]), server.agent().settings().max_parallel_tasks as f64);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_for_whoever_shows_the_scrape_token() {
    let server = scraped().start().await;
    let admin = server.admin().await;
    let refused = |client: Client| async move {
        client.get("/metrics").await.expect_problem(401, "invalid_token");
    };
    refused(server.anonymous()).await;
    refused(admin.clone()).await;
    for wrong in ["only-for-scrapes-012345678", "only-for-scrapes-01234567890", "x"] {
        refused(server.anonymous().with_token(wrong)).await;
    }
    refused(server.anonymous().with_header("Authorization", TOKEN)).await;
    let scraper = server.anonymous().with_token(TOKEN);
    scraper.get("/metrics").await.expect(200);
    scraper.get("/plans").await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_scrape_token_there_is_nothing_and_it_says_why() {
    let server = TestServer::start().await;
    for client in [server.anonymous(), server.admin().await] {
        let answer = client.get("/metrics").await.expect_problem(404, "not_found");
        let detail = answer.json["detail"].as_str().unwrap();
        assert!(detail.contains("AGENT_METRICS_TOKEN") && detail.contains("AGENT_METRICS_BIND"), "{detail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_its_own_answers_everybody_who_reaches_it_and_nothing_else() {
    let server = TestServer::builder()
        .adjust(|settings| settings.observing.metrics_bind = Some("127.0.0.1:0".parse().unwrap()))
        .start()
        .await;
    let address = server.metrics_url().unwrap();
    let client = Client::new(address.strip_suffix("/metrics").unwrap());
    let page = Page::read(&client.get("/metrics").await.expect(200).text);
    assert!(page.has("agent_http_requests_in_flight"));
    for path in ["/", "/health", "/plans", "/openapi.json"] {
        client.get(path).await.expect(404);
    }
    server.anonymous().get("/metrics").await.expect_problem(404, "not_found");
    server.stop().await;
    assert!(client.try_send(client.request("GET", "/metrics")).await.is_err(), "it ends with the server");
}

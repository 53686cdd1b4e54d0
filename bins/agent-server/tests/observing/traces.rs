use crate::collector::{Arrived, Collector};
use crate::{SCRAPE_TOKEN, Scene, plan, reads_a_file};
use agent_testkit::ServerProcess;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use std::net::TcpListener;
use std::time::Duration;
use tokio::time::Instant;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn named<'a>(spans: &'a [Arrived], name: &str) -> Vec<&'a Arrived> {
    spans.iter().filter(|arrived| arrived.span.name == name).collect()
}

/// What became of spans, as the server counts it.
async fn spans_of(server: &ServerProcess, outcome: &str) -> u64 {
    let page = server.anonymous().with_token(SCRAPE_TOKEN).get("/metrics").await.expect(200).text;
    let sample = format!("agent_trace_spans_total{{outcome=\"{outcome}\"}} ");
    page.lines().find_map(|line| line.strip_prefix(&sample)).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_its_attempts_and_what_they_ask_are_one_trace() {
    let (scene, collector) = (Scene::new(), Collector::start());
    let server = scene.server(&reads_a_file()).env("AGENT_OTLP_ENDPOINT", collector.endpoint()).start();
    let demo = server.demo().await;
    let traced = demo
        .with_header("traceparent", &format!("00-{TRACE}-{PARENT}-01"))
        .with_header("X-Request-Id", "asked-by-me");
    let created = traced.create_plan(plan()).await;
    demo.wait_for_plan(created, &["failed"]).await;
    let spans = collector.spans(|spans| named(spans, "attempt").len() == 2);
    assert!(spans.iter().all(|arrived| arrived.service == "agent-server"));

    let requests = named(&spans, "POST /plans");
    let [request] = requests[..] else { panic!("{requests:?}") };
    assert_eq!(
        (hex(&request.span.trace_id), hex(&request.span.parent_span_id)),
        (TRACE.into(), PARENT.into())
    );
    assert_eq!(request.attribute("http.response.status_code"), "201");
    assert_eq!(request.attribute("request_id"), "asked-by-me");
    let attempts = named(&spans, "attempt");
    for attempt in &attempts {
        assert_eq!(hex(&attempt.span.trace_id), TRACE);
        assert_eq!(attempt.span.parent_span_id, request.span.span_id);
        assert_eq!(attempt.attribute("plan_id"), created.to_string());
        assert_eq!(attempt.attribute("request_id"), "asked-by-me");
    }
    let outcomes = attempts.iter().map(|attempt| (attempt.attribute("kind"), attempt.attribute("outcome")));
    let mut outcomes: Vec<(String, String)> = outcomes.collect();
    outcomes.sort();
    assert_eq!(outcomes, [("agent".into(), "completed".into()), ("command".into(), "failed".into())]);
    for attempt in attempts {
        let failed = attempt.span.status.as_ref().is_some_and(|status| status.code() == StatusCode::Error);
        assert_eq!(failed, attempt.attribute("outcome") == "failed");
        let below = spans.iter().filter(|below| below.span.parent_span_id == attempt.span.span_id);
        let mut names: Vec<&str> = below.map(|below| below.span.name.as_str()).collect();
        names.sort_unstable();
        let expected: &[&str] =
            if attempt.attribute("kind") == "agent" { &["model", "model", "tool"] } else { &[] };
        assert_eq!(names, expected);
    }
    assert!(server.terminate().status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_names_a_trace_for_has_one_of_its_own_and_the_last_spans_are_sent() {
    let (scene, collector) = (Scene::new(), Collector::start());
    let server = scene.server(&reads_a_file()).env("AGENT_OTLP_ENDPOINT", collector.endpoint()).start();
    let client = server.anonymous();
    client.get("/health").await.expect(200);
    // Not sampled, as the caller wishes, and not a trace at all.
    client.with_header("traceparent", &format!("00-{TRACE}-{PARENT}-00")).get("/health").await.expect(200);
    client.with_header("traceparent", "nonsense").get("/nowhere/secret-path").await.expect(404);
    assert!(server.terminate().status.success());
    let spans = collector.spans(|spans| named(spans, "GET unmatched").len() == 1);
    assert_eq!(named(&spans, "GET /health").len(), 1);
    let mut traces: Vec<&[u8]> = spans.iter().map(|arrived| arrived.span.trace_id.as_slice()).collect();
    traces.sort_unstable();
    traces.dedup();
    assert_eq!(traces.len(), spans.len(), "each has its own");
    assert!(spans.iter().all(|arrived| arrived.span.parent_span_id.is_empty()));
    assert!(!format!("{spans:?}").contains("secret-path"), "paths are told by their pattern");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_costs_nothing_but_the_spans() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let scene = Scene::new();
    let server = scene.server(&reads_a_file()).env("AGENT_OTLP_ENDPOINT", format!("http://{nobody}")).start();
    for _ in 0..20 {
        server.anonymous().get("/health").await.expect(200);
    }
    let patience = Instant::now() + Duration::from_secs(30);
    while spans_of(&server, "failed").await < 20 {
        assert!(Instant::now() < patience, "lost spans are not counted");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(spans_of(&server, "exported").await, 0);
    assert!(server.terminate().status.success());
    let complaints = scene.log().matches("the collector of traces does not take them").count();
    assert_eq!(complaints, 1, "{}", scene.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_never_answers_fills_a_bounded_queue_and_the_server_goes_on() {
    // Connections are taken by the system, and nobody ever reads from them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let scene = Scene::new();
    let server = scene.server(&reads_a_file()).env("AGENT_OTLP_ENDPOINT", endpoint).start();
    // More than the queue has room for, before the first batch is given up.
    let asked = (0..50).map(|_| {
        let client = server.anonymous();
        async move {
            for _ in 0..200 {
                client.get("/health").await.expect(200);
            }
        }
    });
    futures_util::future::join_all(asked).await;
    assert!(spans_of(&server, "dropped").await > 0);
    let stopping = Instant::now();
    assert!(server.terminate().status.success());
    assert!(stopping.elapsed() < Duration::from_secs(10), "{:?}", stopping.elapsed());
}

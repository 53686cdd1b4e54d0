//! Events as a list and as a stream.

use agent_testkit::{Client, TestServer};
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::time::Duration;

async fn finished_plan(client: &Client) -> i64 {
    let plan = client.create_shell_plan("Two steps", &["true", "true"]).await;
    client.post_nothing(&format!("/plans/{plan}/execute")).await.expect(202);
    client.wait_for_plan(plan, &["completed"]).await;
    plan
}

fn seqs(events: &Value) -> Vec<i64> {
    events.as_array().unwrap().iter().filter_map(|event| event["seq"].as_i64()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_numbered_without_gaps_and_read_in_pages() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let plan = finished_plan(&demo).await;
    let all = demo.get(&format!("/plans/{plan}/events")).await.expect(200).json;
    let numbers = seqs(&all["events"]);
    assert_eq!(numbers, (1..=numbers.len() as i64).collect::<Vec<_>>());
    assert_eq!(all["next_after"], json!(numbers.len()));
    let mut paged = Vec::new();
    loop {
        let after = paged.last().copied().unwrap_or(0);
        let page = demo.get(&format!("/plans/{plan}/events?after={after}&limit=3")).await.expect(200).json;
        if page["events"].as_array().unwrap().is_empty() {
            assert_eq!(page["next_after"], json!(after));
            break;
        }
        paged.extend(seqs(&page["events"]));
    }
    assert_eq!(paged, numbers);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_replays_what_was_missed_and_names_each_event() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let plan = finished_plan(&demo).await;
    let all = demo.get(&format!("/plans/{plan}/events")).await.json;
    let last = seqs(&all["events"]).len();
    let request = demo.request("GET", &format!("/plans/{plan}/events/stream")).header("Last-Event-ID", "2");
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut stream = response.bytes_stream();
    let mut text = String::new();
    while !text.contains(&format!("id: {last}\n")) || !text.ends_with("\n\n") {
        let chunk =
            tokio::time::timeout(Duration::from_secs(10), stream.next()).await.unwrap().unwrap().unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    let ids: Vec<usize> = text.lines().filter_map(|line| line.strip_prefix("id: ")?.parse().ok()).collect();
    assert_eq!(ids, (3..=last).collect::<Vec<_>>());
    let data: Vec<Value> =
        text.lines().filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok()).collect();
    assert_eq!(data, all["events"].as_array().unwrap()[2..]);
    assert!(text.contains("event: task_completed\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_that_cannot_be_are_refused() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let plan = demo.create_shell_plan("Still", &["true"]).await;
    for query in ["after=-1", "after=x", "limit=0", "limit=201", "colour=red"] {
        demo.get(&format!("/plans/{plan}/events?{query}")).await.expect_problem(422, "invalid_request");
    }
    let future = demo.get(&format!("/plans/{plan}/events/stream?after=99")).await;
    assert_eq!(future.expect_problem(422, "invalid_request").pointers(), ["?after"]);
}

//! Filters, positions that cannot be resumed from, tickets, lists that wait, and what passes.

use crate::requests::{chain, demo, log, to_the_end};
use agent_client::{Error, ResetReason, Topic, Update};
use agent_testkit::{Socket, TestServer};
use futures_util::{StreamExt, TryStreamExt};
use secrecy::ExposeSecret;
use serde_json::json;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_opens_one_websocket_and_no_more() {
    let server = TestServer::start().await;
    let ticket = demo(server.url()).await.ticket().await.unwrap();
    assert!(ticket.expires_in <= Duration::from_secs(30) && !ticket.expires_in.is_zero());
    let client_id = format!("browser?ticket={}", ticket.ticket.expose_secret());
    let mut socket = Socket::open(server.url(), &client_id, &[]).await.unwrap();
    socket.subscribe("all", None).await;
    assert_eq!(Socket::open(server.url(), &client_id, &[]).await.err(), Some(401));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_itself_leaves_out_what_is_not_wanted() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let plan = demo.create_shell_plan("Filter", &["true", "true"]).await;
    let mut socket = demo.connect("picky").await;
    socket
        .say(json!({"action": "subscribe", "topic": format!("plan_{plan}"), "after": 0, "events": ["task_completed"]}))
        .await;
    assert_eq!(socket.next_json().await["type"], "subscribed");
    demo.post_nothing(&format!("/plans/{plan}/execute")).await.expect(202);
    for _ in 0..2 {
        assert_eq!(socket.next_event().await["event"], "task_completed");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_waits_for_events() {
    let server = TestServer::start().await;
    let client = demo(server.url()).await;
    let plan = client.plans().create(&chain(1)).await.unwrap().plan_id;
    let head = log(&client, plan).await.len() as i64;
    let list = client.plans().events(plan).after(head);
    let nothing = list.clone().wait(Duration::from_millis(1)).fetch().await.unwrap();
    assert_eq!((nothing.events.len(), nothing.next_after), (0, head));
    let waiting = list.wait(Duration::from_secs(20));
    let plans = client.plans();
    let (page, accepted) = tokio::join!(waiting.fetch(), plans.execute(plan));
    accepted.unwrap();
    assert_eq!(page.unwrap().events[0].seq, head + 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_that_cannot_be_resumed_from_are_resets_with_a_snapshot() {
    let server = TestServer::start().await;
    let client = demo(server.url()).await;
    let plan = client.plans().create(&chain(1)).await.unwrap().plan_id;
    let events = || client.events().topic(Topic::Plan(plan));
    let mut updates = events().after(0).updates();
    let Some(Ok(Update::Connected { epoch: Some(epoch), .. })) = updates.next().await else {
        panic!("no epoch");
    };
    let cases = [
        (events().after(99).epoch(&epoch), ResetReason::Future),
        (events().after(0).epoch("another"), ResetReason::Epoch),
        (events().after(-1).epoch(&epoch), ResetReason::Malformed),
    ];
    for (events, reason) in cases {
        let outcomes: Vec<_> = events.follow().collect().await;
        let [Err(Error::Reset(reset))] = outcomes.as_slice() else { panic!("{outcomes:?}") };
        assert_eq!(reset.reason, reason);
        assert_eq!(reset.epoch.as_ref(), Some(&epoch));
        assert_eq!(reset.snapshot, Some(format!("/plans/{plan}")));
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transient_news_of_a_task_comes_beside_its_events() {
    let server = TestServer::start().await;
    let client = demo(server.url()).await;
    let task = agent_client::TaskSpec::new("Talk", agent_client::TaskKind::shell("echo one; echo two"));
    let plan = agent_client::CreatePlan::new("Talk").with_tasks([task]);
    let plan = client.plans().create(&plan).await.unwrap().plan_id;
    let updates = client.events().topic(Topic::Plan(plan)).after(0).with_transient().until_ended().updates();
    client.plans().execute(plan).await.unwrap();
    let updates: Vec<Update> = updates.try_collect().await.unwrap();
    let events: Vec<_> = updates
        .iter()
        .filter_map(|update| match update {
            Update::Event(event) => Some((**event).clone()),
            _ => None,
        })
        .collect();
    assert_eq!(events, to_the_end(&client, plan).await, "what is transient has no part in the log");
    for update in &updates {
        if let Update::Transient(news) = update {
            assert_eq!(news.plan_id, plan);
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_events_of_all_plans_are_a_list_too() {
    let server = TestServer::start().await;
    let client = demo(server.url()).await;
    let mut expected = Vec::new();
    for _ in 0..2 {
        let plan = client.plans().create(&chain(1)).await.unwrap().plan_id;
        expected.extend(log(&client, plan).await);
    }
    expected.sort_by_key(|event| event.cursor);
    let page = client.list_events().limit(1).fetch().await.unwrap();
    assert_eq!((page.events.as_slice(), page.next_after), (&expected[..1], expected[0].cursor));
    let rest = client.list_events().after(page.next_after).fetch().await.unwrap();
    assert_eq!(rest.events, expected[1..]);
    server.stop().await;
}

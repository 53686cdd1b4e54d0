//! Events over a line that breaks off again and again.

use crate::requests::{demo, log, scans};
use agent_client::{Client, Error, Event, Retries, Topic, Update};
use agent_testkit::{Proxy, TestServer};
use futures_util::{StreamExt, TryStreamExt};
use std::time::Duration;

/// A client behind the proxy that loses no time between lines.
async fn hasty(proxy: &Proxy) -> Client {
    let retries = Retries { attempts: 1_000, first_pause: Duration::from_millis(1), ..Retries::default() };
    let client = Client::builder(proxy.url()).retries(retries).build().unwrap();
    client.log_in("demo", "demo123").await.unwrap();
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_heard_over_many_broken_lines_is_the_log_once_and_in_order() {
    let server = TestServer::start().await;
    let proxy = Proxy::before(server.url()).await;
    let (client, direct) = (hasty(&proxy).await, demo(server.url()).await);
    for seed in 1..=4 {
        let plan = direct.plans().create(&scans(15)).await.unwrap().plan_id;
        proxy.break_off_below(3_000, seed);
        proxy.cut_all();
        let before = proxy.cuts();
        let events = client.events().topic(Topic::Plan(plan)).after(0).until_ended().follow();
        direct.plans().execute(plan).await.unwrap();
        let events: Vec<Event> = events.try_collect().await.unwrap();
        assert_eq!(events, log(&direct, plan).await, "seed {seed}");
        assert!(proxy.cuts() > before + 3, "seed {seed}: the line broke off {} times", proxy.cuts() - before);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_plans_are_followed_over_broken_lines_too() {
    let server = TestServer::start().await;
    let proxy = Proxy::before(server.url()).await;
    let (client, direct) = (hasty(&proxy).await, demo(server.url()).await);
    proxy.break_off_below(4_000, 7);
    proxy.cut_all();
    let mut events = client.events().after(0).follow();
    let mut open = Vec::new();
    for _ in 0..5 {
        open.push(direct.plans().create(&scans(4).execute()).await.unwrap().plan_id);
    }
    let (mut heard, mut waited) = (Vec::new(), open.clone());
    while !waited.is_empty() {
        let event = events.try_next().await.unwrap().unwrap();
        let has_ended = matches!(&event.body,
            agent_client::EventBody::PlanUpdated { status, .. } if status.is_terminal());
        if has_ended {
            waited.retain(|plan| *plan != event.plan_id);
        }
        heard.push(event);
    }
    let mut logged = Vec::new();
    for plan in open {
        logged.extend(log(&direct, plan).await);
    }
    logged.sort_by_key(|event| event.cursor);
    assert_eq!(heard, logged);
    assert!(proxy.cuts() > 2);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_watches_is_told_of_a_lost_line_and_where_it_goes_on() {
    let server = TestServer::start().await;
    let proxy = Proxy::before(server.url()).await;
    let (client, direct) = (hasty(&proxy).await, demo(server.url()).await);
    let plan = direct.plans().create(&scans(1)).await.unwrap().plan_id;
    let head = log(&direct, plan).await.len();
    let mut updates = client.events().topic(Topic::Plan(plan)).after(0).until_ended().updates();
    assert!(matches!(updates.next().await, Some(Ok(Update::Connected { after: 0, .. }))));
    for seq in 1..=head {
        let told = updates.try_next().await.unwrap();
        assert!(matches!(&told, Some(Update::Event(event)) if event.seq == seq as i64), "{told:?}");
    }
    proxy.cut_all();
    let told = updates.try_next().await.unwrap();
    assert!(matches!(&told, Some(Update::Lost { retry_in: Duration::ZERO, .. })), "{told:?}");
    let told = updates.try_next().await.unwrap();
    assert!(matches!(&told, Some(Update::Connected { after, .. }) if *after == head as i64), "{told:?}");
    direct.plans().execute(plan).await.unwrap();
    let rest: Vec<Update> = updates.try_collect().await.unwrap();
    assert_eq!(rest.len() + head, log(&direct, plan).await.len());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_leaves_takes_its_line_with_it() {
    let server = TestServer::start().await;
    let client = demo(server.url()).await;
    let mut updates = client.events().updates();
    assert!(updates.try_next().await.unwrap().is_some());
    let admin = server.admin().await;
    let sessions = || async { admin.get("/stats").await.expect(200).json["active_sessions"].as_i64() };
    assert_eq!(sessions().await, Some(1));
    drop(updates);
    while sessions().await != Some(0) {}
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stays_away_is_given_up_where_that_is_wanted() {
    let server = TestServer::start().await;
    let proxy = Proxy::before(server.url()).await;
    let client = hasty(&proxy).await;
    let mut updates = client.events().give_up_after(Duration::from_millis(50)).updates();
    assert!(matches!(updates.next().await, Some(Ok(Update::Connected { .. }))));
    server.stop().await;
    let outcomes: Vec<_> = updates.collect().await;
    let Some((Err(error), losses)) = outcomes.split_last() else { panic!("{outcomes:?}") };
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(losses.iter().all(|loss| matches!(loss, Ok(Update::Lost { .. }))), "{losses:?}");
}

//! W09, W11, W15: events reach whoever follows, once and in order, while lines are cut, servers are killed, and others take nothing.

use crate::scene::{PATIENCE, Scene, until};
use agent_client::{Client as Follower, Event, PlanId, Retries, Topic};
use agent_testkit::{Client, Frame, Proxy};
use futures_util::{StreamExt, TryStreamExt};
use serde_json::json;
use std::time::Duration;

const EVENTS: i64 = 10_000;
const CUTS: usize = 200;
const KILLS: i64 = 3;
const WRITERS: usize = 16;
/// Small enough that ten thousand events take far more than two hundred lines.
const LINE_BREAKS_BELOW: u64 = 10_000;

/// A follower that loses no time between two lines.
fn follower(url: &str, token: &str) -> Follower {
    let retries = Retries { attempts: 10_000, first_pause: Duration::from_millis(1), ..Retries::default() };
    Follower::builder(url).token(token).retries(retries).build().unwrap()
}

async fn head_of(client: &Client, plan: i64) -> i64 {
    let found = client.get(&format!("/plans/{plan}/events?limit=1")).await;
    assert_eq!(found.status, 200, "{}", found.text);
    let mut socket = client.connect("head").await;
    socket.subscribe(&format!("plan_{plan}"), None).await
}

/// Adds messages to the plan's conversation, each of which is an event, until there are so many events or the server is
/// gone.
async fn write_until(client: &Client, plan: i64, events: i64) {
    let mut head = head_of(client, plan).await;
    while head < events {
        let say = |number: i64| {
            let message = json!({"role": "user", "content": format!("message {number}"), "plan_id": plan});
            client.try_send(client.request("POST", "/conversation").json(&message))
        };
        let batch = (events - head).min(250);
        let said = futures_util::stream::iter(head..head + batch).map(say).buffer_unordered(WRITERS);
        said.for_each(async |answer| assert_eq!(answer.expect("an answer").status, 201)).await;
        head = head_of(client, plan).await;
    }
}

async fn log_of(client: &Follower, plan: PlanId) -> Vec<Event> {
    let (mut events, mut after) = (Vec::new(), 0);
    loop {
        let page = client.plans().events(plan).after(after).limit(200).fetch().await.unwrap();
        if page.events.is_empty() {
            return events;
        }
        after = page.next_after;
        events.extend(page.events);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn w09_what_is_heard_over_cut_lines_and_killed_servers_is_the_log_once_and_in_order() {
    let mut scene = Scene::new();
    scene.next_life();
    let mut server = scene.server().start();
    let client = server.demo().await;
    let plan = client.create_shell_plan("Heard by one who is often cut off", &["true"]).await;
    let proxy = Proxy::before(server.url()).await;
    proxy.break_off_below(LINE_BREAKS_BELOW, 9);
    let events = follower(&proxy.url(), client.token().unwrap());
    let events = events.events().topic(Topic::Plan(PlanId(plan))).after(0).follow();
    let heard = tokio::spawn(events.take(EVENTS as usize).try_collect::<Vec<Event>>());
    for life in 1..=KILLS + 1 {
        write_until(&client.at(server.url()), plan, EVENTS * life / (KILLS + 1)).await;
        if life <= KILLS {
            server.kill();
            scene.next_life();
            server = scene.server().start();
            proxy.lead_to(server.url());
        }
    }
    let heard = tokio::time::timeout(PATIENCE, heard).await.expect("in time").unwrap().unwrap();
    let mut log = log_of(&follower(server.url(), client.token().unwrap()), PlanId(plan)).await;
    log.truncate(EVENTS as usize);
    assert!(heard == log, "what was heard is not the log");
    assert!(heard.iter().map(|event| event.seq).eq(1..=EVENTS));
    assert!(proxy.cuts() >= CUTS, "only {} lines were cut", proxy.cuts());
}

/// Bytes of memory that a process has of its own at the moment. Not the pages of the database file that its readers have
/// mapped, each for itself: those are the cache of the operating system.
fn memory(process: u32) -> u64 {
    let pages = std::fs::read_to_string(format!("/proc/{process}/statm")).unwrap();
    let pages: Vec<u64> = pages.split_whitespace().map(|count| count.parse().unwrap()).collect();
    (pages[1] - pages[2]) * 4_096
}

#[tokio::test(flavor = "multi_thread")]
async fn w11_readers_that_stop_reading_cost_little_and_are_dropped() {
    const READERS: usize = 40;
    const MOST_EACH: u64 = 2 * 1024 * 1024;
    let mut scene = Scene::new();
    scene.next_life();
    let server = scene.server().start();
    let client = server.demo().await;
    // Far more than the buffers of the operating system hold.
    let loud = ["head -c 100000 /dev/zero | tr '\\0' x"; 80];
    let plan = client.create_shell_plan("Heard by nobody", &loud).await;
    client.post_nothing(&format!("/plans/{plan}/execute")).await.expect(202);
    client.wait_for_plan(plan, &["completed"]).await;
    let topic = format!("plan_{plan}");
    // What the server keeps once for all readers, and for its connections to the database, is there beforehand.
    let warm = (0..4).map(async |_| {
        let mut reader = client.connect("awake").await;
        reader.subscribe(&topic, Some(0)).await;
        reader.events_to_the_end().await;
    });
    futures_util::future::join_all(warm).await;
    let before = memory(server.id());
    let mut readers = Vec::new();
    for _ in 0..READERS {
        let mut reader = client.connect("asleep").await;
        reader.say(json!({"action": "subscribe", "topic": topic, "after": 0})).await;
        readers.push(reader);
    }
    let count = async || client.get("/stats").await.expect(200).json["active_sessions"].as_u64().unwrap();
    assert_eq!(count().await, READERS as u64);
    let most = memory(server.id());
    // They are dropped ten seconds after they took the last.
    until("all readers are dropped", async || match count().await {
        0 => Ok(()),
        left => Err(format!("{left} are left")),
    })
    .await;
    let each = most.max(memory(server.id())).saturating_sub(before) / READERS as u64;
    assert!(each < MOST_EACH, "{each} bytes each");
    // Whoever reads on is told where it stopped, and gets the rest from there.
    let mut last = 0;
    let words = loop {
        match readers[0].next().await {
            Frame::Json(frame) => last = frame["seq"].as_i64().unwrap_or(last),
            Frame::Closed(4408, words) => break words,
            end => panic!("{end:?} after {last}"),
        }
    };
    assert!(words.ends_with(&format!("plan_{plan}={last}")), "{words}, and {last} came");
    let mut again = client.connect("awake").await;
    again.subscribe(&format!("plan_{plan}"), Some(last)).await;
    assert_eq!(again.next_event().await["seq"], last + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn w15_whoever_follows_a_server_that_is_told_to_stop_goes_on_at_the_next() {
    const FOLLOWERS: usize = 500;
    let mut scene = Scene::new();
    scene.next_life();
    let server = scene.server().start();
    let client = server.demo().await;
    let plan = client.create_shell_plan("Heard across a stop", &["true"]).await;
    let proxy = Proxy::before(server.url()).await;
    let follow = |_| {
        let events = follower(&proxy.url(), client.token().unwrap());
        let events = events.events().topic(Topic::Plan(PlanId(plan))).after(0).follow();
        tokio::spawn(events.take(40).try_collect::<Vec<Event>>())
    };
    let followers: Vec<_> = (0..FOLLOWERS).map(follow).collect();
    write_until(&client, plan, 20).await;
    let ended = tokio::task::spawn_blocking(move || server.terminate()).await.unwrap();
    assert!(ended.status.success(), "it stops in time, with open connections: {}", ended.words());
    scene.next_life();
    let server = scene.server().start();
    proxy.lead_to(server.url());
    write_until(&client.at(server.url()), plan, 40).await;
    let log = log_of(&follower(server.url(), client.token().unwrap()), PlanId(plan)).await;
    for heard in followers {
        let heard = tokio::time::timeout(PATIENCE, heard).await.expect("in time").unwrap().unwrap();
        assert!(heard == log[..40], "what was heard is not the log");
    }
}

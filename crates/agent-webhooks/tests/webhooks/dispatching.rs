//! I17: events arrive in order, signed, at least once, and again with growing pauses.

use crate::receiver::Reply;
use crate::world::{ALICE, ALICE_ELSEWHERE, BOB, LEASE, PATIENCE, World};
use agent_core::event::EventBody;
use agent_core::ports::CommitListener;
use agent_core::ports::Visibility;
use agent_webhooks::{
    DisabledReason, Pace, SignatureHeaders, Switch, TOLERANCE, Wake, WebhookChange, WebhookStore, verify,
};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

const DOWN: Reply = Reply::Status(503, "");

#[tokio::test]
async fn i17_a_delivery_verifies_with_the_secret_of_its_webhook() {
    let world = World::new().await;
    let webhook = world.webhook(ALICE, &[]).await;
    world.commit(ALICE, 42);
    assert_eq!(world.dispatcher().turn().await.unwrap(), 1);

    let request = world.receiver.arrival().await;
    assert_eq!(request.line, "POST /hook HTTP/1.1");
    assert_eq!(request.header("content-type"), "application/json");
    let headers = SignatureHeaders {
        id: request.header("agent-webhook-id").to_owned(),
        timestamp: request.header("agent-webhook-timestamp").to_owned(),
        signature: request.header("agent-webhook-signature").to_owned(),
    };
    assert_eq!(headers.id, "wh_1_42");
    assert_eq!(verify(&[&webhook.secret], &headers, &request.body, world.now(), TOLERANCE), Ok(()));
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let expected = json!({
        "seq": 42, "cursor": 42, "plan_id": 101, "timestamp": "1970-01-01T00:00:00.000Z",
        "event": "task_progress", "progress": null, "message": "at 42"
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn i17_events_arrive_in_order_and_once_and_the_cursor_follows() {
    let world = World::new().await;
    let webhook = world.webhook(ALICE, &[]).await;
    for cursor in [3, 4, 9, 10, 20] {
        world.commit(ALICE, cursor);
    }
    let dispatcher = world.dispatcher_at(Wake::default(), Pace { events_per_turn: 2, ..Pace::default() });
    let mut n_turns = 0;
    while dispatcher.turn().await.unwrap() > 0 {
        n_turns += 1;
    }
    assert_eq!(n_turns, 3);
    assert_eq!(world.arrived(), ["wh_1_3", "wh_1_4", "wh_1_9", "wh_1_10", "wh_1_20"]);
    assert_eq!(world.store.webhook(webhook.id).cursor, 20);
    assert_eq!(world.store.claimed(), 0);
}

#[tokio::test]
async fn z14_an_owner_is_told_of_their_own_events_in_this_tenant_alone() {
    let world = World::new().await;
    world.webhook(ALICE, &[]).await;
    world.commit(BOB, 1);
    world.commit(ALICE_ELSEWHERE, 2);
    assert_eq!(world.dispatcher().turn().await.unwrap(), 0);
    world.commit(ALICE, 3);
    assert_eq!(world.dispatcher().turn().await.unwrap(), 1);
    assert_eq!(world.arrived(), ["wh_1_3"]);
}

#[tokio::test]
async fn only_events_that_are_wanted_are_told_and_the_others_passed_over() {
    let world = World::new().await;
    let webhook = world.webhook(ALICE, &["task_completed"]).await;
    let done = || EventBody::TaskCompleted { result: Arc::new(json!("done")) };
    world.commit(ALICE, 1);
    world.commit_body(ALICE, 2, done());
    world.commit(ALICE, 3);
    world.commit(ALICE, 4);
    assert_eq!(world.dispatcher().turn().await.unwrap(), 1);
    assert_eq!(world.arrived(), ["wh_1_2"]);
    assert_eq!(world.store.webhook(webhook.id).cursor, 4);
    assert_eq!(world.dispatcher().turn().await.unwrap(), 0, "what nobody wants is not looked at again");
}

#[tokio::test]
async fn i17_a_failed_delivery_is_repeated_with_backoff_and_holds_up_what_comes_after() {
    let world = World::new().await;
    let webhook = world.webhook(ALICE, &[]).await;
    world.commit(ALICE, 1);
    world.commit(ALICE, 2);
    world.receiver.reply([DOWN, Reply::Status(429, "retry-after: 60\r\n"), Reply::Redirect("/b".to_owned())]);
    let dispatcher = world.dispatcher();
    for (n_failed, pause) in [(1, 10), (2, 60), (3, 40)] {
        assert_eq!(dispatcher.turn().await.unwrap(), 1);
        let row = world.store.webhook(webhook.id);
        assert_eq!((row.failures, row.cursor, row.disabled), (n_failed, 0, None));
        assert_eq!(row.next_attempt_at.unwrap().since(world.now()), Duration::from_secs(pause));
        world.pass(Duration::from_secs(pause) - Duration::from_micros(1));
        assert_eq!(dispatcher.turn().await.unwrap(), 0, "not before its time");
        world.pass(Duration::from_micros(1));
    }
    assert!(world.store.webhook(webhook.id).last_error.unwrap().contains("redirect"));
    assert_eq!(dispatcher.turn().await.unwrap(), 1);
    assert_eq!(world.arrived(), ["wh_1_1", "wh_1_1", "wh_1_1", "wh_1_1", "wh_1_2"]);
    let row = world.store.webhook(webhook.id);
    assert_eq!((row.cursor, row.failures, row.failing_since, row.last_error), (2, 0, None, None));
    let bodies: Vec<Vec<u8>> = world.receiver.requests().into_iter().map(|r| r.body).collect();
    assert_eq!(bodies[0], bodies[3], "a repeated delivery says the same");
}

#[tokio::test]
async fn i17_each_delivery_has_its_own_attempts() {
    let world = World::new().await;
    let webhook = world.webhook(ALICE, &[]).await;
    world.commit(ALICE, 1);
    world.commit(ALICE, 2);
    world.receiver.reply([DOWN, DOWN, DOWN, Reply::Status(200, ""), DOWN]);
    for _ in 0..4 {
        assert_eq!(world.dispatcher().turn().await.unwrap(), 1);
        world.pass(Duration::from_secs(3_600));
    }
    assert_eq!(world.arrived(), ["wh_1_1", "wh_1_1", "wh_1_1", "wh_1_1", "wh_1_2"]);
    let row = world.store.webhook(webhook.id);
    assert_eq!((row.cursor, row.failures), (1, 1));
    let an_hour_ago = row.failing_since.unwrap();
    assert_eq!(row.next_attempt_at.unwrap().since(an_hour_ago), Duration::from_secs(10));
}

#[tokio::test]
async fn i17_after_twelve_attempts_the_webhook_is_off_until_its_owner_switches_it_on() {
    let world = World::new().await;
    let webhook = world.webhook(ALICE, &[]).await;
    world.commit(ALICE, 1);
    world.receiver.reply(vec![DOWN; 12]);
    let dispatcher = world.dispatcher();
    for _ in 0..12 {
        assert_eq!(dispatcher.turn().await.unwrap(), 1);
        world.pass(Duration::from_secs(3_600));
    }
    let row = world.store.webhook(webhook.id);
    assert_eq!((row.disabled, row.cursor), (Some(DisabledReason::Failing), 0));
    assert_eq!(dispatcher.turn().await.unwrap(), 0);

    let on = WebhookChange { switch: Some(Switch::On), ..WebhookChange::default() };
    world.store.update(Visibility::Owner(ALICE), webhook.id, on, world.now()).await.unwrap();
    assert_eq!(dispatcher.turn().await.unwrap(), 1);
    assert_eq!(world.arrived(), vec!["wh_1_1"; 13], "nothing was skipped");
    assert_eq!(world.store.webhook(webhook.id).cursor, 1);
}

#[tokio::test]
async fn i17_a_receiver_that_is_gone_is_called_no_more() {
    let world = World::new().await;
    let webhook = world.webhook(ALICE, &[]).await;
    world.commit(ALICE, 1);
    world.receiver.reply([Reply::Status(410, "")]);
    assert_eq!(world.dispatcher().turn().await.unwrap(), 1);
    assert_eq!(world.store.webhook(webhook.id).disabled, Some(DisabledReason::Gone));
    world.pass(Duration::from_secs(100_000));
    assert_eq!(world.dispatcher().turn().await.unwrap(), 0);
}

#[tokio::test]
async fn i15_an_address_that_the_operator_no_longer_allows_is_called_no_more() {
    let world = World::new().await;
    let webhook = world.webhook(ALICE, &[]).await;
    world.commit(ALICE, 1);
    // The list of allowed hosts of this server names another receiver.
    let other = World::new().await;
    let strict = World { receiver: other.receiver.clone(), ..world };
    assert_eq!(strict.dispatcher().turn().await.unwrap(), 1);
    let row = strict.store.webhook(webhook.id);
    assert_eq!(row.failures, 1);
    assert!(row.last_error.unwrap().contains("leads to a loopback address"));
}

#[tokio::test]
async fn i17_a_crash_before_the_cursor_moved_repeats_the_last_delivery_under_the_same_id() {
    let world = World::new().await;
    let webhook = world.webhook(ALICE, &[]).await;
    world.commit(ALICE, 1);
    world.commit(ALICE, 2);
    world.store.loses_advances.store(true, Ordering::SeqCst);
    assert_eq!(world.dispatcher().turn().await.unwrap(), 1);
    assert_eq!((world.arrived(), world.store.webhook(webhook.id).cursor), (vec!["wh_1_1".to_owned()], 0));

    let successor = world.dispatcher();
    assert_eq!(successor.turn().await.unwrap(), 0, "the claim of the crashed one still holds");
    world.pass(LEASE);
    assert_eq!(successor.turn().await.unwrap(), 1);
    assert_eq!(world.arrived(), ["wh_1_1", "wh_1_1", "wh_1_2"]);
}

#[tokio::test]
async fn a_log_that_cannot_be_read_costs_delay_and_no_event() {
    let world = World::new().await;
    world.webhook(ALICE, &[]).await;
    world.commit(ALICE, 1);
    world.log.unplugged.store(true, Ordering::SeqCst);
    assert_eq!(world.dispatcher().turn().await.unwrap(), 1);
    world.log.unplugged.store(false, Ordering::SeqCst);
    world.pass(LEASE);
    assert_eq!(world.dispatcher().turn().await.unwrap(), 1);
    assert_eq!(world.arrived(), ["wh_1_1"]);
}

/// A running dispatcher, and how to stop it.
fn running(world: &World, wake: Wake, pace: Pace) -> (tokio::task::JoinHandle<()>, CancellationToken) {
    let (stop, dispatcher) = (CancellationToken::new(), world.dispatcher_at(wake, pace));
    let running = tokio::spawn({
        let stop = stop.clone();
        async move { dispatcher.run(stop).await }
    });
    (running, stop)
}

async fn stopped(running: tokio::task::JoinHandle<()>) {
    tokio::time::timeout(PATIENCE, running).await.expect("it stops").unwrap();
}

#[tokio::test]
async fn a_running_dispatcher_is_woken_by_a_commit() {
    let world = World::new().await;
    world.webhook(ALICE, &[]).await;
    let wake = Wake::default();
    let pace = Pace { gather: Duration::ZERO, look_every: Duration::from_secs(3_600), ..Pace::default() };
    let (running, stop) = running(&world, wake.clone(), pace);
    for cursor in 1..=3 {
        world.commit(ALICE, cursor);
        wake.committed(&[]);
        let request = world.receiver.arrival().await;
        assert_eq!(request.header("agent-webhook-id"), format!("wh_1_{cursor}"));
    }
    stop.cancel();
    stopped(running).await;
}

#[tokio::test]
async fn a_running_dispatcher_looks_by_itself_too() {
    let world = World::new().await;
    world.webhook(ALICE, &[]).await;
    let pace = Pace { look_every: Duration::from_millis(1), ..Pace::default() };
    let (running, stop) = running(&world, Wake::default(), pace);
    world.commit(ALICE, 1);
    world.receiver.arrival().await;
    stop.cancel();
    stopped(running).await;
}

#[tokio::test]
async fn a_dispatcher_that_is_stopped_finishes_the_call_under_way_and_gives_its_claims_back() {
    let world = World::new().await;
    let webhook = world.webhook(ALICE, &[]).await;
    world.commit(ALICE, 1);
    world.commit(ALICE, 2);
    let held = Arc::new(Semaphore::new(0));
    world.receiver.reply([Reply::Held(held.clone())]);
    let (running, stop) = running(&world, Wake::default(), Pace::default());
    world.receiver.arrival().await;
    stop.cancel();
    held.add_permits(1);
    stopped(running).await;
    assert_eq!(world.arrived(), ["wh_1_1"]);
    assert_eq!((world.store.webhook(webhook.id).cursor, world.store.claimed()), (1, 0));
}

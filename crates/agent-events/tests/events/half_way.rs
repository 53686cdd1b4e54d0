//! A listener that goes, or is not polled again, half-way through what it does for all stops nobody else.

use crate::log::{PATIENCE, is_silent_now, take};
use crate::subscriptions::{PLAN, stage};
use agent_core::event::Topic;
use agent_events::Subscription;
use futures_util::{FutureExt, StreamExt};

#[tokio::test]
async fn one_that_stops_listening_half_way_through_a_read_stops_nobody_else() {
    let stage = stage();
    let mut leaves = stage.hub.subscribe(Topic::Everything, None).await.unwrap();
    let mut stays = stage.hub.subscribe(Topic::Everything, None).await.unwrap();
    assert!(is_silent_now(&mut leaves).await);
    stage.commit(1, 1, &["told"]);
    // The log yields once while it is read, so that the first poll ends within the reading.
    assert!(leaves.stream.next().now_or_never().is_none());
    let hears = tokio::spawn(async move { take(&mut stays, 1).await });
    tokio::task::yield_now().await;
    drop(leaves);
    assert_eq!(hears.await.unwrap(), stage.log.all(Topic::Everything));
}

/// Asks once, as a connection does that then has no room for more.
fn asks_once(subscription: &mut Subscription) {
    assert!(subscription.stream.next().now_or_never().is_none());
}

#[tokio::test]
async fn one_that_asks_no_further_half_way_through_a_read_stops_nobody_else() {
    let stage = stage();
    let mut stops = stage.hub.subscribe(Topic::Everything, None).await.unwrap();
    let mut goes_on = stage.hub.subscribe(Topic::Everything, None).await.unwrap();
    assert!(is_silent_now(&mut stops).await);
    stage.commit(1, 1, &["told"]);
    asks_once(&mut stops);
    assert_eq!(take(&mut goes_on, 1).await, stage.log.all(Topic::Everything));
    assert_eq!(take(&mut stops, 1).await, stage.log.all(Topic::Everything));
}

#[tokio::test(start_paused = true)]
async fn one_that_asks_no_further_half_way_through_a_look_stops_nobody_else() {
    let stage = stage();
    let mut stops = stage.hub.subscribe(PLAN, None).await.unwrap();
    let mut goes_on = stage.hub.subscribe(Topic::Everything, None).await.unwrap();
    asks_once(&mut stops);
    tokio::time::advance(PATIENCE * 3).await;
    asks_once(&mut stops);
    stage.log.write(1, 1, &["not told"]);
    assert_eq!(take(&mut goes_on, 1).await, stage.log.all(Topic::Everything));
}

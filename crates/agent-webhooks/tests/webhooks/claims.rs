//! Several servers, one delivery at a time per webhook, and no more webhooks at once than allowed.

use crate::receiver::Reply;
use crate::world::{ALICE, BOB, LEASE, World};
use agent_core::ids::{Owner, TenantId, UserId};
use agent_core::ports::Visibility;
use agent_webhooks::{Pace, Switch, Wake, WebhookChange, WebhookStore};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

fn held(world: &World, n_replies: usize) -> Arc<Semaphore> {
    let held = Arc::new(Semaphore::new(0));
    world.receiver.reply(vec![Reply::Held(held.clone()); n_replies]);
    held
}

#[tokio::test]
async fn one_server_at_a_time_delivers_to_a_webhook() {
    let world = World::new().await;
    world.webhook(ALICE, &[]).await;
    world.commit(ALICE, 1);
    world.commit(ALICE, 2);
    let (first, second, hold) = (world.dispatcher(), world.dispatcher(), held(&world, 1));
    let busy = tokio::spawn(async move { first.turn().await });
    world.receiver.arrival().await;
    assert_eq!(second.turn().await.unwrap(), 0);
    hold.add_permits(1);
    assert_eq!(busy.await.unwrap().unwrap(), 1);
    assert_eq!(world.arrived(), ["wh_1_1", "wh_1_2"]);
}

#[tokio::test]
async fn who_lost_a_webhook_to_another_server_stops_and_records_nothing() {
    let world = World::new().await;
    let webhook = world.webhook(ALICE, &[]).await;
    for cursor in 1..=3 {
        world.commit(ALICE, cursor);
    }
    let (stuck, next, hold) = (world.dispatcher(), world.dispatcher(), held(&world, 1));
    let stuck = tokio::spawn(async move { stuck.turn().await });
    world.receiver.arrival().await;
    world.pass(LEASE);
    assert_eq!(next.turn().await.unwrap(), 1);
    assert_eq!(world.store.webhook(webhook.id).cursor, 3);
    hold.add_permits(1);
    assert_eq!(stuck.await.unwrap().unwrap(), 1);
    assert_eq!(world.arrived(), ["wh_1_1", "wh_1_1", "wh_1_2", "wh_1_3"]);
    assert_eq!(world.store.webhook(webhook.id).cursor, 3);
}

#[tokio::test]
async fn what_the_owner_changes_meanwhile_stands() {
    let world = World::new().await;
    let webhook = world.webhook(ALICE, &[]).await;
    world.commit(ALICE, 1);
    world.commit(ALICE, 2);
    let (dispatcher, hold) = (world.dispatcher(), held(&world, 1));
    let busy = tokio::spawn(async move { dispatcher.turn().await });
    world.receiver.arrival().await;
    let off = WebhookChange { switch: Some(Switch::Off), ..WebhookChange::default() };
    world.store.update(Visibility::Owner(ALICE), webhook.id, off, world.now()).await.unwrap();
    hold.add_permits(1);
    busy.await.unwrap().unwrap();
    assert_eq!(world.arrived(), ["wh_1_1"], "nothing more is sent after it was switched off");
    assert!(world.store.webhook(webhook.id).disabled.is_some());
}

#[tokio::test]
async fn a_webhook_that_is_deleted_meanwhile_gets_nothing_more() {
    let world = World::new().await;
    let webhook = world.webhook(ALICE, &[]).await;
    world.commit(ALICE, 1);
    world.commit(ALICE, 2);
    let (dispatcher, hold) = (world.dispatcher(), held(&world, 1));
    let busy = tokio::spawn(async move { dispatcher.turn().await });
    world.receiver.arrival().await;
    world.store.delete(Visibility::Owner(ALICE), webhook.id).await.unwrap();
    hold.add_permits(1);
    busy.await.unwrap().unwrap();
    assert_eq!(world.arrived(), ["wh_1_1"]);
}

#[tokio::test]
async fn a_slow_receiver_holds_up_nobody_else() {
    let world = World::new().await;
    world.webhook(ALICE, &[]).await;
    world.webhook(BOB, &[]).await;
    world.commit(ALICE, 1);
    let (dispatcher, hold) = (world.dispatcher(), held(&world, 1));
    let slow = tokio::spawn({
        let dispatcher = dispatcher.clone();
        async move { dispatcher.turn().await }
    });
    world.receiver.arrival().await;
    world.commit(BOB, 2);
    assert_eq!(dispatcher.turn().await.unwrap(), 1);
    assert_eq!(world.arrived(), ["wh_1_1", "wh_2_2"]);
    hold.add_permits(1);
    slow.await.unwrap().unwrap();
}

#[tokio::test]
async fn no_more_webhooks_are_served_at_once_than_allowed() {
    let world = World::new().await;
    for user in 1..=5 {
        let owner = Owner { tenant: TenantId(1), user: UserId(user) };
        world.webhook(owner, &[]).await;
        world.commit(owner, user);
    }
    let hold = held(&world, 5);
    let pace = Pace { concurrency: 2, look_every: Duration::from_millis(1), ..Pace::default() };
    let dispatcher = world.dispatcher_at(Wake::default(), pace);
    let stop = tokio_util::sync::CancellationToken::new();
    let running = tokio::spawn({
        let stop = stop.clone();
        async move { dispatcher.run(stop).await }
    });
    world.receiver.arrival().await;
    world.receiver.arrival().await;
    for _ in 2..5 {
        assert_eq!(world.store.claimed(), 2);
        hold.add_permits(1);
        world.receiver.arrival().await;
    }
    stop.cancel();
    hold.add_permits(2);
    running.await.unwrap();
    assert_eq!(world.arrived().len(), 5);
}

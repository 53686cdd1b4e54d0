//! Webhooks: whose they are, and who delivers to them.

use super::World;
use crate::world::{at, make, new_plan, user};
use agent_auth::Role;
use agent_auth::ports::{TenantStore, UserChange, UserStore};
use agent_core::event::Topic;
use agent_core::ids::{Owner, UserId};
use agent_core::plan::{Idempotency, PlanStatus};
use agent_core::ports::{EventLog, Visibility};
use agent_core::time::Timestamp;
use agent_store::Store;
use agent_webhooks::{
    Allowed, Claim, Claimed, DeliveryQueue, Destination, DisabledReason, Error, Failure, NewWebhook, Next,
    Switch, Webhook, WebhookChange, WebhookId, WebhookStore, new_secret,
};
use secrecy::ExposeSecret;
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(60);
/// When the lease of what was claimed at `at(0)` is over.
const OVER: i64 = 60_000;

fn url(text: &str) -> Destination {
    Destination::parse(text, &Allowed::default()).unwrap()
}

fn new_webhook(owner: Owner) -> NewWebhook {
    NewWebhook {
        owner,
        url: url("https://example.com/hook?key=1"),
        events: vec!["task_failed".into(), "plan_updated".into()],
        secret: new_secret(&[7; 32]),
        cursor: 0,
        created_at: at(0),
        idempotency: None,
    }
}

async fn webhook(store: &Store, owner: Owner) -> Webhook {
    WebhookStore::create(store, new_webhook(owner), 20).await.unwrap()
}

/// Commits an event of this owner.
async fn event(store: &Store, owner: Owner) {
    make(store, &new_plan(owner, 1), PlanStatus::Created, at(0)).await.unwrap();
}

async fn due(store: &Store, now: Timestamp) -> Vec<Claimed> {
    store.due(now, LEASE, 10).await.unwrap()
}

async fn ids(store: &Store, now: Timestamp) -> Vec<WebhookId> {
    due(store, now).await.iter().map(|claimed| claimed.webhook.id).collect()
}

/// Records a failed attempt. The store has a method of this name of its own.
async fn fail(store: &Store, claim: Claim, failure: &Failure) -> agent_webhooks::Result<()> {
    DeliveryQueue::failed(store, claim, failure).await
}

/// The same person as a member of another tenant.
async fn elsewhere(store: &Store, owner: Owner) -> Owner {
    let tenant = store.create_tenant("elsewhere", None, at(0)).await.unwrap().unwrap();
    let member = Owner { tenant: tenant.id, ..owner };
    store.set_member(member, Role::User, at(0)).await.unwrap().unwrap();
    member
}

/// Everything about a webhook that can be compared.
fn parts(webhook: &Webhook) -> (String, Vec<&str>, Vec<Option<Timestamp>>) {
    let shown = format!("{webhook:?} {} {:?} {}", webhook.url, webhook.last_error, webhook.created_at);
    let previous = webhook.previous_secret.as_ref();
    let secrets = std::iter::once(&webhook.secret).chain(previous.map(|previous| &previous.secret));
    let secrets = secrets.map(|secret| secret.expose_secret()).collect();
    (shown, secrets, vec![webhook.failing_since, previous.map(|previous| previous.until)])
}

fn assert_same(one: &Webhook, other: &Webhook) {
    assert_eq!(parts(one), parts(other));
}

#[tokio::test]
async fn a_webhook_is_found_as_it_was_made_and_as_it_was_changed() {
    let Some(world) = World::new().await else { return };
    let (store, visibility): (&dyn WebhookStore, _) = (&world.store, Visibility::Owner(world.owner));
    let made = webhook(&world.store, world.owner).await;
    assert_same(&made, &new_webhook(world.owner).into_webhook(made.id).unwrap());
    assert_same(&store.find(visibility, made.id).await.unwrap(), &made);

    let change = WebhookChange {
        url: Some(url("https://example.org/")),
        events: Some(vec!["task_started".into()]),
        secret: Some(new_secret(&[8; 32])),
        switch: Some(Switch::Off),
    };
    let changed = store.update(visibility, made.id, change.clone(), at(5)).await.unwrap();
    let mut expected = made.clone();
    expected.change(change, at(5)).unwrap();
    assert_same(&changed, &expected);
    assert_same(&store.find(visibility, made.id).await.unwrap(), &expected);

    let unknown = WebhookChange { events: Some(vec!["nothing".into()]), ..WebhookChange::default() };
    let refused = store.update(visibility, made.id, unknown, at(6)).await.unwrap_err();
    assert!(matches!(refused, Error::UnknownEvent(_)), "{refused:?}");
    assert_same(&store.find(visibility, made.id).await.unwrap(), &expected);

    store.delete(visibility, made.id).await.unwrap();
    assert!(matches!(store.find(visibility, made.id).await, Err(Error::NotFound(id)) if id == made.id));
}

#[tokio::test]
async fn z14_nobody_finds_the_webhook_of_somebody_else_nor_of_another_tenant() {
    let Some(world) = World::new().await else { return };
    let store: &dyn WebhookStore = &world.store;
    let made = webhook(&world.store, world.owner).await;
    let (eve, away) = (user(&world.store, "eve").await, elsewhere(&world.store, world.owner).await);
    for foreign in [Visibility::Owner(eve), Visibility::Owner(away), Visibility::Tenant(away.tenant)] {
        assert!(store.list(foreign, None, 10).await.unwrap().is_empty());
        let refused = [
            store.find(foreign, made.id).await.err(),
            store.update(foreign, made.id, WebhookChange::default(), at(1)).await.err(),
            store.delete(foreign, made.id).await.err(),
        ];
        assert!(refused.iter().all(|error| matches!(error, Some(Error::NotFound(_)))), "{refused:?}");
    }
    let hers = webhook(&world.store, eve).await;
    let all = store.list(Visibility::Tenant(eve.tenant), None, 10).await.unwrap();
    assert_eq!(all.iter().map(|webhook| webhook.id).collect::<Vec<_>>(), [made.id, hers.id]);
    let rest = store.list(Visibility::Tenant(eve.tenant), Some(made.id), 10).await.unwrap();
    assert_same(&rest[0], &hers);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_has_twenty_at_most_however_many_ask_at_once() {
    let Some(world) = World::new().await else { return };
    let (eve, away) = (user(&world.store, "eve").await, elsewhere(&world.store, world.owner).await);
    let requests: Vec<_> = (0..30)
        .map(|_| {
            let (store, new) = (world.store.clone(), new_webhook(world.owner));
            tokio::spawn(async move { WebhookStore::create(&store, new, 20).await })
        })
        .collect();
    let mut refused = 0;
    for request in requests {
        match request.await.unwrap() {
            Ok(_) => {}
            Err(Error::TooMany { max: 20 }) => refused += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(refused, 10);
    webhook(&world.store, eve).await;
    webhook(&world.store, away).await;
    let own = Visibility::Owner(world.owner);
    let first = WebhookStore::list(&world.store, own, None, 1).await.unwrap()[0].id;
    WebhookStore::delete(&world.store, own, first).await.unwrap();
    webhook(&world.store, world.owner).await;
}

#[tokio::test]
async fn a_repeated_request_finds_the_webhook_of_the_first() {
    let Some(world) = World::new().await else { return };
    let keyed = |fingerprint: &str| NewWebhook {
        idempotency: Some(Idempotency { key: "k-1".into(), fingerprint: fingerprint.into() }),
        secret: new_secret(&[fingerprint.len().try_into().unwrap(); 32]),
        ..new_webhook(world.owner)
    };
    let made = WebhookStore::create(&world.store, keyed("a"), 1).await.unwrap();
    assert_same(&WebhookStore::create(&world.store, keyed("a"), 1).await.unwrap(), &made);
    let Err(Error::Unavailable(other)) = WebhookStore::create(&world.store, keyed("bb"), 9).await else {
        panic!("a key is for one request")
    };
    let other = other.downcast::<agent_core::Error>().unwrap();
    assert!(matches!(*other, agent_core::Error::IdempotencyMismatch(_)), "{other:?}");
    WebhookStore::delete(&world.store, Visibility::Owner(world.owner), made.id).await.unwrap();
    let gone = WebhookStore::create(&world.store, keyed("a"), 1).await.unwrap_err();
    assert!(matches!(gone, Error::NotFound(_)), "{gone:?}");
}

#[tokio::test]
async fn who_has_no_account_gets_no_webhook() {
    let Some(world) = World::new().await else { return };
    let nobody = Owner::in_default_tenant(UserId(404));
    let refused = WebhookStore::create(&world.store, new_webhook(nobody), 20).await.unwrap_err();
    assert!(agent_core::error::with_causes(&refused).contains("user 404"), "{refused:?}");
}

#[tokio::test]
async fn it_is_due_when_its_owner_has_an_event_after_its_position_in_that_tenant() {
    let Some(world) = World::new().await else { return };
    let (eve, away) = (user(&world.store, "eve").await, elsewhere(&world.store, world.owner).await);
    let made = webhook(&world.store, world.owner).await;
    assert!(due(&world.store, at(0)).await.is_empty());
    event(&world.store, eve).await;
    event(&world.store, away).await;
    assert!(due(&world.store, at(0)).await.is_empty(), "of others, or elsewhere");
    event(&world.store, world.owner).await;
    let claimed = due(&world.store, at(0)).await.remove(0);
    assert_same(&claimed.webhook, &made);

    let head = world.store.head(Topic::Owner(world.owner)).await.unwrap();
    world.store.advance(claimed.claim, head, at(0)).await.unwrap();
    world.store.release(claimed.claim).await.unwrap();
    assert!(due(&world.store, at(0)).await.is_empty(), "all is told");
}

#[tokio::test]
async fn looking_for_what_is_due_writes_nothing_where_nothing_is() {
    let Some(world) = World::new().await else { return };
    let made = webhook(&world.store, world.owner).await;
    let before = world.store.statistics().jobs;
    assert!(due(&world.store, at(0)).await.is_empty());
    event(&world.store, world.owner).await;
    assert_eq!(ids(&world.store, at(0)).await, [made.id]);
    assert!(due(&world.store, at(1)).await.is_empty());
    // One for the event, one for the claim.
    assert_eq!(world.store.statistics().jobs, before + 2);
}

#[tokio::test]
async fn one_server_holds_it_until_its_lease_is_over_and_then_writes_nothing_more() {
    let Some(world) = World::new().await else { return };
    let made = webhook(&world.store, world.owner).await;
    event(&world.store, world.owner).await;
    let (here, there) = (&world.store, world.another());
    let first = due(here, at(0)).await.remove(0).claim;
    assert_eq!(first, Claim { tenant: world.owner.tenant, webhook: made.id, generation: 1 });
    assert!(due(&there, at(OVER - 1)).await.is_empty());

    here.advance(first, 0, at(OVER + 5)).await.unwrap();
    assert!(due(&there, at(OVER + 4)).await.is_empty(), "a claim is renewed with each delivery");
    let second = due(&there, at(OVER + 5)).await.remove(0).claim;
    assert_eq!(second.generation, 2);

    let failure = Failure { at: at(OVER + 6), error: "late".into(), next: Next::RetryAt(at(OVER + 7)) };
    assert!(matches!(here.advance(first, 1, at(OVER * 9)).await, Err(Error::ClaimLost(id)) if id == made.id));
    assert!(matches!(fail(here, first, &failure).await, Err(Error::ClaimLost(_))));
    here.release(first).await.unwrap();
    assert!(due(here, at(OVER + 6)).await.is_empty(), "it is not given back by who lost it");
    let own = Visibility::Owner(world.owner);
    assert_same(&WebhookStore::find(here, own, made.id).await.unwrap(), &made);
    there.release(second).await.unwrap();
    assert_eq!(ids(here, at(OVER + 6)).await, [made.id]);
    there.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_look_at_once_each_webhook_has_one() {
    let Some(world) = World::new().await else { return };
    for _ in 0..5 {
        webhook(&world.store, world.owner).await;
    }
    event(&world.store, world.owner).await;
    let looks: Vec<_> = (0..10)
        .map(|_| {
            let store = world.store.clone();
            tokio::spawn(async move { store.due(at(0), LEASE, 2).await.unwrap() })
        })
        .collect();
    let mut claimed = Vec::new();
    for look in looks {
        claimed.extend(look.await.unwrap().iter().map(|claimed| claimed.webhook.id));
    }
    claimed.sort_unstable();
    assert_eq!(claimed.len(), 5);
    claimed.dedup();
    assert_eq!(claimed.len(), 5);
}

#[tokio::test]
async fn a_change_by_the_owner_ends_the_claim() {
    let Some(world) = World::new().await else { return };
    let made = webhook(&world.store, world.owner).await;
    event(&world.store, world.owner).await;
    let claim = due(&world.store, at(0)).await.remove(0).claim;
    let own = Visibility::Owner(world.owner);
    WebhookStore::update(&world.store, own, made.id, WebhookChange::default(), at(1)).await.unwrap();
    assert!(matches!(world.store.advance(claim, 1, at(OVER)).await, Err(Error::ClaimLost(_))));
    assert_eq!(due(&world.store, at(1)).await.remove(0).claim.generation, claim.generation + 2);
    WebhookStore::delete(&world.store, own, made.id).await.unwrap();
    assert!(matches!(world.store.advance(claim, 1, at(OVER)).await, Err(Error::ClaimLost(_))));
}

#[tokio::test]
async fn a_failed_one_waits_for_its_next_attempt_and_one_that_is_switched_off_for_its_owner() {
    let Some(world) = World::new().await else { return };
    let made = webhook(&world.store, world.owner).await;
    event(&world.store, world.owner).await;
    let claim = due(&world.store, at(0)).await.remove(0).claim;
    let failure = Failure { at: at(1), error: "down\0".into(), next: Next::RetryAt(at(500)) };
    fail(&world.store, claim, &failure).await.unwrap();
    assert!(due(&world.store, at(499)).await.is_empty());
    let again = due(&world.store, at(500)).await.remove(0);
    assert_eq!((again.webhook.failures, again.webhook.failing_since), (1, Some(at(1))));
    assert_eq!(again.webhook.last_error.as_deref(), Some("down\u{fffd}"));

    let next = Next::Disabled(DisabledReason::Gone);
    let gone = Failure { at: at(501), error: "gone".into(), next };
    fail(&world.store, again.claim, &gone).await.unwrap();
    assert!(due(&world.store, at(OVER * 9)).await.is_empty());
    let own = Visibility::Owner(world.owner);
    let off = WebhookStore::find(&world.store, own, made.id).await.unwrap();
    assert_eq!((off.disabled, off.failures, off.failing_since), (Some(DisabledReason::Gone), 2, Some(at(1))));
    let on = WebhookChange { switch: Some(Switch::On), ..WebhookChange::default() };
    WebhookStore::update(&world.store, own, made.id, on, at(502)).await.unwrap();
    assert_eq!(ids(&world.store, at(502)).await, [made.id]);
}

#[tokio::test]
async fn who_is_no_member_any_more_or_switched_off_is_told_nothing() {
    let Some(world) = World::new().await else { return };
    let away = elsewhere(&world.store, world.owner).await;
    let made = [webhook(&world.store, world.owner).await.id, webhook(&world.store, away).await.id];
    event(&world.store, world.owner).await;
    event(&world.store, away).await;
    assert_eq!(ids(&world.store, at(0)).await, made);
    assert!(world.store.remove_member(away).await.unwrap());
    assert_eq!(ids(&world.store, at(OVER)).await, [made[0]]);
    let disabled = |disabled| UserChange { disabled: Some(disabled), ..UserChange::default() };
    UserStore::update(&world.store, world.owner, &disabled(true)).await.unwrap().unwrap();
    assert!(due(&world.store, at(OVER * 2)).await.is_empty());
    UserStore::update(&world.store, world.owner, &disabled(false)).await.unwrap().unwrap();
    assert_eq!(ids(&world.store, at(OVER * 2)).await, [made[0]]);
}

#[tokio::test]
async fn whose_last_turn_is_longest_ago_comes_first() {
    let Some(world) = World::new().await else { return };
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(webhook(&world.store, world.owner).await.id);
    }
    event(&world.store, world.owner).await;
    let mut turns = Vec::new();
    for turn in 1..=6 {
        let claimed = world.store.due(at(turn), LEASE, 1).await.unwrap().remove(0);
        world.store.release(claimed.claim).await.unwrap();
        turns.push(claimed.webhook.id);
    }
    assert_eq!(turns, [made.clone(), made].concat());
}

//! Webhooks as their owners make and change them.

use crate::world::{ALICE, ALICE_ELSEWHERE, BOB, World};
use agent_core::event::EventBody;
use agent_core::ids::TenantId;
use agent_core::ports::Visibility;
use agent_webhooks::{
    DisabledReason, EVENT_NAMES, Error, Failure, Next, Switch, Webhook, WebhookChange, WebhookId,
    WebhookStore, new_secret,
};
use secrecy::ExposeSecret;
use serde_json::json;
use std::time::Duration;

const ALICES: Visibility = Visibility::Owner(ALICE);

fn exposed(webhook: &Webhook, at: agent_core::time::Timestamp) -> Vec<String> {
    webhook.secrets_at(at).iter().map(|secret| secret.expose_secret().to_owned()).collect()
}

#[test]
fn every_event_there_is_can_be_asked_for() {
    let error = serde_json::from_value::<EventBody>(json!({"event": "?"})).unwrap_err().to_string();
    let known: Vec<&str> = error.split('`').skip(1).step_by(2).filter(|name| *name != "?").collect();
    assert_eq!(known, EVENT_NAMES);
}

#[tokio::test]
async fn an_owner_has_a_limited_number_of_webhooks() {
    let world = World::new().await;
    for _ in 0..2 {
        world.store.create(world.new_webhook(ALICE, &[]), 2).await.unwrap();
    }
    let error = world.store.create(world.new_webhook(ALICE, &[]), 2).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "there are 2 webhooks already, which is the most that one may have; delete one first"
    );
    world.store.create(world.new_webhook(BOB, &[]), 2).await.unwrap();
    world.store.create(world.new_webhook(ALICE_ELSEWHERE, &[]), 2).await.unwrap();
}

#[tokio::test]
async fn z14_what_belongs_to_somebody_else_does_not_exist() {
    let world = World::new().await;
    let webhook = world.webhook(ALICE, &[]).await;
    for other in [Visibility::Owner(BOB), Visibility::Owner(ALICE_ELSEWHERE), Visibility::Tenant(TenantId(2))]
    {
        let missing =
            |result: Result<Webhook, Error>| matches!(result, Err(Error::NotFound(id)) if id == webhook.id);
        assert!(missing(world.store.find(other, webhook.id).await));
        let change = WebhookChange::default();
        assert!(missing(world.store.update(other, webhook.id, change, world.now()).await));
        assert!(matches!(world.store.delete(other, webhook.id).await, Err(Error::NotFound(_))));
        assert!(world.store.list(other, None, 10).await.unwrap().is_empty());
    }
    assert_eq!(world.store.list(Visibility::Tenant(TenantId(1)), None, 10).await.unwrap().len(), 1);
    assert_eq!(world.store.list(ALICES, Some(WebhookId(1)), 10).await.unwrap().len(), 0);
    assert_eq!(world.store.find(ALICES, webhook.id).await.unwrap().id, webhook.id);
    world.store.delete(ALICES, webhook.id).await.unwrap();
    assert!(world.store.find(ALICES, webhook.id).await.is_err());
}

#[tokio::test]
async fn events_are_kept_once_each_and_unknown_ones_refused() {
    let world = World::new().await;
    let webhook = world.webhook(ALICE, &["task_failed", "plan_updated", "task_failed"]).await;
    assert_eq!(webhook.events, ["plan_updated", "task_failed"]);
    let error = world.store.create(world.new_webhook(ALICE, &["plan_deleted"]), 20).await.unwrap_err();
    assert!(
        error.to_string().starts_with("\"plan_deleted\" is no event; events are plan_updated, task_started")
    );
    let change = WebhookChange { events: Some(vec!["nonsense".to_owned()]), ..WebhookChange::default() };
    assert!(world.store.update(ALICES, webhook.id, change, world.now()).await.is_err());
    assert_eq!(world.store.webhook(webhook.id).events, ["plan_updated", "task_failed"]);
}

#[tokio::test]
async fn i17_a_former_secret_signs_for_one_more_day() {
    let world = World::new().await;
    let mut webhook = world.webhook(ALICE, &[]).await;
    let (old, new) = (exposed(&webhook, world.now()), new_secret(&[8; 32]));
    let change = WebhookChange { secret: Some(new.clone()), ..WebhookChange::default() };
    webhook.change(change, world.now()).unwrap();
    let new = new.expose_secret().to_owned();
    let day = Duration::from_secs(86_400);
    assert_eq!(exposed(&webhook, world.now()), [new.clone(), old[0].clone()]);
    assert_eq!(exposed(&webhook, world.now().plus(day - Duration::from_micros(1))).len(), 2);
    assert_eq!(exposed(&webhook, world.now().plus(day)), [new]);
}

#[tokio::test]
async fn a_change_lets_the_next_attempt_be_made_at_once() {
    let world = World::new().await;
    let mut webhook = world.webhook(ALICE, &[]).await;
    let later = world.now().plus(Duration::from_secs(60));
    webhook.fail(&Failure { at: world.now(), error: "down".to_owned(), next: Next::RetryAt(later) });
    assert!(!webhook.may_be_called(world.now()) && webhook.may_be_called(later));
    let change = WebhookChange { url: Some(world.destination("/other")), ..WebhookChange::default() };
    webhook.change(change, world.now()).unwrap();
    assert!(webhook.may_be_called(world.now()) && webhook.url.ends_with("/other"));
    assert_eq!((webhook.failures, webhook.failing_since, webhook.last_error), (0, None, None));
}

#[tokio::test]
async fn switched_on_it_goes_on_where_it_was_or_where_its_owner_says() {
    let world = World::new().await;
    let mut webhook = world.webhook(ALICE, &[]).await;
    webhook.advance(5);
    let gone = Next::Disabled(DisabledReason::Gone);
    webhook.fail(&Failure { at: world.now(), error: "gone".to_owned(), next: gone });
    assert!(!webhook.may_be_called(world.now().plus(Duration::from_secs(1_000_000))));
    let switch = |webhook: &mut Webhook, to| {
        let change = WebhookChange { switch: Some(to), ..WebhookChange::default() };
        webhook.change(change, world.now()).unwrap();
        (webhook.disabled, webhook.cursor)
    };
    assert_eq!(switch(&mut webhook, Switch::On), (None, 5));
    assert_eq!(switch(&mut webhook, Switch::Off), (Some(DisabledReason::Owner), 5));
    assert_eq!(switch(&mut webhook, Switch::OnFrom(9)), (None, 9));
    assert_eq!(switch(&mut webhook, Switch::OnFrom(2)), (None, 9), "never back, which would repeat");
    for reason in [DisabledReason::Owner, DisabledReason::Gone, DisabledReason::Failing] {
        assert_eq!(DisabledReason::parse(reason.as_str()), Some(reason));
    }
    assert_eq!(DisabledReason::parse("other"), None);
}

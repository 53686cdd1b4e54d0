//! I17: the secret, and the keys that addresses hold, are in no log and no `Debug`.

use crate::receiver::Reply;
use crate::world::{ALICE, World};
use agent_core::ports::Visibility;
use agent_webhooks::{WebhookChange, WebhookStore, new_secret};
use secrecy::ExposeSecret;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn i17_neither_secrets_nor_the_paths_of_addresses_are_logged() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _logged = tracing::subscriber::set_default(subscriber);

    let world = World::new().await;
    let mut new = world.new_webhook(ALICE, &[]);
    new.url = world.destination("/path-with-key?token=key-in-query");
    let mut shown = format!("{new:?}");
    let webhook = world.store.create(new, 20).await.unwrap();
    let change = WebhookChange {
        secret: Some(new_secret(&[9; 32])),
        url: Some(world.destination("/path-with-key?token=key-in-query")),
        ..WebhookChange::default()
    };
    shown += &format!("{change:?}");
    let changed =
        world.store.update(Visibility::Owner(ALICE), webhook.id, change, world.now()).await.unwrap();
    let dispatcher = world.dispatcher();
    shown += &format!("{changed:?} {changed:#?} {dispatcher:?}");

    let failures =
        [Reply::Status(500, ""), Reply::Status(200, "content-length: x\r\n"), Reply::Redirect("/".into())];
    world.receiver.reply(failures.clone());
    for cursor in 1..=3 {
        world.commit(ALICE, cursor);
    }
    for _ in 0..failures.len() {
        dispatcher.turn().await.unwrap();
        shown += &world.store.webhook(webhook.id).last_error.unwrap();
        world.pass(Duration::from_secs(3_600));
    }
    dispatcher.turn().await.unwrap();
    assert_eq!(world.store.webhook(webhook.id).cursor, 3);

    let logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("a delivery failed") && logged.contains("delivered"), "{logged}");
    let secrets = [webhook.secret.expose_secret(), changed.secret.expose_secret()];
    for hidden in ["path-with-key", "key-in-query", "whsec_", secrets[0], secrets[1]] {
        assert!(!logged.contains(hidden), "{hidden} in {logged}");
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
}

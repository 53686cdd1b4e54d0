//! What happens when the source of random numbers fails: nothing is issued, and nothing is kept.

use crate::fixture::{HERE, PASSWORD, SECRET, World, root};
use agent_auth::ports::RandomBytes;
use agent_auth::{Error, Role, SigningKey};
use agent_core::BoxError;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Works that many times, and then no more.
struct Exhausted(AtomicUsize);

impl RandomBytes for Exhausted {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), BoxError> {
        let left = |left: usize| left.checked_sub(1);
        if self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_err() {
            return Err("no random numbers".into());
        }
        bytes.fill(7);
        Ok(())
    }
}

/// The same bytes for ever.
struct Constant;

impl RandomBytes for Constant {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), BoxError> {
        bytes.fill(7);
        Ok(())
    }
}

#[tokio::test]
async fn without_random_numbers_no_session_key_or_account_is_made() {
    let world = World::with_accounts().await;
    let alice = world.principal("alice").await;
    let before = world.stores.dump();
    let server = |draws| {
        let signing_key = SigningKey::new(SECRET.into()).unwrap();
        world.restarted_with(signing_key).with_random(Arc::new(Exhausted(AtomicUsize::new(draws))))
    };
    for draws in 0..3 {
        let refused = server(draws).login("alice", &PASSWORD.into(), None, HERE).await;
        assert!(matches!(refused, Err(Error::Cryptography(_))), "{draws}: {refused:?}");
    }
    for draws in 0..2 {
        let refused = server(draws).create_key(&alice, "ci", None, None).await;
        assert!(matches!(refused, Err(Error::Cryptography(_))), "{draws}: {refused:?}");
    }
    let refused = server(0).create_user(&root(), "bob", &PASSWORD.into(), Role::User).await;
    assert!(matches!(refused, Err(Error::Cryptography(_))), "no salt: {refused:?}");
    assert_eq!(world.stores.dump(), before);
}

#[tokio::test]
async fn all_that_is_secret_comes_from_the_source_that_is_handed_in() {
    let world = World::with_accounts().await;
    let server =
        world.restarted_with(SigningKey::new(SECRET.into()).unwrap()).with_random(Arc::new(Constant));
    let one = server.login("alice", &PASSWORD.into(), None, HERE).await.unwrap();
    let two = server.login("alice", &PASSWORD.into(), None, HERE).await.unwrap();
    assert_eq!((one.refresh_token, one.access_token), (two.refresh_token, two.access_token));
}

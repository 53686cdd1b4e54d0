//! Keys made with keys, keys of several tenants, and keys of operators.

use crate::fixture::{World, assert_refused, root};
use crate::memory_stores::MemoryStores;
use agent_auth::ports::{ApiKey, ApiKeyStore, NewApiKey};
use agent_auth::{Credential, Error, Principal, Role, Scope, UpdateUser};
use agent_core::ids::{Owner, UserId};
use agent_core::plan::Idempotency;
use agent_core::ports::Clock;
use agent_core::time::Timestamp;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);

async fn by_key(world: &World, key: &str) -> Result<Principal, Error> {
    world.auth.authenticate(Credential::ApiKey(key)).await
}

/// The secret of a key of this caller, and the caller that it makes.
async fn key_of(world: &World, maker: &Principal, end: Option<Timestamp>) -> (String, Principal) {
    let secret = world.auth.create_key(maker, "ci", None, end).await.unwrap().secret;
    let principal = by_key(world, &secret).await.unwrap();
    (secret, principal)
}

#[tokio::test]
async fn a40_a_key_ends_with_the_one_that_it_was_made_with_however_indirectly() {
    let world = World::with_accounts().await;
    let alice = world.principal("alice").await;
    let (first, maker) = key_of(&world, &alice, None).await;
    let (second, heir) = key_of(&world, &maker, None).await;
    let (third, _) = key_of(&world, &heir, None).await;
    let (apart, other) = key_of(&world, &alice, None).await;
    assert_eq!((alice.key_id, maker.key_id, heir.key_id), (None, Some(1), Some(2)));
    let made_by = world.auth.list_keys(&alice).await.unwrap();
    assert_eq!(made_by.iter().map(|key| key.made_by).collect::<Vec<_>>(), [None, Some(1), Some(2), None]);

    world.auth.revoke_key(&other, 1).await.unwrap();
    for secret in [&first, &second, &third] {
        assert_refused(by_key(&world, secret).await, "revoked with its maker");
    }
    assert!(by_key(&world, &apart).await.is_ok());
}

/// A store in which a key is revoked while one is made with it.
struct Overtaken(Arc<MemoryStores>);

#[async_trait]
impl ApiKeyStore for Overtaken {
    async fn insert(&self, key: &NewApiKey, at: Timestamp) -> agent_core::Result<ApiKey> {
        if let Some(maker) = key.made_by {
            self.0.revoke(key.owner, maker, at).await?;
        }
        self.0.insert(key, at).await
    }

    async fn find_key(&self, public_id: &str) -> agent_core::Result<Option<(ApiKey, Vec<u8>)>> {
        self.0.find_key(public_id).await
    }

    async fn keys_of(&self, owner: Owner) -> agent_core::Result<Vec<ApiKey>> {
        self.0.keys_of(owner).await
    }

    async fn revoke(&self, owner: Owner, id: i64, at: Timestamp) -> agent_core::Result<bool> {
        self.0.revoke(owner, id, at).await
    }

    async fn touch(&self, id: i64, at: Timestamp) -> agent_core::Result<()> {
        self.0.touch(id, at).await
    }
}

#[tokio::test]
async fn a40_a_key_that_is_made_while_its_maker_is_revoked_is_revoked_too() {
    let world = World::with_accounts().await;
    let alice = world.principal("alice").await;
    let (_, maker) = key_of(&world, &alice, None).await;
    let server = world.on_key_store(Arc::new(Overtaken(world.stores.clone())));
    assert_refused(server.create_key(&maker, "ci", None, None).await, "its maker is revoked");
    assert!(world.auth.list_keys(&alice).await.unwrap().iter().all(|key| key.revoked_at.is_some()));
    assert!(server.create_key(&alice, "ci", None, None).await.is_ok(), "made with a session");
}

#[tokio::test]
async fn a40_a_key_made_with_a_key_ends_no_later_than_that_one() {
    let world = World::with_accounts().await;
    let alice = world.principal("alice").await;
    let now = world.clock.now();
    let (end, sooner, later) = (now.plus(2 * HOUR), now.plus(HOUR), now.plus(3 * HOUR));
    let (_, maker) = key_of(&world, &alice, Some(end)).await;
    let create = async |maker: &Principal, end| world.auth.create_key(maker, "ci", None, end).await;
    for (asked, ends) in [(None, end), (Some(end), end), (Some(sooner), sooner)] {
        assert_eq!(create(&maker, asked).await.unwrap().key.expires_at, Some(ends), "{asked:?}");
    }
    let refused = create(&maker, Some(later)).await;
    assert!(matches!(refused, Err(Error::InvalidKeyRequest(_))), "{refused:?}");
    let (_, endless) = key_of(&world, &alice, None).await;
    assert_eq!(create(&endless, None).await.unwrap().key.expires_at, None);
    assert_eq!(create(&endless, Some(later)).await.unwrap().key.expires_at, Some(later));
    assert_eq!(create(&alice, Some(later)).await.unwrap().key.expires_at, Some(later), "beyond the token");
}

#[tokio::test]
async fn a40_a_credential_that_ends_does_not_get_at_a_key_that_another_asked_for() {
    let world = World::with_accounts().await;
    let alice = world.principal("alice").await;
    let request = Idempotency { key: "k".into(), fingerprint: "body".into() };
    let create =
        async |maker: &Principal| world.auth.create_key_once(maker, ("ci", None, None), &request).await;
    let first = create(&alice).await.unwrap();
    let (_, ending) = key_of(&world, &alice, Some(world.clock.now().plus(HOUR))).await;
    let (_, endless) = key_of(&world, &alice, None).await;
    for other in [&ending, &endless] {
        let refused = create(other).await.unwrap_err();
        assert!(matches!(refused, Error::Store(agent_core::Error::IdempotencyMismatch(_))), "{refused:?}");
    }
    assert_eq!(create(&world.principal("alice").await).await.unwrap(), first, "after another login");
}

#[tokio::test]
async fn a40_a_key_works_in_its_tenant_and_is_seen_and_revoked_there_alone() {
    let world = World::with_tenants().await;
    let (home, guest) = (world.principal("alice").await, world.principal_in("acme", "alice").await);
    let (secret, by_guest) = key_of(&world, &guest, None).await;
    assert_eq!((by_guest.tenant, by_guest.role), (guest.tenant, Role::Viewer));
    assert!(!by_guest.may(Scope::PlansWrite), "out of scope there");
    assert!(world.auth.list_keys(&home).await.unwrap().is_empty());
    let refused = world.auth.revoke_key(&home, 1).await;
    assert!(matches!(refused, Err(Error::KeyNotFound(1))), "{refused:?}");
    assert!(by_key(&world, &secret).await.is_ok());
    world.auth.revoke_key(&guest, 1).await.unwrap();
    assert_refused(by_key(&world, &secret).await, "revoked");
}

#[tokio::test]
async fn z16_only_operators_make_keys_that_look_after_the_server() {
    let world = World::with_accounts().await;
    let change = |operator| UpdateUser { operator: Some(operator), ..UpdateUser::default() };
    for id in [UserId(1), UserId(3)] {
        world.auth.update_user(&root(), id, &change(true)).await.unwrap();
    }
    let (adam, vera) = (world.principal("adam").await, world.principal("vera").await);
    let server = Some(&[Scope::TenantsManage][..]);
    let refused = world.auth.create_key(&vera, "s", server, None).await;
    assert!(matches!(refused, Err(Error::ScopeAboveRole(Scope::TenantsManage))), "{refused:?}");
    let narrow = world.auth.create_key(&adam, "s", server, None).await.unwrap().secret;
    assert!(by_key(&world, &narrow).await.unwrap().may(Scope::TenantsManage));
    let (wide, principal) = key_of(&world, &adam, None).await;
    assert_eq!(principal.scopes, Scope::ALL, "all that an administrator and operator has");

    world.auth.update_user(&root(), UserId(3), &change(false)).await.unwrap();
    assert!(by_key(&world, &narrow).await.unwrap().scopes.is_empty());
    assert_eq!(by_key(&world, &wide).await.unwrap().scopes, Role::Admin.scopes());
}

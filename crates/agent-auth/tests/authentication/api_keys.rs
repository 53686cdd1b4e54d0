//! Keys for programs: shown once, kept as hashes, never worth more than their owner.

use crate::fixture::{World, assert_refused, root};
use agent_auth::ports::{ApiKey, ApiKeyStore, NewApiKey};
use agent_auth::{Credential, Error, ParsedKey, Principal, Role, Scope, UpdateUser, parse_scopes};
use agent_core::ids::Owner;
use agent_core::plan::Idempotency;
use agent_core::ports::Clock;
use agent_core::time::Timestamp;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

async fn by_key(world: &World, key: &str) -> Result<Principal, Error> {
    world.auth.authenticate(Credential::ApiKey(key)).await
}

#[tokio::test]
async fn a_key_lets_its_owner_in_by_either_header() {
    let world = World::with_accounts().await;
    let alice = world.principal("alice").await;
    let created = world.auth.create_key(&alice, "ci", None, None).await.unwrap();
    assert!(created.secret.starts_with(&created.key.prefix()));
    let principal = by_key(&world, &created.secret).await.unwrap();
    assert_eq!(principal.user_id, alice.user_id);
    assert_eq!(principal.scopes, Role::User.scopes(), "those of the role");
    assert_eq!(principal.expires_at, None);
    assert_eq!(world.bearer(&created.secret).await.unwrap(), principal);

    let token = world.login("alice").await.access_token;
    assert_refused(by_key(&world, &token).await, "a JWT is no API key");
}

#[tokio::test]
async fn a38_a_key_with_a_typo_is_refused_without_asking_the_store() {
    let world = World::with_accounts().await;
    let alice = world.principal("alice").await;
    let key = world.auth.create_key(&alice, "ci", None, None).await.unwrap().secret;
    for place in 0..key.len() {
        let other = if key.as_bytes()[place] == b'x' { "y" } else { "x" };
        let typo = format!("{}{other}{}", &key[..place], &key[place + 1..]);
        assert_refused(by_key(&world, &typo).await, &typo);
    }
    for wrong in [&key[1..], &key[..key.len() - 1], "", "ak_live_", &format!("{key} "), &"é".repeat(35)] {
        assert_refused(by_key(&world, wrong).await, wrong);
    }
    assert_eq!(world.stores.key_lookups(), 0);
    assert!(by_key(&world, &key).await.is_ok());
    assert_eq!(world.stores.key_lookups(), 1);
}

/// A store that nobody may ask.
struct Untouchable;

#[async_trait]
impl ApiKeyStore for Untouchable {
    async fn insert(&self, _: &NewApiKey, _: Timestamp) -> agent_core::Result<ApiKey> {
        panic!("the store was asked to keep a key")
    }

    async fn find_key(&self, public_id: &str) -> agent_core::Result<Option<(ApiKey, Vec<u8>)>> {
        panic!("the store was asked for {public_id}")
    }

    async fn keys_of(&self, _: Owner) -> agent_core::Result<Vec<ApiKey>> {
        panic!("the store was asked for keys")
    }

    async fn revoke(&self, _: Owner, _: i64, _: Timestamp) -> agent_core::Result<bool> {
        panic!("the store was asked to revoke a key")
    }

    async fn touch(&self, _: i64, _: Timestamp) -> agent_core::Result<()> {
        panic!("the store was asked to note a use")
    }
}

#[tokio::test]
async fn a38_what_is_no_key_by_its_form_or_checksum_never_reaches_a_store() {
    let world = World::with_accounts().await;
    let alice = world.principal("alice").await;
    let key = world.auth.create_key(&alice, "ci", None, None).await.unwrap().secret;
    let server = world.on_key_store(Arc::new(Untouchable));
    let (id, secret) = ("0".repeat(12), "0".repeat(49));
    for wrong in [
        format!("{}0", &key[..key.len() - 1]),
        format!("ak_live_{id}_{secret}"),
        format!("ak_test_{}", &key[8..]),
        format!("AK_LIVE_{}", &key[8..]),
        key.to_uppercase(),
        format!("{key}{key}"),
        "ak_live_".repeat(100_000),
        "' OR 1=1--".into(),
        "\u{1F511}".repeat(20),
    ] {
        assert_ne!(wrong, key);
        for credential in [Credential::ApiKey(&wrong), Credential::Bearer(&wrong)] {
            assert_refused(server.authenticate(credential).await, &wrong);
        }
    }
}

#[tokio::test]
#[should_panic(expected = "the store was asked for")]
async fn a38_a_key_that_may_be_somebodys_is_looked_up() {
    let world = World::with_accounts().await;
    let alice = world.principal("alice").await;
    let key = world.auth.create_key(&alice, "ci", None, None).await.unwrap().secret;
    let _ = world.on_key_store(Arc::new(Untouchable)).authenticate(Credential::ApiKey(&key)).await;
}

#[tokio::test]
async fn a39_neither_the_store_nor_the_list_nor_debug_output_holds_the_key() {
    let world = World::with_accounts().await;
    let alice = world.principal("alice").await;
    let created = world.auth.create_key(&alice, "ci", None, None).await.unwrap();
    let secret = created.secret.rsplit('_').next().unwrap();
    let listed = format!("{:?}", world.auth.list_keys(&alice).await.unwrap());
    let parsed = format!("{:?}", ParsedKey::parse(&created.secret).unwrap());
    for text in [world.stores.dump(), listed, parsed, format!("{created:?}")] {
        assert!(text.contains(&created.key.public_id));
        assert!(!text.contains(secret) && !text.contains(&secret[..43]), "{text}");
    }
}

#[tokio::test]
async fn a39_a_key_with_the_right_public_part_and_another_secret_is_refused() {
    let world = World::with_accounts().await;
    let alice = world.principal("alice").await;
    let one = world.auth.create_key(&alice, "one", None, None).await.unwrap();
    // The same key on a server whose store holds another hash under that public id.
    let other = World::with_accounts().await;
    let principal = other.principal("alice").await;
    let two = other.auth.create_key(&principal, "two", None, None).await.unwrap();
    let stolen = NewApiKey {
        owner: principal.owner(),
        made_by: None,
        public_id: one.key.public_id.clone(),
        secret_hash: ParsedKey::parse(&two.secret).unwrap().secret_hash().to_vec(),
        name: "other".into(),
        scopes: vec![Scope::PlansRead],
        expires_at: None,
        idempotency: None,
    };
    other.stores.insert(&stolen, other.clock.now()).await.unwrap();
    let refused = by_key(&other, &one.secret).await.unwrap_err();
    assert_eq!(refused.reason(), Some("wrong secret of an API key"));
    assert!(by_key(&other, &two.secret).await.is_ok());
}

#[tokio::test]
async fn a40_revoked_and_ended_keys_and_those_of_disabled_owners_are_refused_at_once() {
    let world = World::with_accounts().await;
    let (alice, vera) = (world.principal("alice").await, world.principal("vera").await);
    let soon = Some(world.clock.now().plus(Duration::from_mins(5)));
    let revoked = world.auth.create_key(&alice, "revoked", None, None).await.unwrap();
    let ended = world.auth.create_key(&alice, "ended", None, soon).await.unwrap();
    let orphaned = world.auth.create_key(&vera, "orphaned", None, None).await.unwrap();
    for key in [&revoked, &ended, &orphaned] {
        assert!(by_key(&world, &key.secret).await.is_ok());
    }

    world.auth.revoke_key(&alice, revoked.key.id).await.unwrap();
    assert_refused(by_key(&world, &revoked.secret).await, "revoked");
    world.clock.advance(Duration::from_mins(5));
    assert!(matches!(by_key(&world, &ended.secret).await, Err(Error::Expired)));
    let disable = UpdateUser { disabled: Some(true), ..UpdateUser::default() };
    world.auth.update_user(&root(), vera.user_id, &disable).await.unwrap();
    assert!(matches!(by_key(&world, &orphaned.secret).await, Err(Error::Disabled)));
}

#[tokio::test]
async fn a40_somebody_elses_key_cannot_be_revoked_and_does_not_seem_to_exist() {
    let world = World::with_accounts().await;
    let (alice, adam) = (world.principal("alice").await, world.principal("adam").await);
    let key = world.auth.create_key(&alice, "mine", None, None).await.unwrap();
    let foreign = world.auth.revoke_key(&adam, key.key.id).await.unwrap_err();
    let unknown = world.auth.revoke_key(&adam, 4711).await.unwrap_err();
    assert!(matches!((foreign, unknown), (Error::KeyNotFound(_), Error::KeyNotFound(4711))));
    assert!(by_key(&world, &key.secret).await.is_ok());
    assert!(world.auth.list_keys(&adam).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_logout_leaves_api_keys_alone() {
    let world = World::with_accounts().await;
    let alice = world.principal("alice").await;
    let key = world.auth.create_key(&alice, "ci", None, None).await.unwrap().secret;
    world.auth.logout(&alice).await.unwrap();
    assert!(by_key(&world, &key).await.is_ok());
}

#[tokio::test]
async fn z16_a_key_may_do_what_it_was_made_for_and_never_more_than_its_maker() {
    let world = World::with_accounts().await;
    let alice = world.principal("alice").await;
    let reader = world.auth.create_key(&alice, "r", Some(&[Scope::PlansRead, Scope::KeysManage]), None).await;
    let reader = by_key(&world, &reader.unwrap().secret).await.unwrap();
    assert!(reader.may(Scope::PlansRead) && !reader.may(Scope::PlansWrite));

    let above = world.auth.create_key(&alice, "a", Some(&[Scope::PlansRead, Scope::UsersManage]), None).await;
    assert!(matches!(above, Err(Error::ScopeAboveRole(Scope::UsersManage))));
    let wider = world.auth.create_key(&reader, "w", Some(&[Scope::PlansWrite]), None).await;
    assert!(matches!(wider, Err(Error::ScopeAboveRole(Scope::PlansWrite))), "by way of a smaller key");
    let heir = world.auth.create_key(&reader, "h", None, None).await.unwrap();
    assert_eq!(heir.key.scopes, [Scope::PlansRead, Scope::KeysManage]);
}

#[tokio::test]
async fn z16_a_key_shrinks_with_the_role_of_its_owner() {
    let world = World::with_accounts().await;
    let alice = world.principal("alice").await;
    let key = world.auth.create_key(&alice, "ci", None, None).await.unwrap().secret;
    let demote = UpdateUser { role: Some(Role::Viewer), ..UpdateUser::default() };
    world.auth.update_user(&root(), alice.user_id, &demote).await.unwrap();
    assert_eq!(by_key(&world, &key).await.unwrap().scopes, Role::Viewer.scopes());
}

#[tokio::test]
async fn a_key_that_makes_no_sense_is_not_made() {
    let world = World::with_accounts().await;
    let alice = world.principal("alice").await;
    let (past, long) = (Some(world.clock.now()), "n".repeat(101));
    for (name, scopes, end) in
        [("ci", Some(&[][..]), None), ("ci", None, past), (long.as_str(), None, None), ("a\nb", None, None)]
    {
        let refused = world.auth.create_key(&alice, name, scopes, end).await;
        assert!(matches!(refused, Err(Error::InvalidKeyRequest(_))), "{name} {scopes:?}");
    }
    let unknown = parse_scopes(&["plans:read", "plans:*"]).unwrap_err();
    assert!(matches!(&unknown, Error::UnknownScope(word) if word == "plans:*"));
    assert!(unknown.to_string().contains("plans:execute"), "it names those there are");
    assert_eq!(parse_scopes(&["users:manage"]).unwrap(), [Scope::UsersManage]);
}

#[tokio::test]
async fn a_user_has_at_most_a_hundred_live_keys() {
    let world = World::with_accounts().await;
    let alice = world.principal("alice").await;
    let first = world.auth.create_key(&alice, "0", None, None).await.unwrap();
    for number in 1..100 {
        world.auth.create_key(&alice, &number.to_string(), None, None).await.unwrap();
    }
    let refused = world.auth.create_key(&alice, "100", None, None).await;
    assert!(matches!(refused, Err(Error::InvalidKeyRequest(_))));
    world.auth.revoke_key(&alice, first.key.id).await.unwrap();
    assert!(world.auth.create_key(&alice, "100", None, None).await.is_ok());
}

#[tokio::test]
async fn the_last_use_of_a_key_is_noted_to_the_minute() {
    let world = World::with_accounts().await;
    let alice = world.principal("alice").await;
    let key = world.auth.create_key(&alice, "ci", None, None).await.unwrap().secret;
    for _ in 0..5 {
        by_key(&world, &key).await.unwrap();
    }
    assert_eq!(world.stores.key_touches(), 1);
    world.clock.advance(Duration::from_mins(1));
    by_key(&world, &key).await.unwrap();
    assert_eq!(world.stores.key_touches(), 2);
    let listed = world.auth.list_keys(&alice).await.unwrap();
    assert_eq!(listed[0].last_used_at, Some(world.clock.now()));
}

fn request(key: &str, fingerprint: &str) -> Idempotency {
    Idempotency { key: key.to_owned(), fingerprint: fingerprint.to_owned() }
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_key_and_its_secret_is_kept_nowhere() {
    let world = World::with_accounts().await;
    let alice = world.principal("alice").await;
    let once = |key, fingerprint| {
        let (auth, alice, request) = (&world.auth, &alice, request(key, fingerprint));
        async move { auth.create_key_once(alice, ("ci", None, None), &request).await }
    };
    let first = once("order-7", "body").await.unwrap();
    assert_eq!(once("order-7", "body").await.unwrap(), first);
    assert_eq!(by_key(&world, &first.secret).await.unwrap().username, "alice");
    let secret = &first.secret[first.secret.len() - 49..first.secret.len() - 6];
    assert!(!world.stores.dump().contains(secret));
    let other = once("order-7", "another body").await.unwrap_err();
    assert!(matches!(other, Error::Store(agent_core::Error::IdempotencyMismatch(_))), "{other}");
    assert_ne!(once("order-8", "body").await.unwrap().secret, first.secret);
}

#[tokio::test]
async fn a_narrower_credential_does_not_get_at_the_key_of_a_wider_one() {
    let world = World::with_accounts().await;
    let alice = world.principal("alice").await;
    let request = request("order-7", "body");
    world.auth.create_key_once(&alice, ("ci", None, None), &request).await.unwrap();
    let narrow = Principal { scopes: vec![Scope::KeysManage], ..alice };
    let refused = world.auth.create_key_once(&narrow, ("ci", None, None), &request).await.unwrap_err();
    assert!(matches!(refused, Error::Store(agent_core::Error::IdempotencyMismatch(_))), "{refused}");
}

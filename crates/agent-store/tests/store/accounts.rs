//! Users, API keys and refresh tokens.

use super::World;
use crate::world::{at, user};
use agent_auth::ports::{
    ApiKeyStore, NewApiKey, NewRefreshToken, NewUser, Redeemed, RefreshTokenStore, UserChange, UserStore,
};
use agent_auth::{Role, Scope};
use agent_core::ids::{Owner, TenantId, UserId};
use std::error::Error as _;

#[tokio::test]
async fn a_name_is_found_and_taken_without_regard_to_case() {
    let Some(world) = World::new().await else { return };
    let new = NewUser {
        username: "Grace".into(),
        password_hash: "h1".into(),
        password_expires_at: None,
        tenant: TenantId::DEFAULT,
        role: Role::Admin,
        operator: false,
        request_key: None,
    };
    let made = UserStore::create(&world.store, &new, at(1)).await.unwrap().unwrap();
    assert_eq!(
        (made.username.as_str(), made.role, made.disabled, made.created_at),
        ("Grace", Role::Admin, false, at(1))
    );
    let found = world.store.find_by_name("gRACE", None).await.unwrap().unwrap();
    assert_eq!((&found.user, found.password_hash.as_str()), (&made, "h1"));
    let taken = NewUser { username: "GRACE".into(), ..new };
    assert_eq!(UserStore::create(&world.store, &taken, at(2)).await.unwrap(), None);
    assert_eq!(UserStore::list(&world.store, TenantId::DEFAULT).await.unwrap().len(), 2);
    assert_eq!(world.store.find_by_name("nobody", None).await.unwrap(), None);
    assert_eq!(UserStore::find(&world.store, Owner::in_default_tenant(UserId(404))).await.unwrap(), None);
}

#[tokio::test]
async fn a_change_of_a_user_leaves_what_it_does_not_name() {
    let Some(world) = World::new().await else { return };
    let users: &dyn UserStore = &world.store;
    let change =
        UserChange { role: Some(Role::Viewer), tokens_valid_after: Some(at(9)), ..UserChange::default() };
    let changed = users.update(world.owner, &change).await.unwrap().unwrap();
    assert_eq!((changed.role, changed.disabled), (Role::Viewer, false));
    let more = UserChange { password_hash: Some("h2".into()), disabled: Some(true), ..UserChange::default() };
    users.update(world.owner, &more).await.unwrap().unwrap();
    let found = users.find(world.owner).await.unwrap().unwrap();
    assert_eq!((found.user.role, found.user.disabled), (Role::Viewer, true));
    assert_eq!((found.password_hash.as_str(), found.tokens_valid_after), ("h2", at(9)));
    assert_eq!(users.update(world.owner, &UserChange::default()).await.unwrap(), Some(found.user));
    assert_eq!(users.update(Owner::in_default_tenant(UserId(404)), &more).await.unwrap(), None);
}

fn new_key(owner: Owner, public_id: &str) -> NewApiKey {
    NewApiKey {
        owner,
        made_by: None,
        public_id: public_id.into(),
        secret_hash: vec![0, 1, 255],
        name: "build server".into(),
        scopes: vec![Scope::PlansRead, Scope::PlansExecute],
        expires_at: Some(at(1_000)),
        idempotency: None,
    }
}

#[tokio::test]
async fn a_key_is_found_by_its_public_part_with_everything_in_it() {
    let Some(world) = World::new().await else { return };
    let keys: &dyn ApiKeyStore = &world.store;
    let made = keys.insert(&new_key(world.owner, "pub1"), at(1)).await.unwrap();
    assert_eq!(made.scopes, [Scope::PlansRead, Scope::PlansExecute]);
    assert_eq!((made.expires_at, made.revoked_at, made.last_used_at), (Some(at(1_000)), None, None));
    assert_eq!(keys.find_key("pub1").await.unwrap(), Some((made.clone(), vec![0, 1, 255])));
    assert_eq!(keys.find_key("pub2").await.unwrap(), None);
    let second = keys.insert(&new_key(world.owner, "pub2"), at(2)).await.unwrap();
    assert_eq!(keys.keys_of(world.owner).await.unwrap(), [made, second]);
    let refused =
        keys.insert(&new_key(Owner::in_default_tenant(UserId(404)), "pub3"), at(2)).await.unwrap_err();
    assert!(refused.source().unwrap().to_string().contains("user 404"));
}

#[tokio::test]
async fn only_its_owner_revokes_a_key_and_the_first_time_counts() {
    let Some(world) = World::new().await else { return };
    let keys: &dyn ApiKeyStore = &world.store;
    let eve = user(&world.store, "eve").await;
    let id = keys.insert(&new_key(world.owner, "pub1"), at(1)).await.unwrap().id;
    assert!(!keys.revoke(eve, id, at(2)).await.unwrap());
    assert!(keys.revoke(world.owner, id, at(3)).await.unwrap());
    assert!(keys.revoke(world.owner, id, at(4)).await.unwrap());
    assert_eq!(keys.find_key("pub1").await.unwrap().unwrap().0.revoked_at, Some(at(3)));
}

#[tokio::test]
async fn the_use_of_a_key_is_noted_to_the_minute_and_never_goes_back() {
    let Some(world) = World::new().await else { return };
    let keys: &dyn ApiKeyStore = &world.store;
    let id = keys.insert(&new_key(world.owner, "pub1"), at(0)).await.unwrap().id;
    for instant in [at(61_000), at(119_999), at(5_000)] {
        keys.touch(id, instant).await.unwrap();
    }
    assert_eq!(keys.find_key("pub1").await.unwrap().unwrap().0.last_used_at, Some(at(60_000)));
}

fn token(owner: Owner, hash: u8, family: &str) -> NewRefreshToken {
    NewRefreshToken { token_hash: vec![hash; 32], owner, family: family.into(), expires_at: at(1_000) }
}

#[tokio::test]
async fn a_token_is_good_once_and_its_second_use_revokes_the_family() {
    let Some(world) = World::new().await else { return };
    let tokens: &dyn RefreshTokenStore = &world.store;
    let owner = world.owner;
    tokens.keep(&token(owner, 1, "f")).await.unwrap();
    let accepted = Redeemed::Accepted { owner, family: "f".into() };
    assert_eq!(tokens.redeem(&[1; 32], at(1)).await.unwrap(), accepted);
    tokens.keep(&token(owner, 2, "f")).await.unwrap();
    tokens.keep(&token(owner, 3, "other login")).await.unwrap();
    assert_eq!(tokens.redeem(&[1; 32], at(2)).await.unwrap(), Redeemed::Reused { owner });
    assert_eq!(tokens.redeem(&[2; 32], at(3)).await.unwrap(), Redeemed::Refused);
    let other = Redeemed::Accepted { owner, family: "other login".into() };
    assert_eq!(tokens.redeem(&[3; 32], at(4)).await.unwrap(), other);
}

#[tokio::test]
async fn unknown_expired_and_revoked_tokens_are_refused() {
    let Some(world) = World::new().await else { return };
    let tokens: &dyn RefreshTokenStore = &world.store;
    for hash in [1, 2] {
        tokens.keep(&token(world.owner, hash, "f")).await.unwrap();
    }
    assert_eq!(tokens.redeem(&[9; 32], at(1)).await.unwrap(), Redeemed::Refused);
    assert_eq!(tokens.redeem(&[1; 32], at(1_000)).await.unwrap(), Redeemed::Refused);
    tokens.revoke_all(world.owner.user).await.unwrap();
    assert_eq!(tokens.redeem(&[2; 32], at(1)).await.unwrap(), Redeemed::Refused);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_simultaneous_uses_one_is_accepted() {
    let Some(world) = World::new().await else { return };
    world.store.keep(&token(world.owner, 1, "f")).await.unwrap();
    let uses: Vec<_> = (0..20)
        .map(|_| {
            let store = world.store.clone();
            tokio::spawn(async move { store.redeem(&[1; 32], at(1)).await.unwrap() })
        })
        .collect();
    let mut accepted = 0;
    for attempt in uses {
        accepted += u32::from(matches!(attempt.await.unwrap(), Redeemed::Accepted { .. }));
    }
    assert_eq!(accepted, 1);
}

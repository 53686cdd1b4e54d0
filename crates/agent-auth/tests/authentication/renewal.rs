//! Staying in: refresh tokens, what becomes of one that comes twice, and when a login is over.

use crate::fixture::{HERE, PASSWORD, World, assert_refused, root};
use crate::memory_stores::MemoryStores;
use agent_auth::ports::{NewRefreshToken, Redeemed, RefreshTokenStore};
use agent_auth::{Error, Role, UpdateUser};
use agent_core::ids::{TenantId, UserId};
use agent_core::ports::Clock;
use agent_core::time::Timestamp;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn a30_a_refresh_token_used_twice_ends_its_whole_family_and_no_other() {
    let world = World::with_accounts().await;
    let (stolen, other) = (world.login("alice").await, world.login("alice").await);
    let next = world.auth.refresh(&stolen.refresh_token).await.unwrap();
    assert_eq!(next.user.username, "alice");
    assert!(world.bearer(&next.access_token).await.is_ok());

    let reused = world.auth.refresh(&stolen.refresh_token).await;
    assert!(matches!(reused, Err(Error::RefreshTokenReused { owner }) if owner == stolen.user.member()));
    assert_refused(world.auth.refresh(&next.refresh_token).await, "descendant");
    assert!(world.auth.refresh(&other.refresh_token).await.is_ok());
}

#[tokio::test]
async fn a30_of_two_that_refresh_with_the_same_token_at_once_one_is_let_in_and_the_family_ends() {
    let world = World::with_accounts().await;
    let stolen = world.login("alice").await;
    let (one, two) =
        tokio::join!(world.auth.refresh(&stolen.refresh_token), world.auth.refresh(&stolen.refresh_token));
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    let next = one.or(two).unwrap();
    assert_refused(world.auth.refresh(&next.refresh_token).await, "of the ended family");
}

#[tokio::test]
async fn a30_a_chain_of_refreshes_goes_on_and_any_earlier_link_of_it_ends_it() {
    let world = World::with_accounts().await;
    let mut chain = vec![world.login("alice").await.refresh_token];
    for _ in 0..4 {
        world.clock.advance(Duration::from_hours(13 * 24));
        chain.push(world.auth.refresh(chain.last().unwrap()).await.unwrap().refresh_token);
    }
    let reused = world.auth.refresh(&chain[2]).await;
    assert!(matches!(reused, Err(Error::RefreshTokenReused { .. })), "{reused:?}");
    for link in &chain {
        assert!(world.auth.refresh(link).await.is_err());
    }
}

#[tokio::test]
async fn a30_a_refresh_token_of_a_demoted_user_brings_the_role_of_today() {
    let world = World::with_accounts().await;
    let session = world.login("alice").await;
    let demotion = UpdateUser { role: Some(Role::Viewer), ..UpdateUser::default() };
    world.auth.update_user(&root(), session.user.id, &demotion).await.unwrap();
    assert_eq!(world.auth.refresh(&session.refresh_token).await.unwrap().user.role, Role::Viewer);
}

#[tokio::test]
async fn a30_refresh_tokens_end_after_two_weeks_and_are_kept_only_as_hashes() {
    let world = World::with_accounts().await;
    let session = world.login("alice").await;
    assert!(!world.stores.dump().contains(&session.refresh_token));
    assert!(!format!("{session:?}").contains(&session.refresh_token));
    world.clock.advance(Duration::from_hours(14 * 24));
    assert_refused(world.auth.refresh(&session.refresh_token).await, "two weeks later");
    for nonsense in ["", "rt_", "rt_x", &session.access_token, &session.refresh_token[3..]] {
        assert_refused(world.auth.refresh(nonsense).await, nonsense);
    }
}

#[tokio::test]
async fn a30_ninety_days_after_the_login_no_token_renews_it_any_more() {
    let world = World::with_accounts().await;
    let end = world.clock.now().plus(90 * DAY);
    let mut session = world.login("alice").await;
    for _ in 0..6 {
        world.clock.advance(13 * DAY);
        session = world.auth.refresh(&session.refresh_token).await.unwrap();
    }
    let last = world.stores.refresh_tokens().pop().unwrap();
    assert_eq!(last.expires_at, end, "a fortnight from now would be later");
    world.clock.advance(12 * DAY - Duration::from_secs(1));
    session = world.auth.refresh(&session.refresh_token).await.unwrap();
    assert_eq!(world.stores.refresh_tokens().pop().unwrap().expires_at, end);
    world.clock.advance(Duration::from_secs(1));
    assert_refused(world.auth.refresh(&session.refresh_token).await, "ninety days later");
    assert!(world.auth.refresh(&world.login("alice").await.refresh_token).await.is_ok());
}

/// A store that says of all tokens that they are of this family, and knows no end.
struct OfFamily(Arc<MemoryStores>, String);

#[async_trait]
impl RefreshTokenStore for OfFamily {
    async fn keep(&self, token: &NewRefreshToken) -> agent_core::Result<()> {
        self.0.keep(token).await
    }

    async fn redeem(&self, token_hash: &[u8], _: Timestamp) -> agent_core::Result<Redeemed> {
        let kept = self.0.refresh_tokens().into_iter().find(|token| token.token_hash == token_hash);
        let accepted =
            |token: NewRefreshToken| Redeemed::Accepted { owner: token.owner, family: self.1.clone() };
        Ok(kept.map_or(Redeemed::Refused, accepted))
    }

    async fn revoke_all(&self, user: UserId) -> agent_core::Result<()> {
        self.0.revoke_all(user).await
    }
}

#[tokio::test]
async fn a30_a_family_says_when_its_login_was_and_one_that_does_not_is_over() {
    let world = World::with_accounts().await;
    let (session, now) = (world.login("alice").await, world.clock.now().as_micros());
    let epoch = world.stores.account(session.user.id).tokens_valid_after.as_micros();
    let long_ago = now - 90 * 86_400_000_000;
    for (family, is_good) in [
        (format!("{epoch}.{now}.family"), true),
        (format!("{epoch}.{}.family", long_ago + 1), true),
        (format!("{epoch}.{long_ago}.family"), false),
        (format!("{}.{now}.family", epoch - 1), false),
        (format!("{epoch}.family"), false),
        (format!("{epoch}.{now}"), false),
        (String::new(), false),
    ] {
        let server = world.on_refresh_store(Arc::new(OfFamily(world.stores.clone(), family.clone())));
        let refreshed = server.refresh(&session.refresh_token).await;
        assert_eq!(refreshed.is_ok(), is_good, "{family}: {refreshed:?}");
    }
}

#[tokio::test]
async fn a30_a_renewed_session_acts_in_the_tenant_of_its_login() {
    let world = World::with_tenants().await;
    let acme = world.auth.login("alice", &PASSWORD.into(), Some("acme"), HERE).await.unwrap();
    let next = world.auth.refresh(&acme.refresh_token).await.unwrap();
    assert_eq!((next.user.tenant, next.user.role), (TenantId(2), Role::Viewer));
    assert_eq!(world.bearer(&next.access_token).await.unwrap().tenant, TenantId(2));
}

//! Logging in, staying in, logging out, and what ends a session.

use crate::fixture::{HERE, PASSWORD, World, assert_refused};
use crate::memory_stores::MemoryStores;
use agent_auth::ports::{NewRefreshToken, Redeemed, RefreshTokenStore};
use agent_auth::{Authenticator, Credential, Error, Role, Scope, Session, UpdateUser};
use agent_core::ids::UserId;
use agent_core::time::Timestamp;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

const NEW_PASSWORD: &str = "another handful of words";

#[tokio::test]
async fn a25_after_a_logout_the_same_tokens_are_refused_and_a_new_login_works_at_once() {
    let world = World::with_accounts().await;
    let (phone, desk) = (world.login("alice").await, world.login("alice").await);
    let other = world.login("adam").await;
    let principal = world.bearer(&desk.access_token).await.unwrap();

    world.auth.logout(&principal).await.unwrap();
    for session in [&phone, &desk] {
        assert_refused(world.bearer(&session.access_token).await, "access token");
        assert_refused(world.auth.refresh(&session.refresh_token).await, "refresh token");
    }
    assert!(world.bearer(&other.access_token).await.is_ok());
    let again = world.login("alice").await;
    assert!(world.bearer(&again.access_token).await.is_ok());
}

#[tokio::test]
async fn a25_sessions_end_and_begin_even_when_the_clock_was_set_back() {
    let world = World::with_accounts().await;
    let before = world.login("alice").await;
    world.clock.set_back(Duration::from_secs(3 * 86_400));
    let principal = world.principal("alice").await;
    world.auth.logout(&principal).await.unwrap();
    let after = world.login("alice").await;
    assert!(world.bearer(&after.access_token).await.is_ok());
    assert_refused(world.bearer(&before.access_token).await, "issued before the logout");
}

/// A store that keeps refresh tokens and forgets to revoke them.
struct Forgetful(Arc<MemoryStores>);

#[async_trait]
impl RefreshTokenStore for Forgetful {
    async fn keep(&self, token: &NewRefreshToken) -> agent_core::Result<()> {
        self.0.keep(token).await
    }

    async fn redeem(&self, token_hash: &[u8], at: Timestamp) -> agent_core::Result<Redeemed> {
        self.0.redeem(token_hash, at).await
    }

    async fn revoke_all(&self, _: UserId) -> agent_core::Result<()> {
        Err(agent_core::Error::Unavailable("the database went away in between".into()))
    }
}

#[tokio::test]
async fn a25_refresh_tokens_die_with_the_session_even_when_revoking_them_fails() {
    let world = World::with_accounts().await;
    let server = world.on_refresh_store(Arc::new(Forgetful(world.stores.clone())));
    let session = server.login("alice", &PASSWORD.into(), HERE).await.unwrap();
    let principal = server.authenticate(Credential::Bearer(&session.access_token)).await.unwrap();
    assert!(
        matches!(server.logout(&principal).await, Err(Error::Store(_))),
        "the caller is told to try again"
    );
    assert_refused(server.authenticate(Credential::Bearer(&session.access_token)).await, "access token");
    assert_refused(server.refresh(&session.refresh_token).await, "refresh token");
}

#[tokio::test]
async fn a26_a_password_change_ends_all_sessions_and_needs_the_present_password() {
    let world = World::with_accounts().await;
    let session = world.login("alice").await;
    let principal = world.bearer(&session.access_token).await.unwrap();

    let wrong =
        world.auth.change_password(&principal, &"not this one at all".into(), &NEW_PASSWORD.into()).await;
    assert!(matches!(wrong, Err(Error::InvalidCredentials)));
    let weak = world.auth.change_password(&principal, &PASSWORD.into(), &"short".into()).await;
    assert!(matches!(weak, Err(Error::WeakPassword(_))));
    assert!(world.bearer(&session.access_token).await.is_ok());

    world.auth.change_password(&principal, &PASSWORD.into(), &NEW_PASSWORD.into()).await.unwrap();
    assert_refused(world.bearer(&session.access_token).await, "older access token");
    assert_refused(world.auth.refresh(&session.refresh_token).await, "older refresh token");
    let old = world.auth.login("alice", &PASSWORD.into(), HERE).await;
    assert!(matches!(old, Err(Error::InvalidCredentials)));
    assert!(world.auth.login("alice", &NEW_PASSWORD.into(), HERE).await.is_ok());
}

#[tokio::test]
async fn a27_a_demoted_administrator_loses_the_rights_with_the_next_call() {
    let world = World::with_accounts().await;
    world.auth.create_user("ada", &PASSWORD.into(), Role::Admin).await.unwrap();
    let session = world.login("ada").await;
    assert!(world.bearer(&session.access_token).await.unwrap().may(Scope::UsersManage));

    let demotion = UpdateUser { role: Some(Role::Viewer), ..UpdateUser::default() };
    world.auth.update_user(session.user.id, &demotion).await.unwrap();
    let principal = world.bearer(&session.access_token).await.unwrap();
    assert_eq!(principal.role, Role::Viewer);
    assert!(!principal.may(Scope::UsersManage) && !principal.may(Scope::PlansWrite));
}

#[tokio::test]
async fn a21_a_disabled_user_is_kept_out_at_once_and_old_sessions_stay_dead_when_enabled_again() {
    let world = World::with_accounts().await;
    let session = world.login("alice").await;
    let switch = |disabled| UpdateUser { disabled: Some(disabled), ..UpdateUser::default() };

    world.auth.update_user(session.user.id, &switch(true)).await.unwrap();
    assert!(matches!(world.bearer(&session.access_token).await, Err(Error::Disabled)));
    assert!(world.auth.refresh(&session.refresh_token).await.is_err());
    let login = |password: &'static str| async { world.auth.login("alice", &password.into(), HERE).await };
    assert!(matches!(login(PASSWORD).await, Err(Error::Disabled)));
    assert!(matches!(login("a wrong password").await, Err(Error::InvalidCredentials)));

    world.auth.update_user(session.user.id, &switch(false)).await.unwrap();
    assert_refused(world.bearer(&session.access_token).await, "from before");
    assert!(world.bearer(&world.login("alice").await.access_token).await.is_ok());
}

#[tokio::test]
async fn a30_a_refresh_token_used_twice_ends_its_whole_family_and_no_other() {
    let world = World::with_accounts().await;
    let (stolen, other) = (world.login("alice").await, world.login("alice").await);
    let next = world.auth.refresh(&stolen.refresh_token).await.unwrap();
    assert_eq!(next.user.username, "alice");
    assert!(world.bearer(&next.access_token).await.is_ok());

    let reused = world.auth.refresh(&stolen.refresh_token).await;
    assert!(matches!(reused, Err(Error::RefreshTokenReused { user }) if user == stolen.user.id));
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
    world.auth.update_user(session.user.id, &demotion).await.unwrap();
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
async fn logging_in_ignores_the_case_of_the_name_but_not_of_the_password() {
    let world = World::with_accounts().await;
    assert!(world.auth.login("ALICE", &PASSWORD.into(), HERE).await.is_ok());
    let shouted = world.auth.login("alice", &PASSWORD.to_uppercase().into(), HERE).await;
    assert!(matches!(shouted, Err(Error::InvalidCredentials)));
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the time a login takes is what is tested")]
async fn a31_an_unknown_user_takes_as_long_as_a_wrong_password_and_reads_the_same() {
    let world = World::with_accounts().await;
    let mut fastest = [Duration::MAX; 2];
    for round in 0..9 {
        for (place, name) in ["alice", "nobody"].into_iter().enumerate() {
            let start = std::time::Instant::now();
            let refused = world.auth.login(name, &"not this one at all".into(), &format!("{round}")).await;
            fastest[place] = fastest[place].min(start.elapsed());
            assert_eq!(refused.unwrap_err().to_string(), "the user name or the password is wrong");
        }
    }
    // Without the check against nobody's hash the second would take a thousandth of the first.
    let ratio = fastest[1].as_secs_f64() / fastest[0].as_secs_f64();
    assert!((0.5..2.0).contains(&ratio), "wrong password, unknown user: {fastest:?}");
}

async fn fail(auth: &Authenticator, name: &str, source: &str) -> Error {
    auth.login(name, &"not this one at all".into(), source).await.unwrap_err()
}

fn assert_throttled(result: Result<Session, Error>) {
    match result {
        Err(Error::TooManyAttempts { retry_after }) => {
            assert!(retry_after > Duration::ZERO && retry_after <= Duration::from_mins(15));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a32_after_ten_failures_even_the_right_password_waits_but_only_from_that_source() {
    let world = World::with_accounts().await;
    for _ in 0..10 {
        assert!(matches!(fail(&world.auth, "alice", HERE).await, Error::InvalidCredentials));
    }
    assert_throttled(world.auth.login("alice", &"not this one at all".into(), HERE).await);
    assert_throttled(world.auth.login("Alice", &PASSWORD.into(), HERE).await);
    assert!(world.auth.login("alice", &PASSWORD.into(), "198.51.100.7").await.is_ok());
    assert!(world.auth.login("adam", &PASSWORD.into(), HERE).await.is_ok());
    assert_throttled(world.auth.login("alice", &PASSWORD.into(), HERE).await);

    world.clock.advance(Duration::from_mins(15));
    assert!(world.auth.login("alice", &PASSWORD.into(), HERE).await.is_ok());
}

#[tokio::test]
async fn a32_a_good_login_wipes_the_slate_and_unknown_names_are_throttled_alike() {
    let world = World::with_accounts().await;
    for _ in 0..9 {
        fail(&world.auth, "alice", HERE).await;
    }
    world.login("alice").await;
    assert!(matches!(fail(&world.auth, "alice", HERE).await, Error::InvalidCredentials));
    for _ in 0..10 {
        fail(&world.auth, "nobody", HERE).await;
    }
    assert_throttled(world.auth.login("nobody", &PASSWORD.into(), HERE).await);
}

#[tokio::test]
async fn a32_guessing_the_present_password_of_a_hijacked_session_is_throttled() {
    let world = World::with_accounts().await;
    let principal = world.principal("alice").await;
    for _ in 0..10 {
        let guess = world.auth.change_password(&principal, &"a guess".into(), &NEW_PASSWORD.into()).await;
        assert!(matches!(guess, Err(Error::InvalidCredentials)));
    }
    let right = world.auth.change_password(&principal, &PASSWORD.into(), &NEW_PASSWORD.into()).await;
    assert!(matches!(right, Err(Error::TooManyAttempts { .. })));
    assert!(world.auth.login("alice", &PASSWORD.into(), HERE).await.is_ok(), "logging in is another matter");
}

#[tokio::test]
async fn a34_a_storm_of_logins_is_bounded_and_what_is_too_much_is_told_so() {
    let world = std::sync::Arc::new(World::with_accounts().await);
    let storm: Vec<_> = (0..80)
        .map(|number| {
            let world = world.clone();
            let login =
                async move { world.auth.login("alice", &PASSWORD.into(), &format!("{number}")).await };
            tokio::spawn(login)
        })
        .collect();
    let (mut let_in, mut busy) = (0, 0);
    for login in storm {
        match login.await.unwrap() {
            Ok(_) => let_in += 1,
            Err(Error::Busy) => busy += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(let_in + busy, 80);
    assert!(let_in >= 66 && busy > 0, "two at work and 64 waiting on two cores: {let_in}, {busy} refused");
    assert!(
        world.auth.login("alice", &PASSWORD.into(), HERE).await.is_ok(),
        "the storm leaves nothing behind"
    );
}

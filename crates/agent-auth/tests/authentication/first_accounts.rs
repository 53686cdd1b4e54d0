//! The accounts a fresh server begins with, and the password that it makes for the first.

use crate::fixture::{HERE, PASSWORD, World, root};
use agent_auth::ports::User;
use agent_auth::{Error, Role, Scope, Session, UpdateUser, check_password_rules};
use agent_core::ids::TenantId;
use std::time::Duration;

const REAL_PASSWORD: &str = "a handful of real words";

async fn enter(world: &World, password: &str) -> Result<Session, Error> {
    world.auth.login("admin", &password.into(), None, HERE).await
}

/// A fresh server, and the password that it made.
async fn fresh() -> (World, String) {
    let world = World::empty();
    let password = world.auth.ensure_admin(None).await.unwrap().unwrap();
    (world, password)
}

fn assert_spent(result: Result<Session, Error>) {
    assert!(matches!(result, Err(Error::OneTimePasswordSpent)), "{result:?}");
}

fn assert_wrong(result: Result<Session, Error>) {
    assert!(matches!(result, Err(Error::InvalidCredentials)), "{result:?}");
}

#[tokio::test]
async fn a36_a_fresh_server_has_no_demo_accounts_until_they_are_asked_for() {
    let world = World::empty();
    world.auth.ensure_admin(Some(PASSWORD.into())).await.unwrap();
    for (name, password) in [("demo", "demo123"), ("admin", "admin123")] {
        let refused = world.auth.login(name, &password.into(), None, HERE).await;
        assert!(matches!(refused, Err(Error::InvalidCredentials)), "{name}");
    }
    assert!(world.auth.find_demo_accounts().await.unwrap().is_empty());

    let demo = World::empty();
    demo.auth.create_demo_accounts().await.unwrap();
    demo.auth.create_demo_accounts().await.unwrap();
    for (name, password, role) in [("demo", "demo123", Role::User), ("admin", "admin123", Role::Admin)] {
        assert_eq!(demo.auth.login(name, &password.into(), None, HERE).await.unwrap().user.role, role);
    }
    assert_eq!(demo.auth.find_demo_accounts().await.unwrap(), ["demo", "admin"]);
}

#[tokio::test]
async fn a36_the_demo_administrator_is_operator_and_the_demo_user_is_not() {
    let world = World::empty();
    world.auth.create_demo_accounts().await.unwrap();
    for (name, password, is_operator) in [("admin", "admin123", true), ("demo", "demo123", false)] {
        let session = world.auth.login(name, &password.into(), None, HERE).await.unwrap();
        assert_eq!((session.user.operator, session.user.tenant), (is_operator, TenantId::DEFAULT));
        let principal = world.bearer(&session.access_token).await.unwrap();
        assert_eq!(principal.may(Scope::TenantsManage), is_operator, "{name}");
    }
}

#[tokio::test]
async fn a37_the_first_administrator_gets_the_given_password_which_has_no_end() {
    let world = World::empty();
    assert_eq!(world.auth.ensure_admin(Some(PASSWORD.into())).await.unwrap(), None);
    for _ in 0..3 {
        let User { role, operator, tenant, .. } = world.login("admin").await.user;
        assert_eq!((role, operator, tenant), (Role::Admin, true, TenantId::DEFAULT));
        world.clock.advance(Duration::from_hours(1));
    }
    assert_eq!(world.auth.ensure_admin(None).await.unwrap(), None, "there is a user already");
    assert_eq!(world.auth.ensure_admin(Some(REAL_PASSWORD.into())).await.unwrap(), None);
    assert_wrong(enter(&world, REAL_PASSWORD).await);
    let weak = World::empty().auth.ensure_admin(Some("admin123".into())).await;
    assert!(matches!(weak, Err(Error::WeakPassword(_))));
}

#[tokio::test]
async fn a37_a_one_time_password_lets_its_owner_in_once() {
    let (world, password) = fresh().await;
    assert!(check_password_rules(&password.as_str().into(), "admin").is_ok());
    assert!(!world.stores.dump().contains(&password));
    assert_wrong(enter(&world, "not this one at all").await);
    let session = enter(&world, &password).await.unwrap();
    assert_eq!((session.user.role, session.user.operator), (Role::Admin, true));
    assert_spent(enter(&world, &password).await);
    assert_wrong(enter(&world, "not this one at all").await);
    assert!(world.bearer(&session.access_token).await.is_ok());
    assert!(world.auth.refresh(&session.refresh_token).await.is_ok());
}

#[tokio::test]
async fn a37_of_two_that_show_a_one_time_password_at_once_one_is_let_in() {
    let (world, password) = fresh().await;
    let (one, two) = tokio::join!(enter(&world, &password), enter(&world, &password));
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    assert_spent(if one.is_ok() { two } else { one });
}

#[tokio::test]
async fn a37_a_one_time_password_is_over_after_an_hour() {
    let (world, password) = fresh().await;
    world.clock.advance(Duration::from_mins(60));
    assert_spent(enter(&world, &password).await);
    assert_wrong(enter(&world, "not this one at all").await);

    let (world, password) = fresh().await;
    world.clock.advance(Duration::from_secs(3599));
    assert!(enter(&world, &password).await.is_ok());
}

#[tokio::test]
async fn a37_the_session_that_it_opened_sets_a_real_password() {
    let (world, password) = fresh().await;
    let session = enter(&world, &password).await.unwrap();
    let admin = world.bearer(&session.access_token).await.unwrap();
    let change =
        async |new: &str| world.auth.change_password(&admin, &password.as_str().into(), &new.into()).await;
    assert!(matches!(change("short").await, Err(Error::WeakPassword(_))));
    change(REAL_PASSWORD).await.unwrap();
    assert_wrong(enter(&world, &password).await);
    for _ in 0..2 {
        assert!(enter(&world, REAL_PASSWORD).await.is_ok());
        world.clock.advance(Duration::from_hours(2));
    }
    assert_eq!(world.auth.ensure_admin(None).await.unwrap(), None);
    assert_eq!(world.auth.ensure_admin(Some(PASSWORD.into())).await.unwrap(), None);
    assert!(enter(&world, REAL_PASSWORD).await.is_ok(), "a later start changes nothing any more");
}

#[tokio::test]
async fn a37_a_later_start_makes_another_one_time_password_when_the_last_was_used_or_is_over() {
    let (world, first) = fresh().await;
    assert_eq!(world.auth.ensure_admin(None).await.unwrap(), None, "the first is good still");
    let session = enter(&world, &first).await.unwrap();
    let second = world.auth.ensure_admin(None).await.unwrap().unwrap();
    assert_wrong(enter(&world, &first).await);
    assert!(world.bearer(&session.access_token).await.is_err(), "whoever it was that came in");
    assert!(world.auth.refresh(&session.refresh_token).await.is_err());

    world.clock.advance(Duration::from_hours(1));
    let third = world.auth.ensure_admin(None).await.unwrap().unwrap();
    assert_wrong(enter(&world, &second).await);
    assert!(enter(&world, &third).await.is_ok());
    assert_spent(enter(&world, &third).await);
    assert!(![second, third].iter().any(|password| world.stores.dump().contains(password)));
}

#[tokio::test]
async fn a37_a_later_start_sets_the_given_password_while_nobody_has_set_one() {
    let (world, password) = fresh().await;
    let weak = world.auth.ensure_admin(Some("short".into())).await;
    assert!(matches!(weak, Err(Error::WeakPassword(_))));
    assert_eq!(world.auth.ensure_admin(Some(REAL_PASSWORD.into())).await.unwrap(), None);
    assert_wrong(enter(&world, &password).await);
    world.clock.advance(Duration::from_hours(2));
    for _ in 0..2 {
        assert!(enter(&world, REAL_PASSWORD).await.is_ok());
    }
}

#[tokio::test]
async fn a37_a_one_time_password_keeps_its_end_when_its_hash_is_outdated() {
    let (world, password) = fresh().await;
    let params = argon2::Params::new(64, 1, 1, None).unwrap();
    let hasher = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let cheap = argon2::PasswordHasher::hash_password(&hasher, password.as_bytes()).unwrap().to_string();
    world.stores.set_password_hash(1.into(), &cheap);
    assert!(enter(&world, &password).await.is_ok());
    assert_spent(enter(&world, &password).await);
}

#[tokio::test]
async fn a37_a_password_that_an_operator_sets_has_no_end() {
    let (world, _) = fresh().await;
    let set = UpdateUser { password: Some(REAL_PASSWORD.into()), ..UpdateUser::default() };
    world.auth.update_user(&root(), 1.into(), &set).await.unwrap();
    world.clock.advance(Duration::from_hours(2));
    assert!(enter(&world, REAL_PASSWORD).await.is_ok());
}

//! Passwords, names, and the accounts a fresh server begins with.

use crate::fixture::{HERE, PASSWORD, World};
use agent_auth::{Error, Role, UpdateUser, check_password_rules, check_username};

fn rule(password: &str) -> Result<(), Error> {
    check_password_rules(&password.into(), "alice.longname")
}

#[test]
fn a35_short_common_and_self_naming_passwords_are_refused() {
    for password in [
        "",
        "demo123",
        "fourteen chars",
        "fourteen chärs",
        "passwordpassword",
        "PasswordPassword",
        "qwertyuiopasdfgh",
        "correcthorsebatterystaple",
        "aaaaaaaaaaaaaaaaaaaa",
        "abcabcabcabcabcabc",
        "alice.longnamealice.longname",
        &"x1y2z3".repeat(200_000),
    ] {
        let refused = rule(password);
        assert!(matches!(refused, Err(Error::WeakPassword(_))), "{:.40}", password);
    }
    assert!(check_password_rules(&"alice-the-first".into(), "Alice-The-First").is_err());
}

#[tokio::test]
async fn a35_long_and_unicode_passwords_count_to_the_last_byte() {
    let world = World::empty();
    let passwords = [
        "fifteen letters".to_owned(),
        "xy12 ".repeat(12) + "last",
        "naïve Köche äßen Öl".into(),
        "五つの言葉を並べて十五文字以上".into(),
    ];
    let long = "0123456789 abcdef".repeat(7) + "123456789";
    for (number, password) in passwords.iter().chain([&long]).enumerate() {
        assert!(rule(password).is_ok(), "{password}");
        let name = format!("user{number}");
        world.auth.create_user(&name, &password.as_str().into(), Role::User).await.unwrap();
        assert!(world.auth.login(&name, &password.as_str().into(), HERE).await.is_ok(), "{password}");
        let mut shorter = password.clone();
        shorter.pop();
        let refused = world.auth.login(&name, &shorter.into(), HERE).await;
        assert!(matches!(refused, Err(Error::InvalidCredentials)), "{password}");
    }
    assert_eq!(long.len(), 128);
    let huge = world.auth.login("user0", &"x".repeat(1 << 20).into(), HERE).await;
    assert!(matches!(huge, Err(Error::InvalidCredentials)));
}

#[test]
fn names_are_plain_ascii_of_bounded_length() {
    for name in ["a", "alice", "Alice.B-2_x", "0day", &"n".repeat(64)] {
        assert!(check_username(name).is_ok(), "{name}");
    }
    for name in ["", "-x", ".x", "al ice", "alicé", "аlice", "a\0", "a/b", "a'--", &"n".repeat(65)] {
        assert!(matches!(check_username(name), Err(Error::InvalidUsername(_))), "{name}");
    }
}

#[tokio::test]
async fn a_name_belongs_to_one_account_whatever_its_case() {
    let world = World::with_accounts().await;
    let twin = world.auth.create_user("ALICE", &PASSWORD.into(), Role::User).await;
    assert!(matches!(twin, Err(Error::UsernameTaken)));
}

#[tokio::test]
async fn passwords_are_kept_as_argon2id_of_the_recommended_cost_with_a_salt_each() {
    let world = World::with_accounts().await;
    let users = world.auth.list_users().await.unwrap();
    let hashes: Vec<String> = users.iter().map(|user| world.stores.account(user.id).password_hash).collect();
    assert!(hashes.iter().all(|hash| hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")), "{hashes:?}");
    assert_ne!(hashes[0], hashes[1], "same password, another salt");
    assert!(!world.stores.dump().contains(PASSWORD));
}

#[tokio::test]
async fn a_hash_of_an_older_cost_is_made_anew_at_the_next_good_login() {
    let world = World::with_accounts().await;
    let alice = world.login("alice").await.user.id;
    let weak = argon2::Argon2::new(
        argon2::Algorithm::Argon2id,
        argon2::Version::V0x13,
        argon2::Params::new(64, 1, 1, None).unwrap(),
    );
    let old = argon2::PasswordHasher::hash_password(&weak, PASSWORD.as_bytes()).unwrap().to_string();
    world.stores.set_password_hash(alice, &old);

    let wrong = world.auth.login("alice", &"not this one at all".into(), HERE).await;
    assert!(matches!(wrong, Err(Error::InvalidCredentials)));
    assert_eq!(world.stores.account(alice).password_hash, old);
    let session = world.login("alice").await;
    assert!(world.stores.account(alice).password_hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert!(world.bearer(&session.access_token).await.is_ok(), "the session is not ended by it");
    world.login("alice").await;
}

#[tokio::test]
async fn a_damaged_hash_is_an_error_of_the_store_and_not_a_wrong_password() {
    let world = World::with_accounts().await;
    world.stores.set_password_hash(world.login("alice").await.user.id, "$argon2id$broken");
    let damaged = world.auth.login("alice", &PASSWORD.into(), HERE).await;
    assert!(matches!(damaged, Err(Error::Store(agent_core::Error::Damaged(_)))), "{damaged:?}");
}

#[tokio::test]
async fn a36_a_fresh_server_has_no_demo_accounts_until_they_are_asked_for() {
    let world = World::empty();
    world.auth.ensure_admin(Some(PASSWORD.into())).await.unwrap();
    for (name, password) in [("demo", "demo123"), ("admin", "admin123")] {
        let refused = world.auth.login(name, &password.into(), HERE).await;
        assert!(matches!(refused, Err(Error::InvalidCredentials)), "{name}");
    }
    assert!(world.auth.find_demo_accounts().await.unwrap().is_empty());

    let demo = World::empty();
    demo.auth.create_demo_accounts().await.unwrap();
    demo.auth.create_demo_accounts().await.unwrap();
    for (name, password, role) in [("demo", "demo123", Role::User), ("admin", "admin123", Role::Admin)] {
        assert_eq!(demo.auth.login(name, &password.into(), HERE).await.unwrap().user.role, role);
    }
    assert_eq!(demo.auth.find_demo_accounts().await.unwrap(), ["demo", "admin"]);
}

#[tokio::test]
async fn a37_the_first_administrator_gets_the_given_password_or_a_generated_one_once() {
    let world = World::empty();
    assert_eq!(world.auth.ensure_admin(Some(PASSWORD.into())).await.unwrap(), None);
    assert_eq!(world.login("admin").await.user.role, Role::Admin);
    assert_eq!(world.auth.ensure_admin(None).await.unwrap(), None, "there is a user already");

    let world = World::empty();
    let password = world.auth.ensure_admin(None).await.unwrap().unwrap();
    assert!(rule(&password).is_ok());
    assert!(world.auth.login("admin", &password.as_str().into(), HERE).await.is_ok());
    assert!(!world.stores.dump().contains(&password));
    assert_eq!(world.auth.ensure_admin(None).await.unwrap(), None);

    let weak = World::empty().auth.ensure_admin(Some("admin123".into())).await;
    assert!(matches!(weak, Err(Error::WeakPassword(_))));
}

#[tokio::test]
async fn the_last_enabled_administrator_can_neither_be_demoted_nor_disabled() {
    let world = World::with_accounts().await;
    let (adam, alice) = (world.login("adam").await.user.id, world.login("alice").await.user.id);
    let demote = UpdateUser { role: Some(Role::User), ..UpdateUser::default() };
    let disable = UpdateUser { disabled: Some(true), ..UpdateUser::default() };
    for change in [&demote, &disable] {
        assert!(matches!(world.auth.update_user(adam, change).await, Err(Error::LastAdmin)));
    }
    let promote = UpdateUser { role: Some(Role::Admin), ..UpdateUser::default() };
    world.auth.update_user(alice, &promote).await.unwrap();
    assert_eq!(world.auth.update_user(adam, &demote).await.unwrap().role, Role::User);
}

#[tokio::test]
async fn an_administrator_sets_a_new_password_by_the_same_rules_and_all_sessions_end() {
    let world = World::with_accounts().await;
    let session = world.login("alice").await;
    let set = |password: &str| UpdateUser { password: Some(password.into()), ..UpdateUser::default() };
    let weak = world.auth.update_user(session.user.id, &set("short")).await;
    assert!(matches!(weak, Err(Error::WeakPassword(_))));
    world.auth.update_user(session.user.id, &set("set by an administrator")).await.unwrap();
    assert!(world.bearer(&session.access_token).await.is_err());
    assert!(world.auth.login("alice", &"set by an administrator".into(), HERE).await.is_ok());
    let unknown = world.auth.update_user(4711.into(), &set("set by an administrator")).await;
    assert!(matches!(unknown, Err(Error::UserNotFound(_))));
}

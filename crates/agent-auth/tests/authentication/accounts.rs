//! Passwords and names, and what administrators change about accounts.

use crate::fixture::{HERE, PASSWORD, World, root};
use agent_auth::{Error, Role, UpdateUser, check_password_rules, check_username};
use std::time::Duration;

fn rule(password: &str) -> Result<(), Error> {
    check_password_rules(&password.into(), "alice.longname")
}

#[test]
fn a35_passwords_that_are_short_repetitive_common_or_the_user_name_are_refused() {
    for password in [
        "",
        "demo123",
        "fourteen chars",
        "fourteen chärs",
        "fourteen char\u{301}s",
        "aaaaaaaaaaaaaaaaaaaa",
        "abcabcabcabcabcabc",
        "fourteen charsfourteen chars",
        "passwordpassword",
        "PasswordPassword",
        "P@ssw0rd-12345678!",
        "qwertyuiopasdfgh",
        "Summer2024Winter2025",
        "correct horse battery staple",
        "alice.longnamealice.longname",
        "Alice.Longname-2024",
        "longname longname 12",
        "emangnol.ecila1984",
    ] {
        let refused = rule(password);
        assert!(matches!(refused, Err(Error::WeakPassword(_))), "{password}");
    }
    assert!(check_password_rules(&"alice-the-first".into(), "Alice-The-First").is_err());
    let reason = rule("Alice.Longname-2024").unwrap_err().to_string();
    assert!(reason.contains("user name"), "it says which rule is broken: {reason}");
}

/// A Hangul syllable as some systems write it: its consonants and vowel one by one.
fn parts_of_syllable(syllable: char) -> Vec<char> {
    let place = u32::from(syllable) - 0xAC00;
    let (first, vowel, last) = (0x1100 + place / 588, 0x1161 + place % 588 / 28, place % 28);
    let parts = [Some(first), Some(vowel), (last > 0).then_some(0x11A7 + last)];
    parts.into_iter().flatten().filter_map(char::from_u32).collect()
}

#[test]
fn a35_fifteen_to_a_hundred_and_twenty_eight_characters_are_accepted_counted_as_they_are_read() {
    let of = |length: usize, letters: &str| letters.chars().cycle().take(length).collect::<String>();
    for letters in [
        "kV3xq9TzR7nWb5XcJ0mL pfHs8GuA",
        "äöüßéèêñçåøæœþðłšžčř",
        "五つの言葉を並べて文字以上何か書く千夜一物語本",
    ] {
        for (length, is_fine) in
            [(14, false), (15, true), (64, true), (128, true), (129, false), (100_000, false)]
        {
            assert_eq!(rule(&of(length, letters)).is_ok(), is_fine, "{length} of {letters}");
        }
    }
    let hangul = "한글날밤달빛숲속물방울별똥집앞산".chars().cycle().take(128);
    let in_parts: String = hangul.clone().flat_map(parts_of_syllable).collect();
    assert!(rule(&hangul.collect::<String>()).is_ok() && rule(&in_parts).is_ok(), "{} bytes", in_parts.len());
    let spelled_out = "e\u{323}\u{302}a\u{30a}o\u{308}u\u{31b}\u{301}i\u{301}".repeat(30);
    let refused = rule(&spelled_out).unwrap_err().to_string();
    assert!(refused.contains("128"), "150 letters are 150 letters however they are spelled: {refused}");
}

#[tokio::test]
async fn a35_long_and_unicode_passwords_count_to_the_last_byte() {
    let world = World::empty();
    let long =
        "kV3xq9TzR7nWb5XcJ0mLpfHs8GuA1eZt4Ub8QeM1oJx6".repeat(2) + &"VhC0aNr5KyWg3SiD7fGd2Lh".repeat(2)[..40];
    assert_eq!(long.len(), 128);
    let passwords =
        ["fifteen letters", "naïve Köche äßen Öl", "五つの言葉を並べて十五文字以上", &long[..73], &long];
    for (number, password) in passwords.into_iter().enumerate() {
        let name = format!("user{number}");
        world.auth.create_user(&root(), &name, &password.into(), Role::User).await.unwrap();
        assert!(world.auth.login(&name, &password.into(), None, HERE).await.is_ok(), "{password}");
        let mut shorter = password.to_owned();
        shorter.pop();
        for other in [shorter, format!("{password} ")] {
            let refused = world.auth.login(&name, &other.into(), None, HERE).await;
            assert!(matches!(refused, Err(Error::InvalidCredentials)), "{password}");
        }
    }
}

#[tokio::test]
async fn a35_the_same_letters_are_the_same_password_however_a_keyboard_composes_them() {
    let world = World::empty();
    let (composed, spelled_out) = ("vier W\u{f6}rter gen\u{fc}gen", "vier Wo\u{308}rter genu\u{308}gen");
    world.auth.create_user(&root(), "one", &composed.into(), Role::User).await.unwrap();
    world.auth.create_user(&root(), "two", &spelled_out.into(), Role::User).await.unwrap();
    for name in ["one", "two"] {
        for password in [composed, spelled_out] {
            assert!(world.auth.login(name, &password.into(), None, HERE).await.is_ok(), "{name}");
        }
    }
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "that no time is spent on it is what is tested")]
async fn a35_a_password_of_a_megabyte_is_refused_without_hashing_it() {
    let world = World::with_accounts().await;
    let huge =
        agent_auth::Passwords::new(std::num::NonZeroUsize::MIN).hash(&"x1 ".repeat(400_000).into()).await;
    assert!(matches!(huge, Err(Error::WeakPassword(_))));
    for password in ["x1 ".repeat(400_000), "x".repeat(129)] {
        let start = std::time::Instant::now();
        for number in 0..20 {
            let source = number.to_string();
            let refused = world.auth.login("alice", &password.as_str().into(), None, &source).await;
            assert!(matches!(refused, Err(Error::InvalidCredentials)));
        }
        assert!(start.elapsed() < Duration::from_millis(200), "20 hashes take longer: {:?}", start.elapsed());
    }
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
    let twin = world.auth.create_user(&root(), "ALICE", &PASSWORD.into(), Role::User).await;
    assert!(matches!(twin, Err(Error::UsernameTaken)));
}

#[tokio::test]
async fn passwords_are_kept_as_argon2id_of_the_recommended_cost_with_a_salt_each() {
    let world = World::with_accounts().await;
    let users = world.auth.list_users(&root()).await.unwrap();
    let hashes: Vec<String> = users.iter().map(|user| world.stores.account(user.id).password_hash).collect();
    assert!(hashes.iter().all(|hash| hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")), "{hashes:?}");
    assert_ne!(hashes[0], hashes[1], "same password, another salt");
    assert!(!world.stores.dump().contains(PASSWORD));
}

fn hash_at(memory: u32, passes: u32, lanes: u32) -> String {
    let params = argon2::Params::new(memory, passes, lanes, None).unwrap();
    let hasher = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    argon2::PasswordHasher::hash_password(&hasher, PASSWORD.as_bytes()).unwrap().to_string()
}

#[tokio::test]
async fn a_hash_of_a_lower_cost_is_made_anew_at_the_next_good_login() {
    let world = World::with_accounts().await;
    let alice = world.login("alice").await.user.id;
    for cheap in [hash_at(64, 1, 1), hash_at(19_456, 1, 1), hash_at(9_216, 4, 1)] {
        world.stores.set_password_hash(alice, &cheap);
        let wrong = world.auth.login("alice", &"not this one at all".into(), None, HERE).await;
        assert!(matches!(wrong, Err(Error::InvalidCredentials)));
        assert_eq!(world.stores.account(alice).password_hash, cheap);
        let session = world.login("alice").await;
        assert!(world.stores.account(alice).password_hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(world.bearer(&session.access_token).await.is_ok(), "the session is not ended by it");
        world.login("alice").await;
    }
}

#[tokio::test]
async fn a_hash_of_a_higher_cost_is_not_made_cheaper() {
    let world = World::with_accounts().await;
    let alice = world.login("alice").await.user.id;
    for dear in [hash_at(32_768, 2, 1), hash_at(19_456, 3, 1), hash_at(19_456, 2, 2)] {
        world.stores.set_password_hash(alice, &dear);
        world.login("alice").await;
        assert_eq!(world.stores.account(alice).password_hash, dear);
    }
}

#[tokio::test]
async fn a_damaged_hash_is_an_error_of_the_store_and_not_a_wrong_password() {
    let world = World::with_accounts().await;
    world.stores.set_password_hash(world.login("alice").await.user.id, "$argon2id$broken");
    let damaged = world.auth.login("alice", &PASSWORD.into(), None, HERE).await;
    assert!(matches!(damaged, Err(Error::Store(agent_core::Error::Damaged(_)))), "{damaged:?}");
}

#[tokio::test]
async fn an_administrator_sets_a_new_password_by_the_same_rules_and_all_sessions_end() {
    let world = World::with_accounts().await;
    let session = world.login("alice").await;
    let set = |password: &str| UpdateUser { password: Some(password.into()), ..UpdateUser::default() };
    let weak = world.auth.update_user(&root(), session.user.id, &set("short")).await;
    assert!(matches!(weak, Err(Error::WeakPassword(_))));
    world.auth.update_user(&root(), session.user.id, &set("set by an administrator")).await.unwrap();
    assert!(world.bearer(&session.access_token).await.is_err());
    assert!(world.auth.login("alice", &"set by an administrator".into(), None, HERE).await.is_ok());
    let unknown = world.auth.update_user(&root(), 4711.into(), &set("set by an administrator")).await;
    assert!(matches!(unknown, Err(Error::UserNotFound(_))));
}

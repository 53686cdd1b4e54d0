//! Which forms of access tokens are accepted: the one this server issues, and nothing that merely looks like it. Each
//! forgery is signed with the genuine secret unless the case says otherwise, so only the rule in question can refuse it.

use crate::fixture::{Forgery, OTHER_SECRET, SECRET, World, assert_refused, base64url, sign};
use agent_auth::{Credential, Error, SigningKey, SystemRandom, UnverifiedToken};
use agent_core::ids::{Owner, UserId};
use agent_core::plan::Idempotency;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

const THIRD_SECRET: &str = "Hn2Lw9RbT5sYc8QzK1pVf4XgJ7mDu0eA";

#[test]
fn a03_the_scheme_is_bearer_in_any_case_and_no_other() {
    for value in ["Bearer x.y.z", "bearer x.y.z", "BEARER  x.y.z"] {
        assert_eq!(Credential::from_authorization(value).unwrap(), Credential::Bearer("x.y.z"), "{value}");
    }
    for value in ["Token x.y.z", "Basic eDp5", "Bearer", "Bearer ", "Bearer x y", "Bearerx", "", "Bearer x\t"]
    {
        assert_refused(Credential::from_authorization(value), value);
    }
}

#[tokio::test]
async fn a06_no_algorithm_and_no_signature_are_refused() {
    let world = World::with_accounts().await;
    let genuine = world.login("alice").await.access_token;
    for algorithm in ["none", "None", "NONE", "nOnE", ""] {
        let token = Forgery::of(&genuine).header("alg", json!(algorithm)).sign();
        assert_refused(world.bearer(&token).await, algorithm);
        let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
        assert_refused(world.bearer(&unsigned).await, algorithm);
    }
    for algorithm in [Value::Null, json!(256), json!(["HS256"]), json!("hs256")] {
        let token = Forgery::of(&genuine).header("alg", algorithm.clone()).sign();
        assert_refused(world.bearer(&token).await, &algorithm.to_string());
    }
}

#[tokio::test]
async fn a07_other_hmac_sizes_with_our_secret_are_refused() {
    let world = World::with_accounts().await;
    let genuine = world.login("alice").await.access_token;
    for (name, algorithm) in [("HS384", Algorithm::HS384), ("HS512", Algorithm::HS512)] {
        let token = Forgery::of(&genuine).header("alg", json!(name)).sign_with(SECRET, algorithm);
        assert_refused(world.bearer(&token).await, name);
        let token = Forgery::of(&genuine).sign_with(SECRET, algorithm);
        assert_refused(world.bearer(&token).await, "HS256 in the header over another signature");
    }
}

#[tokio::test]
async fn a08_public_key_algorithms_over_an_hmac_are_refused() {
    let world = World::with_accounts().await;
    let genuine = world.login("alice").await.access_token;
    for name in ["RS256", "ES256", "PS256", "EdDSA"] {
        let token = Forgery::of(&genuine).header("alg", json!(name));
        assert_refused(world.bearer(&token.sign()).await, name);
        let confused = token.sign_with("-----BEGIN PUBLIC KEY-----", Algorithm::HS256);
        assert_refused(world.bearer(&confused).await, name);
    }
}

#[tokio::test]
async fn a09_a_signature_that_is_missing_or_altered_or_over_another_payload_is_refused() {
    let world = World::with_accounts().await;
    let genuine = world.login("alice").await.access_token;
    let (message, signature) = genuine.rsplit_once('.').unwrap();
    assert_refused(world.bearer(&format!("{message}.")).await, "stripped");
    let first = if signature.starts_with('A') { "B" } else { "A" };
    assert_refused(world.bearer(&format!("{message}.{first}{}", &signature[1..])).await, "altered");
    assert_refused(world.bearer(&format!("{message}.{}", &signature[..42])).await, "shortened");
    let admin = Forgery::of(&genuine).claim("sub", json!("3")).sign_with(OTHER_SECRET, Algorithm::HS256);
    assert_refused(world.bearer(&admin).await, "another secret");
    let swapped = format!("{}.{signature}", admin.rsplit_once('.').unwrap().0);
    assert_refused(world.bearer(&swapped).await, "swapped payload");
}

#[tokio::test]
async fn a10_a_key_id_is_only_ever_looked_up_in_the_key_ring() {
    let world = World::with_accounts().await;
    let genuine = world.login("alice").await.access_token;
    let long = "k".repeat(4096);
    for id in ["../../dev/null", "' OR 1=1--", "0123456789abcdef", "", &long] {
        let token = Forgery::of(&genuine).header("kid", json!(id)).sign();
        assert_refused(world.bearer(&token).await, id);
    }
    let token = Forgery::of(&genuine).header("kid", Value::Null).sign();
    assert_refused(world.bearer(&token).await, "no key id");
}

#[tokio::test]
async fn a11_headers_that_bring_keys_or_say_where_to_fetch_them_are_refused() {
    let world = World::with_accounts().await;
    let genuine = world.login("alice").await.access_token;
    let key = json!({ "kty": "oct", "k": base64url(OTHER_SECRET.as_bytes()) });
    for (name, value) in [
        ("jku", json!("http://127.0.0.1:9/keys")),
        ("x5u", json!("http://127.0.0.1:9/cert")),
        ("jwk", key),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("c2hhMQ")),
    ] {
        let token = Forgery::of(&genuine).header(name, value).sign();
        assert_refused(world.bearer(&token).await, name);
    }
}

#[tokio::test]
async fn a12_headers_that_demand_extensions_are_refused() {
    let world = World::with_accounts().await;
    let genuine = world.login("alice").await.access_token;
    for (name, value) in [
        ("crit", json!(["x"])),
        ("crit", json!([])),
        ("crit", json!("exp")),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
        ("ALG", json!("none")),
    ] {
        let token = Forgery::of(&genuine).header(name, value).sign();
        assert_refused(world.bearer(&token).await, name);
    }
}

#[tokio::test]
async fn a13_tokens_of_another_type_are_refused_by_header_and_by_claim() {
    let world = World::with_accounts().await;
    let session = world.login("alice").await;
    let genuine = session.access_token;
    for kind in [
        Value::Null,
        json!("refresh+jwt"),
        json!("ticket+jwt"),
        json!("application/at+jwt"),
        json!("JWT"),
        json!("AT+JWT"),
        json!(1),
    ] {
        let token = Forgery::of(&genuine).header("typ", kind.clone()).sign();
        assert_refused(world.bearer(&token).await, &format!("header typ {kind}"));
    }
    for kind in [Value::Null, json!("refresh"), json!("ticket"), json!("Access"), json!(["access"])] {
        let token = Forgery::of(&genuine).claim("typ", kind.clone()).sign();
        assert_refused(world.bearer(&token).await, &format!("claim typ {kind}"));
    }
    assert_refused(world.bearer(&session.refresh_token).await, "refresh token");
}

#[tokio::test]
async fn a22_a_name_that_occurs_twice_is_refused_in_header_and_claims_and_so_are_objects_within() {
    let world = World::with_accounts().await;
    let forgery = Forgery::of(&world.login("alice").await.access_token);
    let (header, claims) = (forgery.header.to_string(), forgery.claims.to_string());
    let twice = |json: &str, member: &str| format!("{{{member},{}", &json[1..]);
    for member in [
        r#""sub":"3""#,
        r#""exp":1"#,
        r#""note":1,"note":2"#,
        r#""note":{"a":1,"a":2}"#,
        r#""note":[{}]"#,
        r#""\u0073ub":"3""#,
    ] {
        let token = sign(&header, &twice(&claims, member), SECRET, Algorithm::HS256);
        assert_refused(world.bearer(&token).await, member);
    }
    let token = sign(&twice(&header, r#""alg":"none""#), &claims, SECRET, Algorithm::HS256);
    assert_refused(world.bearer(&token).await, "alg twice");
}

#[tokio::test]
async fn a23_a_token_of_more_than_four_kib_is_refused_for_its_length() {
    let world = World::with_accounts().await;
    let genuine = world.login("alice").await.access_token;
    let padded = |bytes: usize| Forgery::of(&genuine).claim("note", json!("n".repeat(bytes))).sign();
    assert!(padded(2600).len() < 4096);
    assert!(world.bearer(&padded(2600)).await.is_ok());
    for token in [padded(3000), "a".repeat(4097), "a.".repeat(524_288)] {
        assert!(token.len() > 4096);
        let refused = world.bearer(&token).await.unwrap_err();
        assert_eq!(refused.reason(), Some("longer than 4 KiB"));
    }
}

#[tokio::test]
async fn a24_padding_blanks_foreign_letters_and_other_numbers_of_parts_are_refused() {
    let world = World::with_accounts().await;
    let genuine = world.login("alice").await.access_token;
    let parts: Vec<&str> = genuine.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    for token in [
        String::new(),
        "...".into(),
        "..".into(),
        ".".into(),
        format!("{genuine}="),
        format!("{header}=.{payload}.{signature}"),
        format!("{genuine} "),
        format!(" {genuine}"),
        format!("{genuine}\n"),
        format!("{header}.{payload}\n.{signature}"),
        format!("{header}.{payload}"),
        format!("{genuine}.{signature}"),
        format!("{header}.{payload}.{signature}.{signature}.{signature}"),
        format!("{header}.{payload}.é{}", &signature[2..]),
        format!("{header}.\u{1F600}.{signature}"),
        format!("{header}..{signature}"),
        format!("{}.{payload}.{signature}", base64url(b"[]")),
        format!("{}.{payload}.{signature}", base64url(b"\xff\xfe")),
        format!("{}.{payload}.{signature}", base64url("[".repeat(2000).as_bytes())),
    ] {
        assert_refused(world.bearer(&token).await, &token);
    }
}

#[tokio::test]
async fn a28_a_retired_key_is_accepted_while_it_is_in_the_ring_and_signs_nothing() {
    let world = World::with_accounts().await;
    let old = world.login("alice").await.access_token;

    let rotated =
        SigningKey::with_retired(OTHER_SECRET.into(), vec![THIRD_SECRET.into(), SECRET.into()]).unwrap();
    let server = world.restarted_with(rotated);
    assert!(server.authenticate(Credential::Bearer(&old)).await.is_ok());
    let forged = Forgery::of(&old).sign_with(OTHER_SECRET, Algorithm::HS256);
    assert_refused(
        server.authenticate(Credential::Bearer(&forged)).await,
        "one key's name, another's signature",
    );
    let new =
        server.login("alice", &crate::fixture::PASSWORD.into(), None, "here").await.unwrap().access_token;
    assert_refused(world.bearer(&new).await, "new key on the server that has only the old one");

    let server = world.restarted_with(SigningKey::new(OTHER_SECRET.into()).unwrap());
    assert!(server.authenticate(Credential::Bearer(&new)).await.is_ok());
    assert_refused(server.authenticate(Credential::Bearer(&old)).await, "removed key");
}

#[test]
fn a28_a_secret_stands_in_the_ring_once() {
    for retired in [vec![SECRET], vec![OTHER_SECRET, SECRET], vec![OTHER_SECRET, OTHER_SECRET]] {
        let retired = retired.into_iter().map(Into::into).collect();
        let twice = SigningKey::with_retired(SECRET.into(), retired);
        assert!(matches!(twice, Err(Error::RepeatedSecret)), "{twice:?}");
    }
    assert!(SigningKey::with_retired(SECRET.into(), Vec::new()).is_ok());
}

#[tokio::test]
async fn a28_what_follows_from_the_secret_follows_from_the_present_one() {
    let world = World::with_accounts().await;
    let alice = world.principal("alice").await;
    let request = Idempotency { key: "k".into(), fingerprint: "body".into() };
    let grant = ("ci", None, None);
    let rotated = |secret: &str, retired: &str| {
        let key = SigningKey::with_retired(secret.into(), vec![retired.into()]).unwrap();
        world.restarted_with(key)
    };
    let first = world.auth.create_key_once(&alice, grant, &request).await.unwrap();
    let same = rotated(SECRET, OTHER_SECRET).create_key_once(&alice, grant, &request).await.unwrap();
    assert_eq!(same, first);
    let other = rotated(OTHER_SECRET, SECRET).create_key_once(&alice, grant, &request).await.unwrap_err();
    assert!(matches!(other, Error::Store(agent_core::Error::IdempotencyMismatch(_))), "{other:?}");
}

#[test]
fn a29_secrets_that_are_empty_short_repetitive_or_published_are_refused() {
    let published = "a-string-secret-at-least-256-bits-long";
    for secret in [
        "",
        "secret",
        &SECRET[1..],
        &"ab".repeat(40),
        "12345678901234567890123456789012",
        &SECRET[..30].repeat(2),
        "please-change-me-to-something-long-and-random",
        "My-Super-Secret-JWT-Key-2024-do-not-share",
        "your_256_bit_secret_goes_in_here_now",
        published,
        &published.to_uppercase(),
    ] {
        let refused = SigningKey::new(secret.into()).unwrap_err();
        assert!(matches!(refused, Error::WeakSecret(_)), "{secret}");
        assert!(refused.to_string().contains("openssl rand"), "it says what to do");
    }
    let ring = SigningKey::new(SECRET.into()).unwrap();
    assert!(ring.accepting("short".into()).is_err());
    let weak = SigningKey::with_retired(SECRET.into(), vec![OTHER_SECRET.into(), "short".into()]);
    assert!(matches!(weak, Err(Error::WeakSecret(_))), "retired ones too");
}

#[test]
fn secrets_and_tokens_do_not_show_in_debug_output() {
    let key = SigningKey::new(SECRET.into()).unwrap();
    let now = agent_core::time::Timestamp::from_micros(1_767_268_800_000_000);
    let issued = key.issue(Owner::in_default_tenant(UserId(1)), now, now, &SystemRandom).unwrap();
    assert!(!format!("{key:?}").contains(SECRET));
    assert!(!format!("{issued:?}").contains(&issued.token));
    assert!(!format!("{:?}", Credential::Bearer(&issued.token)).contains(&issued.token));
}

#[tokio::test]
async fn a_token_that_is_no_token_of_ours_is_refused_for_what_it_says_before_any_signature_is_computed() {
    let world = World::with_accounts().await;
    let genuine = world.login("alice").await.access_token;
    let forge = || Forgery::of(&genuine);
    let forged = |forgery: Forgery| forgery.sign_with(OTHER_SECRET, Algorithm::HS256);
    assert_eq!(world.bearer(&forged(forge())).await.unwrap_err().reason(), Some("wrong signature"));
    let now = world.clock.seconds();
    for forgery in [
        forge().header("alg", json!("none")),
        forge().header("crit", json!(["x"])),
        forge().header("typ", json!("JWT")),
        forge().header("kid", json!("unknown")),
        forge().claim("iss", json!("other")),
        forge().claim("aud", json!("other")),
        forge().claim("typ", json!("refresh")),
        forge().claim("sub", Value::Null),
        forge().claim("exp", json!("never")),
        forge().claim("nbf", json!(1e300)),
        forge().claim("exp", json!(now + 86_400)),
    ] {
        let token = forged(forgery);
        let refused = world.bearer(&token).await.unwrap_err();
        assert!(refused.reason().is_some_and(|reason| reason != "wrong signature"), "{refused:?}");
    }
}

#[tokio::test]
async fn only_of_a_genuine_token_is_it_said_that_it_has_expired() {
    let world = World::with_accounts().await;
    let genuine = world.login("alice").await.access_token;
    let forged = Forgery::of(&genuine).sign_with(OTHER_SECRET, Algorithm::HS256);
    world.clock.advance(std::time::Duration::from_hours(2));
    assert!(matches!(world.bearer(&genuine).await, Err(Error::Expired)));
    assert_eq!(world.bearer(&forged).await.unwrap_err().reason(), Some("wrong signature"));
}

#[tokio::test]
async fn what_an_unverified_token_says_cannot_be_read_from_it_but_for_the_name_of_its_key() {
    let world = World::with_accounts().await;
    let session = world.login("alice").await;
    let forged = Forgery::of(&session.access_token).sign_with(OTHER_SECRET, Algorithm::HS256);
    let token = UnverifiedToken::parse(&forged).unwrap();
    assert_eq!(token.key_id().len(), 16);
    let shown = format!("{token:?}");
    assert!(
        shown.contains(token.key_id()) && !shown.contains("alice") && !shown.contains("user_id"),
        "{shown}"
    );
}

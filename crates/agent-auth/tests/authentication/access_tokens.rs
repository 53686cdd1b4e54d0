//! Which access tokens are accepted: a valid one, and nothing that merely looks like it. Each forgery is
//! signed with the genuine secret unless the case says otherwise, so only the rule in question can refuse it.

use crate::fixture::{Forgery, OTHER_SECRET, SECRET, World, assert_refused, base64url, sign};
use agent_auth::{Credential, Error, Role, SigningKey};
use agent_core::ids::UserId;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn a01_a_valid_token_names_the_right_user() {
    let world = World::with_accounts().await;
    let session = world.login("alice").await;
    let principal = world.bearer(&session.access_token).await.unwrap();
    assert_eq!((principal.username.as_str(), principal.role), ("alice", Role::User));
    assert_eq!(principal.user_id, session.user.id);
    assert_eq!(principal.expires_at, Some(session.expires_at));
    assert_eq!(session.expires_in_seconds, 3600);
}

#[tokio::test]
async fn a01_a_token_signed_anew_without_changes_is_accepted_so_the_forgeries_fail_by_their_changes() {
    let world = World::with_accounts().await;
    let token = Forgery::of(&world.login("alice").await.access_token).sign();
    assert_eq!(world.bearer(&token).await.unwrap().username, "alice");
}

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
async fn a11_a12_headers_that_bring_keys_or_demand_extensions_are_refused() {
    let world = World::with_accounts().await;
    let genuine = world.login("alice").await.access_token;
    let key = json!({ "kty": "oct", "k": base64url(OTHER_SECRET.as_bytes()) });
    for (name, value) in [
        ("jku", json!("http://127.0.0.1:9/keys")),
        ("x5u", json!("http://127.0.0.1:9/cert")),
        ("jwk", key),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["x"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
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
    for kind in [Value::Null, json!("refresh+jwt"), json!("JWT"), json!("AT+JWT"), json!(1)] {
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
async fn a14_an_ended_token_has_five_seconds_of_grace_and_no_more() {
    let world = World::with_accounts().await;
    let genuine = world.login("alice").await.access_token;
    let now = world.clock.seconds();
    let ended = |ago: i64| {
        Forgery::of(&genuine).claim("iat", json!(now - 1000)).claim("exp", json!(now - ago)).sign()
    };
    assert!(world.bearer(&ended(4)).await.is_ok());
    assert!(matches!(world.bearer(&ended(6)).await, Err(Error::Expired)));

    world.clock.advance(Duration::from_secs(3603));
    assert!(world.bearer(&genuine).await.is_ok());
    world.clock.advance(Duration::from_secs(3));
    assert!(matches!(world.bearer(&genuine).await, Err(Error::Expired)));
}

#[tokio::test]
async fn a15_a16_a17_a_token_needs_an_end_and_a_beginning_that_are_numbers_in_time() {
    let world = World::with_accounts().await;
    let genuine = world.login("alice").await.access_token;
    let now = world.clock.seconds();
    let text = |seconds: i64| json!(seconds.to_string());
    let bad =
        [Value::Null, json!("never"), json!(-1), json!(1e300), json!([now]), json!(u64::MAX), json!(true)];
    for name in ["exp", "nbf", "iat"] {
        for value in bad.iter().cloned().chain([text(now), json!(i64::MAX), json!(now as f64 + 0.5)]) {
            let token = Forgery::of(&genuine).claim(name, value.clone()).sign();
            assert_refused(world.bearer(&token).await, &format!("{name} {value}"));
        }
    }
    for name in ["nbf", "iat"] {
        let at = |ahead: i64| Forgery::of(&genuine).claim(name, json!(now + ahead)).sign();
        assert!(world.bearer(&at(5)).await.is_ok(), "{name} within the leeway");
        assert_refused(world.bearer(&at(6)).await, name);
    }
    let as_text = Forgery::of(&genuine).claim("nbf", text(now + 600)).sign();
    assert_refused(world.bearer(&as_text).await, "nbf in the future as text");
}

#[tokio::test]
async fn a18_a_token_may_not_live_longer_than_an_hour_nor_end_before_it_begins() {
    let world = World::with_accounts().await;
    let genuine = world.login("alice").await.access_token;
    let now = world.clock.seconds();
    let lives = |seconds: i64| Forgery::of(&genuine).claim("exp", json!(now + seconds)).sign();
    assert!(world.bearer(&lives(3600)).await.is_ok());
    for seconds in [3601, 86_400, 0, -1] {
        assert_refused(world.bearer(&lives(seconds)).await, &seconds.to_string());
    }
}

#[tokio::test]
async fn a19_the_audience_must_be_ours_alone_or_in_a_list() {
    let world = World::with_accounts().await;
    let genuine = world.login("alice").await.access_token;
    let with = |audience: Value| Forgery::of(&genuine).claim("aud", audience).sign();
    assert!(world.bearer(&with(json!(["other", "agent-api"]))).await.is_ok());
    for audience in [
        Value::Null,
        json!("other"),
        json!("Agent-API"),
        json!({ "agent-api": true }),
        json!([]),
        json!(["other"]),
        json!([["agent-api"]]),
        json!(["agent-api", 1]),
        json!(1),
    ] {
        assert_refused(world.bearer(&with(audience.clone())).await, &audience.to_string());
    }
}

#[tokio::test]
async fn a20_the_issuer_must_be_ours() {
    let world = World::with_accounts().await;
    let genuine = world.login("alice").await.access_token;
    for issuer in [Value::Null, json!("other"), json!("Agent"), json!(["agent"]), json!("")] {
        let token = Forgery::of(&genuine).claim("iss", issuer.clone()).sign();
        assert_refused(world.bearer(&token).await, &issuer.to_string());
    }
}

#[tokio::test]
async fn a21_the_subject_must_be_a_user_who_exists() {
    let world = World::with_accounts().await;
    let session = world.login("alice").await;
    let genuine = session.access_token;
    let id = session.user.id.get();
    for subject in [
        Value::Null,
        json!(id),
        json!(""),
        json!("4711"),
        json!(format!("+{id}")),
        json!(format!("0{id}")),
        json!(format!(" {id}")),
        json!("-1"),
        json!("0"),
        json!("99999999999999999999"),
        json!("alice"),
    ] {
        let token = Forgery::of(&genuine).claim("sub", subject.clone()).sign();
        assert_refused(world.bearer(&token).await, &subject.to_string());
    }
    for jti in [Value::Null, json!(""), json!(7), json!("j".repeat(65))] {
        let token = Forgery::of(&genuine).claim("jti", jti.clone()).sign();
        assert_refused(world.bearer(&token).await, &format!("jti {jti}"));
    }
    world.stores.delete_user(session.user.id);
    assert_refused(world.bearer(&genuine).await, "deleted");
}

#[tokio::test]
async fn a22_a_name_that_occurs_twice_is_refused_in_header_and_claims() {
    let world = World::with_accounts().await;
    let forgery = Forgery::of(&world.login("alice").await.access_token);
    let (header, claims) = (forgery.header.to_string(), forgery.claims.to_string());
    let twice = |json: &str, member: &str| format!("{{{member},{}", &json[1..]);
    for member in [r#""sub":"3""#, r#""exp":1"#, r#""note":1,"note":2"#, r#""\u0073ub":"3""#] {
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
async fn a28_a_retired_key_is_accepted_while_it_is_in_the_ring() {
    let world = World::with_accounts().await;
    let old = world.login("alice").await.access_token;

    let rotated = SigningKey::new(OTHER_SECRET.into()).unwrap().accepting(SECRET.into()).unwrap();
    let server = world.restarted_with(rotated);
    assert!(server.authenticate(Credential::Bearer(&old)).await.is_ok());
    let new = server.login("alice", &crate::fixture::PASSWORD.into(), "here").await.unwrap().access_token;
    assert_refused(world.bearer(&new).await, "new key on the server that has only the old one");

    let server = world.restarted_with(SigningKey::new(OTHER_SECRET.into()).unwrap());
    assert!(server.authenticate(Credential::Bearer(&new)).await.is_ok());
    assert_refused(server.authenticate(Credential::Bearer(&old)).await, "removed key");
}

#[test]
fn a29_secrets_that_are_empty_short_repetitive_or_published_are_refused() {
    let published = "a-string-secret-at-least-256-bits-long";
    for secret in ["", "secret", &SECRET[1..], &"ab".repeat(40), published, &published.to_uppercase()] {
        let refused = SigningKey::new(secret.into()).unwrap_err();
        assert!(matches!(refused, Error::WeakSecret(_)), "{secret}");
        assert!(refused.to_string().contains("openssl rand"), "it says what to do");
    }
    let ring = SigningKey::new(SECRET.into()).unwrap();
    assert!(ring.accepting("short".into()).is_err());
}

#[test]
fn secrets_and_tokens_do_not_show_in_debug_output() {
    let key = SigningKey::new(SECRET.into()).unwrap();
    let now = agent_core::time::Timestamp::from_micros(1_767_268_800_000_000);
    let issued = key.issue(UserId(1), now, now, &agent_auth::SystemRandom).unwrap();
    assert!(!format!("{key:?}").contains(SECRET));
    assert!(!format!("{issued:?}").contains(&issued.token));
    assert!(!format!("{:?}", Credential::Bearer(&issued.token)).contains(&issued.token));
}

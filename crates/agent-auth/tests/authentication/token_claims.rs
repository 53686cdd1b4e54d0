//! Which claims of a genuine token are accepted: who it is for, whose it is, and when.

use crate::fixture::{Forgery, World, assert_refused};
use agent_auth::{Error, Role};
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

/// What is no instant, whichever claim says it.
fn no_instants() -> Vec<Value> {
    let mut values: Vec<Value> =
        ["null", "true", "-1", "1e300", "1767268800.5", "1767268800.0", "9223372036854775807"]
            .map(|text| text.parse().unwrap())
            .into();
    values.extend([json!("never"), json!("1767268800"), json!([1_767_268_800]), json!(u64::MAX)]);
    values
}

#[tokio::test]
async fn a15_a_token_without_an_end_that_is_a_number_in_range_is_refused() {
    let world = World::with_accounts().await;
    let genuine = world.login("alice").await.access_token;
    for value in no_instants() {
        let token = Forgery::of(&genuine).claim("exp", value.clone()).sign();
        assert_refused(world.bearer(&token).await, &format!("exp {value}"));
    }
}

#[tokio::test]
async fn a16_a_token_is_refused_before_its_beginning_however_that_is_written() {
    let world = World::with_accounts().await;
    let genuine = world.login("alice").await.access_token;
    let now = world.clock.seconds();
    let begins = |value: Value| Forgery::of(&genuine).claim("nbf", value).sign();
    assert!(world.bearer(&begins(json!(now + 5))).await.is_ok(), "within the leeway");
    for value in no_instants().into_iter().chain([json!(now + 6), json!((now + 600).to_string())]) {
        assert_refused(world.bearer(&begins(value.clone())).await, &format!("nbf {value}"));
    }
}

#[tokio::test]
async fn a17_a_token_from_the_future_is_refused() {
    let world = World::with_accounts().await;
    let genuine = world.login("alice").await.access_token;
    let now = world.clock.seconds();
    let issued = |value: Value| Forgery::of(&genuine).claim("iat", value).sign();
    assert!(world.bearer(&issued(json!(now + 5))).await.is_ok(), "within the leeway");
    for value in no_instants().into_iter().chain([json!(now + 6), json!(now + 3000)]) {
        assert_refused(world.bearer(&issued(value.clone())).await, &format!("iat {value}"));
    }
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

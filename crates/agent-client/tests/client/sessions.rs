//! Logging in, staying in, and credentials that are not accepted.

use crate::requests::{chain, demo};
use agent_client::{Client, Error};
use agent_testkit::TestServer;
use futures_util::{StreamExt, TryStreamExt};
use secrecy::ExposeSecret;
use serde_json::json;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_or_token_is_a_problem_everywhere() {
    let server = TestServer::start().await;
    let client = Client::builder(server.url()).build().unwrap();
    let error = client.log_in("demo", "wrong").await.unwrap_err();
    assert_eq!((error.code(), client.session().is_none()), (Some("invalid_credentials"), true));
    assert_eq!(client.validate().await.unwrap_err().code(), Some("unauthenticated"));
    let error = client.log_in_to("elsewhere", "demo", "demo123").await.unwrap_err();
    assert_eq!(error.code(), Some("invalid_credentials"));
    assert_eq!(client.log_in_to("default", "demo", "demo123").await.unwrap().username, "demo");

    let client = Client::builder(server.url()).token("nonsense").build().unwrap();
    assert_eq!(client.plans().get(1).await.unwrap_err().code(), Some("invalid_token"));
    let outcomes: Vec<_> = client.events().follow().collect().await;
    let [Err(error)] = outcomes.as_slice() else { panic!("{outcomes:?}") };
    assert_eq!(error.problem().map(|problem| problem.status), Some(401), "{error:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_key_opens_everything_that_a_token_does() {
    let server = TestServer::start().await;
    let made = server.demo().await.post("/auth/token", json!({"name": "ci"})).await.expect(201);
    let key = made.json["api_key"].as_str().unwrap();
    for client in [Client::builder(server.url()).api_key(key), Client::builder(server.url()).token(key)] {
        let client = client.build().unwrap();
        assert_eq!(client.validate().await.unwrap().expires_at, None);
        let plan = client.plans().create(&chain(1).execute()).await.unwrap().plan_id;
        assert!(!crate::requests::to_the_end(&client, plan).await.is_empty());
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_renewed_near_its_end_by_one_of_all_who_ask() {
    let server = TestServer::start().await;
    // An hour is what a token has; so each request finds it near its end.
    let client = Client::builder(server.url()).renew_before(Duration::from_hours(2)).build().unwrap();
    let first = client.log_in("demo", "demo123").await.unwrap();
    let asking = (0..8).map(|_| client.validate());
    let answers = futures_util::future::join_all(asking).await;
    assert!(answers.iter().all(|answer| answer.is_ok()), "{answers:?}");
    let last = client.session().unwrap();
    assert_ne!(first.access_token.expose_secret(), last.access_token.expose_secret());
    assert_ne!(first.refresh_token.expose_secret(), last.refresh_token.expose_secret());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_renewed_once_and_the_request_made_again() {
    let server = TestServer::start().await;
    let session = demo(server.url()).await.session().unwrap();
    let client = Client::builder(server.url())
        .token("an.old.token")
        .refresh_token(session.refresh_token.clone())
        .build()
        .unwrap();
    let plan = client.plans().create(&chain(1).execute()).await.unwrap();
    assert_eq!(client.session().unwrap().username, "demo");

    // Following does the same by itself.
    let session = demo(server.url()).await.session().unwrap();
    let client =
        Client::builder(server.url()).token("old").refresh_token(session.refresh_token).build().unwrap();
    let events = crate::requests::to_the_end(&client, plan.plan_id).await;
    assert_eq!(events, crate::requests::log(&client, plan.plan_id).await);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_ended_elsewhere_ends_the_follower_with_the_reason() {
    let server = TestServer::start().await;
    let client = demo(server.url()).await;
    let mut events = client.events().updates();
    assert!(events.try_next().await.unwrap().is_some(), "it is subscribed");
    // Everybody of this account is logged out; the server looks every few seconds.
    demo(server.url()).await.log_out().await.unwrap();
    let outcomes: Vec<_> = events.collect().await;
    let Some(Err(error)) = outcomes.last() else { panic!("{outcomes:?}") };
    assert_eq!(error.code(), Some("invalid_token"), "{outcomes:?}");
    assert!(matches!(client.validate().await, Err(Error::Problem(_))));
    server.stop().await;
}

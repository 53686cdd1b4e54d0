//! Requests whose answers are lost: what is sent again, and what never is.

use crate::requests::{chain, demo, to_the_end};
use agent_client::{Client, Error, PlanFilter, Retries};
use agent_testkit::{Proxy, TestServer};
use std::time::Duration;

async fn behind(proxy: &Proxy) -> Client {
    let retries = Retries { first_pause: Duration::from_millis(1), ..Retries::default() };
    let client = Client::builder(proxy.url()).retries(retries).build().unwrap();
    client.log_in("demo", "demo123").await.unwrap();
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_whose_answer_was_lost_is_made_once() {
    let server = TestServer::start().await;
    let proxy = Proxy::before(server.url()).await;
    let client = behind(&proxy).await;
    proxy.swallow_one_answer();
    let created = client.plans().create(&chain(1)).await.unwrap();
    assert_eq!(proxy.cuts(), 1);
    let listed = client.plans().list(&PlanFilter::default()).await.unwrap();
    assert_eq!((listed.total, listed.plans[0].id), (1, created.plan_id));

    // A program with a key of its own gets the same plan again, and is told when it asks for another one.
    let first = client.plans().create_once("release-7", &chain(1)).await.unwrap();
    let again = client.plans().create_once("release-7", &chain(1)).await.unwrap();
    assert_eq!(first, again);
    let error = client.plans().create_once("release-7", &chain(2)).await.unwrap_err();
    assert_eq!(error.code(), Some("idempotency_mismatch"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_not_be_done_twice_is_not_sent_again() {
    let server = TestServer::start().await;
    let proxy = Proxy::before(server.url()).await;
    let (client, direct) = (behind(&proxy).await, demo(server.url()).await);
    let plan = direct.plans().create(&chain(1)).await.unwrap().plan_id;
    let lines = proxy.lines();
    proxy.swallow_one_answer();
    let error = client.plans().execute(plan).await.unwrap_err();
    assert!(matches!(error, Error::Unanswered { .. }), "{error:?}");
    assert!(error.to_string().starts_with(&format!("POST /plans/{plan}/execute: sent, and not answered")));
    assert_eq!((proxy.cuts(), proxy.lines() <= lines + 1), (1, true));
    // It was done, this time.
    assert!(!to_the_end(&direct, plan).await.is_empty());

    proxy.swallow_one_answer();
    assert_eq!(client.plans().get(plan).await.unwrap().plan.id, plan, "reading is repeated");
    assert_eq!(proxy.cuts(), 2);
    server.stop().await;
}

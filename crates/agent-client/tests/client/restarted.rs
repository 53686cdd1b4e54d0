//! A server that stops, and another one that goes on with its data.

use crate::requests::{chain, log};
use agent_client::{Client, Event, Retries, Topic, Update};
use agent_testkit::{Proxy, Repository, RepositoryBuilder, TestServer};
use futures_util::{StreamExt, TryStreamExt};
use std::path::Path;
use std::time::Duration;

async fn server(folder: &Path, repository: &Repository, secret: &'static str) -> TestServer {
    let database = format!("sqlite://{}", folder.join("agent.db").display());
    let root = repository.path().to_owned();
    let builder = TestServer::builder().database_url(&database).adjust(move |settings| {
        settings.repository_roots = vec![root];
        settings.jwt_secret = Some(secret.into());
    });
    builder.start().await
}

async fn client(proxy: &Proxy) -> Client {
    let retries = Retries { first_pause: Duration::from_millis(5), ..Retries::default() };
    let client = Client::builder(proxy.url()).retries(retries).build().unwrap();
    client.log_in("demo", "demo123").await.unwrap();
    client
}

/// Follows a plan over a restart, after which tokens are signed with the second secret.
async fn follow_over_a_restart(first_secret: &'static str, second_secret: &'static str) {
    let folder = tempfile::tempdir().unwrap();
    let repository = RepositoryBuilder::default().build();
    let first = server(folder.path(), &repository, first_secret).await;
    let proxy = Proxy::before(first.url()).await;
    let client = client(&proxy).await;
    let plan = client.plans().create(&chain(5)).await.unwrap().plan_id;
    let mut updates = client.events().topic(Topic::Plan(plan)).after(0).until_ended().updates();
    let mut events: Vec<Event> = Vec::new();
    while events.is_empty() {
        if let Some(Update::Event(event)) = updates.try_next().await.unwrap() {
            events.push(*event);
        }
    }

    first.stop().await;
    while !matches!(updates.try_next().await.unwrap(), Some(Update::Lost { .. })) {}
    let second = server(folder.path(), &repository, second_secret).await;
    proxy.lead_to(second.url());
    client.plans().execute(plan).await.unwrap();
    while let Some(update) = updates.next().await {
        if let Update::Event(event) = update.unwrap() {
            events.push(*event);
        }
    }
    assert_eq!(events, log(&client, plan).await);
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_followed_over_a_restart() {
    let secret = "k3J9xQ7vT2mW8pL5zR1cN6bY4hD0sFgA";
    follow_over_a_restart(secret, secret).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_that_ends_all_tokens_is_got_over_with_the_refresh_token() {
    follow_over_a_restart("k3J9xQ7vT2mW8pL5zR1cN6bY4hD0sFgA", "Zu8eO1iVq5XwC7tM3rB9nK2jH6lP4aSd").await;
}

//! Events as they come over a line that holds.

use crate::requests::{chain, demo, log, to_the_end};
use agent_client::{Error, Event, EventBody, ResetReason, Topic, Update};
use agent_testkit::TestServer;
use futures_util::{StreamExt, TryStreamExt};

#[tokio::test(flavor = "multi_thread")]
async fn events_are_followed_live_and_from_the_log() {
    let server = TestServer::start().await;
    let client = demo(server.url()).await;
    let plan = client.plans().create(&chain(3)).await.unwrap().plan_id;
    let mut live = client.events().topic(Topic::Plan(plan)).until_ended().updates();
    let Some(Ok(Update::Connected { after, .. })) = live.next().await else { panic!("no subscription") };
    client.plans().execute(plan).await.unwrap();
    let live: Vec<Update> = live.try_collect().await.unwrap();
    let all = to_the_end(&client, plan).await;
    assert_eq!(all, log(&client, plan).await);
    let later: Vec<Update> = all
        .into_iter()
        .filter(|event| event.seq > after)
        .map(|event| Update::Event(Box::new(event)))
        .collect();
    assert_eq!(live, later, "what was there before is not told");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_events_that_are_wanted_are_handed_out() {
    let server = TestServer::start().await;
    let client = demo(server.url()).await;
    let plan = client.plans().create(&chain(3).execute()).await.unwrap().plan_id;
    let names = ["task_completed", "plan_updated"];
    let events = client.events().topic(Topic::Plan(plan)).after(0).only(names).until_ended().follow();
    let events: Vec<Event> = events.try_collect().await.unwrap();
    let mut expected = log(&client, plan).await;
    expected.retain(|event| names.contains(&event.body.name()));
    assert_eq!(events, expected);
    let completed = events.iter().filter(|event| matches!(event.body, EventBody::TaskCompleted { .. }));
    assert_eq!(completed.count(), 3);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_somebody_else_cannot_be_followed() {
    let server = TestServer::start().await;
    let theirs = server.admin().await.create_shell_plan("Private", &["true"]).await;
    let client = demo(server.url()).await;
    let outcomes: Vec<_> = client.events().topic(Topic::Plan(theirs.into())).follow().collect().await;
    let [Err(Error::Refused { code, .. })] = outcomes.as_slice() else { panic!("{outcomes:?}") };
    assert_eq!(code, "plan_not_found");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_that_is_not_there_yet_is_a_reset() {
    let server = TestServer::start().await;
    let client = demo(server.url()).await;
    let plan = client.plans().create(&chain(1)).await.unwrap().plan_id;
    let outcomes: Vec<_> = client.events().topic(Topic::Plan(plan)).after(99).follow().collect().await;
    let [Err(Error::Reset(reset))] = outcomes.as_slice() else { panic!("{outcomes:?}") };
    assert_eq!(reset.reason, ResetReason::Future);
    server.stop().await;
}

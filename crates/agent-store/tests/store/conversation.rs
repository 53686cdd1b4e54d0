//! Conversations.

use super::World;
use crate::world::{at, user};
use agent_core::Error;
use agent_core::event::EventBody;
use agent_core::ids::{Owner, TenantId};
use agent_core::ports::{Conversations, MessageFilter, NewMessage, Visibility};

fn message(owner: Owner, content: &str) -> NewMessage {
    NewMessage { owner, role: "user".into(), content: content.into(), plan_id: None, idempotency: None }
}

fn filter(visibility: Visibility) -> MessageFilter {
    MessageFilter { visibility, plan_id: None, role: None, text: None, after: None, limit: 10 }
}

#[tokio::test]
async fn a_message_of_a_plan_is_told_and_is_no_change_of_the_plan() {
    use agent_core::ports::PlanStore;
    let Some(world) = World::new().await else { return };
    let state = world.plan(1).await;
    let said = NewMessage { plan_id: Some(state.plan.id), ..message(world.owner, "faster, please") };
    let id = world.store.add(&said, at(3)).await.unwrap();
    let told = world.told.calls().pop().unwrap();
    assert_eq!(told[0].body, EventBody::MessageAdded { message_id: id, role: "user".into() });
    assert_eq!((told[0].seq, told[0].owner, told[0].timestamp), (2, world.owner, at(3)));
    assert_eq!(world.store.load(None, state.plan.id).await.unwrap(), state);
}

#[tokio::test]
async fn a_message_to_the_plan_of_another_is_refused_and_leaves_nothing() {
    let Some(world) = World::new().await else { return };
    let state = world.plan(1).await;
    let eve = user(&world.store, "eve").await;
    let said = NewMessage { plan_id: Some(state.plan.id), ..message(eve, "let me in") };
    let error = world.store.add(&said, at(0)).await.unwrap_err();
    assert!(matches!(error, Error::PlanNotFound(id) if id == state.plan.id));
    assert_eq!(
        world.store.messages(&filter(Visibility::Tenant(TenantId::DEFAULT))).await.unwrap(),
        (vec![], 0)
    );
}

#[tokio::test]
async fn messages_come_oldest_first_in_pages_with_the_total() {
    let Some(world) = World::new().await else { return };
    let plan = world.plan(1).await.plan.id;
    let eve = user(&world.store, "eve").await;
    for content in ["a", "b", "c"] {
        world.store.add(&message(world.owner, content), at(0)).await.unwrap();
    }
    world.store.add(&message(eve, "d"), at(0)).await.unwrap();
    let own = NewMessage { plan_id: Some(plan), ..message(world.owner, "e") };
    world.store.add(&own, at(0)).await.unwrap();
    let first = MessageFilter { limit: 2, ..filter(Visibility::Owner(world.owner)) };
    let (page, total) = world.store.messages(&first).await.unwrap();
    let contents: Vec<_> = page.iter().map(|message| message.content.as_str()).collect();
    assert_eq!((contents, total), (vec!["a", "b"], 4));
    let next = MessageFilter { after: Some(page[1].id), ..first };
    let (page, total) = world.store.messages(&next).await.unwrap();
    let contents: Vec<_> = page.iter().map(|message| message.content.as_str()).collect();
    assert_eq!((contents, total), (vec!["c", "e"], 4));
    let of_plan = MessageFilter { plan_id: Some(plan), ..filter(Visibility::Tenant(TenantId::DEFAULT)) };
    assert_eq!(world.store.messages(&of_plan).await.unwrap().1, 1);
}

#[tokio::test]
async fn messages_are_found_by_role_and_by_text() {
    let Some(world) = World::new().await else { return };
    for (role, content) in
        [("user", "Mend the Parser"), ("assistant", "The parser works"), ("user", "100 % sure?")]
    {
        let said = NewMessage { role: role.into(), ..message(world.owner, content) };
        world.store.add(&said, at(0)).await.unwrap();
    }
    let found = async |role: Option<&str>, text: Option<&str>| {
        let (role, text) = (role.map(str::to_owned), text.map(str::to_owned));
        let filter = MessageFilter { role, text, ..filter(Visibility::Owner(world.owner)) };
        let (page, total) = world.store.messages(&filter).await.unwrap();
        assert_eq!(page.len() as u64, total);
        page.into_iter().map(|message| message.content).collect::<Vec<_>>()
    };
    assert_eq!(found(Some("user"), None).await, ["Mend the Parser", "100 % sure?"]);
    assert_eq!(found(None, Some("PARSER")).await, ["Mend the Parser", "The parser works"]);
    assert_eq!(found(Some("assistant"), Some("parser")).await, ["The parser works"]);
    assert_eq!(found(None, Some("100 %")).await, ["100 % sure?"]);
    assert!(found(None, Some("%parser%")).await.is_empty());
}

//! Templates of tenants: whose they are, and their versions.

use super::World;
use crate::realm::{new_template, template};
use crate::world::{at, tenant, user_in};
use agent_core::plan::Idempotency;
use agent_store::Store;
use agent_templates::ports::TemplateStore;
use agent_templates::{
    Error, NewOwnTemplate, OwnTemplate, Template, TemplateBounds, TemplateChange, TemplateNumber,
};

/// The bounds of a tenant that has room.
const ROOM: TemplateBounds =
    TemplateBounds { templates: 1_000, bytes: 1_000_000, versions: 100, past_versions: 1_000 };

async fn keep(store: &Store, new: NewOwnTemplate) -> agent_templates::Result<OwnTemplate> {
    TemplateStore::create(store, new, ROOM).await
}

/// The template with another description, as a change of what is there.
fn change(own: &OwnTemplate, description: &str, seen: Option<u32>) -> TemplateChange {
    let mut template = own.template.clone();
    template.description = description.to_owned();
    TemplateChange {
        tenant: own.record.owner.tenant,
        number: own.record.number,
        seen,
        author: "grace".to_owned(),
        template,
        at: at(7),
    }
}

#[tokio::test]
async fn a_template_is_found_as_it_was_made_and_each_version_as_it_was_written() {
    let Some(world) = World::new().await else { return };
    let (store, owner): (&dyn TemplateStore, _) = (&world.store, world.owner);
    let made = keep(&world.store, new_template(owner, "tidy_up")).await.unwrap();
    assert_eq!((made.record.version, made.record.author.as_str()), (1, "ada"));
    assert_eq!((made.record.created_at, made.record.updated_at, made.record.owner), (at(0), at(0), owner));
    assert_eq!(made.template, template("tidy_up"));
    assert_eq!(store.find(owner.tenant, "tidy_up").await.unwrap(), made);
    assert_eq!(store.list(owner.tenant).await.unwrap(), std::slice::from_ref(&made));

    let second = store.update(change(&made, "Better.", Some(1)), ROOM).await.unwrap();
    assert_eq!((second.record.version, second.template.description.as_str()), (2, "Better."));
    assert_eq!((second.record.created_at, second.record.updated_at), (at(0), at(7)));
    assert_eq!(second.record.author, "ada", "who made it stays its author");
    assert_eq!(store.find(owner.tenant, "tidy_up").await.unwrap(), second);
    assert_eq!(store.list(owner.tenant).await.unwrap(), std::slice::from_ref(&second));

    let versions = store.versions(owner.tenant, made.record.number, None).await.unwrap();
    let told: Vec<_> = versions.iter().map(|v| (v.version, v.author.as_str(), v.created_at)).collect();
    assert_eq!(told, [(1, "ada", at(0)), (2, "grace", at(7))]);
    assert_eq!((&versions[0].template, &versions[1].template), (&made.template, &second.template));
    assert_eq!(store.versions(owner.tenant, made.record.number, Some(1)).await.unwrap(), versions[..1]);
    assert_eq!(store.versions(owner.tenant, made.record.number, Some(3)).await.unwrap(), []);
}

#[tokio::test]
async fn a_change_of_another_version_than_the_present_one_is_refused() {
    let Some(world) = World::new().await else { return };
    let store: &dyn TemplateStore = &world.store;
    let made = keep(&world.store, new_template(world.owner, "tidy_up")).await.unwrap();
    let second = store.update(change(&made, "Better.", Some(1)), ROOM).await.unwrap();
    let refused = store.update(change(&made, "Worse.", Some(1)), ROOM).await.unwrap_err();
    assert!(matches!(&refused, Error::VersionMismatch { seen: 1, present: 2, .. }), "{refused:?}");
    let same = store.update(change(&made, "Better.", None), ROOM).await.unwrap();
    assert_eq!(same, second, "what says the same makes no version");
    let third = store.update(change(&made, "Best.", None), ROOM).await.unwrap();
    assert_eq!(third.record.version, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_change_the_same_version_one_is_let_through() {
    let Some(world) = World::new().await else { return };
    let made = keep(&world.store, new_template(world.owner, "tidy_up")).await.unwrap();
    let changes: Vec<_> = (0..8)
        .map(|n| {
            let (store, change) = (world.store.clone(), change(&made, &format!("By {n}."), Some(1)));
            tokio::spawn(async move { TemplateStore::update(&store, change, ROOM).await })
        })
        .collect();
    let mut done = 0;
    for change in changes {
        match change.await.unwrap() {
            Ok(own) => {
                assert_eq!(own.record.version, 2);
                done += 1;
            }
            Err(Error::VersionMismatch { present: 2, .. }) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(done, 1);
}

#[tokio::test]
async fn an_id_is_taken_until_its_template_is_deleted_and_its_number_is_never_given_again() {
    let Some(world) = World::new().await else { return };
    let (store, owner): (&dyn TemplateStore, _) = (&world.store, world.owner);
    let first = keep(&world.store, new_template(owner, "tidy_up")).await.unwrap();
    let taken = keep(&world.store, new_template(owner, "tidy_up")).await.unwrap_err();
    assert!(matches!(&taken, Error::Taken(id) if id == "tidy_up"), "{taken:?}");
    store.update(change(&first, "Better.", None), ROOM).await.unwrap();
    store.delete(owner.tenant, first.record.number).await.unwrap();
    assert!(matches!(store.find(owner.tenant, "tidy_up").await, Err(Error::NotFound(_))));
    assert_eq!(store.versions(owner.tenant, first.record.number, None).await.unwrap(), []);
    assert!(matches!(store.delete(owner.tenant, first.record.number).await, Err(Error::NotFound(_))));

    let again = keep(&world.store, new_template(owner, "tidy_up")).await.unwrap();
    assert_ne!(again.record.number, first.record.number);
    let late = store.update(change(&first, "For the first.", None), ROOM).await.unwrap_err();
    assert!(matches!(late, Error::NotFound(_)), "{late:?}");
    assert_eq!(store.find(owner.tenant, "tidy_up").await.unwrap(), again);
}

#[tokio::test]
async fn z14_nobody_of_another_tenant_finds_or_changes_a_template() {
    let Some(world) = World::new().await else { return };
    let store: &dyn TemplateStore = &world.store;
    let made = keep(&world.store, new_template(world.owner, "tidy_up")).await.unwrap();
    let other = tenant(&world.store, "globex").await;
    let bob = user_in(&world.store, "bob", other).await;
    assert!(store.list(other).await.unwrap().is_empty());
    assert!(matches!(store.find(other, "tidy_up").await, Err(Error::NotFound(_))));
    assert_eq!(store.versions(other, made.record.number, None).await.unwrap(), []);
    let foreign = TemplateChange { tenant: other, ..change(&made, "Theirs.", None) };
    assert!(matches!(store.update(foreign, ROOM).await, Err(Error::NotFound(_))));
    assert!(matches!(store.delete(other, made.record.number).await, Err(Error::NotFound(_))));
    assert_eq!(store.find(world.owner.tenant, "tidy_up").await.unwrap(), made);

    let theirs = keep(&world.store, new_template(bob, "tidy_up")).await.unwrap();
    assert_eq!(store.list(other).await.unwrap(), [theirs], "the same id is free in each tenant");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_has_no_more_than_its_bound_however_many_ask_at_once() {
    let Some(world) = World::new().await else { return };
    let requests: Vec<_> = (0..20)
        .map(|n| {
            let (store, new) = (world.store.clone(), new_template(world.owner, &format!("own_{n}")));
            let few = TemplateBounds { templates: 5, ..ROOM };
            tokio::spawn(async move { TemplateStore::create(&store, new, few).await })
        })
        .collect();
    let mut kept = 0;
    for request in requests {
        match request.await.unwrap() {
            Ok(_) => kept += 1,
            Err(Error::TooMany { max: 5 }) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(kept, 5);
    let own = TemplateStore::list(&world.store, world.owner.tenant).await.unwrap();
    let ids: Vec<&str> = own.iter().map(|own| own.template.id.as_str()).collect();
    assert!(ids.is_sorted() && ids.len() == 5, "{ids:?}");
}

#[tokio::test]
async fn the_templates_of_a_tenant_have_so_many_bytes_together() {
    let Some(world) = World::new().await else { return };
    let store: &dyn TemplateStore = &world.store;
    let made = keep(&world.store, new_template(world.owner, "one")).await.unwrap();
    let one =
        serde_json::to_string(&agent_templates::NewTemplate::from(&made.template)).unwrap().len() as u64;
    let two = TemplateBounds { bytes: 2 * one, ..ROOM };
    let second = store.create(new_template(world.owner, "two"), two).await.unwrap();
    let third = store.create(new_template(world.owner, "six"), two).await.unwrap_err();
    assert!(matches!(third, Error::TooMuch { max } if max == 2 * one), "{third:?}");
    let same = made.template.description.clone();
    let longer = store.update(change(&made, &format!("{same}!"), None), two).await.unwrap_err();
    assert!(matches!(longer, Error::TooMuch { .. }), "{longer:?}");
    store.update(change(&made, &same[1..], None), two).await.unwrap();
    store.update(change(&second, &format!("{same}!"), None), two).await.unwrap();
    let other = user_in(&world.store, "bob", tenant(&world.store, "globex").await).await;
    store.create(new_template(other, "one"), two).await.unwrap();
}

#[tokio::test]
async fn the_oldest_versions_make_room_for_the_next() {
    let Some(world) = World::new().await else { return };
    let (store, tenant): (&dyn TemplateStore, _) = (&world.store, world.owner.tenant);
    let first = keep(&world.store, new_template(world.owner, "one")).await.unwrap();
    let second = keep(&world.store, new_template(world.owner, "two")).await.unwrap();
    let few = TemplateBounds { versions: 4, past_versions: 5, ..ROOM };
    let kept = async |own: &OwnTemplate| -> Vec<u32> {
        let versions = store.versions(tenant, own.record.number, None).await.unwrap();
        versions.iter().map(|version| version.version).collect()
    };
    for n in 2..=6 {
        store.update(change(&first, &format!("The {n}."), None), few).await.unwrap();
    }
    assert_eq!(kept(&first).await, [3, 4, 5, 6], "four of one template");
    for n in 2..=5 {
        store.update(change(&second, &format!("The {n}."), None), few).await.unwrap();
    }
    assert_eq!(kept(&second).await, [3, 4, 5], "five past ones of both together");
    assert_eq!(kept(&first).await, [3, 4, 5, 6], "of what is not changed nothing goes");
    let present = store.find(tenant, "two").await.unwrap();
    assert_eq!((present.record.version, present.template.description.as_str()), (5, "The 5."));
}

#[tokio::test]
async fn a_repeated_request_finds_the_template_of_the_first() {
    let Some(world) = World::new().await else { return };
    let key = |fingerprint: &str| Some(Idempotency { key: "k".into(), fingerprint: fingerprint.into() });
    let new = |fingerprint| NewOwnTemplate {
        idempotency: key(fingerprint),
        ..new_template(world.owner, "tidy_up")
    };
    let made = keep(&world.store, new("a")).await.unwrap();
    assert_eq!(keep(&world.store, new("a")).await.unwrap(), made);
    let other = keep(&world.store, new("b")).await.unwrap_err();
    let Error::Unavailable(source) = other else { panic!("{other:?}") };
    let source = source.downcast::<agent_core::Error>().unwrap();
    assert!(matches!(*source, agent_core::Error::IdempotencyMismatch(_)), "{source:?}");
    TemplateStore::delete(&world.store, world.owner.tenant, made.record.number).await.unwrap();
    assert!(matches!(keep(&world.store, new("a")).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn what_no_template_can_be_called_is_not_found() {
    let Some(world) = World::new().await else { return };
    for id in ["", "\0", "%", "_", "tidy\0up", "\u{202e}"] {
        let error = TemplateStore::find(&world.store, world.owner.tenant, id).await.unwrap_err();
        assert!(matches!(error, Error::NotFound(_)), "{error:?}");
    }
    let nothing = TemplateStore::delete(&world.store, world.owner.tenant, TemplateNumber(404)).await;
    assert!(matches!(nothing, Err(Error::NotFound(_))));
}

#[test]
fn what_is_kept_is_read_back_whatever_rules_came_since() {
    let mut new = agent_templates::NewTemplate::from(&template("tidy_up"));
    new.name.clear();
    assert!(Template::new(new.clone()).is_err());
    assert_eq!(Template::kept(new).task_count, 2);
}

//! Tenants, and accounts as members of them.

use super::World;
use crate::realm::{new_key, token};
use crate::world::{at, new_user, tenant, user, user_in};
use agent_auth::Role;
use agent_auth::ports::{
    Account, ApiKeyStore, NewApiKey, NewUser, Redeemed, RefreshTokenStore, TenantStore, UserChange, UserStore,
};
use agent_core::ids::{Owner, TenantId, UserId};
use agent_store::Store;

async fn named(store: &Store, name: &str, tenant: Option<&str>) -> Option<(TenantId, Role)> {
    let found = store.find_by_name(name, tenant).await.unwrap();
    found.map(|account| (account.user.tenant, account.user.role))
}

#[tokio::test]
async fn a_tenant_has_a_name_that_no_other_has() {
    let Some(world) = World::new().await else { return };
    let globex = world.store.create_tenant("Globex", None, at(3)).await.unwrap().unwrap();
    assert_eq!((globex.name.as_str(), globex.created_at), ("Globex", at(3)));
    assert!(globex.id > TenantId::DEFAULT);
    for taken in ["Globex", "gLOBEX", "DEFAULT"] {
        assert_eq!(world.store.create_tenant(taken, None, at(4)).await.unwrap(), None, "{taken}");
    }
    let all = world.store.tenants().await.unwrap();
    assert_eq!(all.iter().map(|tenant| tenant.id).collect::<Vec<_>>(), [TenantId::DEFAULT, globex.id]);
    assert_eq!((all[0].name.as_str(), &all[1]), ("default", &globex));
    assert_eq!(world.store.tenants_of(world.owner.user).await.unwrap(), all[..1]);
}

#[tokio::test]
async fn a_name_is_found_in_the_tenant_that_is_named_else_at_home_else_in_the_oldest() {
    let Some(world) = World::new().await else { return };
    let [older, home, newer] = [
        tenant(&world.store, "older").await,
        tenant(&world.store, "home").await,
        tenant(&world.store, "newer").await,
    ];
    let bob = user_in(&world.store, "bob", home).await;
    for (tenant, role) in [(newer, Role::Admin), (older, Role::Viewer)] {
        world.store.set_member(Owner { tenant, ..bob }, role, at(1)).await.unwrap().unwrap();
    }
    assert_eq!(named(&world.store, "BOB", None).await, Some((home, Role::User)));
    assert_eq!(named(&world.store, "bob", Some("NEWER")).await, Some((newer, Role::Admin)));
    assert_eq!(named(&world.store, "bob", Some("older")).await, Some((older, Role::Viewer)));
    for other in ["default", "nowhere", "", "new%", "newer "] {
        assert_eq!(named(&world.store, "bob", Some(other)).await, None, "{other}");
    }
    assert!(world.store.remove_member(bob).await.unwrap());
    assert_eq!(named(&world.store, "bob", None).await, Some((older, Role::Viewer)));
    for tenant in [older, newer] {
        assert!(world.store.remove_member(Owner { tenant, ..bob }).await.unwrap());
    }
    assert_eq!(named(&world.store, "bob", None).await, None, "a member of nothing is nobody");
}

#[tokio::test]
async fn a_membership_begins_changes_and_ends_without_touching_another() {
    let Some(world) = World::new().await else { return };
    let globex = tenant(&world.store, "globex").await;
    let there = Owner { tenant: globex, ..world.owner };
    let users: &dyn UserStore = &world.store;
    assert_eq!(users.find(there).await.unwrap(), None);
    let joined = world.store.set_member(there, Role::Viewer, at(1)).await.unwrap().unwrap();
    assert_eq!((joined.tenant, joined.role, joined.id), (globex, Role::Viewer, world.owner.user));
    let promoted = world.store.set_member(there, Role::Admin, at(2)).await.unwrap().unwrap();
    assert_eq!(promoted.role, Role::Admin);
    assert_eq!(users.list(globex).await.unwrap(), [promoted]);
    assert_eq!(users.find(world.owner).await.unwrap().unwrap().user.role, Role::User, "at home");
    let known: Vec<_> = world.store.tenants_of(world.owner.user).await.unwrap();
    assert_eq!(known.iter().map(|tenant| tenant.id).collect::<Vec<_>>(), [TenantId::DEFAULT, globex]);

    assert!(world.store.remove_member(there).await.unwrap());
    assert!(!world.store.remove_member(there).await.unwrap());
    assert_eq!((users.find(there).await.unwrap(), users.list(globex).await.unwrap()), (None, vec![]));
    assert_eq!(users.list(TenantId::DEFAULT).await.unwrap().len(), 1);
    let unknown = [Owner { tenant: globex, user: UserId(404) }, Owner { tenant: TenantId(404), ..there }];
    for member in unknown {
        assert_eq!(world.store.set_member(member, Role::User, at(3)).await.unwrap(), None);
    }
    assert!(!users.is_empty().await.unwrap());
}

#[tokio::test]
async fn members_are_found_listed_and_changed_in_their_tenant_only() {
    let Some(world) = World::new().await else { return };
    let globex = tenant(&world.store, "globex").await;
    let bob = user_in(&world.store, "bob", globex).await;
    let users: &dyn UserStore = &world.store;
    let bob_here = Owner { tenant: TenantId::DEFAULT, ..bob };
    let change = UserChange {
        role: Some(Role::Admin),
        disabled: Some(true),
        operator: Some(true),
        ..UserChange::default()
    };
    let before = users.find(bob).await.unwrap().unwrap();
    assert_eq!(before.home, globex);
    assert_eq!(users.find(bob_here).await.unwrap(), None);
    assert_eq!(users.update(bob_here, &change).await.unwrap(), None);
    assert!(!world.store.remove_member(bob_here).await.unwrap());
    assert_eq!(users.find(bob).await.unwrap().unwrap(), before);
    let here: Vec<_> = users.list(TenantId::DEFAULT).await.unwrap().iter().map(|user| user.id).collect();
    let there: Vec<_> = users.list(globex).await.unwrap().iter().map(|user| user.id).collect();
    assert_eq!((here, there), (vec![world.owner.user], vec![bob.user]));
}

#[tokio::test]
async fn a_role_belongs_to_a_membership_and_the_rest_to_the_account() {
    let Some(world) = World::new().await else { return };
    let globex = tenant(&world.store, "globex").await;
    let there = Owner { tenant: globex, ..world.owner };
    world.store.set_member(there, Role::Viewer, at(1)).await.unwrap();
    let users: &dyn UserStore = &world.store;
    let role = UserChange { role: Some(Role::Admin), ..UserChange::default() };
    assert_eq!(users.update(there, &role).await.unwrap().unwrap().role, Role::Admin);
    assert_eq!(users.find(world.owner).await.unwrap().unwrap().user.role, Role::User);
    let account = UserChange {
        disabled: Some(true),
        operator: Some(true),
        tokens_valid_after: Some(at(7)),
        ..UserChange::default()
    };
    users.update(there, &account).await.unwrap().unwrap();
    for member in [there, world.owner] {
        let Account { user, tokens_valid_after, home, .. } = users.find(member).await.unwrap().unwrap();
        assert!(user.disabled && user.operator);
        assert_eq!((tokens_valid_after, home), (at(7), TenantId::DEFAULT));
    }
}

async fn end_of_password(world: &World, change: UserChange) -> Option<agent_core::time::Timestamp> {
    let users: &dyn UserStore = &world.store;
    let member = users.find_by_name("first", None).await.unwrap().unwrap().user;
    users.update(Owner { tenant: member.tenant, user: member.id }, &change).await.unwrap().unwrap();
    users.find_by_name("first", None).await.unwrap().unwrap().password_expires_at
}

#[tokio::test]
async fn a_new_password_has_no_end_unless_one_is_named_with_it() {
    let Some(world) = World::new().await else { return };
    let new = NewUser { password_expires_at: Some(at(10)), ..new_user("first", TenantId::DEFAULT) };
    UserStore::create(&world.store, &new, at(0)).await.unwrap().unwrap();
    let nothing = UserChange::default;
    assert_eq!(end_of_password(&world, nothing()).await, Some(at(10)));
    let role = UserChange { role: Some(Role::Admin), ..nothing() };
    assert_eq!(end_of_password(&world, role).await, Some(at(10)));
    let disabled = UserChange { disabled: Some(true), ..nothing() };
    assert_eq!(end_of_password(&world, disabled).await, Some(at(10)));
    let sooner = UserChange { password_expires_at: Some(at(5)), ..nothing() };
    assert_eq!(end_of_password(&world, sooner.clone()).await, Some(at(5)));
    let both =
        UserChange { password_hash: Some("h2".into()), password_expires_at: Some(at(20)), ..nothing() };
    assert_eq!(end_of_password(&world, both).await, Some(at(20)));
    let password = UserChange { password_hash: Some("h3".into()), ..nothing() };
    assert_eq!(end_of_password(&world, password).await, None);
    assert_eq!(end_of_password(&world, sooner).await, Some(at(5)), "an end by itself is set as it is");
}

/// A chain of keys, each made by the one before; their ids.
async fn chain(store: &Store, owner: Owner, length: usize) -> Vec<i64> {
    let mut ids: Vec<i64> = Vec::new();
    for n in 0..length {
        let made_by = ids.last().copied();
        let new = NewApiKey { made_by, ..new_key(owner, &format!("{n} of {owner}")) };
        ids.push(store.insert(&new, at(0)).await.unwrap().id);
    }
    ids
}

#[tokio::test]
async fn a_revoked_key_takes_along_what_was_made_by_it_and_nothing_else() {
    let Some(world) = World::new().await else { return };
    let globex = tenant(&world.store, "globex").await;
    let there = Owner { tenant: globex, ..world.owner };
    world.store.set_member(there, Role::User, at(0)).await.unwrap();
    let eve = user(&world.store, "eve").await;
    let keys = chain(&world.store, world.owner, 4).await;
    let sibling = NewApiKey { made_by: Some(keys[0]), ..new_key(world.owner, "sibling") };
    let sibling = world.store.insert(&sibling, at(0)).await.unwrap().id;
    for other in [there, eve] {
        chain(&world.store, other, 3).await;
    }
    assert!(world.store.revoke(world.owner, keys[2], at(5)).await.unwrap());
    assert!(world.store.revoke(world.owner, keys[1], at(6)).await.unwrap());
    let own = world.store.keys_of(world.owner).await.unwrap();
    let ends: Vec<_> = own.iter().map(|key| (key.id, key.revoked_at)).collect();
    let expected = [
        (keys[0], None),
        (keys[1], Some(at(6))),
        (keys[2], Some(at(5))),
        (keys[3], Some(at(5))),
        (sibling, None),
    ];
    assert_eq!(ends, expected);
    for other in [there, eve] {
        let theirs = world.store.keys_of(other).await.unwrap();
        assert!(theirs.len() == 3 && theirs.iter().all(|key| key.revoked_at.is_none()), "{theirs:?}");
    }
    assert_eq!(own[3].made_by, Some(keys[2]));
}

#[tokio::test]
async fn a_family_of_tokens_ends_in_its_own_tenant_and_a_logout_ends_all() {
    let Some(world) = World::new().await else { return };
    let globex = tenant(&world.store, "globex").await;
    let there = Owner { tenant: globex, ..world.owner };
    let here = world.owner;
    let tokens: &dyn RefreshTokenStore = &world.store;
    for owner in [here, there] {
        for number in 1..=3 {
            tokens.keep(&token(owner, number)).await.unwrap();
        }
    }
    let redeem = async |owner, number| tokens.redeem(&token(owner, number).token_hash, at(1)).await.unwrap();
    let family = || "one login".to_owned();
    assert_eq!(redeem(here, 1).await, Redeemed::Accepted { owner: here, family: family() });
    assert_eq!(redeem(here, 1).await, Redeemed::Reused { owner: here });
    assert_eq!(redeem(here, 2).await, Redeemed::Refused);
    assert_eq!(redeem(there, 1).await, Redeemed::Accepted { owner: there, family: family() });
    tokens.revoke_all(here.user).await.unwrap();
    assert_eq!(redeem(there, 2).await, Redeemed::Refused);
}

#[tokio::test]
async fn folders_of_repositories_belong_to_a_tenant() {
    let Some(world) = World::new().await else { return };
    let globex = tenant(&world.store, "globex").await;
    assert_eq!(world.store.repository_roots().await.unwrap(), []);
    let roots = vec!["/srv/globex".to_owned(), "/srv/ünï".to_owned()];
    assert!(world.store.set_repository_roots(globex, &roots).await.unwrap());
    assert!(!world.store.set_repository_roots(TenantId(404), &roots).await.unwrap());
    assert_eq!(world.store.repository_roots().await.unwrap(), [(globex, roots)]);
    assert!(world.store.set_repository_roots(globex, &[]).await.unwrap());
    assert_eq!(world.store.repository_roots().await.unwrap(), [(globex, vec![])]);
}

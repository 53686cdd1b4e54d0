//! What administrators may do to accounts, what is left to operators, and who must remain.

use crate::fixture::{PASSWORD, World, assert_refused, root};
use agent_auth::{Credential, Error, Principal, Role, Scope, UpdateUser};
use agent_core::ids::{TenantId, UserId};

const ACME: TenantId = TenantId(2);
const ALICE: UserId = UserId(1);
const ADAM: UserId = UserId(3);
const CAROL: UserId = UserId(4);
const BOB: UserId = UserId(5);

fn role(role: Role) -> UpdateUser {
    UpdateUser { role: Some(role), ..UpdateUser::default() }
}

fn operator(operator: bool) -> UpdateUser {
    UpdateUser { operator: Some(operator), ..UpdateUser::default() }
}

fn disabled(disabled: bool) -> UpdateUser {
    UpdateUser { disabled: Some(disabled), ..UpdateUser::default() }
}

fn password() -> UpdateUser {
    UpdateUser { password: Some("set by somebody else".into()), ..UpdateUser::default() }
}

/// Whoever set the server up, at work in the other tenant.
fn root_in_acme() -> Principal {
    Principal { tenant: ACME, ..root() }
}

#[tokio::test]
async fn the_last_enabled_administrator_can_neither_be_demoted_nor_disabled() {
    let world = World::with_accounts().await;
    for change in [role(Role::User), disabled(true)] {
        let refused = world.auth.update_user(&root(), ADAM, &change).await;
        assert!(matches!(refused, Err(Error::LastAdmin)), "{refused:?}");
    }
    world.auth.update_user(&root(), ALICE, &role(Role::Admin)).await.unwrap();
    let demoted = world.auth.update_user(&root(), ADAM, &role(Role::User)).await.unwrap();
    assert_eq!(demoted.role, Role::User);
}

#[tokio::test]
async fn each_tenant_keeps_an_administrator_of_its_own() {
    let world = World::with_tenants().await;
    let carol = world.principal("carol").await;
    let refused = world.auth.update_user(&carol, CAROL, &role(Role::User)).await;
    assert!(matches!(refused, Err(Error::LastAdmin)), "adam is one elsewhere: {refused:?}");
    let refused = world.auth.remove_user(&root_in_acme(), CAROL).await;
    assert!(matches!(refused, Err(Error::LastAdmin)), "{refused:?}");
    world.auth.update_user(&carol, BOB, &role(Role::Admin)).await.unwrap();
    world.auth.update_user(&carol, BOB, &disabled(true)).await.unwrap();
    let refused = world.auth.update_user(&carol, CAROL, &role(Role::User)).await;
    assert!(matches!(refused, Err(Error::LastAdmin)), "a disabled one does not count: {refused:?}");
    world.auth.update_user(&carol, BOB, &disabled(false)).await.unwrap();
    assert!(world.auth.update_user(&carol, CAROL, &role(Role::User)).await.is_ok());
}

#[tokio::test]
async fn a_guests_password_and_whether_they_are_disabled_is_for_their_home_to_say() {
    let world = World::with_tenants().await;
    let (adam, carol) = (world.principal("adam").await, world.principal("carol").await);
    for change in [password(), disabled(true), disabled(false)] {
        for caller in [&carol, &root_in_acme()] {
            let refused = world.auth.update_user(caller, ALICE, &change).await;
            assert!(matches!(refused, Err(Error::NotAtHome)), "{refused:?}");
        }
    }
    assert_eq!(world.auth.update_user(&carol, ALICE, &role(Role::User)).await.unwrap().role, Role::User);
    let guest = world.principal_in("acme", "alice").await;
    let key = world.auth.create_key(&guest, "ci", None, None).await.unwrap().secret;
    world.auth.update_user(&adam, ALICE, &disabled(true)).await.unwrap();
    let refused = world.auth.authenticate(Credential::ApiKey(&key)).await;
    assert!(matches!(refused, Err(Error::Disabled)), "at home is everywhere: {refused:?}");
}

#[tokio::test]
async fn only_operators_make_operators_and_have_their_accounts_in_hand() {
    let world = World::with_accounts().await;
    let adam = world.principal("adam").await;
    let refused = world.auth.update_user(&adam, ADAM, &operator(true)).await;
    assert!(matches!(refused, Err(Error::OperatorOnly)), "{refused:?}");
    let made = world.auth.update_user(&root(), ALICE, &operator(true)).await.unwrap();
    assert!(made.operator && made.role == Role::User);
    assert!(world.principal("alice").await.may(Scope::TenantsManage));

    for change in [operator(false), password(), disabled(true)] {
        let refused = world.auth.update_user(&adam, ALICE, &change).await;
        assert!(matches!(refused, Err(Error::OperatorOnly)), "{refused:?}");
    }
    let refused = world.auth.remove_user(&adam, ALICE).await;
    assert!(matches!(refused, Err(Error::OperatorOnly)), "{refused:?}");
    assert!(world.auth.update_user(&adam, ALICE, &role(Role::Viewer)).await.is_ok());

    let narrow = Principal { scopes: vec![Scope::UsersManage], ..root() };
    let refused = world.auth.update_user(&narrow, ADAM, &operator(true)).await;
    assert!(matches!(refused, Err(Error::OperatorOnly)), "an operator's key for users: {refused:?}");
}

#[tokio::test]
async fn the_last_enabled_operator_remains_wherever_they_are_a_member() {
    let world = World::with_tenants().await;
    world.auth.update_user(&root(), ALICE, &operator(true)).await.unwrap();
    for change in [operator(false), disabled(true)] {
        let refused = world.auth.update_user(&root(), ALICE, &change).await;
        assert!(matches!(refused, Err(Error::LastOperator)), "{refused:?}");
    }
    let refused = world.auth.remove_user(&root(), ALICE).await;
    assert!(matches!(refused, Err(Error::LastOperator)), "{refused:?}");
    assert!(world.auth.update_user(&root(), ALICE, &role(Role::Viewer)).await.is_ok());

    world.auth.remove_member(ACME, ALICE).await.unwrap();
    let refused = world.auth.remove_member(TenantId::DEFAULT, ALICE).await;
    assert!(matches!(refused, Err(Error::LastOperator)), "nobody logs in who is nowhere: {refused:?}");

    world.auth.update_user(&root_in_acme(), BOB, &operator(true)).await.unwrap();
    world.auth.update_user(&root_in_acme(), BOB, &disabled(true)).await.unwrap();
    let refused = world.auth.update_user(&root(), ALICE, &operator(false)).await;
    assert!(matches!(refused, Err(Error::LastOperator)), "a disabled one does not count: {refused:?}");
    world.auth.update_user(&root_in_acme(), BOB, &disabled(false)).await.unwrap();
    assert!(!world.auth.update_user(&root(), ALICE, &operator(false)).await.unwrap().operator);
}

#[tokio::test]
async fn a_demoted_operator_has_lost_the_server_with_the_next_call() {
    let world = World::with_accounts().await;
    for id in [ALICE, ADAM] {
        world.auth.update_user(&root(), id, &operator(true)).await.unwrap();
    }
    let session = world.login("adam").await;
    assert!(world.bearer(&session.access_token).await.unwrap().may(Scope::TenantsManage));
    world.auth.update_user(&root(), ADAM, &operator(false)).await.unwrap();
    let principal = world.bearer(&session.access_token).await.unwrap();
    assert!(!principal.operator && !principal.may(Scope::TenantsManage) && principal.may(Scope::UsersManage));
}

#[tokio::test]
async fn a21_who_is_removed_from_home_is_out_everywhere_and_their_name_stays_theirs() {
    let world = World::with_tenants().await;
    let adam = world.principal("adam").await;
    let (home, guest) = (world.login("alice").await, world.principal_in("acme", "alice").await);
    let key = world.auth.create_key(&guest, "ci", None, None).await.unwrap().secret;
    world.auth.remove_user(&adam, ALICE).await.unwrap();
    assert_refused(world.bearer(&home.access_token).await, "no member any more");
    assert_refused(world.auth.refresh(&home.refresh_token).await, "no member any more");
    let refused = world.auth.authenticate(Credential::ApiKey(&key)).await;
    assert!(matches!(refused, Err(Error::Disabled)), "{refused:?}");
    assert!(world.auth.login("alice", &PASSWORD.into(), None, "here").await.is_err());
    let again = world.auth.remove_user(&adam, ALICE).await;
    assert!(matches!(again, Err(Error::UserNotFound(ALICE))), "{again:?}");
    let heir = world.auth.create_user(&adam, "alice", &PASSWORD.into(), Role::User).await;
    assert!(matches!(heir, Err(Error::UsernameTaken)), "{heir:?}");
}

#[tokio::test]
async fn a_guest_who_is_removed_stays_at_home_and_nobody_removes_themselves() {
    let world = World::with_tenants().await;
    let carol = world.principal("carol").await;
    let home = world.login("alice").await;
    world.auth.remove_user(&carol, ALICE).await.unwrap();
    assert!(world.bearer(&home.access_token).await.is_ok());
    world.auth.update_user(&carol, BOB, &role(Role::Admin)).await.unwrap();
    let refused = world.auth.remove_user(&carol, CAROL).await;
    assert!(matches!(refused, Err(Error::OwnAccount)), "{refused:?}");
    let bob = world.principal("bob").await;
    world.auth.remove_user(&bob, CAROL).await.unwrap();
    assert_eq!(world.auth.list_users(&bob).await.unwrap().len(), 1);
}

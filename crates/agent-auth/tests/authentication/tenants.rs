//! Tenants: what one has is invisible to all others, and a caller is in each only what they are a member as.

use crate::fixture::{Forgery, HERE, PASSWORD, World, assert_refused, root};
use agent_auth::{Credential, Error, Principal, Role, Scope, UpdateUser, check_tenant_name};
use agent_core::ids::{Owner, TenantId, UserId};
use agent_core::plan::Idempotency;
use serde_json::{Value, json};

const ACME: TenantId = TenantId(2);
const ALICE: UserId = UserId(1);
const ADAM: UserId = UserId(3);
const CAROL: UserId = UserId(4);

fn request(key: &str, fingerprint: &str) -> Idempotency {
    Idempotency { key: key.to_owned(), fingerprint: fingerprint.to_owned() }
}

fn assert_mismatch<T: std::fmt::Debug>(result: Result<T, Error>) {
    assert!(matches!(result, Err(Error::Store(agent_core::Error::IdempotencyMismatch(_)))), "{result:?}");
}

#[tokio::test]
async fn a01_a_token_says_in_which_tenant_its_user_acts() {
    let world = World::with_tenants().await;
    let (home, guest) = (world.principal("alice").await, world.principal_in("ACME", "alice").await);
    assert_eq!((home.tenant, home.role), (TenantId::DEFAULT, Role::User));
    assert_eq!((guest.tenant, guest.role), (ACME, Role::Viewer));
    assert_eq!(guest.owner(), Owner { tenant: ACME, user: home.user_id });
    assert!(home.may(Scope::PlansWrite) && !guest.may(Scope::PlansWrite));
    assert_eq!(world.principal("carol").await.tenant, ACME, "at home without naming it");
}

#[tokio::test]
async fn a21_a_token_must_name_a_tenant_that_its_user_is_a_member_of() {
    let world = World::with_tenants().await;
    let genuine = world.login("bob").await.access_token;
    for tenant in ["null", "0", "-2", "2.0", "2e0", "1", "3", "4711", "9223372036854775808", "true"]
        .map(|text| text.parse().unwrap())
        .into_iter()
        .chain([json!("2"), json!("acme"), json!([2])])
    {
        let token = Forgery::of(&genuine).claim("tenant", Value::clone(&tenant)).sign();
        assert_refused(world.bearer(&token).await, &tenant.to_string());
    }
    assert!(world.bearer(&Forgery::of(&genuine).claim("tenant", json!(2)).sign()).await.is_ok());
}

#[tokio::test]
async fn a21_who_is_no_longer_a_member_is_kept_out_of_that_tenant_at_once() {
    let world = World::with_tenants().await;
    let guest = world.auth.login("alice", &PASSWORD.into(), Some("acme"), HERE).await.unwrap();
    let (principal, home) = (world.principal_in("acme", "alice").await, world.login("alice").await);
    let key = world.auth.create_key(&principal, "ci", None, None).await.unwrap().secret;
    world.auth.remove_member(ACME, ALICE).await.unwrap();
    for credential in [Credential::Bearer(&guest.access_token), Credential::ApiKey(&key)] {
        assert_refused(world.auth.authenticate(credential).await, "the membership has ended");
    }
    assert_refused(world.auth.refresh(&guest.refresh_token).await, "the membership has ended");
    assert!(world.bearer(&home.access_token).await.is_ok());
    assert!(world.auth.refresh(&home.refresh_token).await.is_ok());

    world.auth.set_member(ACME, ALICE, Role::User).await.unwrap();
    assert_refused(world.auth.authenticate(Credential::ApiKey(&key)).await, "keys do not come back");
}

#[tokio::test]
async fn a25_a_logout_in_one_tenant_ends_the_sessions_in_all() {
    let world = World::with_tenants().await;
    let home = world.login("alice").await;
    let guest = world.principal_in("acme", "alice").await;
    world.auth.logout(&guest).await.unwrap();
    assert_refused(world.bearer(&home.access_token).await, "elsewhere");
    assert_refused(world.auth.refresh(&home.refresh_token).await, "elsewhere");
}

#[tokio::test]
async fn a26_a_password_change_in_one_tenant_ends_the_sessions_in_all() {
    let world = World::with_tenants().await;
    let home = world.login("alice").await;
    let guest = world.principal_in("acme", "alice").await;
    world.auth.change_password(&guest, &PASSWORD.into(), &"another handful of words".into()).await.unwrap();
    assert_refused(world.bearer(&home.access_token).await, "elsewhere");
}

#[tokio::test]
async fn a27_a_role_is_that_of_the_tenant_and_changes_there_alone() {
    let world = World::with_tenants().await;
    let guest = world.auth.login("alice", &PASSWORD.into(), Some("acme"), HERE).await.unwrap();
    world.auth.set_member(ACME, ALICE, Role::Admin).await.unwrap();
    let principal = world.bearer(&guest.access_token).await.unwrap();
    assert!(principal.may(Scope::UsersManage) && !principal.may(Scope::TenantsManage));
    assert!(!world.principal("alice").await.may(Scope::UsersManage));

    let demotion = UpdateUser { role: Some(Role::Viewer), ..UpdateUser::default() };
    world.auth.update_user(&world.principal("carol").await, ALICE, &demotion).await.unwrap();
    assert!(!world.bearer(&guest.access_token).await.unwrap().may(Scope::UsersManage));
    assert_eq!(world.principal("alice").await.role, Role::User);
}

#[tokio::test]
async fn a31_a_tenant_that_is_foreign_or_unknown_reads_like_a_wrong_password() {
    let world = World::with_tenants().await;
    let login = async |name: &str, password: &str, tenant: &str| {
        world.auth.login(name, &password.into(), Some(tenant), HERE).await.unwrap_err().to_string()
    };
    let wrong = login("alice", "not this one at all", "acme").await;
    for (name, tenant) in [("bob", "default"), ("alice", "nowhere"), ("alice", ""), ("alice", "a b")] {
        assert_eq!(login(name, PASSWORD, tenant).await, wrong, "{name} in {tenant:?}");
    }
    for _ in 0..6 {
        login("alice", PASSWORD, "nowhere").await;
    }
    let held = world.auth.login("alice", &PASSWORD.into(), None, HERE).await;
    assert!(matches!(held, Err(Error::TooManyAttempts { .. })), "it is counted like one: {held:?}");
}

#[tokio::test]
async fn who_has_left_home_logs_in_to_the_oldest_of_the_other_tenants_and_who_is_nowhere_does_not() {
    let world = World::with_tenants().await;
    world.auth.remove_member(TenantId::DEFAULT, ALICE).await.unwrap();
    assert_eq!(world.principal("alice").await.tenant, ACME);
    world.auth.remove_member(ACME, ALICE).await.unwrap();
    let nowhere = world.auth.login("alice", &PASSWORD.into(), None, HERE).await;
    assert!(matches!(nowhere, Err(Error::InvalidCredentials)), "{nowhere:?}");
}

#[tokio::test]
async fn administrators_see_and_change_the_members_of_their_own_tenant_only() {
    let world = World::with_tenants().await;
    let (adam, carol) = (world.principal("adam").await, world.principal("carol").await);
    let names = async |caller: &Principal| -> Vec<String> {
        let users = world.auth.list_users(caller).await.unwrap();
        users.into_iter().map(|user| user.username).collect()
    };
    assert_eq!(names(&adam).await, ["alice", "vera", "adam"]);
    assert_eq!(names(&carol).await, ["alice", "carol", "bob"]);
    assert_eq!(world.auth.find_user(&carol, ALICE).await.unwrap().role, Role::Viewer);

    let change = UpdateUser { role: Some(Role::Viewer), ..UpdateUser::default() };
    for (caller, id) in [(&carol, ADAM), (&adam, CAROL), (&adam, UserId(4711))] {
        let found = world.auth.find_user(caller, id).await.unwrap_err();
        let changed = world.auth.update_user(caller, id, &change).await.unwrap_err();
        let removed = world.auth.remove_user(caller, id).await.unwrap_err();
        for error in [found, changed, removed] {
            assert!(matches!(error, Error::UserNotFound(other) if other == id), "{error:?}");
        }
    }
    let made = world.auth.create_user(&carol, "cora", &PASSWORD.into(), Role::User).await.unwrap();
    assert_eq!((made.tenant, world.stores.account(made.id).home), (ACME, ACME));
    let taken = world.auth.create_user(&carol, "Adam", &PASSWORD.into(), Role::User).await;
    assert!(matches!(taken, Err(Error::UsernameTaken)), "names are those of the server: {taken:?}");
}

#[tokio::test]
async fn a_tenant_has_a_plain_name_of_its_own_and_a_repeated_request_finds_it() {
    let world = World::empty();
    let create = async |name: &str, once: Option<Idempotency>| {
        world.auth.create_tenant(&root(), name, once.as_ref()).await
    };
    let first = create("acme", Some(request("k", "acme"))).await.unwrap();
    assert_eq!(create("acme", Some(request("k", "acme"))).await.unwrap(), first);
    assert_mismatch(create("other", Some(request("k", "other"))).await);
    for taken in ["acme", "ACME", "default"] {
        assert!(matches!(create(taken, None).await, Err(Error::TenantNameTaken)), "{taken}");
    }
    for name in ["", "-x", "a b", "ácme", "a/b", &"n".repeat(65)] {
        assert!(matches!(create(name, None).await, Err(Error::InvalidTenantName(_))), "{name}");
        assert!(check_tenant_name(name).is_err());
    }
    create(&"n".repeat(64), None).await.unwrap();
    let names: Vec<_> = world.auth.list_tenants().await.unwrap().into_iter().map(|t| t.name).collect();
    assert_eq!(names, ["default", "acme", &"n".repeat(64)]);
}

#[tokio::test]
async fn a_caller_learns_of_the_tenants_that_they_are_a_member_of() {
    let world = World::with_tenants().await;
    for (name, ids) in [("alice", vec![TenantId::DEFAULT, ACME]), ("bob", vec![ACME])] {
        let tenants = world.auth.tenants_of(&world.principal(name).await).await.unwrap();
        assert_eq!(tenants.iter().map(|tenant| tenant.id).collect::<Vec<_>>(), ids, "{name}");
    }
}

#[tokio::test]
async fn an_operator_makes_the_first_user_of_a_tenant_and_a_repeated_request_finds_them() {
    let world = World::with_tenants().await;
    let password = PASSWORD.into();
    let create = async |tenant: i64, key: &str, fingerprint: &str| {
        let once = request(key, fingerprint);
        let user = ("cora", &password, Role::Admin);
        world.auth.create_user_in(&root(), TenantId(tenant), user, Some(&once)).await
    };
    assert!(matches!(create(4711, "k", "cora").await, Err(Error::TenantNotFound(TenantId(4711)))));
    let first = create(2, "k", "cora").await.unwrap();
    assert_eq!((first.tenant, first.role, first.operator), (ACME, Role::Admin, false));
    assert_eq!(create(2, "k", "cora").await.unwrap(), first);
    assert_mismatch(create(2, "k", "another body").await);
    assert_mismatch(create(1, "k", "cora").await);
    assert!(matches!(create(2, "other", "cora").await, Err(Error::UsernameTaken)));
    let weak = ("cody", &"short".into(), Role::User);
    let weak = world.auth.create_user_in(&root(), ACME, weak, None).await;
    assert!(matches!(weak, Err(Error::WeakPassword(_))), "{weak:?}");
}

#[tokio::test]
async fn a_request_for_a_user_finds_what_it_made_and_nothing_that_another_caller_asked_for() {
    let world = World::with_tenants().await;
    let (adam, carol) = (world.principal("adam").await, world.principal("carol").await);
    let password = PASSWORD.into();
    let create = async |caller: &Principal, name: &str| {
        let user = (name, &password, Role::User);
        world.auth.create_user_once(caller, user, &request("k", name)).await
    };
    let first = create(&adam, "dora").await.unwrap();
    assert_eq!(create(&adam, "dora").await.unwrap(), first);
    assert_mismatch(create(&adam, "dana").await);
    assert_eq!(create(&carol, "dana").await.unwrap().tenant, ACME);
}

#[tokio::test]
async fn members_are_set_listed_and_removed_where_there_is_such_a_tenant_and_user() {
    let world = World::with_tenants().await;
    let nowhere = TenantId(4711);
    let not_found = [
        world.auth.set_member(nowhere, ALICE, Role::User).await.unwrap_err(),
        world.auth.remove_member(nowhere, ALICE).await.unwrap_err(),
        world.auth.list_members(nowhere).await.unwrap_err(),
    ];
    assert!(not_found.iter().all(|error| matches!(error, Error::TenantNotFound(id) if *id == nowhere)));
    for error in [
        world.auth.set_member(ACME, UserId(4711), Role::User).await.unwrap_err(),
        world.auth.remove_member(ACME, ADAM).await.unwrap_err(),
    ] {
        assert!(matches!(error, Error::UserNotFound(_)), "{error:?}");
    }
    let member = world.auth.set_member(ACME, ADAM, Role::User).await.unwrap();
    assert_eq!((member.tenant, member.role), (ACME, Role::User));
    assert_eq!(world.auth.list_members(ACME).await.unwrap().len(), 4);
    world.auth.remove_member(ACME, ADAM).await.unwrap();
    assert!(!world.stores.account(ADAM).user.disabled, "the account stays as it is elsewhere");
    world.auth.remove_member(ACME, CAROL).await.unwrap();
    assert_eq!(world.auth.list_members(ACME).await.unwrap().len(), 2, "an operator may remove the last one");
}

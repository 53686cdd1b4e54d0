//! Z19: the second belt, which only PostgreSQL has. Whatever a statement forgets, the server shows no row of a tenant
//! that the transaction has not named.

use super::World;
use crate::realm::{Realm, count, message, own_template, webhook};
use crate::statements::TABLES;
use crate::world::at;
use agent_audit::{Actor, AuditLog, Entry, Outcome};
use agent_core::Error;
use agent_core::ids::UserId;
use agent_core::ports::{Conversations, NewMessage, PlanReader, Visibility};

/// A database in which each of two tenants has a row in every table.
async fn furnished() -> Option<(World, [Realm; 2])> {
    let world = World::new().await?;
    let realms = Realm::pair(&world).await;
    for realm in &realms {
        let actor = Actor::user(UserId(1), "ada");
        let entry = Entry::new(realm.owner.tenant.into(), actor, "create_plan", Outcome::Success);
        world.store.append(entry, at(0)).await.unwrap();
        webhook(&world.store, realm.owner).await;
        count(&world.store, realm.owner.tenant).await;
        own_template(&world.store, realm.owner).await;
    }
    Some((world, realms))
}

/// The tenants whose rows of a table are seen within one.
fn tenants_in(world: &World, within: Option<&str>, table: &str) -> Vec<String> {
    let seen = format!("SELECT DISTINCT tenant_id::text FROM {table} ORDER BY 1");
    world.query_within(within, &seen).unwrap()
}

#[tokio::test]
async fn z19_rows_are_seen_by_whoever_names_their_tenant() {
    let Some((world, _)) = furnished().await else { return };
    for table in TABLES.into_iter().filter(|table| *table != "idempotency_keys") {
        for nobody in [None, Some(""), Some("0"), Some("3"), Some("1,2"), Some("%")] {
            assert_eq!(tenants_in(&world, nobody, table), Vec::<String>::new(), "{table} within {nobody:?}");
        }
        assert_eq!(tenants_in(&world, Some("1"), table), ["1"], "{table}");
        assert_eq!(tenants_in(&world, Some("2"), table), ["2"], "{table}");
        assert_eq!(tenants_in(&world, Some("*"), table), ["1", "2"], "{table}");
    }
    let keys = |within| world.query_within(within, "SELECT tenant_id::text FROM idempotency_keys").unwrap();
    assert_eq!(keys(None), Vec::<String>::new());
    assert!(keys(Some("2")).len() > 1 && keys(Some("2")).iter().all(|tenant| tenant == "2"));
}

#[tokio::test]
async fn z19_rows_of_another_tenant_are_neither_changed_nor_removed_nor_made() {
    let Some((world, [_, theirs])) = furnished().await else { return };
    let counts = || {
        let count =
            |table| world.query(&format!("SELECT count(*) FROM {table} WHERE tenant_id = 2")).remove(0);
        TABLES.map(count)
    };
    let before = counts();
    for table in TABLES {
        for within in [None, Some("1")] {
            let done =
                world.query_within(within, &format!("DELETE FROM {table} WHERE tenant_id = 2 RETURNING 1"));
            assert_eq!(done.unwrap(), Vec::<String>::new(), "{table}");
            let taken = format!("UPDATE {table} SET tenant_id = 1 WHERE tenant_id = 2 RETURNING 1");
            assert_eq!(world.query_within(within, &taken).unwrap(), Vec::<String>::new(), "{table}");
        }
        let given = format!("UPDATE {table} SET tenant_id = 2 WHERE tenant_id = 1");
        let refused = world.query_within(Some("1"), &given).unwrap_err();
        assert!(refused.contains("row-level security"), "{table}: {refused}");
    }
    assert_eq!(counts(), before);
    let (plan, user) = (theirs.plan(), theirs.owner.user);
    let made = [
        format!("INSERT INTO messages (tenant_id, owner_id, role, created_at, content) VALUES (2, {user}, 'user', 1, '')"),
        format!("INSERT INTO executions (tenant_id, plan_id, requested_at) VALUES (2, {plan}, 1)"),
        format!("INSERT INTO events (tenant_id, plan_id, seq, owner_id, created_at, name, payload)
                 VALUES (2, {plan}, 1000, {user}, 1, 'x', '{{}}')"),
        format!("INSERT INTO idempotency_keys (tenant_id, owner_id, key, fingerprint, resource, resource_id, created_at)
                 VALUES (2, {user}, 'new', 'f', 'plan', 1, 1)"),
    ];
    for statement in made {
        for within in [None, Some("1")] {
            let refused = world.query_within(within, &statement).unwrap_err();
            assert!(refused.contains("row-level security"), "{statement}: {refused}");
        }
        world.query_within(Some("2"), &statement).unwrap();
    }
}

#[tokio::test]
async fn z19_every_table_of_tenants_is_under_row_level_security_whoever_owns_it() {
    let Some(world) = World::new().await else { return };
    let of_tenants = "SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                      WHERE c.relkind IN ('r', 'p') AND a.attname = 'tenant_id' AND NOT a.attisdropped";
    // Who is a member of what is asked before anybody knows in which tenant they act.
    let expected: Vec<String> = TABLES.iter().map(ToString::to_string).collect();
    let all = world.query(&format!("{of_tenants} AND c.relname <> 'memberships' ORDER BY 1"));
    assert_eq!(all, expected, "the tables that the tests of statements know");
    let forced =
        world.query(&format!("{of_tenants} AND c.relrowsecurity AND c.relforcerowsecurity ORDER BY 1"));
    assert_eq!(forced, expected);
    let policies = world.query(
        "SELECT tablename::text FROM pg_policies WHERE cmd = 'ALL' AND permissive = 'PERMISSIVE'
         AND roles = '{public}' AND with_check IS NULL ORDER BY 1",
    );
    assert_eq!(policies, expected, "one policy each, for reading and for writing");
    let role =
        world.query("SELECT 1 FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls)");
    assert!(role.is_empty(), "the role of these tests would pass by what they test");
}

#[tokio::test]
async fn z19_a_connection_that_worked_for_one_tenant_works_for_the_next() {
    let Some((world, [mine, theirs])) = furnished().await else { return };
    // The readers and the writer keep their connections; what one transaction said must not outlive it.
    for _ in 0..8 {
        for realm in [&mine, &theirs] {
            let tenant = realm.owner.tenant;
            assert_eq!(world.store.counts(Visibility::Tenant(tenant)).await.unwrap().total, 1);
            assert_eq!(world.store.attempts(tenant, realm.plan()).await.unwrap().len(), 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn z19_each_of_those_that_share_a_commit_works_for_its_own_tenant() {
    let Some((world, [mine, theirs])) = furnished().await else { return };
    let said = |own: &Realm, other: &Realm, n: usize| {
        // Every third is refused, and taken back from among the others.
        let plan = if n % 3 == 2 { other.plan() } else { own.plan() };
        NewMessage { idempotency: None, ..message(own.owner, Some(plan)) }
    };
    let adding: Vec<_> = (0..120)
        .map(|n| {
            let message = if n % 2 == 0 { said(&mine, &theirs, n) } else { said(&theirs, &mine, n) };
            let store = world.store.clone();
            tokio::spawn(async move { store.add(&message, at(9)).await })
        })
        .collect();
    for (n, added) in adding.into_iter().enumerate() {
        match added.await.unwrap() {
            Ok(_) => assert_ne!(n % 3, 2),
            Err(Error::PlanNotFound(_)) => assert_eq!(n % 3, 2),
            Err(other) => panic!("{other:?}"),
        }
    }
    let count = "SELECT tenant_id || ' ' || count(*) FROM messages GROUP BY tenant_id ORDER BY 1";
    assert_eq!(world.query(count), ["1 41", "2 41"]);
}

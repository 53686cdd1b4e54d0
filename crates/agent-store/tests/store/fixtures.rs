//! Databases of earlier versions, brought up to date: whatever is in them belongs to the first tenant.

use crate::statements::{TABLES, unwatched};
use crate::world::open;
use agent_auth::Role;
use agent_auth::ports::{ApiKeyStore, UserStore};
use agent_core::ids::{Owner, TenantId, WorkerId};
use agent_core::ports::{ApprovalFilter, PlanFilter, PlanReader, PlanStore, Visibility};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

const ALL: Visibility = Visibility::Tenant(TenantId::DEFAULT);

/// The first schema that knows tenants.
const TENANTS: &str = "live-plans-20261126000300.sql";

/// The database of every schema before that, newest last; `bins/agent-server/tests/recovery/schema.rs` writes them.
fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let is_older = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default();
        path.extension().is_some_and(|end| end == "sql") && name < TENANTS
    };
    let mut found: Vec<_> = files.filter(is_older).collect();
    found.sort_unstable();
    found
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    n: i64,
}

struct Restored {
    folder: TempDir,
}

impl Restored {
    fn from(fixture: &Path) -> Self {
        let restored = Self { folder: tempfile::tempdir().unwrap() };
        let text = std::fs::read_to_string(fixture).unwrap();
        restored.connection().batch_execute(&text).unwrap();
        restored
    }

    fn path(&self) -> String {
        self.folder.path().join("agent.db").display().to_string()
    }

    fn connection(&self) -> SqliteConnection {
        unwatched(&self.path())
    }

    fn ask(&self, sql: &str) -> Vec<(String, i64)> {
        let rows: Vec<Counted> = diesel::sql_query(sql).load(&mut self.connection()).unwrap();
        rows.into_iter().map(|row| (row.name, row.n)).collect()
    }

    /// How many rows are in each table that every version has.
    fn counts(&self) -> BTreeMap<String, i64> {
        let is_old = |table: &&str| {
            !["analytics_", "audit_", "webhooks", "template"].iter().any(|new| table.starts_with(new))
        };
        let tables = TABLES.into_iter().filter(is_old).chain(["users", "blobs"]);
        let count = |table: &str| self.ask(&format!("SELECT '{table}' AS name, count(*) AS n FROM {table}"));
        tables.flat_map(count).collect()
    }
}

#[tokio::test]
async fn what_an_earlier_version_kept_belongs_to_the_first_tenant() {
    let found = fixtures();
    assert!(found.iter().any(|path| path.ends_with("live-plans-20261126000200.sql")), "{found:?}");
    for fixture in found {
        let restored = Restored::from(&fixture);
        let before = restored.counts();
        let roles = restored.ask("SELECT username || ' ' || role AS name, id AS n FROM users ORDER BY id");
        let store = open(&format!("sqlite://{}", restored.path())).unwrap();
        assert_eq!(restored.counts(), before, "{}", fixture.display());
        assert_eq!(restored.ask("SELECT \"table\" AS name, rowid AS n FROM pragma_foreign_key_check"), []);
        for table in TABLES {
            let others = format!("SELECT '{table}' AS name, count(*) AS n FROM {table} WHERE tenant_id <> 1");
            assert_eq!(restored.ask(&others), [(table.to_owned(), 0)]);
        }
        let users = UserStore::list(&store, TenantId::DEFAULT).await.unwrap();
        let kept: Vec<_> = users
            .iter()
            .map(|user| (format!("{} {}", user.username, user.role.as_str()), user.id.get()))
            .collect();
        assert_eq!(kept, roles);
        for user in users {
            let account = UserStore::find(&store, Owner::in_default_tenant(user.id)).await.unwrap().unwrap();
            assert_eq!((account.home, account.password_expires_at), (TenantId::DEFAULT, None));
            assert_eq!(user.operator, user.role == Role::Admin, "{user:?}");
        }
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn what_was_under_way_in_an_earlier_version_is_found_and_taken_up() {
    for fixture in fixtures() {
        let restored = Restored::from(&fixture);
        let store = open(&format!("sqlite://{}", restored.path())).unwrap();
        let everything = PlanFilter { visibility: ALL, status: None, text: None, before: None, limit: 100 };
        let page = PlanReader::list(&store, &everything).await.unwrap();
        assert_eq!((page.plans.len(), page.total), (5, 5));
        for summary in &page.plans {
            let view = Some(Visibility::Owner(summary.plan.owner));
            let state = store.load(view, summary.plan.id).await.unwrap();
            assert_eq!(state.tasks.len(), summary.tasks as usize);
        }
        let open = ApprovalFilter {
            visibility: ALL,
            plan_id: None,
            id: None,
            include_decided: false,
            after: None,
            limit: 9,
        };
        assert_eq!(store.approvals(&open).await.unwrap().1, 1, "{}", fixture.display());
        let (worker, lease) = (WorkerId("later".into()), Duration::from_secs(60));
        let mut taken = 0;
        while let Some(claim) = store.claim(&worker, lease, None).await.unwrap() {
            assert_eq!(claim.fence.tenant, TenantId::DEFAULT);
            taken += 1;
        }
        let live = page.plans.iter().filter(|summary| summary.plan.status.is_live()).count();
        assert!(taken == live && live >= 3, "{taken} of {live} were taken");
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_key_of_an_earlier_version_works_in_the_first_tenant() {
    let newest = fixtures().pop().unwrap();
    let restored = Restored::from(&newest);
    let store = open(&format!("sqlite://{}", restored.path())).unwrap();
    let (public_id, owner) = restored.ask("SELECT public_id AS name, owner_id AS n FROM api_keys").remove(0);
    let key = store.find_key(&public_id).await.unwrap().unwrap().0;
    assert_eq!((key.owner, key.made_by), (Owner::in_default_tenant(agent_core::ids::UserId(owner)), None));
    assert_eq!(store.keys_of(key.owner).await.unwrap(), [key]);
    store.close().await.unwrap();
}

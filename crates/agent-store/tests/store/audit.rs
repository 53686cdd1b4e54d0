//! The audit trail: the same as the log in memory, and whoever alters it is found out.

use super::World;
use crate::world::{at, open};
use agent_audit::{
    Actor, AuditFilter, AuditLog, AuditPage, BreakKind, Broken, ChainId, ChainState, Entry, Head, MAX_PAGE,
    MemoryAuditLog, Outcome, Record, Summary, Verifier,
};
use agent_core::ids::{TenantId, UserId};
use agent_core::time::Timestamp;
use agent_store::Store;
use serde_json::json;

const TENANT: ChainId = ChainId::Tenant(TenantId(1));
const OTHER: ChainId = ChainId::Tenant(TenantId(7));
const CHAINS: [ChainId; 3] = [ChainId::Server, TENANT, OTHER];

/// The n-th of entries that differ in everything that is filtered by.
fn entry(chain: ChainId, n: i64) -> Entry {
    let actor = match n % 4 {
        0 => Actor::anonymous(),
        1 => Actor::user(UserId(n % 3), "ada"),
        2 => Actor::api_key(n, UserId(n % 3), "bob"),
        _ => Actor::system(),
    };
    let outcome = [Outcome::Success, Outcome::Denied, Outcome::Failed][(n % 3) as usize];
    let action = if n % 2 == 0 { "create_plan" } else { "delete_plan" };
    let said = Entry::new(chain, actor, action, outcome)
        .answered((200 + n) as u16, (n % 5 == 0).then_some("conflict"));
    let said = said.with("n", n).with("nested", json!({"list": [1, "two", null, true], "deep": {"er": {}}}));
    match n % 3 {
        0 => said,
        1 => said.in_request(format!("r{}", n / 2)).on(format!("/plans/{n}")),
        _ => said.on_behalf_of("plan 7").from_source("127.0.0.1").in_request(format!("r{}", n / 2)),
    }
}

/// The log in memory and the one in a database, which are to answer alike.
struct Both<'a> {
    memory: MemoryAuditLog,
    store: &'a Store,
}

impl Both<'_> {
    async fn append(&self, entry: Entry, at: Timestamp) -> Record {
        let kept = self.memory.append(entry.clone(), at).await.unwrap();
        assert_eq!(self.store.append(entry, at).await.unwrap(), kept);
        kept
    }

    async fn page(&self, filter: &AuditFilter) -> AuditPage {
        let found = self.memory.page(filter).await.unwrap();
        assert_eq!(self.store.page(filter).await.unwrap(), found, "{filter:?}");
        found
    }

    async fn remove_before(&self, chain: ChainId, before: Timestamp) -> u64 {
        let removed = self.memory.remove_before(chain, before).await.unwrap();
        assert_eq!(self.store.remove_before(chain, before).await.unwrap(), removed, "{chain} {before:?}");
        self.compare().await;
        removed
    }

    async fn compare(&self) {
        let chains = self.memory.chains().await.unwrap();
        assert_eq!(self.store.chains().await.unwrap(), chains);
        for chain in CHAINS {
            let state = self.memory.chain(chain).await.unwrap();
            assert_eq!(self.store.chain(chain).await.unwrap(), state);
            self.page(&AuditFilter { limit: MAX_PAGE, ..AuditFilter::of(chain) }).await;
        }
    }
}

/// A store with records in three chains, of which the instants go back now and then.
async fn filled(world: &World) -> Both<'_> {
    let both = Both { memory: MemoryAuditLog::new(), store: &world.store };
    both.compare().await;
    for n in 0..36 {
        let instant = at(n * 1_000 - if n % 7 == 6 { 9_000 } else { 0 });
        both.append(entry(CHAINS[(n % 3) as usize], n / 3), instant).await;
    }
    both.compare().await;
    both
}

#[tokio::test]
async fn chains_are_kept_and_answered_as_in_memory() {
    let Some(world) = World::new().await else { return };
    let both = filled(&world).await;
    let all = || AuditFilter::of(TENANT);
    let filters = [
        AuditFilter { user_id: Some(UserId(1)), ..all() },
        AuditFilter { user_id: Some(UserId(99)), ..all() },
        AuditFilter { action: Some("create_plan".into()), ..all() },
        AuditFilter { action: Some("create_%".into()), ..all() },
        AuditFilter { outcome: Some(Outcome::Denied), ..all() },
        AuditFilter { request_id: Some("r2".into()), ..all() },
        AuditFilter { since: Some(at(9_000)), ..all() },
        AuditFilter { until: Some(at(9_000)), ..all() },
        AuditFilter { since: Some(at(4_000)), until: Some(at(22_000)), ..all() },
        AuditFilter { outcome: Some(Outcome::Success), action: Some("create_plan".into()), ..all() },
        AuditFilter { chain: ChainId::Tenant(TenantId(404)), ..all() },
    ];
    for filter in filters {
        for newest_first in [false, true] {
            for limit in [0, 1, 3, MAX_PAGE, u32::MAX] {
                let mut filter = AuditFilter { newest_first, limit, ..filter.clone() };
                let mut read = 0;
                loop {
                    let page = both.page(&filter).await;
                    read += page.records.len() as u64;
                    filter.after = page.next;
                    if page.next.is_none() {
                        assert_eq!(read, page.total);
                        break;
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn old_records_are_removed_as_in_memory_and_the_chain_goes_on() {
    let Some(world) = World::new().await else { return };
    let both = filled(&world).await;
    let mut removed = Vec::new();
    for before in [at(-10_000), at(3_000), at(3_500), at(3_000), at(17_000), at(99_000), at(99_000)] {
        removed.push(both.remove_before(TENANT, before).await);
    }
    assert!(removed[0] == 0 && removed[3] == 0 && removed[6] == 0, "{removed:?}");
    assert_eq!(removed.iter().sum::<u64>(), 12);
    assert_eq!(both.remove_before(ChainId::Tenant(TenantId(404)), at(99_000)).await, 0);
    let head = world.store.chain(TENANT).await.unwrap().head;
    assert_eq!(head.sequence, 12, "the head stays");
    let next = both.append(entry(TENANT, 1), at(100_000)).await;
    assert_eq!((next.sequence, next.previous_hash), (13, head.hash));
    both.compare().await;
    verify(&world.store, OTHER, None).await.unwrap();
    let verified = verify(&world.store, TENANT, Some(next.head())).await.unwrap();
    assert_eq!((verified.records, verified.proven_to), (1, Some(13)));
}

/// Reads a chain from its beginning, in pages, as whoever verifies it does.
async fn verify(store: &Store, chain: ChainId, noted: Option<Head>) -> Result<Summary, Broken> {
    let ChainState { anchor, head } = store.chain(chain).await.unwrap();
    let mut verifier = Verifier::new(chain, anchor).knowing(head);
    if let Some(noted) = noted {
        verifier = verifier.knowing(noted);
    }
    let mut filter = AuditFilter { limit: 5, ..AuditFilter::of(chain) };
    loop {
        let page = store.page(&filter).await.unwrap();
        for record in &page.records {
            verifier.check(record)?;
        }
        match page.next {
            Some(next) => filter.after = Some(next),
            None => return verifier.finish(),
        }
    }
}

/// What is done to the records of a chain of twelve, and what is found.
const ALTERATIONS: [(&str, i64, BreakKind); 8] = [
    (
        "UPDATE audit_records SET action = 'nothing' WHERE tenant_id = 1 AND sequence = 3",
        3,
        BreakKind::Altered,
    ),
    (
        "UPDATE audit_records SET recorded_at = recorded_at + 1000 WHERE tenant_id = 1 AND sequence = 1",
        1,
        BreakKind::Altered,
    ),
    (
        "UPDATE audit_records SET details = '{\"n\":1}' WHERE tenant_id = 1 AND sequence = 12",
        12,
        BreakKind::Altered,
    ),
    ("DELETE FROM audit_records WHERE tenant_id = 1 AND sequence = 5", 5, BreakKind::Missing),
    ("DELETE FROM audit_records WHERE tenant_id = 1 AND sequence = 1", 1, BreakKind::Missing),
    ("DELETE FROM audit_records WHERE tenant_id = 1 AND sequence >= 11", 11, BreakKind::Missing),
    (
        "UPDATE audit_records SET sequence = sequence + 100 WHERE tenant_id = 1 AND sequence IN (4, 9);
         UPDATE audit_records SET sequence = 113 - sequence WHERE tenant_id = 1 AND sequence > 100",
        4,
        BreakKind::Altered,
    ),
    (
        "DELETE FROM audit_records WHERE tenant_id = 1 AND sequence = 6;
         UPDATE audit_records SET tenant_id = 1 WHERE tenant_id = 7 AND sequence = 6",
        6,
        BreakKind::Altered,
    ),
];

#[tokio::test]
async fn a_record_that_is_altered_removed_moved_or_swapped_is_named() {
    for (done, sequence, kind) in ALTERATIONS {
        let Some(world) = World::new().await else { return };
        filled(&world).await;
        assert_eq!(verify(&world.store, TENANT, None).await.unwrap().records, 12);
        world.execute(done);
        let broken = verify(&world.store, TENANT, None).await.unwrap_err();
        assert_eq!(
            (broken.chain, broken.sequence, broken.kind),
            (TENANT, sequence, kind),
            "{done}: {broken}"
        );
        verify(&world.store, ChainId::Server, None).await.unwrap();
    }
}

/// The end of a chain written anew, as somebody would who can write to the database and knows how hashes are made.
async fn forge(world: &World, from: i64) {
    let filter = AuditFilter { after: Some(from - 2), ..AuditFilter::of(TENANT) };
    let records = world.store.page(&filter).await.unwrap().records;
    let mut head = records[0].head();
    let on_server = world.place_of_connections().is_empty();
    let literal =
        |hash: agent_audit::Hash| if on_server { format!("'\\x{hash}'") } else { format!("x'{hash}'") };
    let mut done = String::new();
    for record in &records[1..] {
        let mut entry = record.entry.clone();
        entry.outcome = Outcome::Success;
        let forged = entry.chain_after(&head, record.at);
        head = forged.head();
        let (previous, hash) = (literal(forged.previous_hash), literal(forged.hash));
        done += &format!(
            "UPDATE audit_records SET outcome = 'success', previous_hash = {previous}, hash = {hash}
             WHERE tenant_id = 1 AND sequence = {};",
            record.sequence
        );
    }
    let hash = literal(head.hash);
    done += &format!("UPDATE audit_chains SET head_hash = {hash} WHERE tenant_id = 1");
    world.execute(&done);
}

#[tokio::test]
async fn an_end_that_is_written_anew_is_found_by_a_head_that_was_noted_elsewhere() {
    let Some(world) = World::new().await else { return };
    filled(&world).await;
    let noted = world.store.chain(TENANT).await.unwrap().head;
    forge(&world, 8).await;
    let deceived = verify(&world.store, TENANT, None).await.unwrap();
    assert_eq!(deceived.records, 12, "it is intact in itself");
    let broken = verify(&world.store, TENANT, Some(noted)).await.unwrap_err();
    assert_eq!((broken.sequence, broken.kind), (12, BreakKind::Replaced));
}

/// Appends at once, from several stores; one dense chain comes of it.
async fn crowd(world: &World, stores: [Store; 2]) {
    let appended: Vec<_> = (0..20)
        .map(|n| {
            let store = stores[(n % 2) as usize].clone();
            tokio::spawn(async move { store.append(entry(TENANT, n), at(n)).await.unwrap() })
        })
        .collect();
    let mut records = Vec::new();
    for append in appended {
        records.push(append.await.unwrap());
    }
    records.sort_by_key(|record| record.sequence);
    assert_eq!(
        records.iter().map(|record| record.sequence).collect::<Vec<_>>(),
        (1..=20).collect::<Vec<_>>()
    );
    let kept = world.store.page(&AuditFilter::of(TENANT)).await.unwrap();
    assert_eq!((kept.records, kept.total, kept.next), (records, 20, None));
    assert_eq!(verify(&world.store, TENANT, None).await.unwrap().records, 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_appends_at_once_make_one_dense_chain() {
    let Some(world) = World::new().await else { return };
    crowd(&world, [world.store.clone(), world.store.clone()]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_programs_append_to_one_chain() {
    let Some(world) = World::new().await else { return };
    let second = world.another();
    crowd(&world, [world.store.clone(), second]).await;
}

#[tokio::test]
async fn a_chain_is_there_after_a_new_start_and_goes_on() {
    let Some(world) = World::new().await else { return };
    let both = filled(&world).await;
    world.store.close().await.unwrap();
    let reopened = open(&world.url()).unwrap();
    let both = Both { memory: both.memory, store: &reopened };
    both.compare().await;
    both.append(entry(TENANT, 5), at(50_000)).await;
    verify(&reopened, TENANT, None).await.unwrap();
}

#[tokio::test]
async fn a_record_may_say_what_no_database_keeps() {
    let Some(world) = World::new().await else { return };
    let both = Both { memory: MemoryAuditLog::new(), store: &world.store };
    let nul = "a\0b \u{7} \u{10ffff} 'quoted' \\";
    let said = Entry::new(TENANT, Actor::claiming(nul), nul, Outcome::Denied)
        .on(nul)
        .on_behalf_of(nul)
        .from_source(nul)
        .in_request(nul)
        .answered(999, Some(nul))
        .with(nul, nul)
        .with("nested", json!({nul: [nul, u64::MAX, i64::MIN, 0.5]}));
    let kept = both.append(said, Timestamp::from_micros(i64::MAX)).await;
    assert_eq!(kept.entry.resource.as_deref(), Some("a\u{fffd}b \u{7} \u{10ffff} 'quoted' \\"));
    both.append(entry(TENANT, 1).with("long", "é".repeat(10_000)), Timestamp::from_micros(i64::MIN)).await;
    both.compare().await;
    verify(&world.store, TENANT, None).await.unwrap();
    let asked =
        AuditFilter { action: Some(nul.into()), request_id: Some(nul.into()), ..AuditFilter::of(TENANT) };
    assert!(world.store.page(&asked).await.is_ok());
}

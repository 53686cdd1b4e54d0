//! Histories to verify, and what an attacker may do to a record.

use agent_audit::{Actor, ActorKind, ChainId, Entry, Hash, Head, Outcome, Record};
use agent_core::ids::{TenantId, UserId};
use agent_core::time::Timestamp;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

pub(crate) const TENANT: ChainId = ChainId::Tenant(TenantId(7));

pub(crate) fn noon() -> Timestamp {
    Timestamp::from_micros(1_767_268_800_000_000)
}

/// Text with everything that is awkward: controls, quotes, many bytes for a letter.
pub(crate) fn text() -> impl Strategy<Value = String> + Clone {
    vec(prop_oneof![select(vec!['"', '\\', '\0', '\n', '\u{1f}', '…', '🦀']), any::<char>()], 0..10)
        .prop_map(String::from_iter)
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 20, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((text(), inner), 0..4).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn actor() -> impl Strategy<Value = Actor> {
    let kind = select(ActorKind::ALL);
    let id = option::of(any::<i64>().prop_map(UserId));
    (kind, id, option::of(text()), option::of(any::<i64>()))
        .prop_map(|(kind, user_id, username, key_id)| Actor { kind, user_id, username, key_id })
}

pub(crate) fn chain_id() -> impl Strategy<Value = ChainId> {
    prop_oneof![Just(ChainId::Server), Just(TENANT), any::<i64>().prop_map(ChainId::from)]
}

pub(crate) fn entry() -> impl Strategy<Value = Entry> {
    let texts = (option::of(text()), option::of(text()), text(), option::of(text()));
    let rest = (option::of(text()), option::of(text()), btree_map(text(), value(), 0..4));
    (chain_id(), actor(), texts, select(Outcome::ALL), any::<u16>(), rest).prop_map(
        |(chain, actor, (on_behalf_of, source, action, resource), outcome, status, rest)| {
            let (code, request_id, details) = rest;
            Entry {
                chain,
                actor,
                on_behalf_of,
                source,
                action,
                resource,
                outcome,
                status,
                code,
                request_id,
                details,
            }
        },
    )
}

/// Entries that say little, for tests with many of them.
pub(crate) fn brief_entry() -> impl Strategy<Value = Entry> {
    (text(), select(Outcome::ALL), any::<u16>()).prop_map(|(word, outcome, status)| {
        let entry = Entry::new(TENANT, Actor::claiming(word.clone()), "login", outcome);
        entry.answered(status, None).with("word", word)
    })
}

/// The records of these entries in one chain, at any instants.
pub(crate) fn chained(chain: ChainId, entries: Vec<(Entry, i64)>) -> Vec<Record> {
    let mut head = Head::EMPTY;
    let follow = |(entry, at): (Entry, i64)| {
        let record = Entry { chain, ..entry }.chain_after(&head, Timestamp::from_micros(at));
        head = record.head();
        record
    };
    entries.into_iter().map(follow).collect()
}

/// A chain of at least so many records.
pub(crate) fn history(least: usize) -> impl Strategy<Value = Vec<Record>> {
    (chain_id(), vec((entry(), any::<i64>()), least..8)).prop_map(|(chain, entries)| chained(chain, entries))
}

/// The same record with the hash of what it says now, as a forger would leave it.
pub(crate) fn forged(record: &Record) -> Record {
    let head = Head { sequence: record.sequence - 1, hash: record.previous_hash };
    record.entry.clone().chain_after(&head, record.at)
}

fn other_texts(value: Option<&String>) -> Vec<Option<String>> {
    match value {
        None => vec![Some(String::new()), Some("x".to_owned())],
        Some(text) => vec![None, Some(format!("{text}x"))],
    }
}

fn other_ids(value: Option<i64>) -> Vec<Option<i64>> {
    match value {
        None => vec![Some(0)],
        Some(id) => vec![None, Some(id ^ 1)],
    }
}

pub(crate) fn other_hash(hash: Hash) -> Hash {
    let mut bytes = *hash.as_bytes();
    bytes[31] ^= 1;
    Hash::from(bytes)
}

/// The record with one field altered, in every way that is worth trying.
pub(crate) fn alterations(record: &Record) -> Vec<Record> {
    let mut altered = of_the_frame(record);
    altered.extend(of_the_entry(&record.entry).into_iter().map(|entry| Record { entry, ..record.clone() }));
    altered
}

fn of_the_frame(record: &Record) -> Vec<Record> {
    let sequences = [-1, 1, 7].map(|by| Record { sequence: record.sequence + by, ..record.clone() });
    let instants = [1, 1000, -1_000_000].map(|by| {
        let at = Timestamp::from_micros(record.at.as_micros() + by);
        Record { at, ..record.clone() }
    });
    let hashes = [
        Record { previous_hash: other_hash(record.previous_hash), ..record.clone() },
        Record { hash: other_hash(record.hash), ..record.clone() },
    ];
    sequences.into_iter().chain(instants).chain(hashes).collect()
}

fn of_the_entry(entry: &Entry) -> Vec<Entry> {
    let actor = |actor: Actor| Entry { actor, ..entry.clone() };
    let was = &entry.actor;
    let mut altered = vec![
        Entry { chain: ChainId::from(entry.chain.stored() ^ 1), ..entry.clone() },
        Entry { action: format!("{}x", entry.action), ..entry.clone() },
        Entry { status: entry.status ^ 1, ..entry.clone() },
        entry.clone().with("added", json!({"by": "an attacker"})),
    ];
    let kinds = ActorKind::ALL.iter().filter(|kind| **kind != was.kind);
    altered.extend(kinds.map(|kind| actor(Actor { kind: *kind, ..was.clone() })));
    let outcomes = Outcome::ALL.iter().filter(|outcome| **outcome != entry.outcome);
    altered.extend(outcomes.map(|outcome| Entry { outcome: *outcome, ..entry.clone() }));
    for id in other_ids(was.user_id.map(UserId::get)) {
        altered.push(actor(Actor { user_id: id.map(UserId), ..was.clone() }));
    }
    for key_id in other_ids(was.key_id) {
        altered.push(actor(Actor { key_id, ..was.clone() }));
    }
    for username in other_texts(was.username.as_ref()) {
        altered.push(actor(Actor { username, ..was.clone() }));
    }
    for on_behalf_of in other_texts(entry.on_behalf_of.as_ref()) {
        altered.push(Entry { on_behalf_of, ..entry.clone() });
    }
    for source in other_texts(entry.source.as_ref()) {
        altered.push(Entry { source, ..entry.clone() });
    }
    for resource in other_texts(entry.resource.as_ref()) {
        altered.push(Entry { resource, ..entry.clone() });
    }
    for code in other_texts(entry.code.as_ref()) {
        altered.push(Entry { code, ..entry.clone() });
    }
    for request_id in other_texts(entry.request_id.as_ref()) {
        altered.push(Entry { request_id, ..entry.clone() });
    }
    for key in entry.details.keys() {
        let mut less = entry.clone();
        less.details.remove(key);
        altered.push(less);
        altered.push(entry.clone().with(key.clone(), json!(["altered"])));
    }
    altered
}

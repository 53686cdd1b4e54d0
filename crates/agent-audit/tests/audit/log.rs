//! A log takes entries, finds records and forgets the oldest.

use crate::histories::{TENANT, brief_entry, chain_id, noon};
use agent_audit::{
    Actor, Anchor, AuditFilter, AuditLog, ChainId, ChainState, Entry, Head, MAX_PAGE, MemoryAuditLog,
    Outcome, Record, Verifier,
};
use agent_core::ids::UserId;
use agent_core::time::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// What a future gives that never waits.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the log in memory waits for nobody"),
    }
}

fn minute(count: u64) -> Timestamp {
    noon().plus(Duration::from_secs(60 * count))
}

/// A log with one record a minute: ann creates and deletes in turns, and every third is denied.
fn filled(count: u64) -> MemoryAuditLog {
    let log = MemoryAuditLog::new();
    for n in 0..count {
        let action = if n % 2 == 0 { "create_plan" } else { "delete_plan" };
        let outcome = if n % 3 == 0 { Outcome::Denied } else { Outcome::Success };
        let actor = Actor::user(UserId(n as i64 % 4), "ann");
        let entry = Entry::new(TENANT, actor, action, outcome).in_request(format!("r{n}"));
        now(log.append(entry, minute(n))).unwrap();
    }
    log
}

fn sequences(log: &MemoryAuditLog, filter: &AuditFilter) -> Vec<i64> {
    now(log.page(filter)).unwrap().records.iter().map(|record| record.sequence).collect()
}

/// All pages of a filter, one after the other.
fn all(log: &MemoryAuditLog, mut filter: AuditFilter) -> Vec<Record> {
    let mut records = Vec::new();
    loop {
        let page = now(log.page(&filter)).unwrap();
        records.extend(page.records);
        match page.next {
            Some(next) => filter.after = Some(next),
            None => return records,
        }
    }
}

fn state(log: &MemoryAuditLog, chain: ChainId) -> ChainState {
    now(log.chain(chain)).unwrap()
}

fn verifies(log: &MemoryAuditLog, chain: ChainId) -> bool {
    let state = state(log, chain);
    let mut verifier = Verifier::new(chain, state.anchor).knowing(state.head);
    let records = all(log, AuditFilter::of(chain));
    records.iter().all(|record| verifier.check(record).is_ok()) && verifier.finish().is_ok()
}

proptest! {
    #[test]
    fn every_chain_of_a_log_verifies_before_and_after_retention(
        entries in vec((chain_id(), brief_entry(), 0_i64..100), 0..20), before in 0_i64..100,
    ) {
        let log = MemoryAuditLog::new();
        for (chain, entry, second) in entries {
            let entry = Entry { chain, ..entry };
            let record = now(log.append(entry, Timestamp::from_micros(second * 1_000_000))).unwrap();
            prop_assert_eq!(state(&log, record.entry.chain).head, record.head());
        }
        for chain in now(log.chains()).unwrap() {
            prop_assert!(verifies(&log, chain));
            let (head, count) = (state(&log, chain).head, all(&log, AuditFilter::of(chain)).len() as u64);
            let removed = now(log.remove_before(chain, Timestamp::from_micros(before * 1_000_000))).unwrap();
            let rest = all(&log, AuditFilter::of(chain));
            prop_assert_eq!(removed + rest.len() as u64, count);
            prop_assert!(rest.first().is_none_or(|record| record.at.as_micros() >= before * 1_000_000));
            prop_assert_eq!(state(&log, chain).head, head);
            prop_assert!(verifies(&log, chain));
        }
    }

    #[test]
    fn pages_show_everything_once_in_either_direction(
        count in 0_u64..40, limit in 0_u32..20, newest_first in any::<bool>(),
    ) {
        let log = filled(count);
        let filter = AuditFilter { limit, newest_first, ..AuditFilter::of(TENANT) };
        let found: Vec<i64> = all(&log, filter).iter().map(|record| record.sequence).collect();
        let mut expected: Vec<i64> = (1..=count as i64).collect();
        if newest_first {
            expected.reverse();
        }
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn a_chain_without_records_has_nothing(chain in chain_id()) {
        let log = MemoryAuditLog::new();
        prop_assert_eq!(state(&log, chain), ChainState { anchor: Anchor::BEGINNING, head: Head::EMPTY });
        prop_assert_eq!(now(log.page(&AuditFilter::of(chain))).unwrap(), Default::default());
        prop_assert_eq!(now(log.remove_before(chain, noon())).unwrap(), 0);
        prop_assert!(now(log.chains()).unwrap().is_empty());
    }
}

#[test]
fn conditions_hold_all_at_once() {
    let log = filled(12);
    let of = || AuditFilter::of(TENANT);
    let cases = [
        (AuditFilter { user_id: Some(UserId(1)), ..of() }, vec![2, 6, 10]),
        (AuditFilter { action: Some("delete_plan".to_owned()), ..of() }, vec![2, 4, 6, 8, 10, 12]),
        (AuditFilter { outcome: Some(Outcome::Denied), ..of() }, vec![1, 4, 7, 10]),
        (AuditFilter { request_id: Some("r4".to_owned()), ..of() }, vec![5]),
        (AuditFilter { since: Some(minute(3)), until: Some(minute(5)), ..of() }, vec![4, 5]),
        (AuditFilter { user_id: Some(UserId(1)), outcome: Some(Outcome::Denied), ..of() }, vec![10]),
        (AuditFilter { action: Some("delete".to_owned()), ..of() }, vec![]),
        (AuditFilter::of(ChainId::Server), vec![]),
    ];
    for (filter, expected) in cases {
        assert_eq!(sequences(&log, &filter), expected, "{filter:?}");
    }
}

#[test]
fn a_page_says_how_many_there_are_in_all_and_where_the_next_begins() {
    let log = filled(12);
    let mut filter = AuditFilter {
        outcome: Some(Outcome::Denied),
        limit: 3,
        newest_first: true,
        ..AuditFilter::of(TENANT)
    };
    let page = now(log.page(&filter)).unwrap();
    assert_eq!((page.records.len(), page.total, page.next), (3, 4, Some(4)));
    filter.after = page.next;
    let page = now(log.page(&filter)).unwrap();
    assert_eq!((page.records[0].sequence, page.total, page.next), (1, 4, None));
}

#[test]
fn a_page_is_bounded() {
    let log = filled(u64::from(MAX_PAGE) + 1);
    let filter = AuditFilter { limit: u32::MAX, ..AuditFilter::of(TENANT) };
    assert_eq!(now(log.page(&filter)).unwrap().records.len(), MAX_PAGE as usize);
    assert_eq!(sequences(&log, &AuditFilter { limit: 0, ..filter }), [1]);
}

#[test]
fn retention_moves_the_anchor_and_the_chain_goes_on() {
    let log = filled(3);
    let third = all(&log, AuditFilter::of(TENANT))[2].clone();
    assert_eq!(now(log.remove_before(TENANT, minute(2))).unwrap(), 2);
    let anchor = Anchor { first_sequence: 3, previous_hash: third.previous_hash };
    assert_eq!(state(&log, TENANT), ChainState { anchor, head: third.head() });
    assert_eq!(now(log.remove_before(TENANT, minute(9))).unwrap(), 1);
    assert_eq!(state(&log, TENANT), ChainState { anchor: Anchor::after(&third.head()), head: third.head() });
    assert_eq!(now(log.chains()).unwrap(), [TENANT]);
    let entry = Entry::new(TENANT, Actor::system(), "remove_records", Outcome::Success);
    let fourth = now(log.append(entry, minute(9))).unwrap();
    assert_eq!((fourth.sequence, fourth.previous_hash), (4, third.hash));
    assert!(verifies(&log, TENANT));
}

#[test]
fn retention_never_leaves_a_hole() {
    let log = MemoryAuditLog::new();
    for n in [1, 5, 2] {
        let entry = Entry::new(TENANT, Actor::system(), "tick", Outcome::Success);
        now(log.append(entry, minute(n))).unwrap();
    }
    assert_eq!(now(log.remove_before(TENANT, minute(3))).unwrap(), 1);
    assert_eq!(sequences(&log, &AuditFilter::of(TENANT)), [2, 3]);
}

#[test]
fn chains_are_listed_with_the_server_first() {
    let log = MemoryAuditLog::new();
    for chain in [TENANT, ChainId::Server, ChainId::from(2)] {
        now(log.append(Entry::new(chain, Actor::system(), "start", Outcome::Success), noon())).unwrap();
    }
    assert_eq!(now(log.chains()).unwrap(), [ChainId::Server, ChainId::from(2), TENANT]);
}

#[test]
fn of_many_at_once_each_follows_another() {
    let log = MemoryAuditLog::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    let entry = Entry::new(TENANT, Actor::anonymous(), "login", Outcome::Denied);
                    now(log.append(entry, noon())).unwrap();
                }
            });
        }
    });
    assert_eq!(state(&log, TENANT).head.sequence, 400);
    assert!(verifies(&log, TENANT));
}

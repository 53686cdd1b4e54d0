//! A verifier names the first record that is not as it was recorded.

use crate::histories::{TENANT, alterations, brief_entry, chained, forged, history, noon, other_hash};
use agent_audit::{
    Actor, Anchor, BreakKind, Broken, ChainId, Entry, Head, Outcome, Record, Summary, Verifier,
};
use agent_core::time::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

fn run(mut verifier: Verifier, records: &[Record]) -> Result<Summary, Broken> {
    records.iter().try_for_each(|record| verifier.check(record))?;
    verifier.finish()
}

fn fresh(records: &[Record]) -> Verifier {
    Verifier::new(records[0].entry.chain, Anchor::BEGINNING)
}

/// What is found in these records of a chain.
fn found(original: &[Record], records: &[Record]) -> (i64, BreakKind) {
    let broken = run(fresh(original), records).unwrap_err();
    assert_eq!(broken.chain, original[0].entry.chain);
    (broken.sequence, broken.kind)
}

fn last(records: &[Record]) -> Head {
    records[records.len() - 1].head()
}

proptest! {
    #[test]
    fn any_history_verifies_and_any_noted_head_vouches_for_it(records in history(1), noted in any::<Index>()) {
        let summary = run(fresh(&records), &records).unwrap();
        prop_assert_eq!(summary.head, last(&records));
        prop_assert_eq!(summary.records, records.len() as u64);
        prop_assert!(summary.beginning_known);
        prop_assert_eq!(summary.proven_to, None);
        let noted = noted.get(&records).head();
        let summary = run(fresh(&records).knowing(noted), &records).unwrap();
        prop_assert_eq!(summary.proven_to, Some(noted.sequence));
    }

    #[test]
    fn any_alteration_of_any_field_is_named_where_it_is(records in history(1), at in any::<Index>()) {
        let at = at.index(records.len());
        for altered in alterations(&records[at]) {
            let mut after = records.clone();
            after[at] = altered;
            prop_assert_eq!(found(&records, &after), (records[at].sequence, BreakKind::Altered));
        }
    }

    #[test]
    fn removed_records_are_named_from_the_first(
        records in history(2), from in any::<Index>(), count in any::<Index>(),
    ) {
        let from = from.index(records.len());
        let count = 1 + count.index(records.len() - from);
        let mut rest = records.clone();
        rest.drain(from..from + count);
        let sequence = records[from].sequence;
        if from + count < records.len() {
            prop_assert_eq!(found(&records, &rest), (sequence, BreakKind::Missing));
        } else {
            prop_assert!(run(fresh(&records), &rest).is_ok(), "without a known head nobody misses the end");
        }
        let broken = run(fresh(&records).knowing(last(&records)), &rest).unwrap_err();
        prop_assert_eq!((broken.sequence, broken.kind), (sequence, BreakKind::Missing));
    }

    #[test]
    fn two_that_changed_places_are_named_from_the_first(
        records in history(2), left in any::<Index>(), right in any::<Index>(),
    ) {
        let left = left.index(records.len() - 1);
        let right = left + 1 + right.index(records.len() - left - 1);
        let mut swapped = records.clone();
        swapped.swap(left, right);
        let sequence = records[left].sequence;
        prop_assert_eq!(found(&records, &swapped), (sequence, BreakKind::Missing));
        let mut verifier = fresh(&records);
        for record in &swapped {
            let _ = verifier.check(record);
        }
        let broken = verifier.finish().unwrap_err();
        prop_assert_eq!((broken.sequence, broken.kind), (sequence, BreakKind::Reordered));
    }

    #[test]
    fn a_record_that_stands_there_again_is_named(
        records in history(1), which in any::<Index>(), place in any::<Index>(),
    ) {
        let which = which.index(records.len());
        let mut more = records.clone();
        more.insert(which + 1 + place.index(records.len() - which), records[which].clone());
        prop_assert_eq!(found(&records, &more), (records[which].sequence, BreakKind::Repeated));
    }

    #[test]
    fn a_record_of_another_chain_is_named_by_the_place_it_takes(
        records in history(1), others in vec((brief_entry(), any::<i64>()), 8), place in any::<Index>(),
    ) {
        let others = chained(ChainId::from(records[0].entry.chain.stored() ^ 1), others);
        let place = place.index(records.len());
        let mut mixed = records.clone();
        mixed[place] = others[place].clone();
        prop_assert_eq!(found(&records, &mixed), (records[place].sequence, BreakKind::Foreign));
    }

    #[test]
    fn a_record_that_was_written_anew_is_given_away_by_the_one_after_it_or_by_a_known_head(
        records in history(1), at in any::<Index>(),
    ) {
        let at = at.index(records.len());
        let mut altered = records.clone();
        altered[at].entry.status ^= 1;
        altered[at] = forged(&altered[at]);
        let expected = (records[at].sequence, BreakKind::Replaced);
        if at + 1 < records.len() {
            prop_assert_eq!(found(&records, &altered), expected);
        } else {
            prop_assert!(run(fresh(&records), &altered).is_ok());
            let broken = run(fresh(&records).knowing(last(&records)), &altered).unwrap_err();
            prop_assert_eq!((broken.sequence, broken.kind), expected);
        }
    }

    #[test]
    fn who_writes_anew_all_that_follows_is_found_by_a_known_head_only(
        records in history(1), at in any::<Index>(), noted in any::<Index>(),
    ) {
        let at = at.index(records.len());
        let mut anew = records.clone();
        anew[at].entry.status ^= 1;
        for place in at..anew.len() {
            if place > 0 {
                anew[place].previous_hash = anew[place - 1].hash;
            }
            anew[place] = forged(&anew[place]);
        }
        prop_assert!(run(fresh(&records), &anew).is_ok());
        let noted = records[at + noted.index(records.len() - at)].head();
        let broken = run(fresh(&records).knowing(noted), &anew).unwrap_err();
        prop_assert_eq!((broken.sequence, broken.kind), (noted.sequence, BreakKind::Replaced));
    }

    #[test]
    fn a_chain_without_its_oldest_records_verifies_from_its_anchor(
        records in history(1), removed in any::<Index>(),
    ) {
        let removed = removed.index(records.len());
        let anchor = match removed {
            0 => Anchor::BEGINNING,
            _ => Anchor::after(&records[removed - 1].head()),
        };
        let (chain, rest) = (records[0].entry.chain, &records[removed..]);
        let summary = run(Verifier::new(chain, anchor).knowing(last(&records)), rest).unwrap();
        prop_assert_eq!(summary.anchor, anchor);
        prop_assert_eq!(summary.proven_to, Some(last(&records).sequence));
        let part = run(Verifier::of_part(chain), rest).unwrap();
        prop_assert_eq!((part.anchor, part.beginning_known), (anchor, removed == 0));

        let wrong = Anchor { previous_hash: other_hash(anchor.previous_hash), ..anchor };
        let broken = run(Verifier::new(chain, wrong), rest).unwrap_err();
        prop_assert_eq!((broken.sequence, broken.kind), (anchor.first_sequence, BreakKind::Replaced));
        if removed > 0 {
            let broken = run(Verifier::new(chain, Anchor::BEGINNING), rest).unwrap_err();
            prop_assert_eq!((broken.sequence, broken.kind), (1, BreakKind::Missing));
            let broken = run(Verifier::new(chain, anchor), &records[removed - 1..]).unwrap_err();
            prop_assert_eq!((broken.sequence, broken.kind), (removed as i64, BreakKind::Reordered));
        }
    }
}

fn three() -> Vec<Record> {
    let entry = Entry::new(TENANT, Actor::system(), "prune", Outcome::Success);
    chained(TENANT, vec![(entry, noon().as_micros()); 3])
}

#[test]
fn a_chain_without_records_is_intact_unless_a_head_says_otherwise() {
    let summary = run(Verifier::new(TENANT, Anchor::BEGINNING).knowing(Head::EMPTY), &[]).unwrap();
    assert_eq!((summary.records, summary.head, summary.proven_to), (0, Head::EMPTY, Some(0)));
    let head = last(&three());
    let broken = run(Verifier::of_part(TENANT).knowing(head), &[]).unwrap_err();
    assert_eq!((broken.sequence, broken.kind), (1, BreakKind::Missing));
    // Everything was removed by retention: the anchor stands where the head stands.
    let summary = run(Verifier::new(TENANT, Anchor::after(&head)).knowing(head), &[]).unwrap();
    assert_eq!((summary.records, summary.head, summary.proven_to), (0, head, Some(3)));
}

#[test]
fn a_head_that_contradicts_where_the_chain_begins_is_found() {
    let records = three();
    let wrong = Head { sequence: 1, hash: other_hash(records[0].hash) };
    for verifier in [Verifier::new(TENANT, Anchor::after(&records[0].head())), Verifier::of_part(TENANT)] {
        let broken = run(verifier.knowing(wrong), &records[1..]).unwrap_err();
        assert_eq!((broken.sequence, broken.kind), (1, BreakKind::Replaced));
    }
}

#[test]
fn a_head_from_before_the_beginning_proves_nothing() {
    let records = three();
    let verifier = Verifier::new(TENANT, Anchor::after(&records[1].head())).knowing(records[0].head());
    assert_eq!(run(verifier, &records[2..]).unwrap().proven_to, None);
}

#[test]
fn of_two_heads_that_contradict_each_other_one_is_missed() {
    let records = three();
    let wrong = Head { sequence: 3, hash: other_hash(records[2].hash) };
    for heads in [[last(&records), wrong], [wrong, last(&records)]] {
        let broken = run(fresh(&records).knowing(heads[0]).knowing(heads[1]), &records).unwrap_err();
        assert_eq!((broken.sequence, broken.kind), (3, BreakKind::Replaced));
    }
}

#[test]
fn a_broken_chain_stays_broken() {
    let mut records = three();
    records[1].entry.status = 500;
    let mut verifier = fresh(&records);
    assert!(verifier.check(&records[0]).is_ok());
    let broken = verifier.check(&records[1]).unwrap_err();
    assert_eq!(verifier.check(&records[2]).unwrap_err(), broken);
    assert_eq!(verifier.finish().unwrap_err(), broken);
    assert_eq!(
        broken.to_string(),
        "tenant 7, record 2: altered: what stands there as record 2 of tenant 7 does not have the hash of what it says"
    );
}

#[test]
fn a_chain_is_the_same_however_its_number_is_written() {
    let zero = ChainId::Tenant(agent_core::ids::TenantId(0));
    let record =
        Entry::new(zero, Actor::system(), "start", Outcome::Success).chain_after(&Head::EMPTY, noon());
    assert_eq!(record.entry.chain, ChainId::Server);
    assert!(run(Verifier::new(zero, Anchor::BEGINNING), &[record]).is_ok());
}

#[test]
fn clocks_that_go_back_break_nothing() {
    let entry = Entry::new(TENANT, Actor::system(), "tick", Outcome::Success);
    let first = entry.clone().chain_after(&Head::EMPTY, noon());
    let second = entry.chain_after(&first.head(), Timestamp::from_micros(noon().as_micros() - 60_000_000));
    assert!(run(Verifier::new(TENANT, Anchor::BEGINNING), &[first, second]).is_ok());
}

//! Files of records, one line of JSON each.

use crate::histories::{TENANT, brief_entry, chained, history, noon, text};
use agent_audit::{
    Actor, BreakKind, ChainId, ChainState, Entry, Expected, Head, LineError, MAX_LINE, Outcome, Record,
    Summary, VerifyError, verify_json_lines,
};
use agent_core::ids::UserId;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};

fn file(records: &[Record]) -> String {
    records.iter().map(|record| record.to_json_line() + "\n").collect()
}

fn expecting(records: &[Record]) -> BTreeMap<ChainId, Expected> {
    let mut states: BTreeMap<ChainId, ChainState> = BTreeMap::new();
    for record in records {
        states.entry(record.entry.chain).or_default().head = record.head();
    }
    states.into_iter().map(|(chain, state)| (chain, Expected::from(state))).collect()
}

fn verified(text: &str) -> Result<Vec<Summary>, VerifyError> {
    verify_json_lines(text.as_bytes(), &BTreeMap::new())
}

/// The line, the chain, the record and the kind of what is broken.
fn broken(text: &str, expected: &BTreeMap<ChainId, Expected>) -> (Option<u64>, ChainId, i64, BreakKind) {
    match verify_json_lines(text.as_bytes(), expected) {
        Err(VerifyError::Broken { line, broken }) => (line, broken.chain, broken.sequence, broken.kind),
        other => panic!("{other:?}"),
    }
}

/// Records of these chains, taken turn by turn as the choices say.
fn mixed(chains: Vec<Vec<Record>>, choices: &[Index]) -> Vec<Record> {
    let mut queues: Vec<_> = chains.into_iter().map(Vec::into_iter).collect();
    let mut records: Vec<Record> = choices.iter().filter_map(|c| queues[c.index(3)].next()).collect();
    records.extend(queues.into_iter().flatten());
    records
}

fn three_chains() -> impl Strategy<Value = Vec<Record>> {
    let entries = || vec((brief_entry(), any::<i64>()), 1..5);
    ((entries(), entries(), entries()), vec(any::<Index>(), 0..12)).prop_map(|((a, b, c), choices)| {
        let chains = vec![chained(ChainId::Server, a), chained(TENANT, b), chained(ChainId::from(9), c)];
        mixed(chains, &choices)
    })
}

proptest! {
    #[test]
    fn a_record_is_read_back_as_it_was_written(records in history(1)) {
        for record in records {
            let line = record.to_json_line();
            prop_assert!(!line.contains('\n'));
            let back = Record::from_json_line(&line).unwrap();
            prop_assert!(back.is_intact());
            prop_assert_eq!(back, record);
        }
    }

    #[test]
    fn chains_that_are_mixed_verify_each_for_itself(records in three_chains()) {
        let expected = expecting(&records);
        let summaries = verify_json_lines(file(&records).as_bytes(), &expected).unwrap();
        let chains: Vec<ChainId> = summaries.iter().map(|summary| summary.chain).collect();
        prop_assert_eq!(chains, [ChainId::Server, TENANT, ChainId::from(9)]);
        for summary in summaries {
            prop_assert_eq!(Some(&summary.head), expected[&summary.chain].heads.first());
            prop_assert_eq!(summary.proven_to, Some(summary.head.sequence));
        }
        prop_assert_eq!(verified(&file(&records)).unwrap().len(), 3);
    }

    #[test]
    fn no_byte_of_a_file_can_be_altered_unseen(records in three_chains(), at in any::<Index>(), by in 1_u8..) {
        let mut bytes = file(&records).into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= by;
        prop_assert!(verify_json_lines(&bytes[..], &expecting(&records)).is_err());
    }

    #[test]
    fn no_line_can_be_removed_moved_or_repeated_unseen(
        records in three_chains(), from in any::<Index>(), to in any::<Index>(),
    ) {
        let expected = expecting(&records);
        let from = from.index(records.len());
        let one = &records[from];
        let of_chain = |record: &&Record| record.entry.chain == one.entry.chain;

        let mut less = records.clone();
        less.remove(from);
        let (_, chain, sequence, kind) = broken(&file(&less), &expected);
        prop_assert_eq!((chain, sequence, kind), (one.entry.chain, one.sequence, BreakKind::Missing));

        let to = to.index(records.len());
        let mut moved = less.clone();
        moved.insert(to, one.clone());
        let overtaken = records[from..].iter().take(to.saturating_sub(from) + 1).filter(of_chain).count() - 1;
        if to > from && overtaken > 0 {
            let (_, chain, sequence, kind) = broken(&file(&moved), &expected);
            prop_assert_eq!((chain, sequence, kind), (one.entry.chain, one.sequence, BreakKind::Reordered));
        }

        let mut more = records.clone();
        let place = from + 1 + to.min(records.len() - from - 1);
        more.insert(place, one.clone());
        prop_assert_eq!(
            broken(&file(&more), &expected),
            (Some(place as u64 + 1), one.entry.chain, one.sequence, BreakKind::Repeated)
        );
    }

    #[test]
    fn no_text_makes_it_stumble(lines in vec(text(), 0..5)) {
        let _ = verified(&lines.join("\n"));
    }
}

fn login() -> Record {
    Entry::new(ChainId::Server, Actor::claiming("bob"), "login", Outcome::Denied)
        .answered(401, Some("unauthorized"))
        .chain_after(&Head::EMPTY, noon())
}

#[test]
fn a_line_is_flat_and_says_only_what_there_is() {
    let record = Entry::new(TENANT, Actor::user(UserId(3), "ann"), "create_plan", Outcome::Success)
        .on("/plans/7")
        .with("tasks", 2)
        .chain_after(&Head::EMPTY, noon());
    let zeros = "0".repeat(64);
    let expected = format!(
        "{{\"chain\":7,\"sequence\":1,\"at\":\"2026-01-01T12:00:00.000Z\",\"actor\":\"user\",\"user_id\":3,\
         \"username\":\"ann\",\"action\":\"create_plan\",\"resource\":\"/plans/7\",\"outcome\":\"success\",\
         \"status\":0,\"details\":{{\"tasks\":2}},\"previous_hash\":\"{zeros}\",\"hash\":\"{}\"}}",
        record.hash
    );
    assert_eq!(record.to_json_line(), expected);
}

#[test]
fn a_line_in_another_spelling_is_no_record() {
    let record = login();
    let line = record.to_json_line();
    let hash = record.hash.to_string();
    let json = [
        line.replace("\"status\"", "\"extra\":1,\"status\""),
        line.replace("\"status\":401,", ""),
        line.replace("\"status\":401", "\"status\":401,\"status\":401"),
        line.replace("\"status\":401", "\"status\":65937"),
        line.replace("denied", "Denied"),
        line.replace(&hash, &hash.to_uppercase()),
        line.replace(&hash, &hash[1..]),
        format!("{line}{line}"),
        String::new(),
        "null".to_owned(),
        "[".repeat(1000),
    ];
    for wrong in json {
        let error = Record::from_json_line(&wrong).unwrap_err();
        assert!(matches!(error, LineError::Json(_)), "{wrong}: {error:?}");
    }
    let spelling = [
        format!(" {line}"),
        format!("{line}\r"),
        line.replace("\":", "\": "),
        line.replace("12:00:00.000Z", "12:00:00Z"),
        line.replace("12:00:00.000Z", "13:00:00.000+01:00"),
        line.replace("\"status\"", "\"details\":{},\"status\""),
        line.replace("\"status\"", "\"request_id\":null,\"status\""),
        line.replace("\"bob\"", "\"b\\u006fb\""),
        line.replace("\"previous", "\"details\":{\"a\":1,\"a\":2},\"previous"),
    ];
    for wrong in spelling {
        let error = Record::from_json_line(&wrong).unwrap_err();
        assert!(matches!(error, LineError::Spelling(_)), "{wrong}: {error:?}");
    }
}

#[test]
fn a_line_that_is_no_record_is_named_by_its_number() {
    let good = login().to_json_line();
    let malformed = verified(&format!("{good}\nnonsense\n"));
    assert!(matches!(malformed, Err(VerifyError::Malformed { line: 2, .. })), "{malformed:?}");
    let empty = verified(&format!("{good}\n\n"));
    assert!(matches!(empty, Err(VerifyError::Malformed { line: 2, .. })), "{empty:?}");
    let long = verified(&format!("{good}\n{}\n", "x".repeat(MAX_LINE + 1)));
    assert!(matches!(long, Err(VerifyError::TooLong { line: 2 })), "{long:?}");
    let full = verified(&"x".repeat(MAX_LINE));
    assert!(matches!(full, Err(VerifyError::Malformed { line: 1, .. })), "{full:?}");
    let text = verify_json_lines(&b"\xff\n"[..], &BTreeMap::new());
    assert!(matches!(text, Err(VerifyError::NotText { line: 1 })), "{text:?}");
}

#[test]
fn a_line_without_end_is_not_read_to_its_end() {
    let endless = BufReader::new(io::repeat(b'x'));
    assert!(matches!(verify_json_lines(endless, &BTreeMap::new()), Err(VerifyError::TooLong { line: 1 })));
}

#[test]
fn a_file_that_cannot_be_read_is_not_taken_for_its_end() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let line = login().to_json_line() + "\n";
    let reader = BufReader::new(line.as_bytes().chain(Broken));
    assert!(matches!(verify_json_lines(reader, &BTreeMap::new()), Err(VerifyError::Read { line: 2, .. })));
}

#[test]
fn the_last_line_needs_no_end() {
    assert_eq!(verified(&login().to_json_line()).unwrap()[0].records, 1);
    assert_eq!(verified("").unwrap(), []);
}

#[test]
fn a_chain_that_is_expected_must_be_there() {
    let record = login();
    let expected = BTreeMap::from([(TENANT, Expected::from(Head { sequence: 4, hash: record.hash }))]);
    let found = broken(&file(&[record]), &expected);
    assert_eq!(found, (None, TENANT, 1, BreakKind::Missing));
}

#[test]
fn a_record_that_was_given_to_another_chain_is_altered_there() {
    let mut record = login();
    record.entry.chain = TENANT;
    assert_eq!(broken(&file(&[record]), &BTreeMap::new()), (Some(1), TENANT, 1, BreakKind::Altered));
}

#[test]
fn an_error_says_where_and_what() {
    let mut record = login();
    record.entry.status = 200;
    assert_eq!(
        verified(&file(&[record])).unwrap_err().to_string(),
        "line 1: server, record 1: altered: what stands there as record 1 of server does not have the hash of what it says"
    );
}

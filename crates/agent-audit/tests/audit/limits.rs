//! A record is small, whatever somebody sends.

use crate::histories::{TENANT, noon, text};
use agent_audit::{Actor, Entry, Head, Outcome, Record};
use agent_core::ids::UserId;
use agent_core::time::Timestamp;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};

const MOST: usize = 4096;

fn recorded(entry: Entry) -> Entry {
    entry.chain_after(&Head::EMPTY, noon()).entry
}

fn plain() -> Entry {
    Entry::new(TENANT, Actor::system(), "a", Outcome::Success)
}

fn detail(value: impl Into<Value>) -> Value {
    recorded(plain().with("x", value)).details["x"].clone()
}

proptest! {
    #[test]
    fn no_record_is_above_four_kibibytes(
        piece in text(), times in 0_usize..400,
        details in btree_map(text(), (vec(text(), 0..4), 0_usize..100), 0..8),
        at in any::<i64>(),
    ) {
        let long = piece.repeat(times);
        let mut entry = Entry::new(
            TENANT, Actor::api_key(i64::MIN, UserId(i64::MIN), long.clone()), long.clone(), Outcome::Success,
        )
        .on_behalf_of(long.clone())
        .from_source(long.clone())
        .on(long.clone())
        .answered(u16::MAX, Some(&long))
        .in_request(long.clone());
        entry.details = details
            .into_iter()
            .map(|(key, (texts, times))| (key + &long, json!(vec![texts.concat(); times])))
            .collect();
        let head = Head { sequence: i64::MAX - 1, hash: Head::EMPTY.hash };
        let record = entry.chain_after(&head, Timestamp::from_micros(at));
        let line = record.to_json_line();
        prop_assert!(line.len() <= MOST, "{} bytes", line.len());
        prop_assert_eq!(Record::from_json_line(&line).unwrap(), record);
    }
}

#[test]
fn a_text_as_long_as_its_limit_stays_and_a_longer_one_is_cut() {
    let whole = recorded(plain().on("x".repeat(512))).resource.unwrap();
    assert_eq!(whole, "x".repeat(512));
    let cut = recorded(plain().on("x".repeat(513))).resource.unwrap();
    assert_eq!(cut, "x".repeat(509) + "…");
}

#[test]
fn every_text_has_a_limit() {
    let long = "x".repeat(10_000);
    let mut entry = Entry::new(TENANT, Actor::claiming(long.clone()), long.clone(), Outcome::Failed)
        .on_behalf_of(long.clone())
        .from_source(long.clone())
        .on(long.clone())
        .answered(500, Some(&long))
        .in_request(long.clone());
    entry = recorded(entry.with("x", long.clone()));
    let length = |text: &Option<String>| text.as_ref().unwrap().len();
    assert_eq!(length(&entry.actor.username), 128);
    assert_eq!(length(&entry.on_behalf_of), 128);
    assert_eq!(length(&entry.source), 128);
    assert_eq!(length(&entry.request_id), 128);
    assert_eq!(length(&entry.resource), 512);
    assert_eq!(length(&entry.code), 64);
    assert_eq!(entry.action.len(), 64);
    assert_eq!(entry.details["x"].as_str().unwrap().len(), 512);
}

#[test]
fn a_text_is_cut_between_letters() {
    for lead in ["", "x", "xx", "xxx"] {
        let cut = recorded(plain().on(format!("{lead}{}", "🦀".repeat(200)))).resource.unwrap();
        assert!(cut.ends_with("🦀…") && cut.len() <= 512, "{cut}");
    }
}

#[test]
fn escapes_count_as_they_are_written() {
    let cut = recorded(plain().on("\u{1}".repeat(512))).resource.unwrap();
    assert_eq!(cut, "\u{1}".repeat(84) + "…");
}

#[test]
fn nul_is_replaced_because_databases_refuse_it() {
    let entry = recorded(plain().on("a\0b").with("k\0", json!({"n\0": ["\0"]})));
    assert_eq!(entry.resource.as_deref(), Some("a\u{fffd}b"));
    assert_eq!(json!(entry.details), json!({"k\u{fffd}": {"n\u{fffd}": ["\u{fffd}"]}}));
}

#[test]
fn numbers_that_are_not_whole_become_text() {
    assert_eq!(detail(json!([1, -1, u64::MAX, 0.1, 1e300])), json!([1, -1, u64::MAX, "0.1", "1e+300"]));
}

#[test]
fn values_are_at_most_four_levels_deep() {
    assert_eq!(detail(json!([[[1]]])), json!([[[1]]]));
    assert_eq!(detail(json!({"a": {"b": {"c": {"d": 1}}}})), json!({"a": {"b": {"c": "…"}}}));
}

#[test]
fn details_that_have_no_room_are_left_out_and_counted() {
    let entry = (0..10).fold(plain(), |entry, n| entry.with(format!("key{n}"), "x".repeat(500)));
    let details = recorded(entry).details;
    let keys: Vec<&str> = details.keys().map(String::as_str).collect();
    assert_eq!(keys, ["key0", "key1", "key2", "…"]);
    assert_eq!(details["…"], json!(7));
}

#[test]
fn an_instant_is_kept_as_it_can_be_shown() {
    let at = |micros| plain().chain_after(&Head::EMPTY, Timestamp::from_micros(micros)).at;
    assert_eq!(at(1_767_268_800_123_999).as_micros(), 1_767_268_800_123_000);
    assert_eq!(at(i64::MIN).to_string(), "1970-01-01T00:00:00.000Z");
    assert_eq!(at(i64::MAX).to_string(), "9999-12-30T21:59:59.999Z");
}

//! What is hashed: no two records share their bytes, and others can make them too.

use crate::histories::{TENANT, noon};
use agent_audit::encoding::{canonical_json, encoded};
use agent_audit::{Actor, ActorKind, Entry, Hash, Head, Outcome, Record};
use agent_core::ids::UserId;
use agent_core::time::Timestamp;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

fn bytes(entry: Entry) -> Vec<u8> {
    encoded(&entry.chain_after(&Head::EMPTY, noon()))
}

fn plain() -> Entry {
    Entry::new(TENANT, Actor::anonymous(), "a", Outcome::Success)
}

/// Records that are alike, so that a careless encoding confuses them.
fn alike() -> impl Strategy<Value = Entry> {
    let word = || option::of(select(vec!["", "a", "b", "ab", "1", "1a"]));
    let id = || option::of(select(vec![0_i64, 1, 11]));
    let texts = (word(), word(), word(), word(), word(), word());
    (id(), id(), texts, select(vec![1_u16, 11])).prop_map(|(user, key, texts, status)| {
        let text = |word: Option<&str>| word.map(str::to_owned);
        let actor =
            Actor { kind: ActorKind::User, user_id: user.map(UserId), username: text(texts.0), key_id: key };
        let mut entry = Entry::new(TENANT, actor, texts.1.unwrap_or("a"), Outcome::Success);
        entry.on_behalf_of = text(texts.2);
        entry.source = text(texts.3);
        entry.resource = text(texts.4);
        entry.code = text(texts.5);
        entry.status = status;
        entry
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn two_records_share_their_bytes_only_when_they_say_the_same(left in alike(), right in alike()) {
        prop_assert_eq!(left == right, bytes(left) == bytes(right));
    }
}

#[test]
fn a_letter_that_moves_to_the_next_field_is_another_record() {
    let pairs = [
        (plain().on_behalf_of("ab").from_source("c"), plain().on_behalf_of("a").from_source("bc")),
        (plain().on_behalf_of("a"), plain().from_source("a")),
        (plain().on_behalf_of(""), plain()),
        (plain().answered(1, Some("1x")), plain().answered(11, Some("x"))),
        (plain().answered(0, Some("r")), plain().in_request("r")),
        (plain().on("x").in_request(""), plain().on("").in_request("x")),
        (plain().in_request("{}"), plain().with("a", 1)),
        (plain().with("a", "1"), plain().with("a", 1)),
        (plain().with("a", json!({"b": 1})), plain().with("a", json!([{"b": 1}]))),
        (plain().with("a\":1,\"b", 1), plain().with("a", 1).with("b", 1)),
        (plain().with("a", Value::Null), plain()),
        (plain().on("\u{0}\u{1}"), plain().on("\u{1}\u{0}")),
    ];
    for (left, right) in pairs {
        assert_ne!(bytes(left.clone()), bytes(right.clone()), "{left:?} and {right:?}");
    }
}

#[test]
fn the_order_in_which_details_were_written_is_no_part_of_them() {
    let object = |keys: [&str; 3]| {
        Value::Object(keys.iter().map(|key| ((*key).to_owned(), json!(1))).collect::<Map<_, _>>())
    };
    let (left, right) = (object(["é", "a", "B"]), object(["B", "é", "a"]));
    assert_eq!(bytes(plain().with("x", left.clone())), bytes(plain().with("x", right)));
    let nested =
        BTreeMap::from([("x".to_owned(), json!([left, "\"\\\u{8}\t\n\u{c}\r\u{1}\u{1f}\u{7f}/é🦀"]))]);
    assert_eq!(
        canonical_json(&nested),
        "{\"x\":[{\"B\":1,\"a\":1,\"é\":1},\"\\\"\\\\\\b\\t\\n\\f\\r\\u0001\\u001f\u{7f}/é🦀\"]}"
    );
}

/// Two records with everything in them, and the hashes that `verify.py` computes too.
fn golden() -> [Record; 2] {
    let first = Entry::new(TENANT, Actor::api_key(12, UserId(3), "änn\n"), "create_plan", Outcome::Success)
        .on_behalf_of("plan 7")
        .from_source("192.0.2.1")
        .on("/plans/7")
        .answered(201, None)
        .in_request("r-1")
        .with("z", json!({"b": [1, -2, null, true, "\u{1}\"\\é🦀"], "a": 18_446_744_073_709_551_615_u64}))
        .with("rate", 0.5);
    let first = first.chain_after(&Head::EMPTY, Timestamp::from_micros(1_767_268_800_123_456));
    let second = Entry::new(TENANT, Actor::claiming("bob"), "login", Outcome::Denied);
    let second = second.answered(401, Some("unauthorized")).chain_after(&first.head(), noon());
    [first, second]
}

#[test]
fn the_hashes_of_two_records_never_change() {
    let hashes = golden().map(|record| record.hash.to_string());
    assert_eq!(
        hashes,
        [
            "2aa67f0e65fd64090bc29fd978cfb7505a949e4f3f43c4b27939579cfd4b3e97",
            "7bc6f3f7fa38db82a99f00baca2d79226c732b7a82272fa376888f0c6c0156ba",
        ]
    );
}

#[test]
fn a_hash_is_read_in_lower_case_only() {
    let digits = "0123456789abcdef".repeat(4);
    let hash: Hash = digits.parse().unwrap();
    assert_eq!(hash.to_string(), digits);
    assert_eq!(Hash::try_from(&hash.as_bytes()[..]), Ok(hash));
    for wrong in [digits.to_uppercase(), digits[1..].to_owned(), format!("{digits}0"), "é".repeat(32)] {
        assert!(wrong.parse::<Hash>().is_err(), "{wrong}");
    }
    assert!(Hash::try_from(&[0_u8; 31][..]).is_err());
}

/// Asks a verifier that shares no code with this crate.
#[expect(clippy::disallowed_methods, reason = "the other verifier is a program in another language")]
fn python(lines: &str) -> Option<Result<String, String>> {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut command = Command::new("python3");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/verify.py"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().ok()?;
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Some(if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) })
}

#[test]
fn a_verifier_that_shares_no_code_comes_to_the_same_hashes() {
    let records = golden();
    let lines = records.each_ref().map(|record| record.to_json_line() + "\n").concat();
    let Some(verified) = python(&lines) else {
        println!("python3 is not installed; nothing was compared");
        return;
    };
    assert_eq!(verified, Ok(format!("7 2 {}\n", records[1].hash)));
    let altered = lines.replace("\"status\":401", "\"status\":200");
    assert!(python(&altered).unwrap().unwrap_err().starts_with("line 2: "));
}

//! How much a record may say.
//!
//! Lengths are those of the text inside JSON, escapes included, so that a line is bounded whatever somebody sends.

use crate::chain::ChainId;
use crate::entry::{Actor, Entry};
use agent_core::time::Timestamp;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

const RESOURCE: usize = 512;
const NAME: usize = 128;
const WORD: usize = 64;
const DETAILS: usize = 2048;
const DETAIL_TEXT: usize = 512;
const DEPTH: usize = 4;
/// What stands for something that was cut.
const CUT: &str = "…";
/// Room for the count of details that were left out, under the key [`CUT`].
const COUNT: usize = 32;
/// The last instant that RFC 3339 can show, in whole milliseconds.
const LAST_INSTANT: i64 = 253_402_207_199_999_000;

/// The entry, cut to its limits.
pub(crate) fn within_limits(entry: Entry) -> Entry {
    let name = |text: Option<String>| text.map(|text| shortened(&text, NAME));
    Entry {
        chain: ChainId::from(entry.chain.stored()),
        actor: Actor { username: name(entry.actor.username), ..entry.actor },
        on_behalf_of: name(entry.on_behalf_of),
        source: name(entry.source),
        action: shortened(&entry.action, WORD),
        resource: entry.resource.map(|text| shortened(&text, RESOURCE)),
        outcome: entry.outcome,
        status: entry.status,
        code: entry.code.map(|text| shortened(&text, WORD)),
        request_id: name(entry.request_id),
        details: fitting(entry.details),
    }
}

/// The instant as JSON can show it: in whole milliseconds, from 1970 to 9999.
pub(crate) fn showable(at: Timestamp) -> Timestamp {
    let micros = at.as_micros().clamp(0, LAST_INSTANT);
    Timestamp::from_micros(micros - micros % 1000)
}

fn shortened(text: &str, limit: usize) -> String {
    let (mut short, mut used, mut cut) = (String::new(), 0, 0);
    for letter in text.chars() {
        let letter = if letter == '\0' { char::REPLACEMENT_CHARACTER } else { letter };
        used += length_in_json(letter);
        if used > limit {
            short.truncate(cut);
            short.push_str(CUT);
            break;
        }
        short.push(letter);
        if used + CUT.len() <= limit {
            cut = short.len();
        }
    }
    short
}

fn length_in_json(letter: char) -> usize {
    match letter {
        '"' | '\\' | '\u{8}' | '\t' | '\n' | '\u{c}' | '\r' => 2,
        '\0'..='\u{1f}' => 6,
        _ => letter.len_utf8(),
    }
}

fn fitting(details: BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let total = details.len();
    let (mut kept, mut used) = (BTreeMap::new(), "{}".len());
    for (key, value) in details {
        let (key, value) = (shortened(&key, WORD), plain(value, DEPTH));
        used += Value::from(key.as_str()).to_string().len() + value.to_string().len() + ":,".len();
        if used > DETAILS - COUNT {
            break;
        }
        kept.insert(key, value);
    }
    let left_out = total - kept.len();
    if left_out > 0 {
        kept.insert(CUT.to_owned(), left_out.into());
    }
    kept
}

/// A value of bounded depth, with bounded texts and whole numbers.
fn plain(value: Value, depth: usize) -> Value {
    match value {
        Value::String(text) => shortened(&text, DETAIL_TEXT).into(),
        Value::Number(number) if !(number.is_i64() || number.is_u64()) => number.to_string().into(),
        Value::Array(_) | Value::Object(_) if depth == 1 => CUT.into(),
        Value::Array(values) => values.into_iter().map(|value| plain(value, depth - 1)).collect(),
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(key, value)| (shortened(&key, WORD), plain(value, depth - 1)))
                .collect::<Map<_, _>>(),
        ),
        other => other,
    }
}

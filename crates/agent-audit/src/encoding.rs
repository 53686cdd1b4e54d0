//! What is hashed, written down so that other tools can verify a chain.
//!
//! The hash of a record is the SHA-256 of these bytes:
//!
//! 1. the 21 ASCII characters `agent-audit record v1` and a line feed;
//! 2. the fields below in this order, each as one byte 0 where it is absent; otherwise one byte 1, the length of its value
//!    in bytes as eight bytes, highest first, and the value.
//!
//! | field | value |
//! |---|---|
//! | `chain`, `sequence` | decimal digits |
//! | `at` | microseconds since 1970-01-01T00:00:00Z, decimal digits |
//! | `actor` | the word |
//! | `user_id` | decimal digits |
//! | `username` | UTF-8 |
//! | `key_id` | decimal digits |
//! | `on_behalf_of`, `source`, `action`, `resource` | UTF-8 |
//! | `outcome` | the word |
//! | `status` | decimal digits |
//! | `code`, `request_id` | UTF-8 |
//! | `details` | canonical JSON, `{}` where there are none |
//! | `previous_hash` | 32 bytes; all zero for the first record of a chain |
//!
//! Names are those of the line of JSON. Decimal digits have a leading `-` where negative and no leading zeros. Only what
//! JSON leaves out is absent, so every field with a fixed type (`chain`, `sequence`, `at`, `actor`, `action`,
//! `outcome`, `status`, `details`, `previous_hash`) is always there. Because each value is preceded by its length, no
//! two records share their bytes.
//!
//! Canonical JSON has no spaces, the keys of every object sorted by code points, no escapes but `\"`, `\\`, `\b`, `\t`,
//! `\n`, `\f`, `\r` and `\u00xx` in lower case for other control characters, and whole numbers only: what Python
//! writes with `json.dumps(details, sort_keys=True, separators=(",", ":"), ensure_ascii=False)`.
//!
//! `verify.py` beside this crate's manifest is such a tool, in Python alone.

use crate::hash::Hash;
use crate::record::Record;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

const DOMAIN: &[u8] = b"agent-audit record v1\n";

/// The bytes whose SHA-256 is the hash of this record.
pub fn encoded(record: &Record) -> Vec<u8> {
    let (entry, actor) = (&record.entry, &record.entry.actor);
    let mut bytes = DOMAIN.to_vec();
    let mut text = |value: Option<&str>| field(&mut bytes, value.map(str::as_bytes));
    text(Some(&entry.chain.stored().to_string()));
    text(Some(&record.sequence.to_string()));
    text(Some(&record.at.as_micros().to_string()));
    text(Some(actor.kind.as_str()));
    text(actor.user_id.map(|id| id.to_string()).as_deref());
    text(actor.username.as_deref());
    text(actor.key_id.map(|id| id.to_string()).as_deref());
    text(entry.on_behalf_of.as_deref());
    text(entry.source.as_deref());
    text(Some(&entry.action));
    text(entry.resource.as_deref());
    text(Some(entry.outcome.as_str()));
    text(Some(&entry.status.to_string()));
    text(entry.code.as_deref());
    text(entry.request_id.as_deref());
    text(Some(&canonical_json(&entry.details)));
    field(&mut bytes, Some(record.previous_hash.as_bytes()));
    bytes
}

/// Details as they are hashed; a store may keep them so.
pub fn canonical_json(details: &BTreeMap<String, Value>) -> String {
    Value::Object(details.iter().map(|(key, value)| (key.clone(), sorted(value))).collect()).to_string()
}

/// The hash that belongs to this record.
pub(crate) fn hash_of(record: &Record) -> Hash {
    Hash::from(<[u8; 32]>::from(Sha256::digest(encoded(record))))
}

/// The same value with the keys of every object in order.
pub(crate) fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(values) => values.iter().map(sorted).collect(),
        Value::Object(fields) => {
            let fields: BTreeMap<&String, &Value> = fields.iter().collect();
            let fields = fields.into_iter().map(|(key, value)| (key.clone(), sorted(value)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

fn field(bytes: &mut Vec<u8>, value: Option<&[u8]>) {
    bytes.push(u8::from(value.is_some()));
    if let Some(value) = value {
        bytes.extend_from_slice(&(value.len() as u64).to_be_bytes());
        bytes.extend_from_slice(value);
    }
}

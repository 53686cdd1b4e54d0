//! A record as one flat line of JSON.

use crate::chain::ChainId;
use crate::encoding::sorted;
use crate::entry::{Actor, ActorKind, Entry, Outcome};
use crate::hash::Hash;
use crate::record::Record;
use agent_core::ids::UserId;
use agent_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Why a line is no record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// It is not JSON, or not the JSON of a record.
    #[error("it is not the JSON of a record")]
    Json(#[from] serde_json::Error),
    /// It says the same as a record, but in other characters.
    #[error(
        "byte {0} differs from how a record is written (fields in order, no spaces, no repeated keys, UTC with milliseconds); give it as it was exported"
    )]
    Spelling(usize),
}

/// The fields in the order in which they are written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Line {
    chain: ChainId,
    sequence: i64,
    at: Timestamp,
    actor: ActorKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_behalf_of: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    action: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<String>,
    outcome: Outcome,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    details: BTreeMap<String, Value>,
    previous_hash: Hash,
    hash: Hash,
}

impl From<Record> for Line {
    fn from(record: Record) -> Self {
        let entry = record.entry;
        let actor = entry.actor;
        Self {
            chain: entry.chain,
            sequence: record.sequence,
            at: record.at,
            actor: actor.kind,
            user_id: actor.user_id,
            username: actor.username,
            key_id: actor.key_id,
            on_behalf_of: entry.on_behalf_of,
            source: entry.source,
            action: entry.action,
            resource: entry.resource,
            outcome: entry.outcome,
            status: entry.status,
            code: entry.code,
            request_id: entry.request_id,
            details: entry.details.into_iter().map(|(key, value)| (key, sorted(&value))).collect(),
            previous_hash: record.previous_hash,
            hash: record.hash,
        }
    }
}

impl From<Line> for Record {
    fn from(line: Line) -> Self {
        let actor =
            Actor { kind: line.actor, user_id: line.user_id, username: line.username, key_id: line.key_id };
        let entry = Entry {
            chain: line.chain,
            actor,
            on_behalf_of: line.on_behalf_of,
            source: line.source,
            action: line.action,
            resource: line.resource,
            outcome: line.outcome,
            status: line.status,
            code: line.code,
            request_id: line.request_id,
            details: line.details,
        };
        Self {
            sequence: line.sequence,
            at: line.at,
            entry,
            previous_hash: line.previous_hash,
            hash: line.hash,
        }
    }
}

impl Record {
    /// The record as a line of JSON, without the line feed. Absent fields and empty details are left out.
    pub fn to_json_line(&self) -> String {
        // Serialising cannot fail: every key is a text and every value has a form in JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a line as [`to_json_line`](Self::to_json_line) writes it. There is one spelling of each record, so that what
    /// a person reads is what was verified.
    ///
    /// # Errors
    /// [`LineError::Json`] for anything but a record, unknown fields included; [`LineError::Spelling`] for a record that
    /// is spelled in another way.
    pub fn from_json_line(line: &str) -> Result<Self, LineError> {
        let record: Self = serde_json::from_str(line)?;
        let canonical = record.to_json_line();
        if line == canonical {
            return Ok(record);
        }
        let same = line.bytes().zip(canonical.bytes()).take_while(|(left, right)| left == right);
        Err(LineError::Spelling(same.count() + 1))
    }
}

//! Records of the audit trail as rows.

use super::{damaged, named, parse, plain, plain_option};
use crate::schema::{audit_chains, audit_records};
use agent_audit::encoding::canonical_json;
use agent_audit::{Actor, Anchor, ChainId, ChainState, Entry, Hash, Head, Record};
use agent_core::Result;
use agent_core::ids::UserId;
use agent_core::time::Timestamp;
use diesel::prelude::*;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_records, treat_none_as_default_value = false)]
pub(crate) struct RecordRow {
    tenant_id: i64,
    sequence: i64,
    recorded_at: i64,
    actor_kind: String,
    user_id: Option<i64>,
    username: Option<String>,
    key_id: Option<i64>,
    on_behalf_of: Option<String>,
    source: Option<String>,
    action: String,
    resource: Option<String>,
    outcome: String,
    status: i64,
    code: Option<String>,
    request_id: Option<String>,
    details: String,
    previous_hash: Vec<u8>,
    hash: Vec<u8>,
}

impl From<&Record> for RecordRow {
    fn from(record: &Record) -> Self {
        let entry = &record.entry;
        Self {
            tenant_id: entry.chain.stored(),
            sequence: record.sequence,
            recorded_at: record.at.as_micros(),
            actor_kind: entry.actor.kind.as_str().to_owned(),
            user_id: entry.actor.user_id.map(UserId::get),
            username: plain_option(entry.actor.username.as_deref()),
            key_id: entry.actor.key_id,
            on_behalf_of: plain_option(entry.on_behalf_of.as_deref()),
            source: plain_option(entry.source.as_deref()),
            action: plain(&entry.action),
            resource: plain_option(entry.resource.as_deref()),
            outcome: entry.outcome.as_str().to_owned(),
            status: i64::from(entry.status),
            code: plain_option(entry.code.as_deref()),
            request_id: plain_option(entry.request_id.as_deref()),
            details: canonical_json(&entry.details),
            previous_hash: record.previous_hash.as_bytes().to_vec(),
            hash: record.hash.as_bytes().to_vec(),
        }
    }
}

impl RecordRow {
    /// The record as it was kept, altered or not: what it is worth is for a verifier to say.
    pub(crate) fn into_record(self) -> Result<Record> {
        Ok(Record {
            sequence: self.sequence,
            at: Timestamp::from_micros(self.recorded_at),
            entry: Entry {
                chain: ChainId::from(self.tenant_id),
                actor: Actor {
                    kind: named("audit_records.actor_kind", &self.actor_kind)?,
                    user_id: self.user_id.map(UserId),
                    username: self.username,
                    key_id: self.key_id,
                },
                on_behalf_of: self.on_behalf_of,
                source: self.source,
                action: self.action,
                resource: self.resource,
                outcome: named("audit_records.outcome", &self.outcome)?,
                status: u16::try_from(self.status).map_err(|error| damaged("audit_records.status", error))?,
                code: self.code,
                request_id: self.request_id,
                details: parse("audit_records.details", &self.details)?,
            },
            previous_hash: hash("audit_records.previous_hash", &self.previous_hash)?,
            hash: hash("audit_records.hash", &self.hash)?,
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_chains)]
pub(crate) struct ChainRow {
    tenant_id: i64,
    first_sequence: i64,
    first_previous_hash: Vec<u8>,
    head_sequence: i64,
    head_hash: Vec<u8>,
}

impl ChainRow {
    pub(crate) fn new(chain: ChainId, state: &ChainState) -> Self {
        Self {
            tenant_id: chain.stored(),
            first_sequence: state.anchor.first_sequence,
            first_previous_hash: state.anchor.previous_hash.as_bytes().to_vec(),
            head_sequence: state.head.sequence,
            head_hash: state.head.hash.as_bytes().to_vec(),
        }
    }

    pub(crate) fn into_state(self) -> Result<ChainState> {
        Ok(ChainState {
            anchor: Anchor {
                first_sequence: self.first_sequence,
                previous_hash: hash("audit_chains.first_previous_hash", &self.first_previous_hash)?,
            },
            head: Head {
                sequence: self.head_sequence,
                hash: hash("audit_chains.head_hash", &self.head_hash)?,
            },
        })
    }
}

fn hash(column: &str, bytes: &[u8]) -> Result<Hash> {
    Hash::try_from(bytes).map_err(|error| damaged(column, error))
}

//! The audit trail.

use super::{Backend, Conn};
use crate::error::Answer;
use crate::rows::audit::{ChainRow, RecordRow};
use crate::rows::{large, plain};
use crate::schema::{audit_chains, audit_records};
use agent_audit::{Anchor, AuditFilter, AuditPage, ChainId, ChainState, Entry, Record};
use agent_core::time::Timestamp;
use diesel::prelude::*;

/// Where a chain begins and ends.
pub(crate) fn state(conn: &mut Conn, chain: ChainId) -> Answer<ChainState> {
    let wanted = audit_chains::table.filter(audit_chains::tenant_id.eq(chain.stored()));
    let row = wanted.select(ChainRow::as_select()).get_result(conn).optional()?;
    Ok(row.map(ChainRow::into_state).transpose()?.unwrap_or_default())
}

/// Adds an entry to the end of its chain. The writer's lock is held, so that one follows the other.
pub(crate) fn append(conn: &mut Conn, entry: Entry, at: Timestamp) -> Answer<Record> {
    let chain = entry.chain;
    let before = state(conn, chain)?;
    let record = entry.chain_after(&before.head, at);
    keep(conn, chain, &ChainState { anchor: before.anchor, head: record.head() })?;
    diesel::insert_into(audit_records::table).values(RecordRow::from(&record)).execute(conn)?;
    Ok(record)
}

fn keep(conn: &mut Conn, chain: ChainId, state: &ChainState) -> Answer<()> {
    let row = ChainRow::new(chain, state);
    let own = audit_chains::table.filter(audit_chains::tenant_id.eq(chain.stored()));
    let changed = diesel::update(own)
        .set((
            audit_chains::first_sequence.eq(state.anchor.first_sequence),
            audit_chains::first_previous_hash.eq(state.anchor.previous_hash.as_bytes().to_vec()),
            audit_chains::head_sequence.eq(state.head.sequence),
            audit_chains::head_hash.eq(state.head.hash.as_bytes().to_vec()),
        ))
        .execute(conn)?;
    if changed == 0 {
        diesel::insert_into(audit_chains::table).values(row).execute(conn)?;
    }
    Ok(())
}

fn matching(filter: &AuditFilter) -> audit_records::BoxedQuery<'static, Backend> {
    let of_chain = audit_records::tenant_id.eq(filter.chain.stored());
    let mut wanted = audit_records::table.filter(of_chain).into_boxed();
    if let Some(user) = filter.user_id {
        wanted = wanted.filter(audit_records::user_id.eq(user.get()));
    }
    if let Some(action) = &filter.action {
        wanted = wanted.filter(audit_records::action.eq(plain(action)));
    }
    if let Some(outcome) = filter.outcome {
        wanted = wanted.filter(audit_records::outcome.eq(outcome.as_str()));
    }
    if let Some(request) = &filter.request_id {
        wanted = wanted.filter(audit_records::request_id.eq(plain(request)));
    }
    if let Some(since) = filter.since {
        wanted = wanted.filter(audit_records::recorded_at.ge(since.as_micros()));
    }
    if let Some(until) = filter.until {
        wanted = wanted.filter(audit_records::recorded_at.lt(until.as_micros()));
    }
    wanted
}

/// A page of records.
pub(crate) fn page(conn: &mut Conn, filter: &AuditFilter) -> Answer<AuditPage> {
    let total: i64 = matching(filter).count().get_result(conn)?;
    let mut wanted = matching(filter).select(RecordRow::as_select());
    wanted = match (filter.after, filter.newest_first) {
        (Some(after), true) => wanted.filter(audit_records::sequence.lt(after)),
        (Some(after), false) => wanted.filter(audit_records::sequence.gt(after)),
        (None, _) => wanted,
    };
    wanted = if filter.newest_first {
        wanted.order(audit_records::sequence.desc())
    } else {
        wanted.order(audit_records::sequence.asc())
    };
    // One more than asked for tells whether there is a next page.
    let size = filter.page_size();
    let mut rows = wanted.limit(i64::try_from(size + 1).unwrap_or(i64::MAX)).load(conn)?;
    let more = rows.len() > size;
    rows.truncate(size);
    let records: Vec<Record> = rows.into_iter().map(RecordRow::into_record).collect::<Result<_, _>>()?;
    let next = records.last().filter(|_| more).map(|record| record.sequence);
    Ok(AuditPage { records, total: large("count", total)?, next })
}

/// Every chain that ever had a record, the server's first.
pub(crate) fn chains(conn: &mut Conn) -> Answer<Vec<ChainId>> {
    let stored: Vec<i64> =
        audit_chains::table.order(audit_chains::tenant_id).select(audit_chains::tenant_id).load(conn)?;
    Ok(stored.into_iter().map(ChainId::from).collect())
}

/// Removes the oldest records, up to the first that is not older.
pub(crate) fn remove_before(conn: &mut Conn, chain: ChainId, before: Timestamp) -> Answer<u64> {
    let own = || audit_records::table.filter(audit_records::tenant_id.eq(chain.stored()));
    let state = state(conn, chain)?;
    let first_kept: Option<(i64, Vec<u8>)> = own()
        .filter(audit_records::recorded_at.ge(before.as_micros()))
        .order(audit_records::sequence)
        .select((audit_records::sequence, audit_records::previous_hash))
        .first(conn)
        .optional()?;
    let anchor = match first_kept {
        Some((first_sequence, previous)) => {
            let previous_hash = agent_audit::Hash::try_from(previous.as_slice())
                .map_err(|error| crate::rows::damaged("audit_records.previous_hash", error))?;
            Anchor { first_sequence, previous_hash }
        }
        None => Anchor::after(&state.head),
    };
    if anchor.first_sequence <= state.anchor.first_sequence {
        return Ok(0);
    }
    let older = own().filter(audit_records::sequence.lt(anchor.first_sequence));
    let removed = diesel::delete(older).execute(conn)?;
    keep(conn, chain, &ChainState { anchor, ..state })?;
    Ok(removed as u64)
}

//! The audit trail.

use super::{Store, read, transact_silently};
use crate::database::Scope;
use agent_audit::{AuditFilter, AuditLog, AuditPage, ChainId, ChainState, Entry, Record};
use agent_core::Result;
use agent_core::ids::TenantId;
use agent_core::time::Timestamp;
use async_trait::async_trait;

/// The server's own chain is one tenant more as far as rows are concerned.
fn scope(chain: ChainId) -> Scope {
    Scope::Tenant(TenantId(chain.stored()))
}

#[async_trait]
impl AuditLog for Store {
    async fn append(&self, entry: Entry, at: Timestamp) -> Result<Record> {
        transact_silently!(self, scope(entry.chain), db, |conn| db::audit::append(conn, entry, at))
    }

    async fn page(&self, filter: &AuditFilter) -> Result<AuditPage> {
        let filter = filter.clone();
        read!(self, scope(filter.chain), db, |conn| db::audit::page(conn, &filter))
    }

    async fn chain(&self, chain: ChainId) -> Result<ChainState> {
        read!(self, scope(chain), db, |conn| db::audit::state(conn, chain))
    }

    async fn chains(&self) -> Result<Vec<ChainId>> {
        read!(self, Scope::All, db, |conn| db::audit::chains(conn))
    }

    async fn remove_before(&self, chain: ChainId, before: Timestamp) -> Result<u64> {
        transact_silently!(self, scope(chain), db, |conn| db::audit::remove_before(conn, chain, before))
    }
}

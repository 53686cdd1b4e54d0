//! Finished attempts for figures, and the sums made of them.

use super::{Store, read, transact_silently};
use crate::database::Scope;
use crate::rows::document;
use crate::rows::rollup::prepared;
use agent_analytics::ports::{AnalyticsStore, AttemptRecord, AttemptsOf, Snapshot, Wanted};
use agent_analytics::{Overview, Rollups};
use agent_core::Result;
use agent_core::ids::TenantId;
use async_trait::async_trait;

#[async_trait]
impl AnalyticsStore for Store {
    async fn snapshot(&self, tenant: TenantId, limit: u32, wanted: &Wanted) -> Result<Snapshot> {
        let wanted = wanted.clone();
        read!(self, tenant, db, |conn| db::analytics::snapshot(conn, tenant, limit, &wanted))
    }

    async fn attempts_of(&self, tenant: TenantId, of: AttemptsOf) -> Result<Vec<AttemptRecord>> {
        read!(self, tenant, db, |conn| db::analytics::attempts_of(conn, tenant, of))
    }

    async fn behind(&self) -> Result<Vec<TenantId>> {
        read!(self, Scope::All, db, |conn| db::analytics::behind(conn))
    }

    async fn keep_sums(
        &self,
        tenant: TenantId,
        counted: i64,
        overview: &Overview,
        rollups: &Rollups,
    ) -> Result<bool> {
        let cursor = overview.cursor;
        let overview = document("analytics_overviews.overview", overview)?;
        let rollups = prepared(rollups)?;
        transact_silently!(self, tenant, db, |conn| {
            db::analytics::keep(conn, tenant, counted, (cursor, &overview), &rollups)
        })
    }
}

//! Finished attempts for figures.

use super::{Store, read};
use agent_analytics::ports::{AttemptFilter, AttemptRecord, AttemptSource};
use agent_core::Result;
use async_trait::async_trait;

#[async_trait]
impl AttemptSource for Store {
    async fn finished(&self, filter: &AttemptFilter) -> Result<Vec<AttemptRecord>> {
        let filter = filter.clone();
        read!(self, filter.tenant, db, |conn| db::analytics::finished(conn, &filter))
    }
}

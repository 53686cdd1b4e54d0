//! A log in memory, for tests and for embedders without a database.

use crate::chain::{Anchor, ChainId, ChainState};
use crate::entry::Entry;
use crate::ports::{AuditFilter, AuditLog, AuditPage};
use crate::record::Record;
use agent_core::Result;
use agent_core::time::Timestamp;
use async_trait::async_trait;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Keeps records in memory until they are removed or the process ends.
#[derive(Debug, Default)]
pub struct MemoryAuditLog {
    chains: Mutex<BTreeMap<i64, Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    state: ChainState,
    records: VecDeque<Record>,
}

impl MemoryAuditLog {
    /// A log without records.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<i64, Kept>> {
        self.chains.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn page(&self, filter: &AuditFilter) -> AuditPage {
        let mut found: Vec<&Record> = self.records.iter().filter(|record| filter.matches(record)).collect();
        if filter.newest_first {
            found.reverse();
        }
        let total = found.len() as u64;
        found.retain(|record| filter.is_ahead(record.sequence));
        let more = found.len() > filter.page_size();
        found.truncate(filter.page_size());
        let next = found.last().filter(|_| more).map(|record| record.sequence);
        AuditPage { records: found.into_iter().cloned().collect(), total, next }
    }

    fn remove_before(&mut self, before: Timestamp) -> u64 {
        let mut removed = 0;
        while let Some(oldest) = self.records.pop_front_if(|record| record.at < before) {
            self.state.anchor = Anchor::after(&oldest.head());
            removed += 1;
        }
        removed
    }
}

#[async_trait]
impl AuditLog for MemoryAuditLog {
    async fn append(&self, entry: Entry, at: Timestamp) -> Result<Record> {
        let mut chains = self.lock();
        let kept = chains.entry(entry.chain.stored()).or_default();
        let record = entry.chain_after(&kept.state.head, at);
        kept.state.head = record.head();
        kept.records.push_back(record.clone());
        Ok(record)
    }

    async fn page(&self, filter: &AuditFilter) -> Result<AuditPage> {
        let chains = self.lock();
        Ok(chains.get(&filter.chain.stored()).map(|kept| kept.page(filter)).unwrap_or_default())
    }

    async fn chain(&self, chain: ChainId) -> Result<ChainState> {
        Ok(self.lock().get(&chain.stored()).map(|kept| kept.state).unwrap_or_default())
    }

    async fn chains(&self) -> Result<Vec<ChainId>> {
        Ok(self.lock().keys().copied().map(ChainId::from).collect())
    }

    async fn remove_before(&self, chain: ChainId, before: Timestamp) -> Result<u64> {
        let mut chains = self.lock();
        Ok(chains.get_mut(&chain.stored()).map(|kept| kept.remove_before(before)).unwrap_or_default())
    }
}

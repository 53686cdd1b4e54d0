//! What scans learnt of repositories, so that the next one reads only what has changed.

use agent_repository::scan::Cache;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Repositories whose files are remembered from scan to scan.
const MOST_CACHES: usize = 8;
/// What is remembered of one repository, in bytes.
const CACHE_BYTES: usize = 64 << 20;

/// What scans learnt, the latest repository first.
#[derive(Default)]
pub(crate) struct ScanCaches(Mutex<VecDeque<(PathBuf, Arc<Cache>)>>);

impl ScanCaches {
    pub(crate) fn of(&self, root: &Path) -> Arc<Cache> {
        // Every change is one call: no panic leaves half of one.
        let mut caches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = caches.iter().position(|(path, _)| path == root);
        let entry = known.and_then(|index| caches.remove(index));
        let (path, cache) = entry.unwrap_or_else(|| (root.to_path_buf(), Arc::new(Cache::new(CACHE_BYTES))));
        caches.push_front((path, Arc::clone(&cache)));
        caches.truncate(MOST_CACHES);
        cache
    }
}

//! Repositories as a caller sees them.

use crate::error::Result;
use crate::repositories::{RepositoryRoots, blocking, scan_repository};
use agent_repository::scan::{Cache, ScanReport};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Repositories whose files are remembered from scan to scan.
const MOST_CACHES: usize = 8;
/// What is remembered of one repository, in bytes.
const CACHE_BYTES: usize = 64 << 20;

/// Requests about repositories.
#[derive(Clone)]
pub struct Repositories {
    pub(crate) roots: Arc<RepositoryRoots>,
    pub(crate) caches: Arc<Caches>,
}

/// What scans learnt, the latest repository first.
#[derive(Default)]
pub(crate) struct Caches(Mutex<VecDeque<(PathBuf, Arc<Cache>)>>);

impl Caches {
    fn of(&self, root: &Path) -> Arc<Cache> {
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

impl Repositories {
    /// Describes a repository: the one given, or the first root; with `symbols` its definitions, too. Files that
    /// have not changed since the last time are not read again.
    ///
    /// # Errors
    /// `RepositoryRefused`.
    pub async fn scan(&self, repo_path: Option<&str>, symbols: bool) -> Result<(PathBuf, ScanReport)> {
        let (roots, path) = (Arc::clone(&self.roots), repo_path.map(str::to_owned));
        let root = blocking(move || roots.admit(path.as_deref())).await?;
        let report = scan_repository(root.clone(), symbols, Some(self.caches.of(&root))).await?;
        Ok((root, report))
    }
}

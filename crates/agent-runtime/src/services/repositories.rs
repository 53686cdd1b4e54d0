//! Repositories as a caller sees them.

use crate::error::Result;
use crate::repositories::{RepositoryRoots, blocking, scan_repository};
use crate::scan_caches::ScanCaches;
use agent_repository::scan::ScanReport;
use std::path::PathBuf;
use std::sync::Arc;

/// Requests about repositories.
#[derive(Clone)]
pub struct Repositories {
    pub(crate) roots: Arc<RepositoryRoots>,
    pub(crate) caches: Arc<ScanCaches>,
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

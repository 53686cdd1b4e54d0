//! Repositories as a caller sees them.

use crate::error::Result;
use crate::repositories::{RepositoryRoots, scan_repository};
use crate::scan_caches::ScanCaches;
use agent_auth::Principal;
use agent_core::ids::TenantId;
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
    /// The folders below which a tenant's repositories must lie; `None` when there is no such tenant.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn roots_of(&self, tenant: TenantId) -> Result<Option<Vec<String>>> {
        Ok(self.roots.of(tenant).await?)
    }

    /// Gives a tenant folders of its own, as they are resolved; `None` when there is no such tenant.
    ///
    /// # Errors
    /// `RepositoryRefused` for a path that is no folder or lies outside the roots of the settings; `Unavailable`.
    pub async fn give_roots(&self, tenant: TenantId, folders: Vec<String>) -> Result<Option<Vec<String>>> {
        Ok(self.roots.give(tenant, folders).await?)
    }

    /// Describes a repository of the caller's tenant: the one given, or the first root; with `symbols` its definitions, too. Files that
    /// have not changed since the last time are not read again.
    ///
    /// # Errors
    /// `RepositoryRefused`.
    pub async fn scan(
        &self,
        caller: &Principal,
        repo_path: Option<&str>,
        symbols: bool,
    ) -> Result<(PathBuf, ScanReport)> {
        let root = self.roots.admit(caller.tenant, repo_path.map(str::to_owned)).await?;
        let report = scan_repository(root.clone(), symbols, Some(self.caches.of(&root))).await?;
        Ok((root, report))
    }
}

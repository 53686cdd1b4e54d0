//! Which folders plans may work on.

use agent_core::error::{Error, Result};
use agent_repository::scan::{self, Cache, ScanOptions, ScanReport};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The folders below which every repository must lie, after links are resolved.
#[derive(Debug, Clone)]
pub struct RepositoryRoots {
    roots: Vec<PathBuf>,
}

impl RepositoryRoots {
    /// Resolves the roots now, so that a later change of the working folder does not move them.
    ///
    /// # Errors
    /// `RepositoryRefused` for a root that does not exist or is no folder.
    pub fn resolve(roots: &[PathBuf]) -> Result<Self> {
        let roots = roots.iter().map(|root| real_folder(root)).collect::<Result<_>>()?;
        Ok(Self { roots })
    }

    /// The real path of a repository: the one given, or the first root.
    ///
    /// # Errors
    /// `RepositoryRefused` when it does not exist, is no folder, or lies outside every root.
    pub fn admit(&self, path: Option<&str>) -> Result<PathBuf> {
        let refused = |path: &str, reason: String| Error::RepositoryRefused { path: path.to_owned(), reason };
        let Some(path) = path else {
            let first = self.roots.first().cloned();
            return first.ok_or_else(|| refused("", "no repository root is configured".to_owned()));
        };
        if path.is_empty() || path.contains('\0') {
            return Err(refused(path, "it must name a folder".to_owned()));
        }
        let base = self.roots.first().map_or_else(PathBuf::new, Clone::clone);
        let real = real_folder(&base.join(path))?;
        if self.roots.iter().any(|root| real.starts_with(root)) {
            return Ok(real);
        }
        let roots: Vec<String> = self.roots.iter().map(|root| root.display().to_string()).collect();
        let reason = format!("it lies outside the repository roots ({})", roots.join(", "));
        Err(refused(path, reason))
    }
}

fn real_folder(path: &Path) -> Result<PathBuf> {
    let refused = |reason: String| Error::RepositoryRefused { path: path.display().to_string(), reason };
    let real = path.canonicalize().map_err(|error| refused(error.to_string()))?;
    if real.is_dir() { Ok(real) } else { Err(refused("it is not a folder".to_owned())) }
}

/// Scans off the async threads.
pub(crate) async fn scan_repository(
    root: PathBuf,
    symbols: bool,
    cache: Option<Arc<Cache>>,
) -> Result<ScanReport> {
    blocking(move || {
        let options = ScanOptions { symbols, cache: cache.as_deref(), ..ScanOptions::default() };
        scan::scan(&root, &options).map_err(|error| Error::RepositoryRefused {
            path: root.display().to_string(),
            reason: error.to_string(),
        })
    })
    .await
}

/// Runs file work off the async threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(Error::Unavailable(Box::new(error))))
}

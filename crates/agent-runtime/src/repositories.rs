//! Which folders plans may work on.

use agent_auth::ports::TenantStore;
use agent_core::error::{Error, Result};
use agent_core::ids::TenantId;
use agent_repository::scan::{self, Cache, ScanOptions, ScanReport};
use agent_store::Store;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// The folders below which repositories must lie, after links are resolved: those of the settings, and of them the ones
/// that were given to a tenant.
#[derive(Clone)]
pub struct RepositoryRoots {
    roots: Vec<PathBuf>,
    store: Store,
}

impl RepositoryRoots {
    /// Resolves the roots now, so that a later change of the working folder does not move them.
    ///
    /// # Errors
    /// `RepositoryRefused` for a root that does not exist or is no folder.
    pub fn resolve(roots: &[PathBuf], store: Store) -> Result<Self> {
        Ok(Self { roots: real_folders(roots)?, store })
    }

    /// The real path of a repository of a tenant: the one given, or the tenant's first root.
    ///
    /// # Errors
    /// `RepositoryRefused` when it does not exist, is no folder, or is not the tenant's; `Unavailable`.
    pub async fn admit(&self, tenant: TenantId, path: Option<String>) -> Result<PathBuf> {
        let given = self.store.repository_roots().await?;
        let roots = self.roots.clone();
        blocking(move || Shares::new(roots, given).admit(tenant, path.as_deref())).await
    }

    /// Gives a tenant folders of its own, which nobody else can work in from then on.
    ///
    /// # Errors
    /// `RepositoryRefused` for a path that is no folder or lies outside the roots of the settings; `Unavailable`.
    pub async fn give(&self, tenant: TenantId, folders: Vec<String>) -> Result<Option<Vec<String>>> {
        let roots = self.roots.clone();
        let folders = blocking(move || {
            let shares = Shares::new(roots, Vec::new());
            let real = folders.iter().map(|folder| shares.admit(TenantId::DEFAULT, Some(folder)));
            real.map(|path| Ok(path?.display().to_string())).collect::<Result<Vec<String>>>()
        })
        .await?;
        let is_known = self.store.set_repository_roots(tenant, &folders).await?;
        Ok(is_known.then_some(folders))
    }

    /// The folders of a tenant; `None` when there is no such tenant.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn of(&self, tenant: TenantId) -> Result<Option<Vec<String>>> {
        if !self.store.tenants().await?.iter().any(|known| known.id == tenant) {
            return Ok(None);
        }
        let shares = Shares::new(self.roots.clone(), self.store.repository_roots().await?);
        Ok(Some(shares.of(tenant).into_iter().map(|root| root.display().to_string()).collect()))
    }
}

/// Which folders belong to whom.
struct Shares(Vec<(TenantId, PathBuf)>);

impl Shares {
    /// A tenant has what it was given; the first one, where it was given nothing, all that the settings name.
    fn new(roots: Vec<PathBuf>, given: Vec<(TenantId, Vec<String>)>) -> Self {
        let is_given = |(tenant, _): &(TenantId, _)| *tenant == TenantId::DEFAULT;
        let rest = if given.iter().any(is_given) { Vec::new() } else { roots };
        let rest = rest.into_iter().map(|root| (TenantId::DEFAULT, root));
        let given = given.into_iter().flat_map(|(tenant, folders)| {
            folders.into_iter().map(move |folder| (tenant, PathBuf::from(folder)))
        });
        Self(rest.chain(given).collect())
    }

    fn of(&self, tenant: TenantId) -> Vec<&Path> {
        self.0.iter().filter(|(whose, _)| *whose == tenant).map(|(_, folder)| folder.as_path()).collect()
    }

    fn admit(&self, tenant: TenantId, path: Option<&str>) -> Result<PathBuf> {
        let own = self.of(tenant);
        let refused =
            |reason: String| Error::RepositoryRefused { path: path.unwrap_or_default().to_owned(), reason };
        let Some(first) = own.first() else {
            let reason = "no folder for repositories is set up here; an operator of the server does that";
            return Err(refused(reason.to_owned()));
        };
        let Some(path) = path else { return Ok(first.to_path_buf()) };
        if path.is_empty() || path.contains('\0') {
            return Err(refused("it must name a folder".to_owned()));
        }
        let asked = first.join(path);
        let found = real_folder(&asked);
        // Of what is not the tenant's nobody learns here whether it exists.
        if self.belongs(tenant, found.as_ref().unwrap_or(&asked)) {
            return found;
        }
        let roots: Vec<String> = own.iter().map(|root| root.display().to_string()).collect();
        Err(refused(format!("it lies outside the repository roots ({})", roots.join(", "))))
    }

    /// Whether the closest of the folders around a path is the tenant's.
    fn belongs(&self, tenant: TenantId, path: &Path) -> bool {
        let goes_up = path.components().any(|part| part == Component::ParentDir);
        let around = self.0.iter().filter(|(_, folder)| path.starts_with(folder));
        let closest = around.max_by_key(|(whose, folder)| (folder.components().count(), *whose == tenant));
        !goes_up && closest.is_some_and(|(whose, _)| *whose == tenant)
    }
}

/// The real paths of folders that the settings name.
///
/// # Errors
/// `RepositoryRefused` for one that does not exist or is no folder.
pub(crate) fn real_folders(folders: &[PathBuf]) -> Result<Vec<PathBuf>> {
    folders.iter().map(|folder| real_folder(folder)).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    const OTHER: TenantId = TenantId(2);
    const THIRD: TenantId = TenantId(3);

    fn shares(folder: &Path) -> Shares {
        for name in ["own", "others/deep", "others/back"] {
            std::fs::create_dir_all(folder.join(name)).unwrap();
        }
        let path = |name: &str| folder.join(name).display().to_string();
        let given = vec![(OTHER, vec![path("others")]), (THIRD, vec![path("others/deep")])];
        Shares::new(vec![folder.to_path_buf()], given)
    }

    #[test]
    fn the_closest_folder_says_whose_a_repository_is() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let shares = shares(&folder);
        let admits =
            |tenant, name: &str| shares.admit(tenant, Some(&folder.join(name).display().to_string())).is_ok();
        for (name, whose) in
            [("own", TenantId::DEFAULT), ("others", OTHER), ("others/back", OTHER), ("others/deep", THIRD)]
        {
            for tenant in [TenantId::DEFAULT, OTHER, THIRD] {
                assert_eq!(admits(tenant, name), tenant == whose, "{name} for tenant {tenant}");
            }
        }
        assert!(!admits(OTHER, "others/../own"));
        assert!(shares.admit(TenantId(9), None).is_err(), "who was given nothing has nothing");
    }

    #[test]
    fn what_is_anothers_is_refused_like_what_does_not_exist() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let shares = shares(&folder);
        let reason = |name: &str| match shares.admit(OTHER, Some(&folder.join(name).display().to_string())) {
            Err(Error::RepositoryRefused { reason, .. }) => reason,
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(reason("own"), reason("none"));
        assert_eq!(reason("others/deep"), reason("others/deep/none"));
    }
}

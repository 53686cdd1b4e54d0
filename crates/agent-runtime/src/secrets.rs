//! What is secret here: the server's own keys, and what lies in the workspaces of plans.

use crate::repositories::blocking;
use crate::settings::{self, Settings};
use agent_core::error::{Error, Result};
use agent_core::ports::{Clock, Redactor, Secrets, WorkspaceSecrets};
use agent_core::time::Timestamp;
use agent_repository::{git, scan};
use agent_secrets::{SecretMasker, values_of};
use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Ends of names of variables that hold secrets.
const TELLING: [&str; 9] =
    ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "CREDENTIALS", "PASSPHRASE", "DSN"];
/// How much of a file is read for values, in bytes.
const LARGEST_FILE: u64 = 256 * 1024;
/// Files of one folder of credentials that are read.
const MOST_FILES: usize = 256;
/// How long what was found in a workspace is taken to be all there is: tasks of a plan start in bursts.
const FRESH: Duration = Duration::from_secs(2);
/// Workspaces whose secrets are kept in mind.
const MOST_WORKSPACES: usize = 256;

/// Finds and masks secrets for the executor.
pub(crate) struct KnownSecrets {
    masker: SecretMasker,
    clock: Arc<dyn Clock>,
    found: Mutex<HashMap<PathBuf, (Timestamp, WorkspaceSecrets)>>,
}

impl KnownSecrets {
    /// With the secrets of these settings, and the key that tokens are signed with.
    pub(crate) fn new(settings: &Settings, signing: &SecretString, clock: Arc<dyn Clock>) -> Self {
        let signing = ("jwt_secret".to_owned(), signing.expose_secret().to_owned());
        let retired = settings.access.retired_jwt_secrets.iter();
        let retired =
            retired.map(|secret| ("retired_jwt_secret".to_owned(), secret.expose_secret().to_owned()));
        Self { masker: masker(settings).and(retired.chain([signing])), clock, found: Mutex::default() }
    }

    fn kept(&self, root: &Path, now: Timestamp) -> Option<WorkspaceSecrets> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, secrets) = found.get(root)?;
        (now.since(*at) < FRESH).then(|| secrets.clone())
    }

    fn keep(&self, root: PathBuf, now: Timestamp, secrets: WorkspaceSecrets) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.len() >= MOST_WORKSPACES {
            found.retain(|_, (at, _)| now.since(*at) < FRESH);
        }
        found.insert(root, (now, secrets));
    }
}

/// Masks the secrets of these settings, and what looks like one: for logs.
pub fn redactor(settings: &Settings) -> Arc<dyn Redactor> {
    Arc::new(masker(settings))
}

fn masker(settings: &Settings) -> SecretMasker {
    let exposed =
        |secret: &Option<SecretString>| secret.as_ref().map(|secret| secret.expose_secret().to_owned());
    let own = [
        ("llm_api_key", exposed(&settings.llm_api_key)),
        ("jwt_secret", exposed(&settings.jwt_secret)),
        ("admin_password", exposed(&settings.admin_password)),
        ("metrics_token", exposed(&settings.observing.metrics_token)),
    ];
    let own = own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let database = settings::passwords_in(&settings.database_url).into_iter();
    let own = own.chain(database.map(|password| ("database_password".to_owned(), password.to_owned())));
    let telling = |name: &str| {
        let name = name.to_ascii_uppercase();
        TELLING.iter().any(|end| name.ends_with(end))
    };
    let environment = settings.environment.iter().filter(|(name, _)| telling(name));
    let environment = environment.map(|(name, value)| (name.clone(), value.clone()));
    SecretMasker::builder().all_known(own.chain(environment)).build()
}

#[async_trait]
impl Secrets for KnownSecrets {
    async fn of_workspace(&self, root: &Path) -> Result<WorkspaceSecrets> {
        let now = self.clock.now();
        if let Some(secrets) = self.kept(root, now) {
            return Ok(secrets);
        }
        let (folder, masker) = (root.to_path_buf(), self.masker.clone());
        let secrets = blocking(move || look(&folder, &masker)).await?;
        self.keep(root.to_path_buf(), now, secrets.clone());
        Ok(secrets)
    }

    fn redactor(&self) -> Arc<dyn Redactor> {
        Arc::new(self.masker.clone())
    }
}

/// Looks for files that hold secrets. One that git keeps track of is no secret any more, and tests may need it: it is
/// within reach, and what stands in it is masked all the same.
fn look(root: &Path, masker: &SecretMasker) -> Result<WorkspaceSecrets> {
    let refused = |error: std::io::Error| Error::RepositoryRefused {
        path: root.display().to_string(),
        reason: error.to_string(),
    };
    let found = scan::sensitive_files(root).map_err(refused)?;
    if !found.is_complete {
        tracing::warn!(root = %root.display(), "the workspace is too large to be searched for secret files whole");
    }
    if found.paths.is_empty() {
        return Ok(WorkspaceSecrets { files: Vec::new(), redactor: Arc::new(masker.clone()) });
    }
    let values: Vec<(String, String)> = found.paths.iter().flat_map(|path| values_in(path)).collect();
    let files = untracked(root, found.paths);
    Ok(WorkspaceSecrets { files, redactor: Arc::new(masker.and(values)) })
}

fn untracked(root: &Path, paths: Vec<PathBuf>) -> Vec<PathBuf> {
    let relative: Vec<&str> =
        paths.iter().filter_map(|path| path.strip_prefix(root).ok().and_then(Path::to_str)).collect();
    match git::tracked(root, &relative) {
        Ok(Some(tracked)) => {
            let is_tracked = |path: &PathBuf| tracked.iter().any(|name| root.join(name) == *path);
            paths.into_iter().filter(|path| !is_tracked(path)).collect()
        }
        Ok(None) => paths,
        Err(error) => {
            tracing::warn!(root = %root.display(), %error, "what git keeps track of is unknown; all secret files are hidden");
            paths
        }
    }
}

/// The values in a file, or in the files of a folder.
fn values_in(path: &Path) -> Vec<(String, String)> {
    let Ok(kind) = path.symlink_metadata() else { return Vec::new() };
    if kind.is_dir() {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten().take(MOST_FILES);
        let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
        return files.flat_map(|entry| values_in(&entry.path())).collect();
    }
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST_FILE).read_to_end(&mut text));
    if kind.is_file() && read.is_ok() {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        return values_of(&name, &String::from_utf8_lossy(&text));
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemClock;
    use std::fs;

    fn secrets(folder: &Path, environment: &[(&str, &str)]) -> KnownSecrets {
        let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let database_url = "postgres://ada:correct-horse@db/agent?sslpassword=another-horse".to_owned();
        let settings = Settings { environment, database_url, ..Settings::embedded(folder) };
        KnownSecrets::new(&settings, &"a signing key of some length".to_owned().into(), Arc::new(SystemClock))
    }

    #[tokio::test]
    async fn secrets_of_the_server_and_of_the_workspace_are_masked_and_untracked_files_hidden() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::write(root.join(".env"), "DB_PASSWORD=battery-staple-42\nDEBUG=true\n").unwrap();
        fs::write(root.join("main.rs"), "fn main() {}\n").unwrap();
        let known = secrets(root, &[("PROVIDER_API_KEY", "key-of-a-provider"), ("EDITOR", "an-editor-name")]);
        let found = known.of_workspace(root).await.unwrap();
        assert_eq!(found.files, [root.join(".env")]);
        let text = "key-of-a-provider correct-horse battery-staple-42 a signing key of some length another-horse an-editor-name true";
        let masked = found.redactor.redact(text);
        for secret in
            ["key-of-a-provider", "correct-horse", "battery-staple-42", "signing key", "another-horse"]
        {
            assert!(!masked.contains(secret), "{masked}");
        }
        assert!(masked.ends_with("an-editor-name true"), "{masked}");
        assert!(known.redactor().redact("battery-staple-42").contains("battery"), "of that workspace only");
    }

    #[tokio::test]
    async fn a_folder_without_secrets_hides_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let known = secrets(folder.path(), &[]);
        assert_eq!(known.of_workspace(folder.path()).await.unwrap().files, Vec::<PathBuf>::new());
        assert!(known.of_workspace(&folder.path().join("missing")).await.is_err());
    }
}

//! Which variables a command inherits and where its program is found.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::{CommandRequest, Error};

/// Where programs are looked for when nobody says otherwise.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Variables that tell a program how to behave and hold no secret.
const INHERITED: [&str; 7] = ["PATH", "LANG", "LANGUAGE", "TERM", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Variables that name a toolchain, with the place below the home directory they stand for when unset.
const TOOLCHAINS: [(&str, Option<&str>); 14] = [
    ("CARGO_HOME", Some(".cargo")),
    ("RUSTUP_HOME", Some(".rustup")),
    ("PYENV_ROOT", Some(".pyenv")),
    ("NVM_DIR", Some(".nvm")),
    ("GOPATH", Some("go")),
    ("RBENV_ROOT", Some(".rbenv")),
    ("VOLTA_HOME", Some(".volta")),
    ("GOROOT", None),
    ("GOMODCACHE", None),
    ("JAVA_HOME", None),
    ("DOTNET_ROOT", None),
    ("RUSTUP_TOOLCHAIN", None),
    ("PYENV_VERSION", None),
    ("VIRTUAL_ENV", None),
];

/// Where a command finds the proxy to the hosts it may reach: a port of its own loopback interface.
pub(crate) const PROXY_PORT: u16 = 3128;

/// Variables that make programs use a proxy; there is no one spelling that all of them know.
const PROXY_VARIABLES: [&str; 6] =
    ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];

/// The environment of the server, handed over by whoever may read it. Only an allow-list of it reaches commands.
#[derive(Clone, Default)]
pub struct HostEnvironment(BTreeMap<String, String>);

impl std::fmt::Debug for HostEnvironment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values may be secrets, and debug output ends up in logs.
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for HostEnvironment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl HostEnvironment {
    /// Where temporary directories are made.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.absolute("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp"))
    }

    pub(crate) fn home(&self) -> Option<PathBuf> {
        self.absolute("HOME")
    }

    /// Variables every command starts from: the allow-list, with toolchains named that are found by default.
    pub(crate) fn inherited(&self) -> BTreeMap<String, String> {
        let mut kept: BTreeMap<_, _> = self
            .0
            .iter()
            .filter(|(name, _)| INHERITED.contains(&name.as_str()) || name.starts_with("LC_"))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        for (name, below_home) in TOOLCHAINS {
            let found = self.0.get(name).cloned().or_else(|| {
                let place = self.home()?.join(below_home?);
                place.is_dir().then(|| place.to_str().map(str::to_owned)).flatten()
            });
            kept.extend(found.map(|value| (name.to_owned(), value)));
        }
        kept.entry("PATH".into()).or_insert_with(|| DEFAULT_PATH.into());
        kept
    }

    /// The folders in which the server itself finds programs.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux has bubblewrap to find"))]
    pub(crate) fn search_path(&self) -> Vec<PathBuf> {
        let search = self.0.get("PATH").map(std::env::split_paths).into_iter().flatten();
        search.filter(|folder| folder.is_absolute()).collect()
    }

    fn absolute(&self, name: &str) -> Option<PathBuf> {
        self.0.get(name).map(PathBuf::from).filter(|path| path.is_absolute())
    }
}

/// Directories that the toolchain variables in `variables` point to.
pub(crate) fn toolchain_homes(variables: &BTreeMap<String, String>) -> impl Iterator<Item = PathBuf> {
    let named = TOOLCHAINS.iter().map(|(name, _)| *name).chain(["SSL_CERT_FILE", "SSL_CERT_DIR"]);
    named
        .filter_map(|name| variables.get(name))
        .flat_map(|value| std::env::split_paths(value).collect::<Vec<_>>())
        .filter(|path| path.is_absolute() && path.exists())
}

/// The variables of one command.
pub(crate) fn of_command(
    inherited: &BTreeMap<String, String>,
    request: &CommandRequest,
    scratch: &Path,
) -> BTreeMap<String, String> {
    let mut variables = inherited.clone();
    for name in ["HOME", "TMPDIR"] {
        variables.insert(name.into(), scratch.to_string_lossy().into_owned());
    }
    if !request.domains.is_empty() {
        let proxy = format!("http://127.0.0.1:{PROXY_PORT}");
        let shown = PROXY_VARIABLES.iter().map(|name| (*name, &*proxy));
        let direct = ["NO_PROXY", "no_proxy"].map(|name| (name, "localhost,127.0.0.1,::1"));
        variables.extend(shown.chain(direct).map(|(name, value)| (name.to_owned(), value.to_owned())));
    } else if !request.network {
        variables.insert("CARGO_NET_OFFLINE".into(), "true".into());
    }
    variables.extend(request.environment.clone());
    variables
}

/// Finds the program of a command as `execvp` would, but before anything is started.
pub(crate) fn find_program(
    name: &str,
    variables: &BTreeMap<String, String>,
    working_directory: &Path,
) -> Result<PathBuf, Error> {
    let not_found = || Error::NotFound(name.to_owned());
    if name.contains('/') {
        return Some(working_directory.join(name)).filter(|path| is_executable(path)).ok_or_else(not_found);
    }
    let search = variables.get("PATH").map_or(DEFAULT_PATH, String::as_str);
    std::env::split_paths(search)
        .map(|directory| working_directory.join(directory).join(name))
        .find(|path| !name.is_empty() && is_executable(path))
        .ok_or_else(not_found)
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_allow_list_is_inherited() {
        let host = HostEnvironment::from_iter([
            ("PATH", "/bin"),
            ("LC_ALL", "C"),
            ("JAVA_HOME", "/opt/java"),
            ("AWS_SECRET_ACCESS_KEY", "canary"),
            ("LD_PRELOAD", "/canary.so"),
            ("HOME", "/nonexistent"),
        ]);
        let names: Vec<_> = host.inherited().into_keys().collect();
        assert_eq!(names, ["JAVA_HOME", "LC_ALL", "PATH"]);
        assert!(!format!("{host:?}").contains("canary"));
    }

    #[test]
    fn a_toolchain_below_the_home_directory_is_named_although_home_changes() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".cargo")).unwrap();
        let host = HostEnvironment::from_iter([("HOME", home.path().to_str().unwrap())]);
        let inherited = host.inherited();
        assert_eq!(inherited["CARGO_HOME"], home.path().join(".cargo").to_str().unwrap());
        assert!(!inherited.contains_key("RUSTUP_HOME"));
    }
}

//! Which files a confined command may read: an allow-list, so that what nobody thought of stays closed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::environment::toolchain_homes;

/// Where operating systems keep programs, libraries and what they publish about the processor.
pub(crate) const SYSTEM: [&str; 14] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/opt",
    "/nix/store",
    "/run/current-system",
    "/sys/devices/system/cpu",
    "/sys/fs/cgroup",
    "/sys/kernel/mm/transparent_hugepage",
    "/var/lib/ca-certificates",
];

/// Entries of `/etc` that programs read and that hold no secret, by the beginning of their names.
const ETC_PREFIXES: [&str; 15] = [
    "alternatives",
    "ca-certificates",
    "crypto-policies",
    "fonts",
    "java",
    "ld.so",
    "locale",
    "magic",
    "mime.types",
    "nsswitch.conf",
    "os-release",
    "perl",
    "php",
    "python",
    "terminfo",
];

/// The same by their whole name.
const ETC_NAMES: [&str; 26] = [
    "bash.bashrc",
    "debian_version",
    "ethertypes",
    "gai.conf",
    "gitconfig",
    "gnutls",
    "group",
    "host.conf",
    "hostname",
    "hosts",
    "inputrc",
    "localtime",
    "lsb-release",
    "maven",
    "networks",
    "passwd",
    "pki/ca-trust",
    "pki/tls/certs",
    "profile",
    "protocols",
    "resolv.conf",
    "rpc",
    "services",
    "ssl/certs",
    "ssl/openssl.cnf",
    "timezone",
];

/// Files that toolchains keep secrets in, below their homes.
const SECRETS: [&str; 5] = ["credentials", "credentials.toml", ".netrc", ".npmrc", "settings.xml"];

/// Parts of `~/.local` that programs are installed into; its other parts hold keyrings and histories.
const LOCAL_PARTS: [&str; 6] = ["bin", "lib", "share/pipx", "share/uv", "share/mise", "share/pnpm"];

/// Paths a command may read, without the workspace, worked out once.
#[derive(Debug, Clone)]
pub(crate) struct Readable {
    home: Option<PathBuf>,
    hidden: BTreeSet<PathBuf>,
    fixed: BTreeSet<PathBuf>,
}

impl Readable {
    pub(crate) fn new(
        home: Option<PathBuf>,
        inherited: &BTreeMap<String, String>,
        hidden: &[PathBuf],
    ) -> Self {
        let mut readable = Self {
            home: home.map(|home| home.canonicalize().unwrap_or(home)),
            hidden: hidden.iter().map(|path| path.canonicalize().unwrap_or_else(|_| path.clone())).collect(),
            fixed: BTreeSet::new(),
        };
        // A toolchain may lie below a system directory, which is granted as a whole otherwise.
        readable.hidden.extend(toolchain_homes(inherited).flat_map(|home| secrets_in(&home)));
        let mut fixed = BTreeSet::new();
        for path in SYSTEM {
            readable.grant(Path::new(path), &mut fixed);
        }
        readable.grant_toolchains(inherited, &mut fixed);
        readable.fixed = fixed;
        readable
    }

    /// All paths for a command. `/etc` is looked up each time, since its files are replaced while the server
    /// runs and a rule holds for the file it was made for.
    ///
    /// What a command or a model asks for as its environment grants nothing: a variable such as `JAVA_HOME`
    /// would otherwise open whatever it names.
    pub(crate) fn of_command(&self) -> BTreeSet<PathBuf> {
        let mut paths = self.fixed.clone();
        let names = std::fs::read_dir("/etc").into_iter().flatten().flatten().map(|entry| entry.file_name());
        let matching = names.filter(|name| {
            ETC_PREFIXES.iter().any(|prefix| name.as_encoded_bytes().starts_with(prefix.as_bytes()))
        });
        for path in matching.map(PathBuf::from).chain(ETC_NAMES.iter().map(PathBuf::from)) {
            let path = Path::new("/etc").join(path);
            if path.exists() {
                paths.insert(path);
            }
        }
        paths
    }

    /// What is hidden and lies in a workspace, so that it has to be covered there.
    pub(crate) fn hidden_in(&self, workspace: &Path) -> Vec<PathBuf> {
        let within = self.hidden.iter().filter(|path| path.starts_with(workspace) && path.exists());
        within.cloned().collect()
    }

    fn grant_toolchains(&self, variables: &BTreeMap<String, String>, paths: &mut BTreeSet<PathBuf>) {
        for home in toolchain_homes(variables) {
            self.grant(&home, paths);
        }
        let search = variables.get("PATH").map(std::env::split_paths).into_iter().flatten();
        for directory in search.filter(|path| path.is_absolute()) {
            for place in self.installation(&directory) {
                self.grant(&place, paths);
            }
        }
    }

    /// What belongs to the programs in a directory of the `PATH`: the directory it was installed with, too.
    fn installation(&self, directory: &Path) -> Vec<PathBuf> {
        let Ok(directory) = directory.canonicalize() else { return Vec::new() };
        let conventional = ["bin", "sbin", "shims"].iter().any(|name| directory.ends_with(name));
        match directory.parent() {
            Some(prefix) if conventional && prefix.ends_with(".local") => {
                LOCAL_PARTS.iter().map(|part| prefix.join(part)).collect()
            }
            Some(prefix) if conventional && !self.contains_home(prefix) => vec![prefix.to_owned()],
            _ => vec![directory],
        }
    }

    fn contains_home(&self, path: &Path) -> bool {
        path.parent().is_none() || self.home.as_ref().is_some_and(|home| home.starts_with(path))
    }

    /// Adds `path` with all below it, except what is hidden.
    fn grant(&self, path: &Path, paths: &mut BTreeSet<PathBuf>) {
        let Ok(path) = path.canonicalize() else { return };
        if self.contains_home(&path) || paths.iter().any(|known| path.starts_with(known)) {
            return;
        }
        let secrets = secrets_in(&path);
        let left_out: Vec<&Path> = self.hidden.iter().chain(&secrets).map(PathBuf::as_path).collect();
        parts_without(&path, &left_out, paths);
    }
}

/// The largest parts of a tree that hold nothing of what is left out, for rules that can only add up.
pub(crate) fn parts_without(path: &Path, left_out: &[&Path], parts: &mut impl Extend<PathBuf>) {
    if left_out.iter().any(|out| path.starts_with(out)) {
        return;
    }
    if !left_out.iter().any(|out| out.starts_with(path)) {
        parts.extend([path.to_owned()]);
        return;
    }
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
        // A rule on a link would open what it leads to, which is granted in its own right or not at all.
        if entry.file_type().is_ok_and(|kind| !kind.is_symlink()) {
            parts_without(&entry.path(), left_out, parts);
        }
    }
}

fn secrets_in(home: &Path) -> Vec<PathBuf> {
    SECRETS.iter().filter_map(|name| home.join(name).canonicalize().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(home: &Path, variables: &[(&str, String)], hidden: &[PathBuf]) -> BTreeSet<PathBuf> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Readable::new(Some(home.to_owned()), &variables, hidden).of_command()
    }

    #[test]
    fn credentials_in_a_toolchain_home_are_left_out() {
        let home = tempfile::tempdir().unwrap();
        let cargo = home.path().canonicalize().unwrap().join(".cargo");
        std::fs::create_dir_all(cargo.join("registry")).unwrap();
        std::fs::write(cargo.join("credentials.toml"), "canary").unwrap();
        let paths = granted(home.path(), &[("CARGO_HOME", cargo.display().to_string())], &[]);
        assert!(paths.contains(&cargo.join("registry")));
        assert!(!paths.contains(&cargo) && !paths.contains(&cargo.join("credentials.toml")));
    }

    #[test]
    fn the_home_directory_is_never_granted_although_programs_lie_in_it() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("bin")).unwrap();
        std::fs::create_dir_all(root.join("tool/bin")).unwrap();
        let search = format!("{0}:{0}/bin:{0}/tool/bin:/", root.display());
        let paths = granted(home.path(), &[("PATH", search)], &[]);
        assert!(paths.contains(&root.join("bin")) && paths.contains(&root.join("tool")));
        assert!(!paths.contains(&root) && !paths.contains(Path::new("/")));
    }

    #[test]
    fn hidden_paths_are_cut_out_of_what_is_readable() {
        let home = tempfile::tempdir().unwrap();
        let tool = tempfile::tempdir().unwrap();
        let root = tool.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("data")).unwrap();
        std::fs::create_dir_all(root.join("lib")).unwrap();
        let paths = granted(home.path(), &[("GOROOT", root.display().to_string())], &[root.join("data")]);
        assert!(
            paths.contains(&root.join("lib"))
                && !paths.contains(&root.join("data"))
                && !paths.contains(&root)
        );
    }

    #[test]
    fn of_etc_only_what_holds_no_secret_is_readable() {
        let home = tempfile::tempdir().unwrap();
        let paths = granted(home.path(), &[], &[]);
        assert!(paths.contains(Path::new("/etc/passwd")));
        for secret in ["/etc", "/etc/shadow", "/etc/ssh", "/etc/ssl", "/etc/sudoers"] {
            assert!(!paths.contains(Path::new(secret)), "{secret}");
        }
    }
}
